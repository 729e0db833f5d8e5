//! Access control lists, where a bucket has them: what they let in, whose objects are, and what blocks them.

use daypass_core::testing::{Client, TestAnswer};

use crate::buckets::ALL;
use crate::support::{Account, ask, ask_with, refusal, refused};

const ALL_USERS: &str = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";

/// An account with a bucket as they were before April 2023: with ACLs, and nothing blocked.
async fn with_acls(ownership: &str) -> Account {
    let account = Account::with_bucket("b-1").await;
    let controls = format!(
        "<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
    );
    account.ok("PUT", "/b-1", "ownershipControls", &controls).await;
    account.unblock("b-1").await;
    account.ok("PUT", "/b-1/k", "", "kept").await;
    account
}

async fn put_acl(client: &Client, path: &str, headers: &[(&str, &str)]) -> TestAnswer {
    let mut all = headers.to_vec();
    all.push(("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="));
    client.s3("PUT", path, "acl", &all, b"").await
}

async fn id_of(client: &Client) -> String {
    ask(client, "GET", "/", "", "").await.ok().xml("ID").unwrap().to_owned()
}

#[tokio::test]
async fn a_canned_list_lets_in_whom_it_names() {
    let account = with_acls("ObjectWriter").await;
    let eve = account.stranger("eve", &[("all", ALL)]).await;
    // Of the owner's account, which an account's own grant alone does not let in.
    let plain = account.server.user("plain", &[]).await;
    let nobody = account.server.anonymous();
    for (acl, anonymous, other) in [
        ("private", 403, 403),
        ("public-read", 200, 200),
        ("authenticated-read", 403, 200),
        ("bucket-owner-full-control", 403, 403),
    ] {
        assert_eq!(put_acl(&account.administrator, "/b-1/k", &[("x-amz-acl", acl)]).await.status, 200);
        assert_eq!(ask(&nobody, "GET", "/b-1/k", "", "").await.status, anonymous, "{acl}");
        assert_eq!(ask(&eve, "GET", "/b-1/k", "", "").await.status, other, "{acl}");
        assert_eq!(ask(&plain, "GET", "/b-1/k", "", "").await.status, other, "{acl}");
        // To read is not to change, to list or to read the list.
        for (method, query) in [("GET", "acl"), ("DELETE", "")] {
            assert_eq!(ask(&eve, method, "/b-1/k", query, "").await.status, 403, "{acl} {method} {query}");
        }
        assert_eq!(put_acl(&eve, "/b-1/k", &[("x-amz-acl", "public-read")]).await.status, 403, "{acl}");
        assert_eq!(ask(&nobody, "GET", "/b-1", "", "").await.status, 403);
    }
    assert_eq!(
        put_acl(&account.administrator, "/b-1", &[("x-amz-acl", "public-read-write")]).await.status,
        200
    );
    assert_eq!(ask(&nobody, "GET", "/b-1", "", "").await.status, 200);
    // Who may list learns that a key is not there; who may not, does not.
    assert_eq!(refused(&nobody, "GET", "/b-1/missing", "", "").await.1, "NoSuchKey");
    assert_eq!(ask(&nobody, "HEAD", "/b-1/missing", "", "").await.status, 404);
    assert_eq!(refused(&nobody, "GET", "/b-1/missing", "acl", "").await.1, "AccessDenied");
    put_acl(&account.administrator, "/b-1", &[("x-amz-grant-write", ALL_USERS)]).await.ok();
    assert_eq!(refused(&nobody, "GET", "/b-1/missing", "", "").await.1, "AccessDenied");
    put_acl(&account.administrator, "/b-1", &[("x-amz-acl", "public-read-write")]).await.ok();
    assert_eq!(ask(&nobody, "PUT", "/b-1/anonymous", "", "x").await.status, 200);
    assert_eq!(ask(&nobody, "DELETE", "/b-1/k", "", "").await.status, 403);
}

#[tokio::test]
async fn what_a_grant_gives_an_account_its_own_policies_have_to_give_too() {
    let account = with_acls("ObjectWriter").await;
    let eve = account.stranger("eve", &[("all", ALL)]).await;
    let weak = account.stranger("weak", &[]).await;
    let id = format!("id=\"{}\"", id_of(&eve).await);
    assert_eq!(put_acl(&account.administrator, "/b-1/k", &[("x-amz-grant-read", &id)]).await.status, 200);
    assert_eq!(ask(&eve, "GET", "/b-1/k", "", "").await.body, "kept");
    assert_eq!(ask(&weak, "GET", "/b-1/k", "", "").await.status, 403);
    assert_eq!(ask(&eve, "GET", "/b-1/k", "acl", "").await.status, 403);
    assert_eq!(
        put_acl(&account.administrator, "/b-1/k", &[("x-amz-grant-full-control", &id)]).await.status,
        200
    );
    let acl = ask(&eve, "GET", "/b-1/k", "acl", "").await.ok();
    assert_eq!(acl.xml_all("Permission"), ["FULL_CONTROL"]);
    assert_eq!(put_acl(&eve, "/b-1/k", &[("x-amz-acl", "public-read")]).await.status, 200);
    // A denial of the bucket's policy stands over every grant.
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/*"}]}"#;
    account.policy("b-1", deny).await;
    assert_eq!(ask(&eve, "GET", "/b-1/k", "", "").await.status, 403);
}

#[tokio::test]
async fn objects_are_their_writers_unless_the_bucket_says_otherwise() {
    for (ownership, acl, is_eves) in [
        ("ObjectWriter", "bucket-owner-full-control", true),
        ("BucketOwnerPreferred", "private", true),
        ("BucketOwnerPreferred", "bucket-owner-full-control", false),
    ] {
        let account = with_acls(ownership).await;
        let eve = account.stranger("eve", &[("all", ALL)]).await;
        let id = format!("id=\"{}\"", id_of(&eve).await);
        assert_eq!(put_acl(&account.administrator, "/b-1", &[("x-amz-grant-write", &id)]).await.status, 200);
        ask_with(&eve, "PUT", "/b-1/eves", "", &[("x-amz-acl", acl)], "x").await.ok();
        let shown = account.ok("GET", "/b-1", "list-type=2&fetch-owner=true&prefix=eves", "").await;
        let owner = if is_eves { id_of(&eve).await } else { id_of(&account.administrator).await };
        assert_eq!(shown.xml("ID"), Some(owner.as_str()), "{ownership} {acl}");
        let reads = ask(&account.administrator, "GET", "/b-1/eves", "", "").await.status;
        assert_eq!(reads, if acl == "private" { 403 } else { 200 }, "{ownership} {acl}");
        assert_eq!(ask(&eve, "GET", "/b-1/eves", "", "").await.status, if is_eves { 200 } else { 403 });
        // Whose bucket it is may always take an object out of it.
        assert_eq!(account.ok("DELETE", "/b-1/eves", "", "").await.status, 204);
    }
}

#[tokio::test]
async fn public_grants_are_refused_or_ignored_where_they_are_blocked() {
    let account = with_acls("ObjectWriter").await;
    let nobody = account.server.anonymous();
    assert_eq!(
        put_acl(&account.administrator, "/b-1/k", &[("x-amz-grant-read", ALL_USERS)]).await.status,
        200
    );
    assert_eq!(ask(&nobody, "GET", "/b-1/k", "", "").await.status, 200);
    let block = |what: &str| {
        format!("<PublicAccessBlockConfiguration><{what}>true</{what}></PublicAccessBlockConfiguration>")
    };
    account.ok("PUT", "/b-1", "publicAccessBlock", &block("IgnorePublicAcls")).await;
    assert_eq!(ask(&nobody, "GET", "/b-1/k", "", "").await.status, 403);
    account.ok("PUT", "/b-1", "publicAccessBlock", &block("BlockPublicAcls")).await;
    assert_eq!(ask(&nobody, "GET", "/b-1/k", "", "").await.status, 200);
    for (path, header, value) in [
        ("/b-1/k", "x-amz-acl", "public-read"),
        ("/b-1/k", "x-amz-grant-read", ALL_USERS),
        ("/b-1", "x-amz-acl", "authenticated-read"),
    ] {
        assert_eq!(
            put_acl(&account.administrator, path, &[(header, value)]).await.status,
            403,
            "{path} {value}"
        );
    }
    let answer =
        ask_with(&account.administrator, "PUT", "/b-1/n", "", &[("x-amz-acl", "public-read")], "x").await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn lists_that_s3_does_not_take_are_refused() {
    let account = with_acls("ObjectWriter").await;
    let me = id_of(&account.administrator).await;
    let document = |owner: &str, grantee: &str| {
        format!(
            "<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" {grantee}</Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
        )
    };
    let user = format!("xsi:type=\"CanonicalUser\"><ID>{me}</ID>");
    account.ok("PUT", "/b-1/k", "acl", &document(&me, &user)).await;
    for (body, status, code) in [
        (document("somebody", &user), 403, "AccessDenied"),
        (document(&me, "xsi:type=\"CanonicalUser\"><ID>nobody</ID>"), 400, "InvalidArgument"),
        (document(&me, "xsi:type=\"Group\"><URI>http://x</URI>"), 400, "InvalidArgument"),
        (
            document(&me, "xsi:type=\"AmazonCustomerByEmail\"><EmailAddress>a@b.c</EmailAddress>"),
            400,
            "UnresolvableGrantByEmailAddress",
        ),
    ] {
        let answer = refused(&account.administrator, "PUT", "/b-1/k", "acl", &body).await;
        assert_eq!((answer.0, answer.1.as_str()), (status, code), "{body}");
    }
    let both = [("x-amz-acl", "private"), ("x-amz-grant-read", ALL_USERS)];
    let answer = put_acl(&account.administrator, "/b-1/k", &both).await;
    assert_eq!(
        answer.refused(),
        (
            "InvalidRequest".to_owned(),
            "Specifying both Canned ACLs and Header Grants is not allowed".to_owned()
        )
    );
    let nothing = put_acl(&account.administrator, "/b-1/k", &[]).await;
    assert_eq!(nothing.refused().0, "MissingSecurityHeader");
}

#[tokio::test]
async fn a_bucket_has_no_lists_while_its_owner_owns_everything() {
    let account = with_acls("ObjectWriter").await;
    let eve = account.stranger("eve", &[("all", ALL)]).await;
    assert_eq!(put_acl(&account.administrator, "/b-1/k", &[("x-amz-acl", "public-read")]).await.status, 200);
    assert_eq!(put_acl(&account.administrator, "/b-1", &[("x-amz-acl", "public-read")]).await.status, 200);
    let controls = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
    let words = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    let has_some = account.refused("PUT", "/b-1", "ownershipControls", controls).await;
    assert_eq!(has_some, refusal(400, "InvalidBucketAclWithObjectOwnership", words));
    assert_eq!(put_acl(&account.administrator, "/b-1", &[("x-amz-acl", "private")]).await.status, 200);
    account.ok("PUT", "/b-1", "ownershipControls", controls).await;
    for client in [&eve, &account.server.anonymous()] {
        assert_eq!(ask(client, "GET", "/b-1/k", "", "").await.status, 403);
    }
    let words = "The bucket does not allow ACLs";
    for path in ["/b-1", "/b-1/k"] {
        let answer = put_acl(&account.administrator, path, &[("x-amz-acl", "public-read")]).await;
        assert_eq!(answer.refused(), ("AccessControlListNotSupported".to_owned(), words.to_owned()));
    }
}

#[tokio::test]
async fn nobody_writes_what_nobody_owns_with_a_list_of_its_own() {
    let account = with_acls("ObjectWriter").await;
    let nobody = account.server.anonymous();
    let public = [("x-amz-acl", "public-read")];
    assert_eq!(ask_with(&nobody, "PUT", "/b-1/new", "", &public, "x").await.status, 403);
    assert_eq!(
        put_acl(&account.administrator, "/b-1", &[("x-amz-acl", "public-read-write")]).await.status,
        200
    );
    // The bucket's list gives the right to write, not the right to say who may read what was written.
    assert_eq!(ask_with(&nobody, "PUT", "/b-1/new", "", &public, "x").await.status, 403);
    ask(&nobody, "PUT", "/b-1/new", "", "x").await.ok();
    assert_eq!(account.ok("GET", "/b-1/new", "", "").await.body, "x");
    let put = account
        .administrator
        .s3(
            "PUT",
            "/b-1/k",
            "acl",
            &[("x-amz-acl", "private"), ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")],
            b"",
        )
        .await;
    assert_eq!(put.status, 200);
    assert_eq!(put_acl(&nobody, "/b-1/k", &public).await.status, 403);
}

#[tokio::test]
async fn a_bucket_denies_whatever_lists_grant_and_whosever_the_object_is() {
    let account = with_acls("ObjectWriter").await;
    let eve = account.stranger("eve", &[("all", ALL)]).await;
    let id = format!("id=\"{}\"", id_of(&eve).await);
    assert_eq!(put_acl(&account.administrator, "/b-1", &[("x-amz-grant-write", &id)]).await.status, 200);
    assert_eq!(put_acl(&account.administrator, "/b-1/k", &[("x-amz-acl", "public-read")]).await.status, 200);
    ask(&eve, "PUT", "/b-1/eves", "", "x").await.ok();
    assert_eq!(ask(&eve, "GET", "/b-1/eves", "", "").await.status, 200);
    // A public policy, of which one statement denies; restricted, it lets in nobody, and neither do lists.
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/open"},{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":["arn:aws:s3:::b-1/k","arn:aws:s3:::b-1/eves"]}]}"#;
    account.policy("b-1", policy).await;
    for restrict in [false, true] {
        let block = format!(
            "<PublicAccessBlockConfiguration><RestrictPublicBuckets>{restrict}</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
        );
        account.ok("PUT", "/b-1", "publicAccessBlock", &block).await;
        for path in ["/b-1/k", "/b-1/eves"] {
            assert_eq!(ask(&eve, "GET", path, "", "").await.status, 403, "{path} {restrict}");
        }
        assert_eq!(ask(&account.server.anonymous(), "GET", "/b-1/k", "", "").await.status, 403);
    }
}

#[tokio::test]
async fn an_object_of_another_account_is_in_the_buckets_all_the_same() {
    let account = with_acls("ObjectWriter").await;
    let only = |of: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"s3:GetObject","Resource":"*","Condition":{{"StringNotEquals":{{"aws:ResourceAccount":"{of}"}}}}}}}}"#
        )
    };
    put_acl(&account.administrator, "/b-1", &[("x-amz-acl", "public-read-write")]).await.ok();
    for (name, of, expected) in [("eve", "123456789012", 200), ("mallory", "999988887777", 403)] {
        let writer = account.stranger(name, &[("all", ALL), ("only", &only(of))]).await;
        let path = format!("/b-1/of-{name}");
        assert_eq!(ask(&writer, "PUT", &path, "", "x").await.status, 200);
        assert_eq!(ask(&writer, "GET", &path, "", "").await.status, expected, "{name}");
        let begun = ask(&writer, "POST", &path, "uploads", "").await.ok();
        let parts =
            ask(&writer, "GET", &path, &format!("uploadId={}", begun.xml("UploadId").unwrap()), "").await;
        assert_eq!(parts.xml_all("ID")[1], id_of(&writer).await, "the owner to be: {}", parts.body);
        // It is its writer's, and nobody gave it to the bucket's owner.
        assert_eq!(ask(&account.administrator, "GET", &path, "", "").await.status, 403);
    }
}

#[tokio::test]
async fn a_bucket_is_not_made_public() {
    let account = Account::new().await;
    let owned = ("x-amz-object-ownership", "ObjectWriter");
    let blocked = "InvalidBucketAclWithBlockPublicAccessError";
    for _ in 0..2 {
        for (headers, code) in [
            (&[("x-amz-acl", "public-read")][..], "InvalidBucketAclWithObjectOwnership"),
            (&[owned, ("x-amz-acl", "public-read")], blocked),
            (&[owned, ("x-amz-acl", "authenticated-read")], blocked),
            (&[owned, ("x-amz-grant-write", ALL_USERS)], blocked),
        ] {
            let answer = account.administrator.s3("PUT", "/b-1", "", headers, b"").await;
            assert_eq!((answer.status, answer.code().unwrap().as_str()), (400, code), "{headers:?}");
        }
        // Nor where there is one already.
        account.ok("PUT", "/b-1", "", "").await;
    }
}
