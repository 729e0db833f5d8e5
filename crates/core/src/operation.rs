//! What a service hands to the gate: entries. An entry can be made only of both an operation's questions and its
//! effect, so there is no operation that forgets to ask.

use std::pin::Pin;

use daypass_model::{FromValue, IntoValue, Operation, TypedOperation, Value};
use daypass_store::Tx;

use crate::check::Checks;
use crate::cx::Cx;
use crate::error::Error;
use crate::payload::{Body, Payload};
use daypass_wire::Fault;

/// One implemented operation.
pub struct Entry {
    row: fn() -> &'static Operation,
    pub(crate) effect: Effect,
    /// Whether it answers visitors of websites, and not the API's callers.
    pub(crate) for_websites: bool,
}

/// How an operation takes effect.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// In one transaction, together with its audit record.
    Transaction(fn(&Cx, &mut Tx<'_>, Value) -> Result<Value, Error>),
    /// In one transaction as well, with something found out before that takes its time.
    Prepared(for<'a> fn(&'a Cx, Value) -> Preparing<'a>),
    /// Over bodies that stream, and stores beside the one of the records.
    Stream(for<'a> fn(&'a Cx, Value, Payload) -> Running<'a>),
}

/// An operation under way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Streamed, Error>> + Send + 'a>>;

/// An operation under way that ends in one transaction.
pub type Preparing<'a> = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>>;

/// The answer of an operation whose body may be a stream.
pub struct Streamed {
    /// Everything but the body.
    pub(crate) output: Value,
    /// The body, where it is the object and not a document.
    pub(crate) body: Option<Body>,
    /// The status, where it is not the operation's usual one (206, 304).
    pub(crate) status: Option<u16>,
    /// What the audit log has, where the answer is a refusal all the same.
    pub(crate) refusal: Option<Box<Fault>>,
}

impl Entry {
    /// Used by [`operation!`](crate::operation), which has the questions beside the effect.
    #[doc(hidden)]
    #[must_use]
    pub const fn transaction(
        row: fn() -> &'static Operation,
        effect: fn(&Cx, &mut Tx<'_>, Value) -> Result<Value, Error>,
    ) -> Self {
        Self { row, effect: Effect::Transaction(effect), for_websites: false }
    }

    /// Used by [`prepared_operation!`](crate::prepared_operation).
    #[doc(hidden)]
    #[must_use]
    pub const fn prepared(
        row: fn() -> &'static Operation,
        effect: for<'a> fn(&'a Cx, Value) -> Preparing<'a>,
    ) -> Self {
        Self { row, effect: Effect::Prepared(effect), for_websites: false }
    }

    /// Used by [`stream_operation!`](crate::stream_operation).
    #[doc(hidden)]
    #[must_use]
    pub const fn stream(
        row: fn() -> &'static Operation,
        effect: for<'a> fn(&'a Cx, Value, Payload) -> Running<'a>,
    ) -> Self {
        Self { row, effect: Effect::Stream(effect), for_websites: false }
    }

    /// The same for visitors of websites.
    #[doc(hidden)]
    #[must_use]
    pub const fn for_websites(self) -> Self {
        Self { for_websites: true, ..self }
    }

    /// Its row in the tables.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        (self.row)()
    }
}

/// `operation!(GET_ROLE, ops::GetRole, checks, run);` makes the entry of an operation that is one transaction. Where S3
/// tells everybody what is missing, it is `operation!(HEAD_BUCKET, ops::HeadBucket, may_refuse: checks, run);`.
#[macro_export]
macro_rules! operation {
    ($name:ident, $operation:ty, may_refuse: $checks:expr, $run:expr) => {
        $crate::operation!($name, $operation, $crate::Error, $checks, $run);
    };
    ($name:ident, $operation:ty, $checks:expr, $run:expr) => {
        $crate::operation!($name, $operation, $crate::store::StoreError, $checks, $run);
    };
    ($name:ident, $operation:ty, $error:ty, $checks:expr, $run:expr) => {
        #[doc = concat!("`", stringify!($operation), "`.")]
        pub(crate) static $name: $crate::Entry = $crate::Entry::transaction(
            <$operation as $crate::model::TypedOperation>::row,
            |cx, tx, value| $crate::perform::<$operation, $error>(cx, tx, value, $checks, $run),
        );
    };
}

/// `prepared_operation!(ASSUME_ROLE_WITH_WEB_IDENTITY, ops::AssumeRoleWithWebIdentity, prepare, checks, run);` makes the entry
/// of an operation that finds something out before its transaction: the keys of an issuer, a key of its own. Nothing but what
/// `prepare` itself asks has been authorised when it runs.
///
/// ```ignore
/// async fn prepare(cx: &Cx, input: &Input) -> Result<Found, Error>;
/// fn checks(cx: &Cx, tx: &Tx<'_>, input: &Input, found: &Found) -> Result<Checks, StoreError>;
/// fn run(cx: &Cx, tx: &mut Tx<'_>, input: Input, found: &Found) -> Result<Output, Error>;
/// ```
#[macro_export]
macro_rules! prepared_operation {
    ($name:ident, $operation:ty, $prepare:path, $checks:path, $run:path) => {
        #[doc = concat!("`", stringify!($operation), "`.")]
        pub(crate) static $name: $crate::Entry =
            $crate::Entry::prepared(<$operation as $crate::model::TypedOperation>::row, |cx, value| {
                Box::pin(async move {
                    let input = $crate::take_input::<$operation>(cx, value)?;
                    let found = $prepare(cx, &input).await?;
                    let output = cx.transact(|tx| {
                        cx.authorize(&$checks(cx, tx, &input, &found)?)?;
                        $run(cx, tx, input.clone(), &found)
                    });
                    Ok($crate::model::IntoValue::into_value(output.await?))
                })
            });
    };
}

/// `stream_operation!(GET_OBJECT, ops::GetObject, checks, run);` makes the entry of an operation over streams. Both
/// functions are async. What `checks` found out, `run` is given: what was asked about is what is worked on.
///
/// ```ignore
/// async fn checks(cx: &Cx, input: &GetObjectRequest) -> Result<(Checks, Opened), Error>;
/// async fn run(cx: &Cx, found: Opened, input: GetObjectRequest, body: Payload) -> Result<Answered<GetObjectOutput>, Error>;
/// ```
///
/// With `for_websites:` before it all, it answers the visitors of websites; what they ask for is the same operation to the
/// audit log.
#[macro_export]
macro_rules! stream_operation {
    (for_websites: $name:ident, $operation:ty, $checks:path, $run:path) => {
        $crate::stream_operation!($name, $operation, $checks, $run, .for_websites());
    };
    ($name:ident, $operation:ty, $checks:path, $run:path $(, $($more:tt)+)?) => {
        #[doc = concat!("`", stringify!($operation), "`.")]
        pub(crate) static $name: $crate::Entry = $crate::Entry::stream(
            <$operation as $crate::model::TypedOperation>::row,
            |cx, value, payload| {
                Box::pin(async move {
                    let input = $crate::take_input::<$operation>(cx, value)?;
                    let (checks, found) = $checks(cx, &input).await?;
                    let checks: $crate::Checks = checks;
                    cx.authorize(&checks)?;
                    let answer: $crate::Answered<<$operation as $crate::model::TypedOperation>::Output> =
                        $run(cx, found, input, payload).await?;
                    Ok(answer.into_streamed())
                })
            },
        )$($($more)+)?;
    };
}

/// The typed input of an operation.
///
/// # Errors
/// A failure of ours: the wire has read it by the same table.
#[doc(hidden)]
pub fn take_input<O: TypedOperation>(cx: &Cx, value: Value) -> Result<O::Input, Error> {
    O::Input::from_value(value).ok_or_else(|| {
        tracing::error!(
            operation = cx.operation.name,
            "an input that was read does not fit its own structure"
        );
        cx.internal_failure().into()
    })
}

/// What an operation asks to be allowed. It may look at the state, and can fail only with it: what is missing is for
/// `run` to say, after the caller was allowed to know. (S3 tells everybody that a bucket is not there: there, `E` is
/// [`Error`].)
pub type ChecksOf<O, E> = fn(&Cx, &Tx<'_>, &<O as TypedOperation>::Input) -> Result<Checks, E>;

/// What an operation does.
pub type RunOf<O> =
    fn(&Cx, &mut Tx<'_>, <O as TypedOperation>::Input) -> Result<<O as TypedOperation>::Output, Error>;

/// Asks, then runs.
///
/// # Errors
/// A refusal, or what the operation answers.
#[doc(hidden)]
pub fn perform<O: TypedOperation, E: Into<Error>>(
    cx: &Cx,
    tx: &mut Tx<'_>,
    value: Value,
    checks: ChecksOf<O, E>,
    run: RunOf<O>,
) -> Result<Value, Error> {
    let dry_run = is_dry_run(cx.operation, &value);
    let input = take_input::<O>(cx, value)?;
    cx.authorize(&checks(cx, tx, &input).map_err(Into::into)?)?;
    if dry_run {
        let words = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::coded("DryRunOperation", 412, words).into());
    }
    Ok(run(cx, tx, input)?.into_value())
}

/// EC2's operations can be asked without effect; that is the same for all of them.
pub(crate) fn is_dry_run(operation: &Operation, value: &Value) -> bool {
    operation.service.name == "ec2"
        && operation
            .input
            .index("DryRun")
            .and_then(|index| value.fields()?.get(index))
            .is_some_and(|v| matches!(v, Value::Boolean(true)))
}

/// What a streaming operation answers.
pub struct Answered<T> {
    output: T,
    body: Option<Body>,
    status: Option<u16>,
    refusal: Option<Box<Fault>>,
}

impl<T: IntoValue> Answered<T> {
    /// An answer without an object.
    pub fn new(output: T) -> Self {
        Self { output, body: None, status: None, refusal: None }
    }

    /// An answer whose body is an object.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    /// An answer with a status of its own.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// An answer that is a refusal, and is recorded as one, with a body of its own.
    #[must_use]
    pub fn as_refusal(mut self, fault: Fault) -> Self {
        self.status = Some(fault.status);
        self.refusal = Some(Box::new(fault));
        self
    }

    #[doc(hidden)]
    pub fn into_streamed(self) -> Streamed {
        Streamed {
            output: self.output.into_value(),
            body: self.body,
            status: self.status,
            refusal: self.refusal,
        }
    }
}
