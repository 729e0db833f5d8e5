//! Fills a bucket of a server with small objects, as the load program of `bench/s3` names them: `fill DATA NUMBER COUNT`. The
//! bucket's number stands in its record (`sqlite3 DATA/state.db "SELECT value FROM kv WHERE key LIKE 's3/bucket/%'"`). No server may
//! run on the folder.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a tool of a benchmark may stop where its input is wrong"
)]

use bytes::Bytes;
use daypass_objects::local::{Local, Options};
use daypass_objects::{Body, BucketId, Commit, Key, Objects as _, Put, Timestamp};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// So many are on their way at once.
const AT_ONCE: usize = 512;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().expect("the folder is named");
    let mut number = || arguments.next().and_then(|number| number.parse::<u64>().ok()).expect("a number");
    let (bucket, count) = (BucketId(number()), number());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let options = Options::new(Box::new(move |buffer: &mut [u8]| {
        for byte in buffer {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    }));
    let store = Local::open(&Path::new(&data).join("objects"), options).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let now = Timestamp(u64::try_from(now).unwrap());
    let put = |number: u64| {
        let key = Key::new(format!("keys/{:04}/{number:08}", number % 100)).unwrap();
        let put = Put::new(bucket, key, Commit::at(now));
        store.put(put, Body::from_bytes(Bytes::from_static(&[7; 64])))
    };
    stream::iter((0..count).map(put))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await
        .unwrap();
}
