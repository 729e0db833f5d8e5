//! The suite of every engine, on buckets that are in another store: a server of this crate behind a socket; or, where
//! `DAYPASS_TEST_UPSTREAM` is `endpoint access-key-id secret name`, any store that speaks S3, in which `tests/upstream.sh` has
//! made a bucket for each case.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect"
)]

mod exceptions;
mod opaque;
#[path = "../../../objects/tests/store/random.rs"]
mod random;
mod served;
#[path = "../../../objects/tests/store/suite/mod.rs"]
mod suite;
#[path = "../../../objects/tests/store/support.rs"]
mod support;

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use daypass_core::Clock as _;
use daypass_core::objects::Timestamp;
use daypass_core::objects::upstream::{
    Attached, Capabilities, Options, RootCertStore, Surroundings, Upstream,
};
use daypass_core::testing::TestServer;
use daypass_objects::Objects as _;
use exceptions::Kind;
use libtest_mimic::{Arguments, Trial};
use suite::Store;

type Case = fn(Store) -> Pin<Box<dyn Future<Output = ()>>>;

/// Every case by its name.
macro_rules! cases {
    ($($module:ident: $($case:ident),+ $(,)?;)+) => {
        vec![$($((stringify!($case), (|store| Box::pin(suite::$module::$case(store))) as Case)),+),+]
    };
}

fn main() -> ExitCode {
    let cases: Vec<(&'static str, Case)> = suite::every_case!(cases);
    let other = other_store();
    let kind = match other.as_ref().map(|other| other.get(3).map(String::as_str)) {
        None => Kind::Ours,
        Some(Some("ceph")) => Kind::Ceph,
        Some(_) => Kind::Other,
    };
    // Ours lists in order; what is made of listings of a store that does not must be the same.
    let is_of_lists = |name: &str| ["list", "page", "folded"].iter().any(|word| name.contains(word));
    let of_lists = cases.iter().filter(|(name, _)| kind == Kind::Ours && is_of_lists(name));
    let unordered: Vec<_> = of_lists.map(|(name, case)| (*name, *case, false)).collect();
    let cases = cases.into_iter().map(|(name, case)| (name, case, true)).chain(unordered);
    let trials = cases.map(|(name, case, in_order)| {
        let other = other.clone();
        let title = if in_order { name.to_owned() } else { format!("{name}_where_no_listing_is_in_order") };
        let trial = Trial::test(title, move || {
            run(name, case, other, in_order);
            Ok(())
        });
        match exceptions::of(name, kind) {
            Some(reason) => trial.with_ignored_flag(true).with_kind(reason),
            None => trial,
        }
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

#[expect(clippy::disallowed_methods, reason = "which store is tested is for the caller to say")]
fn other_store() -> Option<Vec<String>> {
    let text = std::env::var("DAYPASS_TEST_UPSTREAM").ok()?;
    Some(text.split(' ').map(str::to_owned).collect())
}

/// The bucket of a case: what a bucket may be called.
fn bucket_of(case: &str) -> String {
    let name: String = case.replace('_', "-").chars().take(57).collect();
    format!("suite-{}", name.trim_end_matches('-'))
}

fn run(name: &str, case: Case, other: Option<Vec<String>>, in_order: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let here = tempfile::tempdir().unwrap();
        let local = Arc::new(support::open(here.path()));
        let store = Arc::new(Attached::new(Arc::clone(&local)).await.unwrap());
        let (upstream, there) = upstream(&bucket_of(name), other, in_order).await;
        store.attach(support::BUCKET, Arc::new(upstream));
        store.open_bucket(support::BUCKET, support::second(0)).await.unwrap();
        case(store).await;
        let checked = local.check(true).await.unwrap();
        assert_eq!(checked.problems, Vec::new());
        drop(there);
    });
}

/// A bucket in another store, asked what that can do.
async fn upstream(
    bucket: &str,
    other: Option<Vec<String>>,
    in_order: bool,
) -> (Upstream, Option<TestServer>) {
    let (endpoint, id, secret, server) = match other {
        Some(other) => (other[0].clone(), other[1].clone(), other[2].clone(), None),
        None => {
            let server = TestServer::new(daypass_s3::OPERATIONS.iter().copied()).await;
            let everything =
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
            let user = server.user("u", &[("all", everything)]).await;
            user.s3("PUT", &format!("/{bucket}"), "", &[], b"").await.ok();
            let endpoint = format!("http://{}", served::serve(&server).await);
            (endpoint, format!("AKIA{:Q<16}", "U"), format!("{:s<40}", "u"), Some(server))
        }
    };
    let clock = server.as_ref().map(|server| Arc::clone(&server.clock));
    let surroundings = Surroundings {
        now: Arc::new(move || match &clock {
            Some(clock) => Timestamp(clock.now().millis() as u64),
            None => Timestamp(opaque::now()),
        }),
        vocabulary: Arc::new(opaque::Opaque),
        authorities: Arc::new(RootCertStore::empty()),
        seals_at_rest: |_| true,
    };
    let options = || Options {
        endpoint: endpoint.clone(),
        region: "us-east-1".to_owned(),
        bucket: bucket.to_owned(),
        prefix: "deep/in/".to_owned(),
        access_key_id: id.clone(),
        secret: secret.clone().into(),
        authorities: None,
        plain: true,
    };
    let upstream = Upstream::probe(options(), "probe", surroundings.clone()).await.unwrap();
    if server.is_some() {
        let lacks: Vec<_> =
            upstream.capabilities().iter().filter(|(_, has)| !has).map(|(name, _)| name).collect();
        assert_eq!(lacks, ["object lock"], "what is promised elsewhere is promised here");
    }
    if in_order {
        return (upstream, server);
    }
    let capabilities = Capabilities { listings_in_order: false, ..upstream.capabilities() };
    (Upstream::new(options(), capabilities, surroundings).unwrap(), server)
}
