//! Making, finding, listing and deleting buckets.

use crate::support::{Account, ask, ask_with, refusal, refused};

fn constraint(region: &str) -> String {
    format!(
        "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    )
}

#[tokio::test]
async fn a_bucket_is_made_found_listed_and_deleted() {
    let account = Account::new().await;
    let made = account.ok("PUT", "/my-bucket", "", "").await;
    assert_eq!((made.status, made.body.as_str()), (200, ""));
    assert_eq!(made.headers["location"], "/my-bucket");
    let head = account.ok("HEAD", "/my-bucket", "", "").await;
    assert_eq!(head.headers["x-amz-bucket-region"], "us-east-1");
    assert_eq!(head.headers["x-amz-access-point-alias"], "false");
    account.ok("PUT", "/a-bucket", "", "").await;
    let list = account.ok("GET", "/", "", "").await;
    assert_eq!(list.xml_all("Name"), ["a-bucket", "my-bucket"]);
    assert_eq!(list.xml("CreationDate"), Some("2026-11-22T02:14:00.000Z"));
    assert_eq!(list.xml("BucketRegion"), None, "a plain list does not say regions");
    assert_eq!(list.xml("ID").map(str::len), Some(64), "{}", list.body);
    let gone = account.ok("DELETE", "/my-bucket", "", "").await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    let again = account.refused("DELETE", "/my-bucket", "", "").await;
    assert_eq!(again, refusal(404, "NoSuchBucket", "The specified bucket does not exist"));
    assert_eq!(account.ok("GET", "/", "", "").await.xml_all("Name"), ["a-bucket"]);
    let head = ask(&account.administrator, "HEAD", "/my-bucket", "", "").await;
    assert_eq!((head.status, head.body.as_str()), (404, ""));
    account.ok("PUT", "/my-bucket", "", "").await;
}

#[tokio::test]
async fn buckets_are_listed_by_a_right_to_every_bucket_of_s3() {
    let account = Account::new().await;
    let statement = |effect: &str, resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"s3:ListAllMyBuckets","Resource":"{resource}"}}}}"#
        )
    };
    let allow = |resource| statement("Allow", resource);
    for (name, policies, expected) in [
        ("all", vec![allow("*")], 200),
        ("every", vec![allow("arn:aws:s3:::*")], 200),
        ("one", vec![allow("arn:aws:s3:::my-bucket")], 403),
        ("objects", vec![allow("arn:aws:s3:::*/*")], 403),
        ("denied", vec![allow("*"), statement("Deny", "arn:aws:s3:::*")], 403),
        ("but-one", vec![allow("*"), statement("Deny", "arn:aws:s3:::my-bucket")], 200),
    ] {
        let names: Vec<String> = (0..policies.len()).map(|n| format!("p{n}")).collect();
        let policies: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(policies.iter().map(String::as_str)).collect();
        let answer = ask(&account.server.user(name, &policies).await, "GET", "/", "", "").await;
        assert_eq!(answer.status, expected, "{name}: {}", answer.body);
        assert!(!answer.body.contains("on resource"), "{}", answer.body);
    }
}

#[tokio::test]
async fn each_call_leaves_one_record_and_that_of_a_change_is_there_with_the_change() {
    let account = Account::new().await;
    let before = account.server.audit().len();
    account.ok("PUT", "/my-bucket", "", "").await;
    account.ok("DELETE", "/my-bucket", "", "").await;
    account.refused("DELETE", "/my-bucket", "", "").await;
    let audit = account.server.audit();
    let names: Vec<&str> = audit[before..].iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(names, ["CreateBucket", "DeleteBucket", "DeleteBucket"]);
    assert!(
        audit[before].resources.iter().any(|(kind, name)| kind == "AWS::S3::Bucket" && name == "my-bucket")
    );
    assert!(audit[before + 2].event.contains("NoSuchBucket"));
}

#[tokio::test]
async fn lists_come_in_pages_by_prefix_and_by_region() {
    let account = Account::new().await;
    for name in ["log-1", "log-2", "log-3", "other"] {
        account.ok("PUT", &format!("/{name}"), "", "").await;
    }
    account.ok("PUT", "/log-eu", "", &constraint("eu-west-1")).await;
    let page = account.ok("GET", "/", "max-buckets=2&prefix=log", "").await;
    assert_eq!(page.xml_all("Name"), ["log-1", "log-2"]);
    assert_eq!(page.xml_all("BucketRegion"), ["us-east-1", "us-east-1"]);
    assert_eq!(page.xml("Prefix"), Some("log"));
    let token =
        page.xml("ContinuationToken").unwrap().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let query = format!("continuation-token={token}&max-buckets=2&prefix=log");
    let next = account.ok("GET", "/", &query, "").await;
    assert_eq!(next.xml_all("Name"), ["log-3", "log-eu"]);
    assert_eq!(next.xml("ContinuationToken"), None);
    let europe = account.ok("GET", "/", "bucket-region=eu-west-1", "").await;
    assert_eq!(europe.xml_all("Name"), ["log-eu"]);
    let refused = account.refused("GET", "/", "continuation-token=made-up", "").await;
    assert_eq!(refused, refusal(400, "InvalidArgument", "The continuation token provided is incorrect"));
    for number in ["0", "10001", "x"] {
        let refused = account.refused("GET", "/", &format!("max-buckets={number}"), "").await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "InvalidArgument"), "{number}");
    }
}

#[tokio::test]
async fn names_are_one_space_for_all_accounts() {
    let account = Account::with_bucket("taken").await;
    let stranger = account.stranger("eve", &[("all", ALL)]).await;
    let words = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    assert_eq!(refused(&stranger, "PUT", "/taken", "", "").await, refusal(409, "BucketAlreadyExists", words));
    assert_eq!(ask(&stranger, "GET", "/", "", "").await.ok().xml_all("Name"), Vec::<&str>::new());
}

#[tokio::test]
async fn of_many_who_make_a_bucket_at_once_one_does() {
    let account = Account::new().await;
    let stranger = account.stranger("eve", &[("all", ALL)]).await;
    let body = constraint("eu-west-1");
    let clients = [&account.administrator, &stranger, &account.administrator, &stranger];
    let answers = clients.map(|client| ask(client, "PUT", "/wanted", "", &body));
    let answers = futures_util::future::join_all(answers).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(made.len(), 1);
    let codes: Vec<String> = refused.iter().map(|answer| answer.refused().0).collect();
    assert_eq!(codes.iter().filter(|code| *code == "BucketAlreadyOwnedByYou").count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "BucketAlreadyExists").count(), 2, "{codes:?}");
}

#[tokio::test]
async fn making_a_bucket_again_succeeds_in_us_east_1_alone() {
    let account = Account::with_bucket("again").await;
    account.ok("PUT", "/again", "", "").await;
    account.ok("PUT", "/again-eu", "", &constraint("eu-west-1")).await;
    let words = "Your previous request to create the named bucket succeeded and you already own it.";
    let expected = refusal(409, "BucketAlreadyOwnedByYou", words);
    assert_eq!(account.refused("PUT", "/again-eu", "", "").await, expected);
    let mut europe = account.server.administrator().await;
    europe.region = "eu-west-1".to_owned();
    assert_eq!(refused(&europe, "PUT", "/again-eu", "", &constraint("eu-west-1")).await, expected);
}

#[tokio::test]
async fn regions_are_said_and_kept_to() {
    let account = Account::new().await;
    let made = account.ok("PUT", "/in-europe", "", &constraint("eu-west-1")).await;
    assert_eq!(made.headers["location"], "http://in-europe.s3.amazonaws.com/");
    let wrong = ask(&account.administrator, "DELETE", "/in-europe", "", "").await;
    let words =
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    assert_eq!(wrong.refused(), ("AuthorizationHeaderMalformed".to_owned(), words.to_owned()));
    assert_eq!((wrong.status, wrong.xml("Region")), (400, Some("eu-west-1")));
    assert_eq!(wrong.headers["x-amz-bucket-region"], "eu-west-1");
    let head = ask(&account.administrator, "HEAD", "/in-europe", "", "").await;
    assert_eq!((head.status, &head.headers["x-amz-bucket-region"]), (400, &"eu-west-1".parse().unwrap()));

    let mut europe = account.server.administrator().await;
    europe.region = "eu-west-1".to_owned();
    ask(&europe, "HEAD", "/in-europe", "", "").await.ok();
    let unspecified = "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.";
    let code = "IllegalLocationConstraintException";
    assert_eq!(refused(&europe, "PUT", "/other", "", "").await, refusal(400, code, unspecified));
    let other = "The us-west-2 location constraint is incompatible for the region specific endpoint this request was sent to.";
    assert_eq!(
        refused(&europe, "PUT", "/other", "", &constraint("us-west-2")).await,
        refusal(400, code, other)
    );
    let nowhere = refusal(400, "InvalidLocationConstraint", "The specified location-constraint is not valid");
    for region in ["us-east-1", "mars-north-1", "cn-north-1"] {
        assert_eq!(account.refused("PUT", "/other", "", &constraint(region)).await, nowhere, "{region}");
    }
}

#[tokio::test]
async fn what_a_bucket_could_not_keep_is_refused_by_name() {
    let account = Account::new().await;
    for (name, value, status, code) in [
        ("x-amz-acl", "public-read", 400, "InvalidBucketAclWithObjectOwnership"),
        ("x-amz-grant-read", "id=abc", 400, "InvalidBucketAclWithObjectOwnership"),
        ("x-amz-object-ownership", "nonsense", 400, "InvalidArgument"),
        ("x-amz-acl", "nonsense", 400, "InvalidArgument"),
    ] {
        let answer = ask_with(&account.administrator, "PUT", "/fresh", "", &[(name, value)], "").await;
        assert_eq!((answer.status, answer.refused().0.as_str()), (status, code), "{name}: {value}");
    }
    for (name, value) in [("x-amz-acl", "private"), ("x-amz-object-ownership", "BucketOwnerEnforced")] {
        ask_with(&account.administrator, "PUT", "/fresh", "", &[(name, value)], "").await.ok();
        account.ok("DELETE", "/fresh", "", "").await;
    }
    for name in ["/Ab-c", "/ab", "/a_b_c", "/192.168.1.1"] {
        let refused = account.refused("PUT", name, "", "").await;
        assert_eq!(
            refused,
            refusal(400, "InvalidBucketName", "The specified bucket is not valid."),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_stranger_may_nothing_and_learns_only_whether_a_bucket_is_there() {
    let account = Account::with_bucket("private").await;
    for client in [
        account.server.user("nobody", &[]).await,
        account.stranger("eve", &[]).await,
        account.server.anonymous(),
    ] {
        for (method, path) in
            [("PUT", "/fresh"), ("GET", "/"), ("DELETE", "/private"), ("GET", "/private?policy")]
        {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let refused = refused(&client, method, path, query, "").await;
            assert_eq!((refused.0, refused.1.as_str()), (403, "AccessDenied"), "{method} {path}");
        }
        let head = ask(&client, "HEAD", "/private", "", "").await;
        assert_eq!((head.status, head.body.as_str()), (403, ""));
        assert_eq!(head.headers["x-amz-bucket-region"], "us-east-1");
        assert_eq!(ask(&client, "HEAD", "/nowhere", "", "").await.status, 404);
    }
    assert_eq!(account.ok("GET", "/", "", "").await.xml_all("Name"), ["private"]);
    let denied = account.server.user("bob", &[]).await;
    let words = "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: s3:DeleteBucket on resource: \"arn:aws:s3:::private\" because no identity-based policy allows the s3:DeleteBucket action";
    assert_eq!(refused(&denied, "DELETE", "/private", "", "").await.2, words);
}

#[tokio::test]
async fn the_owner_that_is_expected_must_be_the_owner() {
    let account = Account::with_bucket("mine").await;
    let expect = |owner: &'static str| {
        let administrator = &account.administrator;
        async move {
            ask_with(administrator, "HEAD", "/mine", "", &[("x-amz-expected-bucket-owner", owner)], "")
                .await
                .status
        }
    };
    assert_eq!(expect("123456789012").await, 200);
    assert_eq!(expect("999988887777").await, 403);
    assert_eq!(expect("somebody").await, 400);
}

/// Everything, on everything.
pub(crate) const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
