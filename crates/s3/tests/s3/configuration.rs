//! A bucket's configuration: what is answered where nothing was put, what is taken and shown again, what is refused.

use crate::support::{Account, Refusal, refusal};

/// A sub-resource, the code of its absence, the words.
const ABSENT: [(&str, &str, &str); 7] = [
    ("cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    (
        "object-lock",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    ("policy", "NoSuchBucketPolicy", "The bucket policy does not exist"),
    ("policyStatus", "NoSuchBucketPolicy", "The bucket policy does not exist"),
    ("replication", "ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ("tagging", "NoSuchTagSet", "The TagSet does not exist"),
    ("website", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
];

const XMLNS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

async fn shown(account: &Account, what: &str) -> String {
    let body = account.ok("GET", "/b-1", what, "").await.body;
    let (_, root) = body.split_once("?>").unwrap_or(("", &body));
    root.trim_start().replace(&format!(" {XMLNS}"), "")
}

fn not_built(what: &str) -> Refusal {
    let words = format!(
        "A header or element you provided implies functionality that is not implemented by Daypass: {what}."
    );
    refusal(501, "NotImplemented", words)
}

#[tokio::test]
async fn what_was_never_put_is_absent_in_its_own_code() {
    let account = Account::with_bucket("b-1").await;
    for (what, code, words) in ABSENT {
        let answer = account.administrator.s3("GET", "/b-1", what, &[], b"").await;
        assert_eq!((answer.status, answer.refused()), (404, (code.to_owned(), words.to_owned())), "{what}");
        assert_eq!(answer.xml("BucketName"), Some("b-1"));
    }
}

#[tokio::test]
async fn a_new_bucket_is_as_aws_makes_it() {
    let account = Account::with_bucket("b-1").await;
    for (what, expected) in [
        ("versioning", "<VersioningConfiguration></VersioningConfiguration>"),
        ("accelerate", "<AccelerateConfiguration></AccelerateConfiguration>"),
        ("logging", "<BucketLoggingStatus></BucketLoggingStatus>"),
        ("notification", "<NotificationConfiguration></NotificationConfiguration>"),
        ("location", "<LocationConstraint></LocationConstraint>"),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
        ),
        (
            "encryption",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
        ),
        (
            "ownershipControls",
            "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>",
        ),
        (
            "publicAccessBlock",
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
        ),
    ] {
        let is = shown(&account, what).await;
        let is = is.replace("<LocationConstraint/>", "<LocationConstraint></LocationConstraint>");
        assert_eq!(is, expected, "{what}");
    }
    let acl = account.ok("GET", "/b-1", "acl", "").await;
    assert_eq!(acl.xml_all("Permission"), ["FULL_CONTROL"]);
    assert!(acl.body.contains("xsi:type=\"CanonicalUser\""), "{}", acl.body);
    let ids = acl.xml_all("ID");
    assert!(ids.len() == 2 && ids[0] == ids[1] && ids[0].len() == 64, "{ids:?}");
}

#[tokio::test]
async fn versioning_is_enabled_and_suspended_and_never_undone() {
    let account = Account::with_bucket("b-1").await;
    let put = |status: &str| format!("<VersioningConfiguration {XMLNS}>{status}</VersioningConfiguration>");
    for status in ["Enabled", "Suspended", "Enabled"] {
        account.ok("PUT", "/b-1", "versioning", &put(&format!("<Status>{status}</Status>"))).await;
        let expected =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        assert_eq!(shown(&account, "versioning").await, expected);
    }
    let refused = account.refused("PUT", "/b-1", "versioning", &put("")).await;
    let expected =
        refusal(400, "IllegalVersioningConfigurationException", "The Versioning element must be specified");
    assert_eq!(refused, expected);
    let mfa = put("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>");
    assert_eq!(account.refused("PUT", "/b-1", "versioning", &mfa).await, not_built("MFA Delete"));
    let wrong = account.refused("PUT", "/b-1", "versioning", &put("<Status>On</Status>")).await;
    assert_eq!((wrong.0, wrong.1.as_str()), (400, "MalformedXML"));
}

#[tokio::test]
async fn the_record_of_a_change_in_the_object_store_reaches_the_log() {
    let account = Account::with_bucket("b-1").await;
    let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    account.ok("PUT", "/b-1", "versioning", body).await;
    daypass_core::outbox::drain(account.server.gate.state()).await.unwrap();
    let audit = account.server.audit();
    let records: Vec<_> = audit.iter().filter(|record| record.event_name == "PutBucketVersioning").collect();
    assert_eq!(records.len(), 1);
    assert!(records[0].event.contains("\"status\":\"Enabled\""), "{}", records[0].event);
}

#[tokio::test]
async fn tags_are_put_as_a_whole_shown_and_taken_away() {
    let account = Account::with_bucket("b-1").await;
    let tags = |tags: &str| format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
    let one = "<Tag><Key>team</Key><Value>red &amp; blue</Value></Tag>";
    let one = one.replace(" &amp; ", " + ");
    account.ok("PUT", "/b-1", "tagging", &tags("<Tag><Key>old</Key><Value/></Tag>")).await;
    account.ok("PUT", "/b-1", "tagging", &tags(&one)).await;
    assert_eq!(shown(&account, "tagging").await, tags(&one));
    let twice = account.refused("PUT", "/b-1", "tagging", &tags(&one.repeat(2))).await;
    assert_eq!(twice, refusal(400, "InvalidTag", "Cannot provide multiple Tags with the same key"));
    assert_eq!(account.ok("DELETE", "/b-1", "tagging", "").await.status, 204);
    assert_eq!(account.refused("GET", "/b-1", "tagging", "").await.1, "NoSuchTagSet");
    assert_eq!(account.refused("PUT", "/b-1", "tagging", "<Tagging/>").await.1, "MalformedXML");
    assert_eq!(account.refused("PUT", "/b-1", "tagging", "<Tagging>").await.1, "MalformedXML");
}

#[tokio::test]
async fn encryption_is_always_on_and_by_the_servers_keys() {
    let account = Account::with_bucket("b-1").await;
    let put = |rule: &str| {
        format!("<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>")
    };
    let by = |inside: &str| {
        format!("<ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault>")
    };
    let aes = by("<SSEAlgorithm>AES256</SSEAlgorithm>");
    let with_key = put(&format!("{aes}<BucketKeyEnabled>true</BucketKeyEnabled>"));
    account.ok("PUT", "/b-1", "encryption", &with_key).await;
    assert_eq!(shown(&account, "encryption").await, with_key);
    account.ok("DELETE", "/b-1", "encryption", "").await;
    assert_eq!(
        shown(&account, "encryption").await,
        put(&format!("{aes}<BucketKeyEnabled>false</BucketKeyEnabled>"))
    );
    let kms = put(&by("<SSEAlgorithm>aws:kms</SSEAlgorithm>"));
    assert_eq!(account.refused("PUT", "/b-1", "encryption", &kms).await, not_built("encryption by aws:kms"));
    let key = put(&by("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"));
    assert_eq!(account.refused("PUT", "/b-1", "encryption", &key).await.1, "InvalidArgument");
    let two = put(&format!("{aes}</Rule><Rule>{aes}"));
    assert_eq!(account.refused("PUT", "/b-1", "encryption", &two).await.1, "MalformedXML");
    let blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
    account.ok("PUT", "/b-1", "encryption", &put(&format!("{aes}{blocked}"))).await;
    assert!(shown(&account, "encryption").await.contains(blocked));
}

#[tokio::test]
async fn there_are_no_acls() {
    let account = Account::with_bucket("b-1").await;
    let no_acls = refusal(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
    for acl in ["private", "public-read"] {
        let answer =
            account.administrator.s3("PUT", "/b-1", "acl", &[("x-amz-acl", acl), MD5_OF_NOTHING], b"").await;
        let (code, message) = answer.refused();
        assert_eq!((answer.status, code, message), no_acls, "{acl}");
    }
    let put = |ownership: &str| {
        format!(
            "<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
        )
    };
    let refused = account.refused("PUT", "/b-1", "ownershipControls", &put("ObjectWriter")).await;
    assert_eq!(refused, not_built("objects with ACLs (ObjectOwnership ObjectWriter)"));
    account.ok("DELETE", "/b-1", "ownershipControls", "").await;
    let absent = account.refused("GET", "/b-1", "ownershipControls", "").await;
    let words = "The bucket ownership controls were not found";
    assert_eq!(absent, refusal(404, "OwnershipControlsNotFoundError", words));
    account.ok("PUT", "/b-1", "ownershipControls", &put("BucketOwnerEnforced")).await;
    assert_eq!(shown(&account, "ownershipControls").await, put("BucketOwnerEnforced"));
}

/// The checksum of a request without a body.
const MD5_OF_NOTHING: (&str, &str) = ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");

#[tokio::test]
async fn a_public_access_block_is_what_is_said_and_nothing_more() {
    let account = Account::with_bucket("b-1").await;
    let put = "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    account.ok("PUT", "/b-1", "publicAccessBlock", put).await;
    let is = account.ok("GET", "/b-1", "publicAccessBlock", "").await;
    let flags = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    let flags = flags.map(|flag| is.xml(flag).unwrap().to_owned());
    assert_eq!(flags, ["false", "false", "true", "false"]);
    account.ok("DELETE", "/b-1", "publicAccessBlock", "").await;
    let absent = account.refused("GET", "/b-1", "publicAccessBlock", "").await;
    let words = "The public access block configuration was not found";
    assert_eq!(absent, refusal(404, "NoSuchPublicAccessBlockConfiguration", words));
}

#[tokio::test]
async fn what_is_the_default_is_taken_and_what_is_not_is_refused_by_name() {
    let account = Account::with_bucket("b-1").await;
    for (what, taken, refused, name) in [
        (
            "logging",
            "<BucketLoggingStatus/>",
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>",
            "server access logging",
        ),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
            "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
            "buckets whose requesters pay",
        ),
        (
            "accelerate",
            "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>",
            "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>",
            "transfer acceleration",
        ),
        (
            "cors",
            "",
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
            "cross-origin resource sharing (CORS)",
        ),
        (
            "website",
            "",
            "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>",
            "website hosting",
        ),
    ] {
        assert_eq!(account.refused("PUT", "/b-1", what, refused).await, not_built(name), "{what}");
        if taken.is_empty() {
            assert_eq!(account.ok("DELETE", "/b-1", what, "").await.status, 204, "{what}");
        } else {
            account.ok("PUT", "/b-1", what, taken).await;
        }
    }
    let suspended = "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>";
    assert_eq!(shown(&account, "accelerate").await, suspended);
}
