//! Access points: what they are, and that no request gets more through one than its policy and its bucket's both give.

use daypass_core::PeerInstance;
use daypass_core::testing::{Client, TestAnswer};

use crate::signer::{Outgoing, Signer};
use crate::support::{Account, ask, ask_with, control, control_of};

const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const ARN: &str = "arn:aws:s3:us-east-1:123456789012:accesspoint/door";
const HOST: &str = "door-123456789012.127.0.0.1:4566";

fn created(bucket: &str, more: &str) -> String {
    format!(
        "<CreateAccessPointRequest xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"><Bucket>{bucket}</Bucket>{more}</CreateAccessPointRequest>"
    )
}

fn put_policy(text: &str) -> String {
    let text = text.replace('"', "&quot;");
    format!("<PutAccessPointPolicyRequest><Policy>{text}</Policy></PutAccessPointPolicyRequest>")
}

fn statement(effect: &str, principal: &str, action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{principal},"Action":"{action}","Resource":{resource}{condition}}}]}}"#
    )
}

/// What a bucket says that leaves everything to the access points of an account (S3 user guide, "Delegating access control to
/// access points").
fn delegates(account: &str) -> String {
    let condition = format!(r#","Condition":{{"StringEquals":{{"s3:DataAccessPointAccount":"{account}"}}}}"#);
    let resource = r#"["arn:aws:s3:::behind","arn:aws:s3:::behind/*"]"#;
    statement("Allow", r#"{"AWS":"*"}"#, "s3:*", resource, &condition)
}

async fn through(client: &Client, method: &str, path: &str, query: &str, body: &str) -> TestAnswer {
    ask_with(client, method, path, query, &[("host", HOST)], body).await
}

/// An account with a bucket, an object in it, and an access point to it.
async fn with_door(more: &str) -> (Account, String) {
    let account = Account::with_bucket("behind").await;
    account.ok("PUT", "/behind/k", "", "bytes").await;
    let made =
        control(&account.administrator, "PUT", "accesspoint/door", "", &created("behind", more)).await.ok();
    let alias = made.xml("Alias").unwrap().to_owned();
    (account, alias)
}

#[tokio::test]
async fn an_access_point_is_made_shown_listed_and_taken_away() {
    let (account, alias) = with_door("").await;
    assert!(alias.starts_with("door-") && alias.ends_with("-s3alias") && alias.len() <= 63, "{alias}");
    let shown = control(&account.administrator, "GET", "accesspoint/door", "", "").await.ok();
    for (name, value) in [
        ("Name", "door"),
        ("Bucket", "behind"),
        ("NetworkOrigin", "Internet"),
        ("Alias", alias.as_str()),
        ("AccessPointArn", ARN),
        ("BucketAccountId", "123456789012"),
        ("BlockPublicAcls", "true"),
        ("RestrictPublicBuckets", "true"),
    ] {
        assert_eq!(shown.xml(name), Some(value), "{name}");
    }
    let again = control(&account.administrator, "PUT", "accesspoint/door", "", &created("behind", "")).await;
    assert_eq!((again.status, again.code().unwrap().as_str()), (409, "AccessPointAlreadyOwnedByYou"));
    control(&account.administrator, "PUT", "accesspoint/gate", "", &created("behind", "")).await.ok();
    let page = control(&account.administrator, "GET", "accesspoint", "maxResults=1", "").await.ok();
    assert_eq!(page.xml_all("Name"), ["door"]);
    let token = page.xml("NextToken").unwrap().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let query = format!("bucket=behind&maxResults=1&nextToken={token}");
    let page = control(&account.administrator, "GET", "accesspoint", &query, "").await.ok();
    assert_eq!((page.xml_all("Name"), page.xml("NextToken")), (vec!["gate"], None));
    let none = control(&account.administrator, "GET", "accesspoint", "bucket=other", "").await.ok();
    assert_eq!(none.xml("Name"), None);
    // A bucket stays as long as it has any.
    account.ok("DELETE", "/behind/k", "", "").await;
    assert_eq!(account.refused("DELETE", "/behind", "", "").await.1, "BucketHasAccessPointsAttached");
    for name in ["door", "gate"] {
        control(&account.administrator, "DELETE", &format!("accesspoint/{name}"), "", "").await.ok();
    }
    let gone = control(&account.administrator, "GET", "accesspoint/door", "", "").await;
    assert_eq!((gone.status, gone.code().unwrap().as_str()), (404, "NoSuchAccessPoint"));
    assert_eq!(
        ask(&account.administrator, "GET", &format!("/{alias}"), "", "").await.code().unwrap(),
        "NoSuchBucket"
    );
    account.ok("DELETE", "/behind", "", "").await;
}

#[tokio::test]
async fn what_an_access_point_cannot_be_is_refused() {
    let (account, _) = with_door("").await;
    account.stranger("other", &[]).await;
    for (name, body, status, code) in [
        ("Door", created("behind", ""), 400, "InvalidArgument"),
        ("-door", created("behind", ""), 400, "InvalidArgument"),
        ("a.b", created("behind", ""), 400, "InvalidArgument"),
        ("x-s3alias", created("behind", ""), 400, "InvalidArgument"),
        ("new", created("missing", ""), 404, "NoSuchBucket"),
        ("new", created("behind", "<BucketAccountId>999988887777</BucketAccountId>"), 403, "AccessDenied"),
        (
            "new",
            created("behind", "<Scope><Prefixes><Prefix>a</Prefix></Prefixes></Scope>"),
            501,
            "NotImplemented",
        ),
    ] {
        let answer = control(&account.administrator, "PUT", &format!("accesspoint/{name}"), "", &body).await;
        assert_eq!((answer.status, answer.code().unwrap().as_str()), (status, code), "{name} {body}");
    }
    // One host name is one thing: neither a bucket nor an access point takes the other's.
    assert_eq!(account.refused("PUT", "/door-123456789012", "", "").await.1, "BucketAlreadyExists");
    account.ok("PUT", "/taken-123456789012", "", "").await;
    let answer =
        control(&account.administrator, "PUT", "accesspoint/taken", "", &created("behind", "")).await;
    assert_eq!((answer.status, answer.code().unwrap().as_str()), (400, "InvalidRequest"));
}

#[tokio::test]
async fn control_of_access_points_is_for_who_may_in_the_account() {
    let (account, _) = with_door("").await;
    let nobody = account.server.user("nobody", &[]).await;
    let stranger = account.stranger("stranger", &[("all", ALL)]).await;
    let (made, policy) = (
        created("behind", ""),
        put_policy(&statement(
            "Allow",
            r#"{"AWS":"999988887777"}"#,
            "s3:GetObject",
            &format!("\"{ARN}/object/*\""),
            "",
        )),
    );
    for (method, path, body) in [
        ("PUT", "accesspoint/new", made.as_str()),
        ("GET", "accesspoint/door", ""),
        ("GET", "accesspoint", ""),
        ("DELETE", "accesspoint/door", ""),
        ("PUT", "accesspoint/door/policy", policy.as_str()),
        ("GET", "accesspoint/door/policy", ""),
        ("GET", "accesspoint/door/policyStatus", ""),
        ("DELETE", "accesspoint/door/policy", ""),
        ("GET", "tags/arn:aws:s3:::behind", ""),
    ] {
        for client in [&nobody, &stranger, &account.server.anonymous()] {
            let answer = control(client, method, path, "", body).await;
            assert_eq!(
                (answer.status, answer.code().unwrap().as_str()),
                (403, "AccessDenied"),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn no_policy_lets_nobody_in_particular_control_anything() {
    let open = "<PublicAccessBlockConfiguration><BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    let (account, _) = with_door(open).await;
    account.unblock("behind").await;
    let public = statement("Allow", "\"*\"", "s3:*", &format!("[\"{ARN}\",\"{ARN}/object/*\"]"), "");
    control(&account.administrator, "PUT", "accesspoint/door/policy", "", &put_policy(&public)).await.ok();
    let resource = r#"["arn:aws:s3:::behind","arn:aws:s3:::behind/*"]"#;
    account.policy("behind", &statement("Allow", "\"*\"", "s3:*", resource, "")).await;
    let anonymous = account.server.anonymous();
    ask(&anonymous, "GET", "/behind/k", "", "").await.ok();
    let tags =
        "<TagResourceRequest><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></TagResourceRequest>";
    let door = format!("tags/{ARN}");
    for (method, path, query, body) in [
        ("GET", "accesspoint/door", "", ""),
        ("GET", "accesspoint/door/policy", "", ""),
        ("GET", "accesspoint/door/policyStatus", "", ""),
        ("PUT", "accesspoint/door/policy", "", put_policy(&public).as_str()),
        ("DELETE", "accesspoint/door/policy", "", ""),
        ("GET", "tags/arn:aws:s3:::behind", "", ""),
        ("POST", "tags/arn:aws:s3:::behind", "", tags),
        ("DELETE", "tags/arn:aws:s3:::behind", "tagKeys=a", ""),
        ("GET", &door, "", ""),
        ("POST", &door, "", tags),
        ("DELETE", "accesspoint/door", "", ""),
    ] {
        let answer = control(&anonymous, method, path, query, body).await;
        let refused = (answer.status, answer.code());
        assert_eq!(refused, (403, Some("AccessDenied".to_owned())), "{method} {path}");
    }
}

#[tokio::test]
async fn objects_are_reached_by_alias_and_by_host_as_by_the_bucket() {
    let (account, alias) = with_door("").await;
    let administrator = &account.administrator;
    for answer in [
        through(administrator, "GET", "/k", "", "").await,
        ask(administrator, "GET", &format!("/{alias}/k"), "", "").await,
    ] {
        assert_eq!(answer.ok().body, "bytes");
    }
    through(administrator, "PUT", "/new", "", "more").await.ok();
    assert_eq!(account.ok("GET", "/behind/new", "", "").await.body, "more");
    let list = through(administrator, "GET", "/", "list-type=2", "").await.ok();
    assert_eq!(list.xml_all("Key"), ["k", "new"]);
    let head = ask(administrator, "HEAD", &format!("/{alias}"), "", "").await.ok();
    assert_eq!(head.headers.get("x-amz-access-point-alias").unwrap(), "true");
    for query in ["location", "acl", "versions", "uploads"] {
        through(administrator, "GET", "/", query, "").await.ok();
    }
    let source =
        [("x-amz-copy-source", "arn%3Aaws%3As3%3Aus-east-1%3A123456789012%3Aaccesspoint/door/object/k")];
    ask_with(administrator, "PUT", "/behind/copy", "", &source, "").await.ok();
    assert_eq!(account.ok("GET", "/behind/copy", "", "").await.body, "bytes");
    through(administrator, "DELETE", "/new", "", "").await.ok();
    // What configures a bucket is not for access points.
    for (method, query, body) in [
        ("DELETE", "", ""),
        ("DELETE", "policy", ""),
        ("GET", "versioning", ""),
        ("GET", "publicAccessBlock", ""),
        ("PUT", "tagging", "<Tagging><TagSet/></Tagging>"),
    ] {
        let answer = through(administrator, method, "/", query, body).await;
        assert_eq!(
            (answer.status, answer.code().unwrap().as_str()),
            (405, "MethodNotAllowed"),
            "{method} {query}"
        );
    }
}

#[tokio::test]
async fn an_access_points_policy_gives_only_what_its_bucket_gives_too() {
    let (account, _) = with_door("").await;
    let user = account.server.user("reader", &[]).await;
    let reader = r#"{"AWS":"arn:aws:iam::123456789012:user/reader"}"#;
    let allow = statement("Allow", reader, "s3:GetObject", &format!("\"{ARN}/object/*\""), "");
    assert_eq!(through(&user, "GET", "/k", "", "").await.status, 403);
    control(&account.administrator, "PUT", "accesspoint/door/policy", "", &put_policy(&allow)).await.ok();
    assert_eq!(through(&user, "GET", "/k", "", "").await.status, 403, "the bucket says nothing yet");
    account.policy("behind", &delegates("123456789012")).await;
    through(&user, "GET", "/k", "", "").await.ok();
    assert_eq!(ask(&user, "GET", "/behind/k", "", "").await.status, 403, "the bucket itself gives nothing");
    assert_eq!(through(&user, "PUT", "/k", "", "x").await.status, 403, "more than the access point gives");
    // Without the access point's word, the bucket's delegation gives nothing.
    control(&account.administrator, "DELETE", "accesspoint/door/policy", "", "").await.ok();
    assert_eq!(through(&user, "GET", "/k", "", "").await.status, 403);
    // What either forbids is forbidden, whoever may otherwise everything.
    let may = account.server.user("may", &[("all", ALL)]).await;
    through(&may, "GET", "/k", "", "").await.ok();
    let deny = statement("Deny", "\"*\"", "s3:GetObject", &format!("\"{ARN}/object/*\""), "");
    control(&account.administrator, "PUT", "accesspoint/door/policy", "", &put_policy(&deny)).await.ok();
    assert_eq!(through(&may, "GET", "/k", "", "").await.status, 403);
    ask(&may, "GET", "/behind/k", "", "").await.ok();
    control(&account.administrator, "DELETE", "accesspoint/door/policy", "", "").await.ok();
    let condition = r#","Condition":{"ArnEquals":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:123456789012:accesspoint/door"}}"#;
    account
        .policy(
            "behind",
            &statement("Deny", "\"*\"", "s3:GetObject", r#""arn:aws:s3:::behind/*""#, condition),
        )
        .await;
    assert_eq!(through(&may, "GET", "/k", "", "").await.status, 403);
    ask(&may, "GET", "/behind/k", "", "").await.ok();
}

#[tokio::test]
async fn an_identity_needs_both_the_access_point_and_the_bucket() {
    let (account, _) = with_door("").await;
    let policy = |resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":{resource}}}]}}"#
        )
    };
    let (point, bucket) = (format!("\"{ARN}/object/*\""), "\"arn:aws:s3:::behind/*\"".to_owned());
    let both = policy(&format!("[{point},{bucket}]"));
    let only_point = account.server.user("point", &[("p", &policy(&point))]).await;
    let only_bucket = account.server.user("bucket", &[("p", &policy(&bucket))]).await;
    let both = account.server.user("both", &[("p", &both)]).await;
    assert_eq!(through(&only_point, "GET", "/k", "", "").await.status, 403);
    assert_eq!(through(&only_bucket, "GET", "/k", "", "").await.status, 403);
    through(&both, "GET", "/k", "", "").await.ok();
    // Where the bucket leaves it to its access points, the access point is enough.
    account.policy("behind", &delegates("123456789012")).await;
    through(&only_point, "GET", "/k", "", "").await.ok();
    assert_eq!(through(&only_bucket, "GET", "/k", "", "").await.status, 403);
}

#[tokio::test]
async fn an_access_point_to_anothers_bucket_gives_what_that_bucket_delegates() {
    let account = Account::with_bucket("behind").await;
    account.ok("PUT", "/behind/k", "", "bytes").await;
    let stranger = account.stranger("stranger", &[("all", ALL)]).await;
    let body = created("behind", "<BucketAccountId>123456789012</BucketAccountId>");
    control_of(&stranger, "999988887777", "PUT", "accesspoint/door", "", &body).await.ok();
    let host = [("host", "door-999988887777.127.0.0.1:4566")];
    let get = || ask_with(&stranger, "GET", "/k", "", &host, "");
    assert_eq!(get().await.status, 403);
    account.policy("behind", &delegates("123456789012")).await;
    assert_eq!(get().await.status, 403, "it is for the owner's access points");
    account.policy("behind", &delegates("999988887777")).await;
    assert_eq!(get().await.ok().body, "bytes");
    assert_eq!(ask(&stranger, "GET", "/behind/k", "", "").await.status, 403);
    // It does not keep the bucket.
    account.ok("DELETE", "/behind/k", "", "").await;
    account.ok("DELETE", "/behind", "", "").await;
    // And does not lead to another bucket that comes to have the name.
    account.ok("PUT", "/behind", "", "").await;
    account.policy("behind", &delegates("999988887777")).await;
    account.ok("PUT", "/behind/k", "", "secret").await;
    assert_eq!(get().await.code().unwrap(), "NoSuchBucket");
}

#[tokio::test]
async fn who_makes_an_access_point_to_anothers_bucket_is_not_inside_by_it() {
    let account = Account::with_bucket("behind").await;
    account.unblock("behind").await;
    account.ok("PUT", "/behind/k", "", "bytes").await;
    account
        .policy("behind", &statement("Allow", "\"*\"", "s3:GetObject", r#""arn:aws:s3:::behind/*""#, ""))
        .await;
    let restrict = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    account.ok("PUT", "/behind", "publicAccessBlock", restrict).await;
    let stranger = account.stranger("stranger", &[("all", ALL)]).await;
    let body = created("behind", "<BucketAccountId>123456789012</BucketAccountId>");
    control_of(&stranger, "999988887777", "PUT", "accesspoint/door", "", &body).await.ok();
    let host = [("host", "door-999988887777.127.0.0.1:4566")];
    assert_eq!(ask_with(&stranger, "GET", "/k", "", &host, "").await.status, 403);
}

#[tokio::test]
async fn nobody_comes_through_an_access_point_without_a_signature_of_version_4() {
    let open = "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    let (account, alias) = with_door(open).await;
    account.unblock("behind").await;
    account
        .policy("behind", &statement("Allow", "\"*\"", "s3:GetObject", r#""arn:aws:s3:::behind/*""#, ""))
        .await;
    let public = statement("Allow", "\"*\"", "s3:GetObject", &format!("\"{ARN}/object/*\""), "");
    control(&account.administrator, "PUT", "accesspoint/door/policy", "", &put_policy(&public)).await.ok();
    let status = control(&account.administrator, "GET", "accesspoint/door/policyStatus", "", "").await.ok();
    assert_eq!(status.xml("IsPublic"), Some("true"));
    let anonymous = account.server.anonymous();
    ask(&anonymous, "GET", "/behind/k", "", "").await.ok();
    assert_eq!(through(&anonymous, "GET", "/k", "", "").await.status, 403);
    assert_eq!(ask(&anonymous, "GET", &format!("/{alias}/k"), "", "").await.status, 403);
    account.server.user("may", &[("all", ALL)]).await;
    let path = format!("/{alias}/k");
    let presigned = Outgoing {
        method: "GET",
        path: &path,
        query: "",
        headers: &[],
        unsigned: &[],
        payload: "UNSIGNED-PAYLOAD",
        body: b"",
    };
    Signer::of(&account.server, "may").presigned(presigned).await.ok();
}

#[tokio::test]
async fn public_policies_of_access_points_are_blocked_by_any_of_their_blocks() {
    let open = "<PublicAccessBlockConfiguration><BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    let (account, _) = with_door(open).await;
    let public = put_policy(&statement("Allow", "\"*\"", "s3:GetObject", &format!("\"{ARN}/object/*\""), ""));
    let administrator = &account.administrator;
    let put = || control(administrator, "PUT", "accesspoint/door/policy", "", &public);
    assert_eq!(put().await.status, 403, "the bucket blocks");
    account.unblock("behind").await;
    let block = "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    control(administrator, "PUT", "configuration/publicAccessBlock", "", block).await.ok();
    assert_eq!(put().await.status, 403, "the account blocks");
    control(administrator, "DELETE", "configuration/publicAccessBlock", "", "").await.ok();
    put().await.ok();
    control(administrator, "DELETE", "accesspoint/door", "", "").await.ok();
    control(administrator, "PUT", "accesspoint/door", "", &created("behind", "")).await.ok();
    assert_eq!(put().await.status, 403, "the access point blocks");
    // What it restricts: others than its account, as soon as its policy lets in the public.
    control(administrator, "DELETE", "accesspoint/door", "", "").await.ok();
    control(administrator, "PUT", "accesspoint/door", "", &created("behind", open)).await.ok();
    put().await.ok();
    account.policy("behind", &delegates("123456789012")).await;
    let stranger = account.stranger("stranger", &[("all", ALL)]).await;
    assert_eq!(through(&stranger, "GET", "/k", "", "").await.status, 403);
    let named =
        statement("Allow", r#"{"AWS":"999988887777"}"#, "s3:GetObject", &format!("\"{ARN}/object/*\""), "");
    control(administrator, "PUT", "accesspoint/door/policy", "", &put_policy(&named)).await.ok();
    through(&stranger, "GET", "/k", "", "").await.ok();
}

#[tokio::test]
async fn policies_of_access_points_are_about_themselves() {
    let (account, _) = with_door("").await;
    for (resource, action, expected) in [
        (format!("\"{ARN}\""), "s3:ListBucket", None),
        (format!("\"{ARN}/object/a*\""), "s3:GetObject", None),
        ("\"arn:aws:s3:::behind/*\"".to_owned(), "s3:GetObject", Some("Policy has invalid resource")),
        (format!("\"{ARN}s/object/*\""), "s3:GetObject", Some("Policy has invalid resource")),
        ("\"*\"".to_owned(), "s3:GetObject", Some("Policy has invalid resource")),
        (format!("\"{ARN}\""), "s3:GetObject", Some("Action does not apply to any resource(s) in statement")),
    ] {
        let policy = put_policy(&statement("Allow", r#"{"AWS":"999988887777"}"#, action, &resource, ""));
        let answer = control(&account.administrator, "PUT", "accesspoint/door/policy", "", &policy).await;
        assert_eq!(answer.message().as_deref(), expected, "{resource} {action}");
    }
    let none = control(&account.administrator, "GET", "accesspoint/door/policy", "", "").await.ok();
    assert!(none.xml("Policy").unwrap().contains("999988887777"));
    control(&account.administrator, "DELETE", "accesspoint/door/policy", "", "").await.ok();
    for path in ["accesspoint/door/policy", "accesspoint/door/policyStatus"] {
        let none = control(&account.administrator, "GET", path, "", "").await;
        assert_eq!((none.status, none.code().unwrap().as_str()), (404, "NoSuchAccessPointPolicy"));
    }
}

#[tokio::test]
async fn an_access_point_of_a_vpc_takes_requests_of_its_instances_alone() {
    let vpc = "<VpcConfiguration><VpcId>vpc-1</VpcId></VpcConfiguration>";
    let (account, _) = with_door(vpc).await;
    let shown = control(&account.administrator, "GET", "accesspoint/door", "", "").await.ok();
    assert_eq!((shown.xml("NetworkOrigin"), shown.xml("VpcId")), (Some("VPC"), Some("vpc-1")));
    let may = account.server.user("may", &[("all", ALL)]).await;
    let from = |vpc: &str| {
        let instance = PeerInstance { id: "i-1".to_owned(), vpc_id: vpc.to_owned() };
        may.peer.lock().unwrap().instance = Some(instance);
    };
    assert_eq!(through(&may, "GET", "/k", "", "").await.status, 403);
    from("vpc-2");
    assert_eq!(through(&may, "GET", "/k", "", "").await.status, 403);
    from("vpc-1");
    through(&may, "GET", "/k", "", "").await.ok();
    let condition = r#","Condition":{"StringNotEquals":{"s3:AccessPointNetworkOrigin":"VPC"}}"#;
    account
        .policy(
            "behind",
            &statement("Deny", "\"*\"", "s3:GetObject", r#""arn:aws:s3:::behind/*""#, condition),
        )
        .await;
    through(&may, "GET", "/k", "", "").await.ok();
    assert_eq!(ask(&may, "GET", "/behind/k", "", "").await.status, 403);
}

#[tokio::test]
async fn a_request_by_an_instances_link_has_the_vpc_in_its_context() {
    let account = Account::with_bucket("behind").await;
    account.ok("PUT", "/behind/k", "", "bytes").await;
    let may = account.server.user("may", &[("all", ALL)]).await;
    let condition = r#","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#;
    let resource = r#""arn:aws:s3:::behind/*""#;
    account.policy("behind", &statement("Deny", "\"*\"", "s3:GetObject", resource, condition)).await;
    for (vpc, status) in [(None, 403), (Some("vpc-2"), 403), (Some("vpc-1"), 200)] {
        let instance = |vpc: &str| PeerInstance { id: "i-1".to_owned(), vpc_id: vpc.to_owned() };
        may.peer.lock().unwrap().instance = vpc.map(instance);
        assert_eq!(ask(&may, "GET", "/behind/k", "", "").await.status, status, "{vpc:?}");
    }
}

#[tokio::test]
async fn tags_by_arn_are_those_of_buckets_and_access_points() {
    let (account, _) = with_door("<Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags>").await;
    let administrator = &account.administrator;
    let tags = |more: &str| format!("<TagResourceRequest><Tags>{more}</Tags></TagResourceRequest>");
    for arn in ["arn:aws:s3:::behind", ARN] {
        let path = format!("tags/{}", arn.replace(':', "%3A"));
        let two = tags("<Tag><Key>a</Key><Value>2</Value></Tag><Tag><Key>b</Key><Value>3</Value></Tag>");
        control(administrator, "POST", &path, "", &two).await.ok();
        let shown = control(administrator, "GET", &path, "", "").await.ok();
        assert_eq!((shown.xml_all("Key"), shown.xml_all("Value")), (vec!["a", "b"], vec!["2", "3"]), "{arn}");
        control(administrator, "DELETE", &path, "tagKeys=a&tagKeys=c", "").await.ok();
        assert_eq!(control(administrator, "GET", &path, "", "").await.ok().xml_all("Key"), ["b"]);
        let bad =
            control(administrator, "POST", &path, "", &tags("<Tag><Key>aws:x</Key><Value/></Tag>")).await;
        assert_eq!(bad.code().unwrap(), "InvalidTag");
        let many: String = (0..50).map(|n| format!("<Tag><Key>k{n}</Key><Value/></Tag>")).collect();
        assert_eq!(
            control(administrator, "POST", &path, "", &tags(&many)).await.status,
            400,
            "with the one there it is 51"
        );
    }
    assert!(account.ok("GET", "/behind", "tagging", "").await.body.contains("<Key>b</Key>"));
    // A tag of the access point decides through it.
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:AccessPointTag/b":"3"}}}]}"#;
    let user = account.server.user("tagged", &[("p", policy)]).await;
    assert_eq!(through(&user, "GET", "/k", "", "").await.status, 403);
    ask(&user, "GET", "/behind/k", "", "").await.ok();
}
