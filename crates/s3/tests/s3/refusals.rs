//! Every operation that is implemented refuses those who have no right, and changes nothing for them.

use daypass_core::model::{Location, Operation};
use daypass_core::testing::ACCOUNT;

use crate::signer::{Outgoing, Signer};
use crate::support::{Account, ask_with, control};

/// A document that each operation which wants one takes.
fn document(operation: &str) -> &'static str {
    match operation {
        "CreateAccessPoint" => "<CreateAccessPointRequest><Bucket>b-1</Bucket></CreateAccessPointRequest>",
        "PutAccessPointPolicy" => {
            "<PutAccessPointPolicyRequest><Policy>{}</Policy></PutAccessPointPolicyRequest>"
        }
        "TagResource" => {
            "<TagResourceRequest><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></TagResourceRequest>"
        }
        "CompleteMultipartUpload" => {
            "<CompleteMultipartUpload><Part><ETag>x</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
        }
        "DeleteObjects" => "<Delete><Object><Key>k</Key></Object></Delete>",
        "PutBucketAbac" => "<AbacStatus><Status>Enabled</Status></AbacStatus>",
        "PutBucketAccelerateConfiguration" => {
            "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>"
        }
        "PutBucketAcl" => "<AccessControlPolicy/>",
        "PutBucketCors" => {
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"
        }
        "PutBucketEncryption" => {
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        }
        "PutBucketLifecycleConfiguration" => {
            "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
        }
        "PutBucketLogging" => "<BucketLoggingStatus/>",
        "PutBucketOwnershipControls" => {
            "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
        }
        "PutBucketAnalyticsConfiguration" => {
            "<AnalyticsConfiguration><Id>x</Id><StorageClassAnalysis/></AnalyticsConfiguration>"
        }
        "PutBucketIntelligentTieringConfiguration" => {
            "<IntelligentTieringConfiguration><Id>x</Id><Status>Enabled</Status><Tiering><Days>180</Days><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier></Tiering></IntelligentTieringConfiguration>"
        }
        "PutBucketInventoryConfiguration" => {
            "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::b-1</Bucket><Format>CSV</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>x</Id><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>"
        }
        "PutBucketMetricsConfiguration" => "<MetricsConfiguration><Id>x</Id></MetricsConfiguration>",
        "PutBucketNotificationConfiguration" => "<NotificationConfiguration/>",
        "PutBucketReplication" => {
            "<ReplicationConfiguration><Role>arn:aws:iam::123456789012:role/r</Role><Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::b-2</Bucket></Destination></Rule></ReplicationConfiguration>"
        }
        "RestoreObject" => "<RestoreRequest><Days>1</Days></RestoreRequest>",
        "SelectObjectContent" => {
            "<SelectObjectContentRequest><Expression>select 1</Expression><ExpressionType>SQL</ExpressionType><InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization></SelectObjectContentRequest>"
        }
        "PutBucketPolicy" => "{}",
        "PutBucketRequestPayment" => {
            "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
        }
        "PutBucketTagging" => "<Tagging><TagSet/></Tagging>",
        "PutBucketVersioning" => {
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        }
        "PutBucketWebsite" => {
            "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>"
        }
        "PutObjectAcl" => "<AccessControlPolicy/>",
        "PutObjectLegalHold" => "<LegalHold><Status>ON</Status></LegalHold>",
        "PutObjectLockConfiguration" => {
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
        }
        "PutObjectRetention" => {
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2040-01-01T00:00:00Z</RetainUntilDate></Retention>"
        }
        "PutObjectTagging" => "<Tagging><TagSet/></Tagging>",
        "PutPublicAccessBlock" => "<PublicAccessBlockConfiguration/>",
        "UpdateObjectEncryption" => {
            "<ObjectEncryption><SSE-KMS><KMSKeyArn>arn:aws:kms:us-east-1:123456789012:key/x</KMSKeyArn></SSE-KMS></ObjectEncryption>"
        }
        _ => "",
    }
}

/// What the operation's route asks for besides its path.
fn route(operation: &Operation) -> (String, Vec<(&'static str, &'static str)>) {
    let mut query: Vec<&str> = operation.http.query.split('&').filter(|part| !part.is_empty()).collect();
    let mut headers = vec![];
    for member in operation.input.members.iter().filter(|member| member.required) {
        match (member.location, member.wire_in) {
            (Location::Query, "uploadId") => query.push("uploadId=x"),
            (Location::Query, "id") => query.push("id=x"),
            (Location::Query, "partNumber") => query.push("partNumber=1"),
            (Location::Header, "x-amz-copy-source") => headers.push(("x-amz-copy-source", "b-1/k")),
            (Location::Header, "x-amz-object-attributes") => {
                headers.push(("x-amz-object-attributes", "ETag"))
            }
            (Location::Header, "x-amz-account-id") => headers.push(("x-amz-account-id", ACCOUNT)),
            (Location::Query, "tagKeys") => query.push("tagKeys=a"),
            _ => {}
        }
    }
    (query.join("&"), headers)
}

#[tokio::test]
async fn nobody_does_anything_without_a_right() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/k", "", "kept").await;
    let door = document("CreateAccessPoint");
    control(&account.administrator, "PUT", "accesspoint/door", "", door).await.ok();
    let state = account.server.gate.state();
    let strangers = [
        account.server.user("nobody", &[]).await,
        account.stranger("eve", &[("all", crate::buckets::ALL)]).await,
        account.server.anonymous(),
    ];
    let notes = state.objects.notes(0, 1000).await.unwrap();
    for entry in daypass_s3::OPERATIONS {
        let operation = entry.operation();
        // A form is signed otherwise (`posting`), and a preflight asks for nothing (`cors`).
        if ["OptionsObject", "PostObject"].contains(&operation.name) {
            continue;
        }
        let path = match operation.http.path {
            "/" => "/".to_owned(),
            "/{Bucket}" if operation.name == "CreateBucket" => "/b-2".to_owned(),
            "/{Bucket}" => "/b-1".to_owned(),
            "/{Bucket}/{Key+}" => "/b-1/k".to_owned(),
            path => path.replace("{name}", "door").replace("{resourceArn+}", "arn:aws:s3:::b-1"),
        };
        for (number, stranger) in strangers.iter().enumerate() {
            // An account's own right to make and list buckets is no right to those of others.
            if number == 1 && ["CreateBucket", "ListBuckets"].contains(&operation.name) {
                continue;
            }
            let body = document(operation.name);
            let (query, headers) = route(operation);
            let before = (state.store.revision(), account.server.audit().len());
            let answer = ask_with(stranger, operation.http.method, &path, &query, &headers, body).await;
            if operation.name == "DeleteObjects" {
                // Each key is refused for itself, in an answer that is none.
                assert_eq!((answer.status, answer.xml_all("Code")), (200, vec!["AccessDenied"]));
                assert!(!answer.body.contains("<Deleted>"));
            } else {
                assert_eq!(answer.status, 403, "{}: {}", operation.name, answer.body);
            }
            let after = (state.store.revision(), account.server.audit().len());
            assert_eq!(after, (before.0, before.1 + 1), "{}", operation.name);
            let left = state.objects.notes(0, 1000).await.unwrap();
            assert_eq!(left, notes, "{} changed objects", operation.name);
            assert_eq!(account.server.audit().last().unwrap().event_name, operation.name);
        }
    }
    assert_eq!(account.ok("GET", "/b-1/k", "", "").await.body, "kept");
}

#[tokio::test]
async fn a_request_is_for_the_host_that_it_was_signed_for_or_for_none() {
    let account = Account::with_bucket("meant").await;
    account.ok("PUT", "/other", "", "").await;
    account.ok("PUT", "/meant/other/k", "", "what was meant").await;
    account.ok("PUT", "/other/k", "", "what was not").await;
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    account.server.user("reader", &[("all", all)]).await;
    let signer = Signer::of(&account.server, "reader");
    let absolute = "http://meant.localhost/other/k";
    for (target, hosts, expected) in [
        ("/other/k", &["meant.localhost"][..], 200),
        // What a client tells its proxy.
        (absolute, &["meant.localhost"], 200),
        (absolute, &[], 400),
        (absolute, &["localhost"], 400),
        (absolute, &["other.localhost"], 400),
        (absolute, &["meant.localhost", "localhost"], 400),
        (absolute, &[""], 400),
        ("/other/k", &[], 400),
        ("/other/k", &["meant.localhost", "meant.localhost"], 400),
    ] {
        let outgoing = Outgoing {
            method: "GET",
            path: "/other/k",
            query: "",
            headers: &[],
            unsigned: &[],
            payload: "UNSIGNED-PAYLOAD",
            body: b"",
        };
        let answer = signer.redirected(outgoing, "meant.localhost", target, hosts).await;
        assert_eq!(answer.status, expected, "{target} {hosts:?} {}", answer.body);
        match expected {
            200 => assert_eq!(answer.body, "what was meant"),
            _ => assert_eq!(answer.code().unwrap(), "InvalidRequest", "{target} {hosts:?}"),
        }
    }
}

#[tokio::test]
async fn each_service_refuses_in_its_words_what_has_no_host() {
    let account = Account::new().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let signer = Signer::of(&account.server, "nobody");
    for (header, code) in [
        (form, "InvalidRequest"),
        (("x-amz-target", "TrentService.ListKeys"), "ValidationException"),
        (("x-other", ""), "InvalidRequest"),
    ] {
        let outgoing = Outgoing {
            method: "POST",
            path: "/",
            query: "",
            headers: &[],
            unsigned: &[header],
            payload: "UNSIGNED-PAYLOAD",
            body: b"",
        };
        let answer = signer.redirected(outgoing, "localhost", "/", &[]).await;
        assert_eq!((answer.status, answer.code().as_deref()), (400, Some(code)));
    }
}
