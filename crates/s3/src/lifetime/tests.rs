//! Lifecycles, carried out.

use std::sync::Arc;

use daypass_core::objects::{Body, CreateUpload, Description, Put, Versioning};
use daypass_core::testing::{Client, NOW, TestServer};

use super::*;

const DAY: i64 = 86_400;

/// A bucket with a lifecycle, and its objects.
struct Kept {
    server: TestServer,
    client: Client,
    bucket: Arc<Bucket>,
}

impl Kept {
    async fn with(rules: &str) -> Self {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let client = server.administrator().await;
        client.s3("PUT", "/kept", "", &[], b"").await.ok();
        let body = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
        client.s3_document("PUT", "/kept", "lifecycle", &[], &body).await.ok();
        let bucket = server.gate.state().kept.get::<Bucket>(&Bucket::key_of("kept")).unwrap().unwrap();
        Self { server, client, bucket }
    }

    fn commit(&self) -> Commit {
        let now = self.server.gate.state().clock.now().millis();
        Commit::at(Timestamp(u64::try_from(now).unwrap()))
    }

    async fn version(&self, to: Versioning) {
        self.server.gate.state().objects.set_versioning(self.bucket.id(), to, self.commit()).await.unwrap();
    }

    async fn put(&self, key: &str, bytes: &'static str, tags: &[(&str, &str)]) {
        let tags: Vec<Tag> =
            tags.iter().map(|(k, v)| Tag { key: (*k).to_owned(), value: (*v).to_owned() }).collect();
        let mut put = Put::new(self.bucket.id(), Key::new(key.to_owned()).unwrap(), self.commit());
        put.description = Description { tags: tag::encode(&tags).into(), ..Description::default() };
        self.server.gate.state().objects.put(put, Body::from_bytes(bytes.into())).await.unwrap();
    }

    async fn delete(&self, key: &str) {
        let delete = vec![Delete::latest(Key::new(key.to_owned()).unwrap())];
        let done = self.server.gate.state().objects.delete(self.bucket.id(), delete, self.commit()).await;
        done.unwrap().remove(0).unwrap();
    }

    async fn ended(&self) -> usize {
        end_lifetimes(self.server.gate.state()).await.unwrap()
    }

    /// Keys of versions (`k`) and of delete markers (`-k`).
    async fn left(&self) -> Vec<String> {
        let page = self.server.gate.state().objects.list_versions(Keys::all(self.bucket.id()), None).await;
        let text = |key: &Key| String::from_utf8(key.as_bytes().to_vec()).unwrap();
        let entries = page.unwrap().entries.into_iter().map(|entry| match entry {
            Entry::One(Listed { key, what: AnyVersion::Object(_) }) => text(&key),
            Entry::One(Listed { key, what: AnyVersion::Marker(_) }) => format!("-{}", text(&key)),
            Entry::Prefix(prefix) => panic!("{prefix:?}"),
        });
        entries.collect()
    }
}

fn rule(filter: &str, actions: &str) -> String {
    format!("<Rule><Filter>{filter}</Filter><Status>Enabled</Status>{actions}</Rule>")
}

#[tokio::test]
async fn an_object_goes_at_the_first_midnight_after_its_days() {
    let kept = Kept::with(&rule("<Prefix>log/</Prefix>", "<Expiration><Days>1</Days></Expiration>")).await;
    kept.put("log/a", "x", &[]).await;
    kept.put("other", "x", &[]).await;
    kept.server.clock.advance(DAY);
    assert_eq!(kept.ended().await, 0, "a day has passed, but no midnight after it");
    kept.server.clock.advance(DAY - (NOW + DAY).rem_euclid(DAY) - 1);
    assert_eq!(kept.ended().await, 0, "one second to midnight");
    kept.server.clock.advance(1);
    assert_eq!(kept.ended().await, 1);
    assert_eq!(kept.left().await, ["other"]);
    assert_eq!(kept.ended().await, 0);
}

#[tokio::test]
async fn only_what_the_filter_names_goes() {
    let both = "<And><Prefix>a</Prefix><Tag><Key>tmp</Key><Value>1</Value></Tag><ObjectSizeGreaterThan>2</ObjectSizeGreaterThan></And>";
    let kept = Kept::with(&rule(both, "<Expiration><Days>1</Days></Expiration>")).await;
    for (key, bytes, tags) in [
        ("a-all", "xxx", &[("tmp", "1"), ("b", "2")][..]),
        ("a-small", "xx", &[("tmp", "1")]),
        ("a-other-tag", "xxx", &[("tmp", "2")]),
        ("a-no-tag", "xxx", &[]),
        ("b-prefix", "xxx", &[("tmp", "1")]),
    ] {
        kept.put(key, bytes, tags).await;
    }
    kept.server.clock.advance(3 * DAY);
    assert_eq!(kept.ended().await, 1);
    assert_eq!(kept.left().await, ["a-no-tag", "a-other-tag", "a-small", "b-prefix"]);
}

#[tokio::test]
async fn a_rule_that_is_disabled_does_nothing() {
    let rule = rule("", "<Expiration><Days>1</Days></Expiration>").replace("Enabled", "Disabled");
    let kept = Kept::with(&rule).await;
    kept.put("a", "x", &[]).await;
    kept.server.clock.advance(30 * DAY);
    assert_eq!(kept.ended().await, 0);
    assert_eq!(kept.left().await, ["a"]);
}

#[tokio::test]
async fn with_versions_an_object_is_marked_first_and_its_versions_go_later() {
    let actions = "<Expiration><Days>1</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>";
    let kept = Kept::with(&rule("", actions)).await;
    kept.version(Versioning::Enabled).await;
    kept.put("a", "x", &[]).await;
    kept.server.clock.advance(2 * DAY);
    assert_eq!(kept.ended().await, 1);
    assert_eq!(kept.left().await, ["-a", "a"]);
    kept.server.clock.advance(2 * DAY);
    assert_eq!(kept.ended().await, 0, "noncurrent for two days");
    kept.server.clock.advance(2 * DAY);
    assert_eq!(kept.ended().await, 1);
    assert_eq!(kept.left().await, ["-a"]);
    // The marker is alone now, and old enough itself.
    assert_eq!(kept.ended().await, 1);
    assert_eq!(kept.left().await, Vec::<String>::new());
}

#[tokio::test]
async fn so_many_noncurrent_versions_are_kept_as_the_rule_says() {
    let actions = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
    let kept = Kept::with(&rule("", actions)).await;
    kept.version(Versioning::Enabled).await;
    for bytes in ["1", "2", "3", "4", "5"] {
        kept.put("a", bytes, &[]).await;
    }
    kept.server.clock.advance(3 * DAY);
    assert_eq!(kept.ended().await, 2, "the current one, and two below it, stay");
    assert_eq!(kept.left().await, ["a", "a", "a"]);
}

#[tokio::test]
async fn a_delete_marker_goes_only_when_nothing_is_below_it() {
    let actions = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let kept = Kept::with(&rule("", actions)).await;
    kept.version(Versioning::Enabled).await;
    kept.delete("alone").await;
    kept.put("covered", "x", &[]).await;
    kept.delete("covered").await;
    assert_eq!(kept.ended().await, 1);
    assert_eq!(kept.left().await, ["-covered", "covered"]);
}

#[tokio::test]
async fn an_upload_that_nobody_finished_is_aborted() {
    let actions = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let kept = Kept::with(&rule("", actions)).await;
    let objects = &kept.server.gate.state().objects;
    let create = CreateUpload {
        bucket: kept.bucket.id(),
        key: Key::new("big").unwrap(),
        description: Description::default(),
        checksum: None,
        seal: None,
        commit: kept.commit(),
    };
    let id = objects.create_upload(create).await.unwrap();
    kept.server.clock.advance(7 * DAY);
    assert_eq!(kept.ended().await, 0);
    kept.server.clock.advance(DAY);
    assert_eq!(kept.ended().await, 1);
    let at = UploadAt { bucket: kept.bucket.id(), key: Key::new("big").unwrap(), id };
    assert!(matches!(objects.upload(at).await, Err(Engine::NoSuchUpload)));
}

#[tokio::test]
async fn a_bucket_that_is_gone_hinders_no_other() {
    let kept = Kept::with(&rule("", "<Expiration><Days>1</Days></Expiration>")).await;
    let objects = &kept.server.gate.state().objects;
    objects.close_bucket(kept.bucket.id(), kept.commit()).await.unwrap();
    assert_eq!(kept.ended().await, 0);
    kept.client.s3("HEAD", "/kept", "", &[], b"").await.ok();
}

#[tokio::test]
async fn an_object_says_when_it_goes_and_by_which_rule() {
    let (later, sooner) =
        ("<Expiration><Days>9</Days></Expiration>", "<ID>so on</ID><Expiration><Days>1</Days></Expiration>");
    let kept = Kept::with(&[rule("", later), rule("<Prefix>a</Prefix>", sooner)].concat()).await;
    kept.put("a", "x", &[]).await;
    let key = Key::new("a").unwrap();
    let at = At { bucket: kept.bucket.id(), key: key.clone(), version: None };
    let version = kept.server.gate.state().objects.head(at).await.unwrap();
    let expected = "expiry-date=\"Tue, 24 Nov 2026 00:00:00 GMT\", rule-id=\"so%20on\"";
    assert_eq!(
        expiration(&kept.bucket, &key, &version, Day::of(kept.server.gate.state())).unwrap().as_deref(),
        Some(expected)
    );
}

#[test]
fn days_have_passed_at_the_first_end_of_one_afterwards() {
    const SECOND: i64 = 1000;
    for (day, from, days, end) in [
        (DAY * SECOND, 1, 1, 2 * DAY * SECOND),
        (DAY * SECOND, 0, 1, DAY * SECOND),
        (10 * SECOND, 12_345, 1, 30 * SECOND),
        (10 * SECOND, 20_000, 3, 50 * SECOND),
        (i64::MAX, 1, i32::MAX, i64::MAX),
    ] {
        assert_eq!(Day(day).after(Timestamp(from), days), end, "{days} days of {day} from {from}");
    }
}
