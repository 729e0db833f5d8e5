//! PEM, as certificates and keys are uploaded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::pem::Pem;

/// More blocks are not read.
const MAX_BLOCKS: usize = 32;

/// The blocks of a text: what each is called, and its bytes. Nothing but white space may stand around them.
pub(crate) fn blocks(text: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let (mut rest, mut found) = (text.trim(), vec![]);
    while !rest.is_empty() {
        let after_begin = rest.strip_prefix("-----BEGIN ")?;
        let (label, _) = after_begin.split_once("-----")?;
        let end = format!("-----END {label}-----");
        let (block, behind) = rest.split_once(&end)?;
        let block = format!("{block}{end}\n");
        let (pem, _) = Pem::read(std::io::Cursor::new(block.as_bytes())).ok()?;
        found.push((pem.label, pem.contents));
        rest = behind.trim_start();
        if found.len() > MAX_BLOCKS {
            return None;
        }
    }
    Some(found)
}

/// The bytes of a text that is one block of that name.
pub(crate) fn single(text: &str, label: &str) -> Option<Vec<u8>> {
    let mut found = blocks(text)?;
    let (known, bytes) = found.pop()?;
    (found.is_empty() && known == label).then_some(bytes)
}

/// One block.
pub(crate) fn write(label: &str, bytes: &[u8]) -> String {
    let letters: Vec<char> = STANDARD.encode(bytes).chars().collect();
    let lines: Vec<String> = letters.chunks(64).map(|line| line.iter().collect()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{blocks, single, write};

    #[test]
    fn blocks_come_back_as_they_were_written() {
        let (one, two) = (write("CERTIFICATE", &[1; 100]), write("CERTIFICATE", b"two"));
        let both = blocks(&format!("\n{one}\n\n{two}  ")).unwrap();
        assert_eq!(
            both,
            [("CERTIFICATE".to_owned(), vec![1; 100]), ("CERTIFICATE".to_owned(), b"two".to_vec())]
        );
        assert_eq!(single(&one, "CERTIFICATE"), Some(vec![1; 100]));
        assert_eq!(single(&one, "PUBLIC KEY"), None);
        assert_eq!(single(&format!("{one}{two}"), "CERTIFICATE"), None);
    }

    #[test]
    fn what_is_no_block_is_nothing() {
        let one = write("CERTIFICATE", b"one");
        for text in [
            "words".to_owned(),
            format!("words {one}"),
            format!("{one} words"),
            one.replace("END CERTIFICATE", "END KEY"),
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n".to_owned(),
            one.repeat(40),
        ] {
            assert_eq!(blocks(&text), None, "{text}");
        }
    }
}
