//! The writer: compact JSON, members in the order they are written, one form for one value.

/// Writes one element, and what is in it, to a string.
#[derive(Default)]
pub struct Writer {
    out: String,
    /// Whether the next element needs a comma before it.
    separate: bool,
}

impl Writer {
    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    fn begin(&mut self) {
        if self.separate {
            self.out.push(',');
        }
        self.separate = true;
    }

    /// An object, whose members `write` writes.
    pub fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.nested('{', '}', write);
    }

    /// A list, each of whose elements `write` writes.
    pub fn list<T>(&mut self, elements: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.nested('[', ']', |writer| elements.into_iter().for_each(|element| write(writer, element)));
    }

    fn nested(&mut self, open: char, close: char, write: impl FnOnce(&mut Self)) {
        self.begin();
        self.out.push(open);
        self.separate = false;
        write(self);
        self.out.push(close);
        self.separate = true;
    }

    /// The key of a member; its value is what is written next.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.text(key);
        self.out.push(':');
        self.separate = false;
        self
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.verbatim(&number.to_string());
    }

    /// An element that is written already.
    pub fn verbatim(&mut self, json: &str) {
        self.begin();
        self.out.push_str(json);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.begin();
        self.out.push('"');
        let mut rest = text;
        // Nearly all texts have nothing that is written otherwise, and are taken over whole.
        while let Some(at) = rest.bytes().position(|byte| !is_plain(byte)) {
            let (plain, other) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.out.push_str(plain);
            let mut characters = other.chars();
            if let Some(character) = characters.next() {
                self.character(character);
            }
            rest = characters.as_str();
        }
        self.out.push_str(rest);
        self.out.push('"');
    }

    fn character(&mut self, character: char) {
        match character {
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            '\n' => self.out.push_str("\\n"),
            '\r' => self.out.push_str("\\r"),
            '\t' => self.out.push_str("\\t"),
            // Control characters, and the two line separators that some readers of logs take for line ends.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                self.out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => self.out.push(character),
        }
    }
}

/// Whether a byte is a character that is written as it is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut writer = Writer::default();
        writer.object(|o| {
            o.key("a\"\n\u{2028}\u{1}").text("b\\\t😀");
            o.key("list").list([1, 2], |o, n| o.number(n));
            o.key("empty").object(|_| ());
            o.key("after").text("x");
        });
        let text = writer.finish();
        assert_eq!(
            text,
            "{\"a\\\"\\n\\u2028\\u0001\":\"b\\\\\\t😀\",\"list\":[1,2],\"empty\":{},\"after\":\"x\"}"
        );
        assert!(read(&text).is_ok());
    }
}
