//! The fuzz targets' entry points on made-up input: mutated documents and requests, without a fuzzer.

mod entry;

use proptest::prelude::*;

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:Get*","*"],
"Resource":"arn:aws:s3:::b/${aws:username, 'x'}/*","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a*",1,true]},"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}]}"#;

/// A text with a few stretches taken out, doubled or put in.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("{".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just("${".to_owned()),
        Just("*".to_owned()),
        Just("\\u".to_owned()),
        Just("null".to_owned()),
        Just("\"Effect\":\"Deny\",".to_owned()),
        "\\PC{0,4}",
    ];
    let change = (any::<prop::sample::Index>(), 0..12_usize, piece);
    proptest::collection::vec(change, 0..5).prop_map(move |changes| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, taken, put) in changes {
            let at = at.index(characters.len() + 1);
            let end = (at + taken).min(characters.len());
            characters.splice(at..end, put.chars());
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_can_be_read(text in prop_oneof![3 => mutated(DOCUMENT), 1 => "\\PC{0,64}", 1 => any::<String>()]) {
        entry::document(&text);
    }

    #[test]
    fn any_request_can_be_decided(
        action in prop_oneof![Just("s3:GetObject".to_owned()), "[a-z0-9:*]{0,12}"],
        resource in prop_oneof![Just("arn:aws:s3:::b/x/y".to_owned()), "arn(:[a-z*?]{0,3}){0,6}"],
        context in proptest::collection::vec(
            prop_oneof![Just("aws:TagKeys=a|b".to_owned()), Just("aws:username=x".to_owned()), "\\PC{0,8}=\\PC{0,8}"], 0..4),
        documents in proptest::collection::vec(mutated(DOCUMENT), 0..3),
    ) {
        let documents: Vec<String> = documents.iter().map(|document| document.replace('\n', " ")).collect();
        entry::decision(&format!("{action}\n{resource}\n{}\n\n{}", context.join("\n"), documents.join("\n")));
    }
}

/// The smoke must reach both ends, or it shows nothing.
#[test]
fn the_untouched_document_is_taken() {
    use daypass_policy::{Document, DocumentKind};
    Document::parse(DocumentKind::Resource, DOCUMENT).unwrap();
}
