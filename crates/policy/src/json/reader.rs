//! The reader: one pass over the text, bounded in size and depth.

use crate::span::{Position, Span};

/// The largest text that is read at all, in bytes. AWS's own largest managed policy has about 152,000 characters;
/// what a customer may store is far smaller and is limited where it is stored.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 512 * 1024;

/// How deep objects and lists may be nested. A policy needs six levels: document, statements, statement,
/// conditions, keys, values.
pub(crate) const MAX_DEPTH: u32 = 24;

/// An element with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Json,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// The number as it was written, since policies compare numbers exactly.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Node>),
    /// The members in the order and as often as they were written.
    Object(Vec<Member>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: Box<str>,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// Why a text is not JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) kind: JsonErrorKind,
    pub(crate) at: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    TooLarge,
    TooDeep,
    UnexpectedEnd,
    UnexpectedCharacter,
    BadEscape,
    BadNumber,
    ControlCharacter,
    TrailingText,
}

/// Reads one JSON text.
pub(crate) fn read(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader { rest: text, at: Position::START, depth: 0 };
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(reader.error(JsonErrorKind::TooLarge));
    }
    let node = reader.element()?;
    reader.white_space();
    if reader.rest.is_empty() { Ok(node) } else { Err(reader.error(JsonErrorKind::TrailingText)) }
}

struct Reader<'a> {
    rest: &'a str,
    at: Position,
    depth: u32,
}

impl Reader<'_> {
    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError { kind, at: self.at }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Result<char, JsonError> {
        let mut characters = self.rest.chars();
        let character = characters.next().ok_or_else(|| self.error(JsonErrorKind::UnexpectedEnd))?;
        self.rest = characters.as_str();
        if character == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Ok(character)
    }

    fn expect(&mut self, wanted: char) -> Result<(), JsonError> {
        match self.peek() {
            Some(found) if found == wanted => self.next().map(|_| ()),
            Some(_) => Err(self.error(JsonErrorKind::UnexpectedCharacter)),
            None => Err(self.error(JsonErrorKind::UnexpectedEnd)),
        }
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            // Cannot fail: there is a character.
            let _ = self.next();
        }
    }

    fn element(&mut self) -> Result<Node, JsonError> {
        self.white_space();
        let start = self.at;
        let value = match self.peek() {
            None => return Err(self.error(JsonErrorKind::UnexpectedEnd)),
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::list)?,
            Some('"') => Json::Text(self.text()?),
            Some('t') => self.word("true", Json::Bool(true))?,
            Some('f') => self.word("false", Json::Bool(false))?,
            Some('n') => self.word("null", Json::Null)?,
            Some('-' | '0'..='9') => self.number()?,
            Some(_) => return Err(self.error(JsonErrorKind::UnexpectedCharacter)),
        };
        Ok(Node { value, span: Span { start, end: self.at } })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, JsonError>) -> Result<Json, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(JsonErrorKind::TooDeep));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        for wanted in word.chars() {
            self.expect(wanted)?;
        }
        Ok(value)
    }

    fn list(&mut self) -> Result<Json, JsonError> {
        self.expect('[')?;
        self.white_space();
        let mut elements = Vec::new();
        if self.peek() == Some(']') {
            self.next()?;
            return Ok(Json::List(elements));
        }
        loop {
            elements.push(self.element()?);
            self.white_space();
            if self.peek() == Some(',') {
                self.next()?;
            } else {
                self.expect(']')?;
                return Ok(Json::List(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        self.expect('{')?;
        self.white_space();
        let mut members = Vec::new();
        if self.peek() == Some('}') {
            self.next()?;
            return Ok(Json::Object(members));
        }
        loop {
            self.white_space();
            let start = self.at;
            let key = self.text()?;
            let key_span = Span { start, end: self.at };
            self.white_space();
            self.expect(':')?;
            members.push(Member { key, key_span, value: self.element()? });
            self.white_space();
            if self.peek() == Some(',') {
                self.next()?;
            } else {
                self.expect('}')?;
                return Ok(Json::Object(members));
            }
        }
    }

    fn text(&mut self) -> Result<Box<str>, JsonError> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(control) if control < ' ' => return Err(self.error(JsonErrorKind::ControlCharacter)),
                Some('\\') => text.push(self.escape()?),
                _ => match self.next()? {
                    '"' => return Ok(text.into_boxed_str()),
                    character => text.push(character),
                },
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let bad = self.error(JsonErrorKind::BadEscape);
        self.expect('\\')?;
        Ok(match self.next()? {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.four_digits()?;
                let code = if (0xD800..0xDC00).contains(&first) {
                    self.expect('\\').and_then(|()| self.expect('u')).map_err(|_| bad)?;
                    let second = self.four_digits()?;
                    if !(0xDC00..0xE000).contains(&second) {
                        return Err(bad);
                    }
                    0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
                } else {
                    first
                };
                char::from_u32(code).ok_or(bad)?
            }
            _ => return Err(bad),
        })
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let bad = self.error(JsonErrorKind::BadEscape);
            code = code * 16 + self.next()?.to_digit(16).ok_or(bad)?;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let begin = self.rest;
        let bad = self.error(JsonErrorKind::BadNumber);
        if self.peek() == Some('-') {
            self.next()?;
        }
        let leading_zero = self.peek() == Some('0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(bad);
        }
        if self.peek() == Some('.') {
            self.next()?;
            if self.digits() == 0 {
                return Err(bad);
            }
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next()?;
            if matches!(self.peek(), Some('+' | '-')) {
                self.next()?;
            }
            if self.digits() == 0 {
                return Err(bad);
            }
        }
        let length = begin.len() - self.rest.len();
        begin.get(..length).map(|number| Json::Number(number.into())).ok_or(bad)
    }

    fn digits(&mut self) -> usize {
        let mut count = 0;
        while matches!(self.peek(), Some('0'..='9')) {
            // Cannot fail: there is a character.
            let _ = self.next();
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_and_place(text: &str) -> (JsonErrorKind, u32, u32) {
        let error = read(text).unwrap_err();
        (error.kind, error.at.line, error.at.column)
    }

    #[test]
    fn keeps_the_place_of_every_element_and_every_repeated_key() {
        let node = read("{\n  \"é\": [1, \"x\"],\n  \"é\": true}").unwrap();
        let Json::Object(members) = node.value else { panic!() };
        assert_eq!(members.len(), 2);
        assert_eq!(members[0].key_span.start, Position { line: 2, column: 3 });
        assert_eq!(members[0].key_span.end, Position { line: 2, column: 6 });
        let Json::List(list) = &members[0].value.value else { panic!() };
        assert_eq!(list[1].span.start, Position { line: 2, column: 12 });
        assert_eq!(members[1].value.span.start, Position { line: 3, column: 8 });
        assert_eq!(node.span.end, Position { line: 3, column: 13 });
    }

    #[test]
    fn reads_escapes_and_surrogate_pairs() {
        let node = read(r#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00""#).unwrap();
        assert_eq!(node.value, Json::Text("\"\\/\u{8}\u{c}\n\r\tA😀".into()));
    }

    #[test]
    fn keeps_numbers_as_written() {
        for number in ["0", "-1", "10.250", "1e9", "2E-3", "9007199254740993"] {
            assert_eq!(read(number).unwrap().value, Json::Number(number.into()), "{number}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        use JsonErrorKind as K;
        for (text, expected) in [
            ("", (K::UnexpectedEnd, 1, 1)),
            ("{\n\"a\" 1}", (K::UnexpectedCharacter, 2, 5)),
            ("[1,]", (K::UnexpectedCharacter, 1, 4)),
            ("{} x", (K::TrailingText, 1, 4)),
            ("\"a\nb\"", (K::ControlCharacter, 1, 3)),
            (r#""\x""#, (K::BadEscape, 1, 2)),
            (r#""\ud800x""#, (K::BadEscape, 1, 2)),
            (r#""\udc00""#, (K::BadEscape, 1, 2)),
            ("01", (K::BadNumber, 1, 1)),
            ("1.", (K::BadNumber, 1, 1)),
            ("-", (K::BadNumber, 1, 1)),
            ("nul", (K::UnexpectedEnd, 1, 4)),
        ] {
            assert_eq!(kind_and_place(text), expected, "{text}");
        }
    }

    #[test]
    fn depth_and_size_are_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(MAX_DEPTH as usize)).is_ok());
        assert_eq!(kind_and_place(&nested(MAX_DEPTH as usize + 1)).0, JsonErrorKind::TooDeep);
        assert_eq!(kind_and_place(&nested(100_000)).0, JsonErrorKind::TooDeep);
        let long = format!("\"{}\"", "x".repeat(MAX_DOCUMENT_BYTES));
        assert_eq!(kind_and_place(&long).0, JsonErrorKind::TooLarge);
    }
}
