//! `multipart/form-data` with one file, as browsers send it to S3 (S3 API reference, "Browser-based uploads using POST";
//! RFC 7578): fields, then the file, whose bytes are handed out as they come. What stands after the file is not looked at.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memmem;

use crate::Fault;

/// The most bytes before the file: *The form data and boundaries (excluding the contents of the file) cannot exceed 20 KB*
/// (S3 API reference, POST Object).
const MAX_BEFORE_FILE: usize = 20 << 10;
/// What stands for the name of the file.
const FILE_NAME: &str = "${filename}";
/// What no file's name has a part in.
const SIGNING: [&str; 6] = [
    "policy",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-signature",
];
/// The most bytes of a boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A form on its way in, up to its file.
#[derive(Debug)]
pub struct UploadForm {
    /// What ends a part: a line break, two dashes, the boundary.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    taken: usize,
    fields: Vec<(String, String)>,
}

/// The file of a form, as it comes.
#[derive(Debug)]
pub struct FormFile {
    delimiter: Vec<u8>,
    buffer: BytesMut,
    ended: bool,
}

/// A form whose file begins.
#[derive(Debug)]
pub struct FormHead {
    /// The fields before the file, in the order that they came, their names in lower case. In their values, but for those that
    /// sign the form, `${filename}` is the file's name on the sender's machine, without folders.
    pub fields: Vec<(String, String)>,
    /// The file.
    pub file: FormFile,
}

/// The name and the file name of a part.
struct Disposition {
    name: String,
    file_name: Option<String>,
}

impl UploadForm {
    /// A form of that `Content-Type`.
    ///
    /// # Errors
    /// `PreconditionFailed` where it is no form, `InvalidArgument` where it has no boundary.
    pub fn new(content_type: Option<&str>) -> Result<Self, Fault> {
        let (kind, parameters) = content_type.unwrap_or("").split_once(';').unwrap_or(("", ""));
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            let words = "At least one of the pre-conditions you specified did not hold";
            let condition = "Bucket POST must be of the enclosure-type multipart/form-data";
            return Err(Fault::coded("PreconditionFailed", 412, words).with("Condition", condition));
        }
        let boundary = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        });
        let boundary = boundary.filter(|text| (1..=MAX_BOUNDARY).contains(&text.len()));
        let boundary = boundary.ok_or_else(malformed)?;
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter has no line break before it.
        Ok(Self { delimiter, buffer: BytesMut::from(&b"\r\n"[..]), taken: 0, fields: vec![] })
    }

    /// Takes the next bytes; the form's head once the file has begun.
    ///
    /// # Errors
    /// What is no form, has no file, or has too much before it.
    pub fn push(mut self, input: &[u8]) -> Result<Result<FormHead, Self>, Fault> {
        self.buffer.extend_from_slice(input);
        loop {
            match self.part()? {
                Part::Field(name, value) => self.keep(name, value)?,
                Part::File(file_name) => {
                    self.name_file(&file_name)?;
                    let file = FormFile { delimiter: self.delimiter, buffer: self.buffer, ended: false };
                    return Ok(Ok(FormHead { fields: self.fields, file }));
                }
                Part::Incomplete if self.taken.saturating_add(self.buffer.len()) > MAX_BEFORE_FILE => {
                    return Err(too_large());
                }
                Part::Incomplete => return Ok(Err(self)),
            }
        }
    }

    /// Keeps a field. Were one there twice, what was signed and what is done could be two things.
    fn keep(&mut self, name: String, value: String) -> Result<(), Fault> {
        if self.fields.iter().any(|(known, _)| *known == name) {
            let words = "A field of the form may be given only once.";
            return Err(Fault::coded("InvalidArgument", 400, words).with("ArgumentName", name));
        }
        self.fields.push((name, value));
        Ok(())
    }

    /// `${filename}` is the file's name in every field (S3 API reference, POST Object, "Form fields"). What the fields grow to
    /// is bounded as what they are.
    fn name_file(&mut self, file_name: &str) -> Result<(), Fault> {
        for (_, value) in self.fields.iter_mut().filter(|(name, _)| !SIGNING.contains(&name.as_str())) {
            let places = value.matches(FILE_NAME).count();
            self.taken = self.taken.saturating_add(places.saturating_mul(file_name.len()));
            if self.taken > MAX_BEFORE_FILE {
                return Err(too_large());
            }
            if places > 0 {
                *value = value.replace(FILE_NAME, file_name);
            }
        }
        Ok(())
    }

    /// Takes the next part out of the buffer, if all of it is there.
    fn part(&mut self) -> Result<Part, Fault> {
        let begin = self.delimiter.len();
        let Some(line_end) = self.buffer.get(begin..begin + 2) else { return Ok(Part::Incomplete) };
        if !self.buffer.starts_with(&self.delimiter) {
            return Err(malformed());
        }
        match line_end {
            b"\r\n" => {}
            b"--" => return Err(no_file()),
            _ => return Err(malformed()),
        }
        let rest = self.buffer.get(begin..).unwrap_or_default();
        let Some(head_length) = memmem::find(rest, b"\r\n\r\n") else { return Ok(Part::Incomplete) };
        let head = rest.get(..head_length).unwrap_or_default();
        let Disposition { name, file_name } = Disposition::read(head).ok_or_else(malformed)?;
        let body = begin + head_length + 4;
        if name == "file" {
            self.advance(body)?;
            return Ok(Part::File(file_name.unwrap_or_default()));
        }
        let rest = self.buffer.get(body..).unwrap_or_default();
        let Some(length) = memmem::find(rest, &self.delimiter) else { return Ok(Part::Incomplete) };
        let value = rest.get(..length).unwrap_or_default();
        let value = std::str::from_utf8(value).map_err(|_| malformed())?.to_owned();
        self.advance(body + length)?;
        Ok(Part::Field(name, value))
    }

    fn advance(&mut self, bytes: usize) -> Result<(), Fault> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken > MAX_BEFORE_FILE {
            return Err(too_large());
        }
        self.buffer.advance(bytes);
        Ok(())
    }
}

enum Part {
    Field(String, String),
    File(String),
    Incomplete,
}

impl Disposition {
    /// Reads the lines of a part's head.
    fn read(head: &[u8]) -> Option<Self> {
        let head = std::str::from_utf8(head).ok()?;
        let value = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let value = value.trim().strip_prefix("form-data")?;
        let name = quoted(value, "name")?.to_ascii_lowercase();
        // Some senders give the whole path.
        let file_name = quoted(value, "filename");
        let file_name = file_name.map(|n| n.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());
        Some(Self { name, file_name })
    }
}

/// The value of a parameter, `name="value"`.
fn quoted<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_start_matches([';', ' ']).trim_end();
        let (value, next) = match after.strip_prefix('"') {
            Some(after) => after.split_once('"')?,
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
    None
}

impl FormFile {
    /// Takes the next bytes of the form.
    pub fn push(&mut self, input: &[u8]) {
        self.buffer.extend_from_slice(input);
    }

    /// The next bytes of the file; `None` until more of the form has come, or for good once it has
    /// [ended](Self::is_ended).
    pub fn take(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let length = match memmem::find(&self.buffer, &self.delimiter) {
            Some(length) => {
                self.ended = true;
                length
            }
            // A delimiter may have begun.
            None => (self.buffer.len() + 1).saturating_sub(self.delimiter.len()),
        };
        let piece = self.buffer.split_to(length).freeze();
        if piece.is_empty() { None } else { Some(piece) }
    }

    /// Whether the end of the file was seen.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }
}

fn malformed() -> Fault {
    let words = "The body of your POST request is not well-formed multipart/form-data.";
    Fault::coded("MalformedPOSTRequest", 400, words)
}

fn no_file() -> Fault {
    let words = "POST requires exactly one file upload per request.";
    Fault::coded("InvalidArgument", 400, words).with("ArgumentName", "file").with("ArgumentValue", "0")
}

fn too_large() -> Fault {
    let words = "Your POST request fields preceding the upload file were too large.";
    Fault::coded("MaxPostPreDataLengthExceededError", 400, words)
        .with("MaxPostPreDataLengthBytes", MAX_BEFORE_FILE.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; charset=utf-8; boundary=\"B\"";

    /// The fields, the file's bytes, and whether its end was seen.
    type Read = (Vec<(String, String)>, String, bool);

    /// Reads a form that comes in pieces of that many bytes.
    fn read(text: &str, at_once: usize) -> Result<Read, String> {
        let mut form = UploadForm::new(Some(KIND)).unwrap();
        let mut pieces = text.as_bytes().chunks(at_once);
        let mut head = loop {
            let Some(piece) = pieces.next() else { return Err("no file begins".to_owned()) };
            match form.push(piece).map_err(|fault| fault.code.into_owned())? {
                Ok(head) => break head,
                Err(more) => form = more,
            }
        };
        let mut bytes = vec![];
        loop {
            while let Some(piece) = head.file.take() {
                bytes.extend_from_slice(&piece);
            }
            match pieces.next() {
                Some(piece) if !head.file.is_ended() => head.file.push(piece),
                _ => break,
            }
        }
        let bytes = String::from_utf8(bytes).unwrap();
        Ok((head.fields, bytes, head.file.is_ended()))
    }

    #[test]
    fn fields_and_the_file_come_out_however_the_form_is_cut() {
        let form = "--B\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na\r\n${filename}\r\n--B\r\ncontent-disposition: form-data; filename=\"C:\\dir\\f.txt\"; name=\"file\"\r\nContent-Type: text/plain\r\n\r\none\r\n--two\r\n--B\r\nContent-Disposition: form-data; name=\"late\"\r\n\r\nx\r\n--B--\r\n";
        for at_once in [1, 2, 3, 7, 64, 4096] {
            let (fields, bytes, ended) = read(form, at_once).unwrap();
            assert_eq!(fields, [("key".to_owned(), "a\r\nf.txt".to_owned())], "{at_once}");
            assert_eq!((bytes.as_str(), ended), ("one\r\n--two", true), "{at_once}");
        }
    }

    #[test]
    fn the_name_of_the_file_stands_in_every_field_that_does_not_sign_and_within_bounds() {
        let field = |name: &str, value: &str| {
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let file = |name: &str| {
            format!(
                "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n1\r\n--B--\r\n"
            )
        };
        let form =
            [field("x-amz-meta-a", "<${filename}>"), field("policy", "${filename}"), file("a.b")].concat();
        let (fields, ..) = read(&form, 4096).unwrap();
        let values: Vec<&str> = fields.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["<a.b>", "${filename}"]);
        let many = [field("key", &"${filename}".repeat(1000)), file(&"n".repeat(100))].concat();
        assert_eq!(read(&many, 4096).unwrap_err(), "MaxPostPreDataLengthExceededError");
    }

    #[test]
    fn a_file_that_is_cut_short_has_no_end() {
        let form = "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nbytes\r\n--";
        let (_, _, ended) = read(form, 9).unwrap();
        assert!(!ended);
    }

    #[test]
    fn what_is_no_form_with_a_file_is_refused() {
        let long =
            format!("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}", "x".repeat(21 << 10));
        for (form, expected) in [
            ("--B--\r\n", "InvalidArgument"),
            ("--C\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", "MalformedPOSTRequest"),
            ("--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--", "MalformedPOSTRequest"),
            ("--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--", "MalformedPOSTRequest"),
            (
                "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name=\"A\"\r\n\r\n2\r\n--B\r\n",
                "InvalidArgument",
            ),
            (&long, "MaxPostPreDataLengthExceededError"),
        ] {
            assert_eq!(read(form, 100).unwrap_err(), expected, "{}", form.get(..40).unwrap_or(form));
        }
        for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded; boundary=B")] {
            assert_eq!(UploadForm::new(kind).unwrap_err().code, "PreconditionFailed", "{kind:?}");
        }
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        for kind in ["multipart/form-data; boundary=", "multipart/form-data; x=y", &long] {
            assert_eq!(UploadForm::new(Some(kind)).unwrap_err().code, "MalformedPOSTRequest", "{kind}");
        }
    }
}
