//! The fuzz targets' entry points on AWS's suite and the seeds, and on mutations of them, without a fuzzer.

#[path = "../../fuzz/sigv4.rs"]
mod entry;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

static REQUESTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/aws-signing-test-suite/v4");
    let cases = fs::read_dir(suite).unwrap().map(|case| case.unwrap().path());
    cases
        .flat_map(|case| {
            ["header-signed-request.txt", "query-signed-request.txt"].map(|file| case.join(file))
        })
        .filter_map(|file| fs::read(file).ok())
        .collect()
});

const UPLOADS: [&[u8]; 2] = [
    include_bytes!("../../fuzz/seeds/sigv4_signed_chunks"),
    include_bytes!("../../fuzz/seeds/sigv4_unsigned_chunks"),
];

/// A request with a few stretches taken out, doubled or put in.
fn mutated(seeds: &'static [impl AsRef<[u8]>]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "/",
            "%",
            "%2F",
            "..",
            ";",
            "=",
            ",",
            "&",
            "+",
            " ",
            "\n",
            "\r\n",
            "\n\n",
            "0",
            "f",
            "x-amz-date",
            "X-Amz-Expires=0",
            "x-amz-content-sha256:",
            "UNSIGNED-PAYLOAD",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let change = (any::<Index>(), 0..6_usize, piece);
    let seed = any::<Index>().prop_map(|index| index.get(seeds).as_ref());
    (seed, prop::collection::vec(change, 0..3)).prop_map(|(seed, changes)| {
        let mut bytes = seed.to_vec();
        for (at, taken, put) in changes {
            let at = at.index(bytes.len() + 1);
            let end = (at + taken).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_can_be_a_request(bytes in mutated(&REQUESTS)) {
        entry::claim(&bytes);
    }

    #[test]
    fn any_bytes_can_be_an_upload(bytes in mutated(&UPLOADS)) {
        entry::chunks(&bytes);
    }
}

/// The smoke must reach both ends, or it shows nothing.
#[test]
fn the_seeds_are_taken() {
    assert!(UPLOADS.iter().all(|upload| entry::chunks(upload)));
    let taken = REQUESTS.iter().filter(|request| entry::claim(request)).count();
    assert!(taken >= 60, "only {taken} of {}", REQUESTS.len());
}
