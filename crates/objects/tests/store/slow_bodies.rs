//! Bodies that come slowly, many at once: some are held until they are there, and what there is no memory for is streamed.

use crate::support::{BUCKET, at, get, put_of, second, small_options};
use bytes::Bytes;
use daypass_objects::local::{Local, Options};
use daypass_objects::{Body, CallerError, Objects};
use futures_util::future::{join_all, poll_fn};
use futures_util::{StreamExt as _, stream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

const MANY: usize = 90;
const SIZE: usize = 1 << 20;
/// A segment of what is streamed is given back what is not used of it.
const PACKED_SEGMENT: u64 = 4 << 20;

fn bytes_of(number: usize) -> Bytes {
    format!("{number:07},").into_bytes().into_iter().cycle().take(SIZE).collect()
}

#[tokio::test]
async fn each_is_kept_as_it_came_though_not_all_can_be_held_until_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        packed_bytes: SIZE as u64,
        packed_segment_bytes: PACKED_SEGMENT,
        stream_segment_bytes: 8 << 20,
        ..small_options(3)
    };
    let store = Local::open(directory.path(), options).unwrap();
    store.open_bucket(BUCKET, second(0)).await.unwrap();
    let begun: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    let body = |number: usize| {
        let bytes = bytes_of(number);
        let last = bytes.slice(SIZE - 1..);
        let first = (0..SIZE - 1).step_by(70_000).map(move |at| bytes.slice(at..(at + 70_000).min(SIZE - 1)));
        let most = stream::iter(first.map(Ok::<_, CallerError>).collect::<Vec<_>>());
        // The last byte comes when of all bodies everything else is there.
        let end = stream::once(async move {
            begun.fetch_add(1, Ordering::Relaxed);
            poll_fn(|cx| match begun.load(Ordering::Relaxed) {
                MANY => Poll::Ready(()),
                _ => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            })
            .await;
            Ok(last)
        });
        let body = Body::new(most.chain(end));
        if number.is_multiple_of(2) { body.with_length(SIZE as u64) } else { body }
    };
    let puts = (0..MANY).map(|number| store.put(put_of(number.to_string()), body(number)));
    for put in join_all(puts).await {
        put.unwrap();
    }
    let segments = std::fs::read_dir(directory.path().join("segments")).unwrap();
    let streamed = segments.filter(|file| file.as_ref().unwrap().metadata().unwrap().len() < PACKED_SEGMENT);
    assert!(streamed.count() >= MANY - 70, "too much was held at once");
    for number in 0..MANY {
        assert_eq!(get(&store, at(number.to_string())).await.unwrap(), bytes_of(number), "{number}");
    }
    assert_eq!(store.check(true).await.unwrap().problems, Vec::new());
}
