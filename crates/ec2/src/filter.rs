//! Filters, as every `Describe…` has them: names, and values with `*` and `?` (EC2 User Guide, "List and filter your
//! resources"). A thing is listed if for each filter one of its values matches one of the filter's.

use daypass_core::Fault;
use daypass_core::model::ec2::Filter;
use daypass_core::store::records::Tag;

use crate::fault;

/// What can be listed, filtered and paged.
pub(crate) trait Listed {
    /// What it is told apart by, and ordered by in a list.
    fn order(&self) -> String;

    /// Its tags.
    fn tags(&self) -> &[Tag];
}

/// A filter's name, and what a thing has under it.
pub(crate) type Field<T> = (&'static str, fn(&T) -> Vec<String>);

/// So many values a request may have in all (EC2 User Guide, "Filtering considerations").
const MAX_VALUES: usize = 200;

/// Those of the things that pass every filter.
pub(crate) fn select<T: Listed>(
    mut things: Vec<T>,
    filters: &[Filter],
    fields: &[Field<T>],
) -> Result<Vec<T>, Fault> {
    if filters.iter().map(|f| f.values.len()).sum::<usize>() > MAX_VALUES {
        let words = format!("The maximum number of filter values specified on a single call is {MAX_VALUES}");
        return Err(fault::coded("FilterLimitExceeded", words));
    }
    for filter in filters {
        let name = filter.name.as_deref().unwrap_or("null");
        let value_of = value_of(name, fields).ok_or_else(|| unknown(name))?;
        things.retain(|thing| {
            let has = value_of(thing);
            filter.values.iter().any(|pattern| has.iter().any(|value| matches(pattern, value)))
        });
    }
    Ok(things)
}

/// How a thing's values under a name are had.
type Values<'f, T> = Box<dyn Fn(&T) -> Vec<String> + 'f>;

fn value_of<'f, T: Listed>(name: &'f str, fields: &'f [Field<T>]) -> Option<Values<'f, T>> {
    let all = |part: fn(&Tag) -> String| -> Values<'f, T> {
        Box::new(move |thing: &T| thing.tags().iter().map(part).collect())
    };
    if let Some(key) = name.strip_prefix("tag:") {
        let tagged =
            move |thing: &T| thing.tags().iter().filter(|t| t.key == key).map(|t| t.value.clone()).collect();
        return Some(Box::new(tagged));
    }
    match name {
        "tag-key" => Some(all(|tag| tag.key.clone())),
        "tag-value" => Some(all(|tag| tag.value.clone())),
        _ => fields.iter().find(|(known, _)| *known == name).map(|(_, get)| {
            let get: Values<'f, T> = Box::new(get);
            get
        }),
    }
}

fn unknown(name: &str) -> Fault {
    fault::invalid_value(format!("The filter '{name}' is invalid"))
}

/// Whether a value matches a pattern: `*` is any text, `?` any one character, and `\` takes the meaning of the next.
/// Linear in the product of both lengths.
pub(crate) fn matches(pattern: &str, value: &str) -> bool {
    let pattern = tokens(pattern);
    let value: Vec<char> = value.chars().collect();
    let (mut p, mut v) = (0, 0);
    // Where to go on if what follows the last `*` fails: after it, one character further.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = value.get(v) {
        match pattern.get(p) {
            Some(Token::Any) => {
                retry = Some((p + 1, v));
                p += 1;
            }
            Some(Token::One) => (p, v) = (p + 1, v + 1),
            Some(Token::Exactly(c)) if c == character => (p, v) = (p + 1, v + 1),
            _ => match &mut retry {
                Some((after, from)) => {
                    *from += 1;
                    (p, v) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|t| matches!(t, Token::Any)))
}

enum Token {
    Any,
    One,
    Exactly(char),
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = vec![];
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Exactly(characters.next().unwrap_or('\\')),
            other => Token::Exactly(other),
        });
    }
    tokens
}

/// A value that a thing may be without.
pub(crate) fn some(value: Option<&str>) -> Vec<String> {
    value.map(str::to_owned).into_iter().collect()
}

/// One value.
pub(crate) fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Thing(&'static str, Vec<Tag>);

    impl Listed for Thing {
        fn order(&self) -> String {
            self.0.to_owned()
        }

        fn tags(&self) -> &[Tag] {
            &self.1
        }
    }

    const FIELDS: &[Field<Thing>] = &[("name", |t| one(t.0)), ("nothing", |_| vec![])];

    fn things() -> Vec<Thing> {
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        vec![
            Thing("app-1", vec![tag("Name", "web"), tag("env", "prod")]),
            Thing("app-2", vec![tag("Name", "db")]),
            Thing("test", vec![]),
        ]
    }

    fn chosen(filters: &[(&str, &[&str])]) -> Result<Vec<String>, Fault> {
        let filters: Vec<Filter> = filters
            .iter()
            .map(|(name, values)| Filter {
                name: Some((*name).to_owned()),
                values: values.iter().map(|v| (*v).to_owned()).collect(),
            })
            .collect();
        Ok(select(things(), &filters, FIELDS)?.iter().map(Listed::order).collect())
    }

    #[test]
    fn values_are_alternatives_and_filters_add_up() {
        for (filters, expected) in [
            (&[][..], &["app-1", "app-2", "test"][..]),
            (&[("name", &["app-1", "test"][..])], &["app-1", "test"]),
            (&[("name", &["app-*"])], &["app-1", "app-2"]),
            (&[("name", &["app-?"])], &["app-1", "app-2"]),
            (&[("name", &["APP-1"])], &[]),
            (&[("name", &[])], &[]),
            (&[("tag:Name", &["web", "db"])], &["app-1", "app-2"]),
            (&[("tag:Name", &["*"]), ("tag-key", &["env"])], &["app-1"]),
            (&[("tag-value", &["d*"])], &["app-2"]),
            (&[("tag:name", &["web"])], &[]),
            (&[("nothing", &["*"])], &[]),
        ] {
            assert_eq!(chosen(filters).unwrap(), expected, "{filters:?}");
        }
    }

    #[test]
    fn a_name_that_nothing_has_and_too_many_values_are_refused() {
        let refused = chosen(&[("colour", &["red"])]).unwrap_err();
        assert_eq!(
            (&*refused.code, &*refused.message),
            ("InvalidParameterValue", "The filter 'colour' is invalid")
        );
        assert_eq!(chosen(&[("name", &["x"; 201])]).unwrap_err().code, "FilterLimitExceeded");
    }

    #[test]
    fn a_backslash_takes_a_wildcard_its_meaning() {
        assert!(matches(r"\*amazon\?\\", r"*amazon?\"));
        assert!(!matches(r"\*", "x"));
        assert!(matches(r"a\", r"a\"));
    }

    /// The obvious matcher, exponential as it is.
    fn naive(pattern: &[char], value: &[char]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            (['*', rest @ ..], _) => naive(rest, value) || (!value.is_empty() && naive(pattern, &value[1..])),
            (['?', rest @ ..], [_, tail @ ..]) => naive(rest, tail),
            ([p, rest @ ..], [v, tail @ ..]) => p == v && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_matcher(pattern in "[ab*?]{0,8}", value in "[ab]{0,10}") {
            let (p, v): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
            prop_assert_eq!(matches(&pattern, &value), naive(&p, &v));
        }

        #[test]
        fn every_text_matches_itself_escaped(value in "\\PC{0,20}") {
            let escaped: String = value.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(matches(&escaped, &value));
        }
    }
}
