//! A message as data, and how typed structs come from and go to it.

use std::collections::BTreeMap;

use crate::{Operation, Timestamp};

/// What a request or an answer holds, without its protocol. It prints only through its table, which knows what is
/// sensitive; hence no `Debug`.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Text, or a value of an enumeration.
    String(String),
    /// An integer of either size.
    Integer(i64),
    /// A floating-point number.
    Double(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A point in time.
    Timestamp(Timestamp),
    /// Bytes.
    Blob(Blob),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order it came.
    Map(Vec<(String, Value)>),
    /// A structure.
    Structure(Fields),
}

impl Value {
    /// The structure without members.
    #[must_use]
    pub fn empty() -> Self {
        Self::Structure(Fields::default())
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(s) = self { Some(s) } else { None }
    }

    /// The structure's fields, if it is one.
    #[must_use]
    pub fn fields(&self) -> Option<&Fields> {
        if let Self::Structure(f) = self { Some(f) } else { None }
    }
}

/// Bytes, as opposed to a list of small integers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl FromValue for Blob {
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Blob(v) = value { Some(v) } else { None }
    }
}

impl IntoValue for Blob {
    fn into_value(self) -> Value {
        Value::Blob(self)
    }
}

/// The members that a structure really has: position in its table, and value.
#[derive(Clone, Default, PartialEq)]
pub struct Fields(Vec<(u16, Value)>);

impl Fields {
    /// The value of the member at that position of the table.
    #[must_use]
    pub fn get(&self, index: u16) -> Option<&Value> {
        self.0.iter().find(|(i, _)| *i == index).map(|(_, v)| v)
    }

    /// Adds a member that is not there yet.
    pub fn push(&mut self, index: u16, value: Value) {
        self.0.push((index, value));
    }

    /// Sets a member, whether it is there or not.
    pub fn set(&mut self, index: u16, value: Value) {
        match self.0.iter_mut().find(|(i, _)| *i == index) {
            Some(slot) => slot.1 = value,
            None => self.0.push((index, value)),
        }
    }

    /// All members that are there, in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Value)> {
        self.0.iter().map(|(i, v)| (*i, v))
    }

    /// Takes a member out, as its type: `None` if it has another type, or is absent though its type must be there.
    pub fn take<T: FromValue>(&mut self, index: u16) -> Option<T> {
        match self.0.iter().position(|(i, _)| *i == index) {
            Some(at) => T::from_value(self.0.swap_remove(at).1),
            None => T::absent(),
        }
    }

    /// Adds a member from its type; what is absent adds nothing.
    pub fn put<T: IntoValue>(&mut self, index: u16, value: T) {
        if let Some(value) = value.into_field() {
            self.0.push((index, value));
        }
    }
}

/// A type that a value can become.
pub trait FromValue: Sized {
    /// The value as this type; `None` if it is of another.
    fn from_value(value: Value) -> Option<Self>;

    /// What an absent member is, where it may be absent.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// A type that can become a value.
pub trait IntoValue: Sized {
    /// This as a value.
    fn into_value(self) -> Value;

    /// This as a member; `None` leaves the member out.
    fn into_field(self) -> Option<Value> {
        Some(self.into_value())
    }
}

/// An enumeration of the API.
pub trait Enumeration: Copy + Sized + 'static {
    /// Every value with its text, in the model's order.
    const VALUES: &'static [(&'static str, Self)];

    /// The text on the wire.
    fn as_str(self) -> &'static str;

    /// The value of that text.
    #[must_use]
    fn parse(text: &str) -> Option<Self> {
        Self::VALUES.iter().find(|(t, _)| *t == text).map(|(_, v)| *v)
    }
}

/// An operation whose input and output are typed structs.
pub trait TypedOperation {
    /// What it takes.
    type Input: FromValue;
    /// What it answers.
    type Output: IntoValue;
    /// Its row in the service's table.
    fn row() -> &'static Operation;
}

macro_rules! scalar {
    ($($ty:ty => $variant:ident),*) => {$(
        impl FromValue for $ty {
            fn from_value(value: Value) -> Option<Self> {
                if let Value::$variant(v) = value { Some(v) } else { None }
            }
        }
        impl IntoValue for $ty {
            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        }
    )*};
}
scalar!(String => String, bool => Boolean, i64 => Integer, f64 => Double, Timestamp => Timestamp);

impl FromValue for i32 {
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Integer(v) = value { Self::try_from(v).ok() } else { None }
    }
}

impl IntoValue for i32 {
    fn into_value(self) -> Value {
        Value::Integer(self.into())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Option<Self> {
        T::from_value(value).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or_else(Value::empty, T::into_value)
    }

    fn into_field(self) -> Option<Value> {
        self.map(T::into_value)
    }
}

impl<T: FromValue> FromValue for Box<T> {
    fn from_value(value: Value) -> Option<Self> {
        T::from_value(value).map(Box::new)
    }
}

impl<T: IntoValue> IntoValue for Box<T> {
    fn into_value(self) -> Value {
        (*self).into_value()
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Option<Self> {
        if let Value::List(items) = value { items.into_iter().map(T::from_value).collect() } else { None }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: FromValue> FromValue for BTreeMap<String, T> {
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Map(entries) = value {
            entries.into_iter().map(|(k, v)| Some((k, T::from_value(v)?))).collect()
        } else {
            None
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: IntoValue> IntoValue for BTreeMap<String, T> {
    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(k, v)| (k, v.into_value())).collect())
    }
}

/// An operation without input or output.
impl FromValue for () {
    fn from_value(_: Value) -> Option<Self> {
        Some(())
    }

    fn absent() -> Option<Self> {
        Some(())
    }
}

impl IntoValue for () {
    fn into_value(self) -> Value {
        Value::empty()
    }
}
