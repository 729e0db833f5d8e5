//! The pieces that a pattern is written from: text, wildcards, variables.

use crate::context::Key;

/// Which special signs a text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${…}` is a variable; only in documents of version 2012-10-17.
    pub(crate) variables: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Text(String),
    AnyCharacter,
    AnySequence,
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) key: Key<'static>,
    pub(crate) default: Option<Box<str>>,
}

/// A `${` that does not begin a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadVariable;

/// Splits a text into its pieces; neighbouring texts become one, neighbouring `*` too.
pub(crate) fn tokens(text: &str, syntax: Syntax) -> Result<Vec<Token>, BadVariable> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if syntax.variables && rest.starts_with("${") {
            let (token, after) = variable(rest).ok_or(BadVariable)?;
            push(&mut tokens, token);
            rest = after;
            continue;
        }
        push(
            &mut tokens,
            match character {
                '*' if syntax.wildcards => Token::AnySequence,
                '?' if syntax.wildcards => Token::AnyCharacter,
                other => Token::Text(other.into()),
            },
        );
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    Ok(tokens)
}

fn push(tokens: &mut Vec<Token>, token: Token) {
    match (tokens.last_mut(), token) {
        (Some(Token::Text(before)), Token::Text(text)) => before.push_str(&text),
        (Some(Token::AnySequence), Token::AnySequence) => (),
        (_, token) => tokens.push(token),
    }
}

/// Reads what begins with `${`: `${*}`, `${?}` and `${$}` are those signs themselves
/// (`reference_policies_variables`, special characters).
fn variable(text: &str) -> Option<(Token, &str)> {
    for (escape, literal) in [("${*}", "*"), ("${?}", "?"), ("${$}", "$")] {
        if let Some(after) = text.strip_prefix(escape) {
            return Some((Token::Text(literal.into()), after));
        }
    }
    let inside = text.strip_prefix("${")?;
    let (name, after) = inside.split_at_checked(inside.find([',', '}'])?)?;
    if name.is_empty() || name.contains(['$', '{', '\'', '"', '*', '?']) {
        return None;
    }
    let (default, after) = match after.strip_prefix(',') {
        Some(default) => {
            let (default, after) = default.trim_start_matches(' ').strip_prefix('\'')?.split_once("'}")?;
            (Some(default.into()), after)
        }
        None => (None, after.strip_prefix('}')?),
    };
    Some((Token::Variable(Variable { key: Key::from(name).into_owned(), default }), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Syntax = Syntax { wildcards: true, variables: true };

    fn text(text: &str) -> Token {
        Token::Text(text.into())
    }

    fn named(key: &'static str, default: Option<&str>) -> Token {
        Token::Variable(Variable { key: Key::from_static(key), default: default.map(Into::into) })
    }

    #[test]
    fn wildcards_variables_and_escapes_are_told_apart() {
        assert_eq!(
            tokens("a**?${*}${?}${$}b", ALL).unwrap(),
            [text("a"), Token::AnySequence, Token::AnyCharacter, text("*?$b")]
        );
        assert_eq!(
            tokens("x${aws:username}/*", ALL).unwrap(),
            [text("x"), named("aws:username", None), text("/"), Token::AnySequence]
        );
        assert_eq!(
            tokens("${aws:PrincipalTag/my team, 'a, b}c'}", ALL).unwrap(),
            [named("aws:PrincipalTag/my team", Some("a, b}c"))]
        );
    }

    #[test]
    fn without_variables_or_wildcards_the_signs_are_text() {
        let old = Syntax { wildcards: true, variables: false };
        assert_eq!(tokens("${aws:username}", old).unwrap(), [text("${aws:username}")]);
        let exact = Syntax { wildcards: false, variables: false };
        assert_eq!(tokens("a*?", exact).unwrap(), [text("a*?")]);
    }

    #[test]
    fn a_lone_dollar_is_text_and_an_unfinished_variable_an_error() {
        assert_eq!(tokens("$price {x}", ALL).unwrap(), [text("$price {x}")]);
        for bad in
            ["${", "${}", "${aws:username", "${a${b}}", "${a, b}", "${a, 'b}", "${a,'b' }", "${*", "${a*}"]
        {
            assert_eq!(tokens(bad, ALL), Err(BadVariable), "{bad}");
        }
    }
}
