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
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>",
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
    let blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
    let with_key = put(&format!("{aes}<BucketKeyEnabled>true</BucketKeyEnabled>{blocked}"));
    account.ok("PUT", "/b-1", "encryption", &with_key).await;
    assert_eq!(shown(&account, "encryption").await, with_key);
    account.ok("DELETE", "/b-1", "encryption", "").await;
    assert_eq!(
        shown(&account, "encryption").await,
        put(&format!("{aes}<BucketKeyEnabled>false</BucketKeyEnabled>{blocked}"))
    );
    let dsse = put(&by("<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>"));
    let refused = account.refused("PUT", "/b-1", "encryption", &dsse).await;
    assert_eq!(refused, not_built("encryption by aws:kms:dsse"));
    let key = put(&by("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"));
    assert_eq!(account.refused("PUT", "/b-1", "encryption", &key).await.1, "InvalidArgument");
    let two = put(&format!("{aes}</Rule><Rule>{aes}"));
    assert_eq!(account.refused("PUT", "/b-1", "encryption", &two).await.1, "MalformedXML");
}

#[tokio::test]
async fn there_are_no_acls_until_the_bucket_has_some() {
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
    for ownership in ["ObjectWriter", "BucketOwnerPreferred"] {
        account.ok("PUT", "/b-1", "ownershipControls", &put(ownership)).await;
        assert_eq!(shown(&account, "ownershipControls").await, put(ownership));
    }
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
async fn acceleration_and_who_pays_are_state() {
    let account = Account::with_bucket("b-1").await;
    for (what, document) in [
        ("accelerate", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>"),
        ("accelerate", "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>"),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
        ),
    ] {
        account.ok("PUT", "/b-1", what, document).await;
        assert_eq!(shown(&account, what).await, document);
    }
    // Others say that they pay, or get nothing.
    let eve = account.stranger("eve", &[("all", crate::buckets::ALL)]).await;
    account.unblock("b-1").await;
    let open = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b-1"}]}"#;
    account.policy("b-1", open).await;
    for (client, headers, status) in [
        (&eve, &[][..], 403),
        (&eve, &[("x-amz-request-payer", "requester")], 200),
        (&account.server.anonymous(), &[], 403),
        (&account.administrator, &[], 200),
    ] {
        assert_eq!(client.s3("GET", "/b-1", "", headers, b"").await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn configurations_with_ids_are_kept_paged_and_taken_away() {
    let account = Account::with_bucket("b-1").await;
    let metrics = |id: &str| format!("<MetricsConfiguration><Id>{id}</Id></MetricsConfiguration>");
    let inventory = "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::b-1</Bucket><Format>CSV</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>one</Id><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>";
    let tiering = "<IntelligentTieringConfiguration><Id>one</Id><Status>Enabled</Status><Tiering><Days>180</Days><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier></Tiering></IntelligentTieringConfiguration>";
    let analytics = "<AnalyticsConfiguration><Id>one</Id><StorageClassAnalysis></StorageClassAnalysis></AnalyticsConfiguration>";
    for (what, document) in [
        ("metrics", metrics("one").as_str()),
        ("inventory", inventory),
        ("intelligent-tiering", tiering),
        ("analytics", analytics),
    ] {
        let one = format!("{what}&id=one");
        account.ok("PUT", "/b-1", &one, document).await;
        assert_eq!(shown(&account, &one).await.replace("/>", ">"), document.replace("/>", ">"), "{what}");
        assert_eq!(account.ok("GET", "/b-1", what, "").await.xml_all("Id"), ["one"], "{what}");
        assert_eq!(
            account.refused("PUT", "/b-1", &format!("{what}&id=two"), document).await.1,
            "InvalidArgument"
        );
        account.ok("DELETE", "/b-1", &one, "").await;
        let absent = refusal(404, "NoSuchConfiguration", "The specified configuration does not exist.");
        for method in ["GET", "DELETE"] {
            assert_eq!(account.refused(method, "/b-1", &one, "").await, absent, "{what}");
        }
    }
    for number in 0..101 {
        let id = format!("m{number:03}");
        account.ok("PUT", "/b-1", &format!("metrics&id={id}"), &metrics(&id)).await;
    }
    let first = account.ok("GET", "/b-1", "metrics", "").await;
    assert_eq!((first.xml_all("Id").len(), first.xml("IsTruncated")), (100, Some("true")));
    let next = format!("metrics&continuation-token={}", first.xml("NextContinuationToken").unwrap());
    let second = account.ok("GET", "/b-1", &next, "").await;
    assert_eq!((second.xml_all("Id"), second.xml("IsTruncated")), (vec!["m100"], Some("false")));
}

#[tokio::test]
async fn what_needs_an_archive_is_refused_as_aws_refuses_it() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1/k", "", "x").await;
    let words = "Restore is not allowed for the object's current storage class";
    let restore = "<RestoreRequest><Days>1</Days></RestoreRequest>";
    assert_eq!(
        account.refused("POST", "/b-1/k", "restore", restore).await,
        refusal(403, "InvalidObjectState", words)
    );
    let words = "The specified method is not allowed against this resource.";
    assert_eq!(
        account.refused("GET", "/b-1/k", "torrent", "").await,
        refusal(405, "MethodNotAllowed", words)
    );
    assert_eq!(account.refused("GET", "/b-1/none", "torrent", "").await.1, "NoSuchKey");
}

#[tokio::test]
async fn what_older_clients_send_without_a_checksum_is_taken() {
    let account = Account::with_bucket("b-1").await;
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::b-1"}}"#;
    let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    for (query, body, status) in [("policy", policy, 204), ("versioning", versions, 200)] {
        let answer = account.administrator.s3("PUT", "/b-1", query, &[], body.as_bytes()).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
    }
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let answer = account.administrator.s3("PUT", "/b-1", "tagging", &[], tags.as_bytes()).await;
    assert_eq!((answer.status, answer.code().unwrap().as_str()), (400, "InvalidRequest"));
}
