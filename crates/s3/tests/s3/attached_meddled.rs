//! Buckets that are in another store which does not do what it says, or does not say what it does: nothing is told, listed or
//! taken for kept that is not so.

use daypass_core::outbox;
use daypass_core::store::AuditRecord;
use daypass_s3::{AttachError, NewAttachment, end_lifetimes};
use http::Method;
use serde_json::Value;

use crate::meddling::Meddling;
use crate::pair::Pair;
use crate::support::control;

const DAY: i64 = 86_400;

const LARGE: usize = 5 << 20;
const VERSIONED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const LOCKED: &str =
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";

fn lifecycle(rule: &str) -> String {
    format!("<LifecycleConfiguration><Rule><Status>Enabled</Status>{rule}</Rule></LifecycleConfiguration>")
}

/// As somebody whose session did not end meanwhile.
async fn keys(pair: &Pair) -> Vec<String> {
    let administrator = pair.front.server.administrator().await;
    let listed = administrator.s3("GET", "/front", "list-type=2", &[], b"").await.ok();
    listed.xml_all("Key").into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_lifecycle_is_carried_out_in_the_other_store_by_tag_and_size() {
    let pair = Pair::attached().await;
    let filter = "<Filter><And><Prefix>log/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter>";
    let rule = lifecycle(&format!("{filter}<Expiration><Days>1</Days></Expiration>"));
    pair.front.ok("PUT", "/front", "lifecycle", &rule).await;
    let tagged = [("x-amz-tagging", "k=v")];
    for (path, headers, bytes) in [
        ("/front/log/goes", &tagged[..], "xx"),
        ("/front/log/small", &tagged[..], "x"),
        ("/front/log/untagged", &[][..], "xx"),
        ("/front/other", &tagged[..], "xx"),
    ] {
        pair.front.administrator.s3("PUT", path, "", headers, bytes.as_bytes()).await.ok();
    }
    pair.advance(3 * DAY);
    let administrator = pair.front.server.administrator().await;
    administrator.s3("PUT", "/front/log/fresh", "", &tagged, b"xx").await.ok();
    assert_eq!(end_lifetimes(pair.front.server.gate.state()).await.unwrap(), 1);
    assert_eq!(keys(&pair).await, ["log/fresh", "log/small", "log/untagged", "other"]);
}

#[tokio::test]
async fn noncurrent_versions_and_delete_markers_above_nothing_go_there() {
    let pair = Pair::attached().await;
    let enabled = VERSIONED.to_owned();
    pair.front.ok("PUT", "/front", "versioning", &enabled).await;
    let rule = "<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    pair.front.ok("PUT", "/front", "lifecycle", &lifecycle(rule)).await;
    for bytes in ["one", "two"] {
        pair.front.ok("PUT", "/front/kept", "", bytes).await;
    }
    pair.front.ok("PUT", "/front/gone", "", "x").await;
    pair.front.ok("DELETE", "/front/gone", "", "").await;
    pair.advance(3 * DAY);
    let state = pair.front.server.gate.state();
    assert_eq!(end_lifetimes(state).await.unwrap(), 2, "what is below the current ones");
    assert_eq!(end_lifetimes(state).await.unwrap(), 1, "a delete marker that nothing is below any more");
    let administrator = pair.back.server.administrator().await;
    let listed = administrator.s3("GET", "/back", "versions=", &[], b"").await.ok().body;
    assert_eq!(
        (listed.matches("<Version>").count(), listed.matches("<DeleteMarker>").count()),
        (1, 0),
        "{listed}"
    );
    let administrator = pair.front.server.administrator().await;
    assert_eq!(administrator.s3("GET", "/front/kept", "", &[], b"").await.ok().body, "two");
}

#[tokio::test]
async fn expiry_is_refused_by_name_where_no_condition_on_a_deletion_is_kept() {
    let pair = Pair::new().await;
    pair.meddler.begin(|asked| match asked.headers.get("if-match") {
        Some(_) if asked.method == Method::DELETE => Meddling::Instead(501, ""),
        _ => Meddling::Pass,
    });
    let expires = lifecycle("<Filter/><Expiration><Days>1</Days></Expiration>");
    let aborts = lifecycle(
        "<Filter/><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    );
    pair.front.ok("PUT", "/front", "lifecycle", &expires).await;
    let refused = pair.attachments.attach(pair.asked(), "operator").await.unwrap_err();
    assert!(matches!(refused, AttachError::Weaker { .. }), "{refused}");
    pair.front.ok("PUT", "/front", "lifecycle", &aborts).await;
    let pair = pair.attach().await;
    let (status, code, words) = pair.front.refused("PUT", "/front", "lifecycle", &expires).await;
    assert_eq!((status, code.as_str()), (501, "NotImplemented"));
    assert!(words.contains("expiration"), "{words}");
    pair.front.ok("PUT", "/front", "lifecycle", &aborts).await;
}

/// What the audit log says of the changes of this operation: the code, or nothing of a success.
async fn told(pair: &Pair, operation: &str) -> Vec<Option<String>> {
    outbox::drain(pair.front.server.gate.state()).await.unwrap();
    let of_operation = |record: &AuditRecord| record.event_name == operation;
    let code = |record: AuditRecord| {
        let event: Value = serde_json::from_str(&record.event).unwrap();
        event.get("errorCode").and_then(Value::as_str).map(str::to_owned)
    };
    pair.front.server.audit().into_iter().filter(of_operation).map(code).collect()
}

fn unknown() -> Vec<Option<String>> {
    vec![Some("OutcomeUnknown".to_owned())]
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_told_as_not_known() {
    let pair = Pair::attached().await;
    pair.meddler.begin(|asked| match asked.method {
        Method::PUT => Meddling::Lost,
        _ => Meddling::Pass,
    });
    let (status, code, _) = pair.front.refused("PUT", "/front/k", "", "x").await;
    assert_eq!((status, code.as_str()), (503, "SlowDown"), "which clients ask again after");
    assert_eq!(told(&pair, "PutObject").await, unknown());
    assert_eq!(pair.back.ok("GET", "/back/of/k", "", "").await.body, "x", "it was done");
}

#[tokio::test]
async fn what_was_only_asked_about_is_no_unknown_change() {
    let pair = Pair::attached().await;
    pair.front.ok("PUT", "/front/k", "", "x").await;
    pair.meddler.begin(|asked| match asked.method {
        Method::GET | Method::HEAD => Meddling::Lost,
        _ => Meddling::Pass,
    });
    let copied =
        pair.front.administrator.s3("PUT", "/front/copy", "", &[("x-amz-copy-source", "/front/k")], b"");
    assert_eq!(copied.await.status, 503);
    assert_eq!(told(&pair, "CopyObject").await, [Some("SlowDown".to_owned())]);
}

#[tokio::test]
async fn a_success_that_says_something_else_is_none() {
    type Break = fn(&mut http::Response<Vec<u8>>);
    let cases: [(&str, Break); 4] = [
        ("no tag", |answer| {
            answer.headers_mut().remove("etag");
        }),
        ("another tag", |answer| {
            answer.headers_mut().insert("etag", "\"00000000000000000000000000000000\"".parse().unwrap());
        }),
        ("an error", |answer| *answer.body_mut() = b"<Error><Code>InternalError</Code></Error>".to_vec()),
        ("no version", |answer| {
            answer.headers_mut().insert("x-amz-version-id", "x".repeat(3000).parse().unwrap());
        }),
    ];
    for (what, change) in cases {
        let pair = Pair::attached().await;
        pair.meddler.begin(move |asked| match asked.method {
            Method::PUT => Meddling::Changed(change),
            _ => Meddling::Pass,
        });
        assert_eq!(pair.front.refused("PUT", "/front/k", "", "x").await.0, 503, "{what}");
        assert_eq!(told(&pair, "PutObject").await, unknown(), "{what}");
    }
}

#[tokio::test]
async fn an_upload_whose_completion_ends_in_an_error_is_not_completed() {
    type Break = fn(&mut http::Response<Vec<u8>>);
    let cases: [(&str, Break); 3] = [
        ("an error", |answer| {
            *answer.body_mut() = b" \n<Error><Code>InternalError</Code></Error>".to_vec();
        }),
        ("a half", |answer| *answer.body_mut() = b" <CompleteMultipartUploadRes".to_vec()),
        ("nothing", |answer| answer.body_mut().clear()),
    ];
    for (what, change) in cases {
        let pair = Pair::attached().await;
        let begun = pair.front.ok("POST", "/front/parts", "uploads=", "").await;
        let id = begun.xml("UploadId").unwrap().to_owned();
        let query = format!("partNumber=1&uploadId={id}");
        let part = pair.front.ok("PUT", "/front/parts", &query, "x").await;
        let tag = part.headers.get("etag").unwrap().to_str().unwrap().to_owned();
        pair.meddler.begin(move |asked| match asked.method {
            Method::POST => Meddling::Changed(change),
            _ => Meddling::Pass,
        });
        let parts = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        let query = format!("uploadId={id}");
        let completed = pair.front.administrator.s3("POST", "/front/parts", &query, &[], parts.as_bytes());
        assert_eq!(completed.await.status, 503, "{what}");
        assert_eq!(told(&pair, "CompleteMultipartUpload").await, unknown(), "{what}");
    }
}

#[tokio::test]
async fn governance_is_bypassed_there_only_where_the_caller_may_and_wants_to() {
    let pair = Pair::locked().await;
    pair.front.ok("PUT", "/front/k", "", "x").await;
    let (tell, told) = std::sync::mpsc::channel();
    pair.meddler.begin(move |asked| {
        if asked.method == Method::PUT {
            tell.send(asked.headers.contains_key("x-amz-bypass-governance-retention")).unwrap();
        }
        Meddling::Pass
    });
    let retention = |day: u32| {
        format!(
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-{day:02}T00:00:00Z</RetainUntilDate></Retention>"
        )
    };
    pair.front.ok("PUT", "/front/k", "retention", &retention(10)).await;
    pair.front.ok("PUT", "/front/k", "retention", &retention(20)).await;
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [false, false]);
    let (status, code, _) = pair.front.refused("PUT", "/front/k", "retention", &retention(5)).await;
    assert_eq!((status, code.as_str()), (403, "AccessDenied"));
    let bypass = [("x-amz-bypass-governance-retention", "true")];
    let document = retention(5);
    let shorter = pair.front.administrator.s3_document("PUT", "/front/k", "retention", &bypass, &document);
    shorter.await.ok();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [true]);
}

#[tokio::test]
async fn a_legal_hold_is_put_there_and_taken_off() {
    let pair = Pair::locked().await;
    let id = pair.front.ok("PUT", "/front/k", "", "x").await;
    let id = id.headers.get("x-amz-version-id").unwrap().to_str().unwrap().to_owned();
    for status in ["ON", "OFF"] {
        let hold = format!("<LegalHold><Status>{status}</Status></LegalHold>");
        pair.front.ok("PUT", "/front/k", "legal-hold", &hold).await;
        for account in [(&pair.front, "/front/k"), (&pair.back, "/back/of/k")] {
            let shown = account.0.ok("GET", account.1, "legal-hold", "").await;
            assert_eq!(shown.xml("Status"), Some(status));
        }
        let deleted =
            pair.front.administrator.s3("DELETE", "/front/k", &format!("versionId={id}"), &[], b"").await;
        assert_eq!(deleted.status, if status == "ON" { 403 } else { 204 }, "{}", deleted.body);
    }
}

#[tokio::test]
async fn a_bucket_gets_object_lock_only_where_the_other_store_has_it() {
    let pair = Pair::attached().await;
    pair.front.ok("PUT", "/front", "versioning", VERSIONED).await;
    let (status, code, words) = pair.front.refused("PUT", "/front", "object-lock", LOCKED).await;
    assert_eq!((status, code.as_str()), (501, "NotImplemented"), "{words}");
}

#[tokio::test]
async fn access_points_lead_to_the_bucket_wherever_it_is() {
    let pair = Pair::new().await;
    let create = "<CreateAccessPointRequest xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"><Bucket>front</Bucket></CreateAccessPointRequest>";
    let made = control(&pair.front.administrator, "PUT", "accesspoint/door", "", create).await.ok();
    let alias = made.xml("Alias").unwrap().to_owned();
    let path = format!("/{alias}/k");
    let pair = pair.attach().await;
    pair.front.ok("PUT", &path, "", "there").await;
    assert_eq!(pair.back.ok("GET", "/back/of/k", "", "").await.body, "there");
    pair.attachments.detach("front", "operator").await.unwrap();
    assert_eq!(pair.front.refused("GET", &path, "", "").await.1, "NoSuchKey");
    pair.front.ok("PUT", &path, "", "here").await;
    assert_eq!(pair.front.ok("GET", "/front/k", "", "").await.body, "here");
}

/// Uploads an object in two parts with a checksum of its own.
async fn in_parts(pair: &Pair) {
    let sum = [("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let begun = pair.front.administrator.s3("POST", "/front/parts", "uploads=", &sum, b"").await.ok();
    let id = begun.xml("UploadId").unwrap().to_owned();
    let mut parts = String::new();
    for (number, bytes) in [(1, vec![b'x'; LARGE]), (2, b"end".to_vec())] {
        let query = format!("partNumber={number}&uploadId={id}");
        let part = pair.front.administrator.s3("PUT", "/front/parts", &query, &[], &bytes).await.ok();
        let tag = part.headers.get("etag").unwrap().to_str().unwrap().to_owned();
        parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
    }
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let query = format!("uploadId={id}");
    pair.front.administrator.s3("POST", "/front/parts", &query, &[], document.as_bytes()).await.ok();
}

#[tokio::test]
async fn attributes_are_told_of_what_is_there_and_of_its_parts() {
    let pair = Pair::attached().await;
    in_parts(&pair).await;
    let all = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";
    let asked = async |more: &[(&str, &str)]| {
        let headers = [&[("x-amz-object-attributes", all)], more].concat();
        pair.front.administrator.s3("GET", "/front/parts", "attributes=", &headers, b"").await
    };
    let whole = asked(&[]).await.ok();
    assert_eq!(whole.xml("ObjectSize"), Some((LARGE + 3).to_string().as_str()));
    assert_eq!(
        (whole.xml("PartsCount"), whole.xml("IsTruncated")),
        (Some("2"), Some("false")),
        "{}",
        whole.body
    );
    assert_eq!(whole.xml_all("PartNumber"), ["1", "2"]);
    let first = asked(&[("x-amz-max-parts", "1")]).await.ok();
    assert_eq!((first.xml_all("PartNumber"), first.xml("IsTruncated")), (vec!["1"], Some("true")));
    for marker in ["2", "9999", "10000", "65535", "2147483647"] {
        let none = asked(&[("x-amz-part-number-marker", marker), ("x-amz-max-parts", "10")]).await.ok();
        assert_eq!(
            (none.xml_all("PartNumber"), none.xml("IsTruncated")),
            (vec![], Some("false")),
            "{marker}"
        );
    }
}

#[tokio::test]
async fn a_listing_that_is_cut_off_is_not_a_complete_one() {
    let pair = Pair::attached().await;
    pair.front.ok("PUT", "/front/k", "", "x").await;
    let cut = |answer: &mut http::Response<Vec<u8>>| {
        let text = String::from_utf8(answer.body().clone()).unwrap();
        let Some(start) = text.find("<IsTruncated>") else { return };
        let root = if text.contains("<ListVersionsResult") {
            "ListVersionsResult"
        } else if text.contains("<ListPartsResult") {
            "ListPartsResult"
        } else if text.contains("<ListMultipartUploadsResult") {
            "ListMultipartUploadsResult"
        } else {
            "ListBucketResult"
        };
        assert!(start > 0);
        let text = format!("<{root}><IsTruncated>true</IsTruncated></{root}>");
        *answer.body_mut() = text.into_bytes();
    };
    let begun = pair.front.ok("POST", "/front/parts", "uploads=", "").await;
    let upload = format!("uploadId={}", begun.xml("UploadId").unwrap());
    pair.meddler.begin(move |asked| match asked.method {
        Method::GET => Meddling::Changed(cut),
        _ => Meddling::Pass,
    });
    for (path, query) in [
        ("/front", "list-type=2"),
        ("/front", "versions="),
        ("/front", "uploads="),
        ("/front/parts", upload.as_str()),
    ] {
        assert_eq!(pair.front.refused("GET", path, query, "").await.0, 503, "{query}");
    }
    let (status, code, _) = pair.front.refused("DELETE", "/front", "", "").await;
    assert_eq!((status, code.as_str()), (503, "ServiceUnavailable"), "it may have anything in it");
    pair.meddler.end();
    assert_eq!(keys(&pair).await, ["k"]);
}

#[tokio::test]
async fn what_a_store_says_and_does_not_do_is_not_taken_for_kept() {
    let pair = Pair::new().await;
    let none = "\"00000000000000000000000000000000\"";
    pair.meddler.begin(move |asked| {
        let (is_put, is_delete) = (asked.method == Method::PUT, asked.method == Method::DELETE);
        match asked.headers.get("if-match") {
            // It says yes to the right tag and no to the wrong one, and does nothing at all.
            Some(tag) if (is_put || is_delete) && tag == none => Meddling::Instead(412, ""),
            Some(_) if is_put || is_delete => Meddling::Instead(200, ""),
            _ => Meddling::Pass,
        }
    });
    let attached = pair.attachments.attach(pair.asked(), "operator").await.unwrap();
    let found = attached.capabilities;
    assert!(!found.put_if_match && !found.delete_if_match, "{found:?}");
    assert!(found.put_if_absent && found.checksums && found.versions);
}

#[tokio::test]
async fn a_refusal_for_another_reason_keeps_no_condition() {
    let pair = Pair::new().await;
    pair.meddler.begin(|asked| {
        let conditional =
            asked.headers.contains_key("if-match") || asked.headers.contains_key("if-none-match");
        let wrong =
            asked.headers.get("if-match").is_some_and(|tag| tag == "\"00000000000000000000000000000000\"");
        match asked.method {
            Method::PUT | Method::DELETE if wrong => Meddling::Instead(503, ""),
            Method::POST if conditional => Meddling::Instead(400, ""),
            _ => Meddling::Pass,
        }
    });
    let found = pair.attachments.attach(pair.asked(), "operator").await.unwrap().capabilities;
    assert!(!found.put_if_match && !found.delete_if_match && !found.complete_conditionally, "{found:?}");
}

#[tokio::test]
async fn checksums_that_are_not_those_that_were_sent_are_none() {
    let pair = Pair::new().await;
    pair.meddler.begin(|asked| match asked.method {
        Method::HEAD => Meddling::Changed(|answer| {
            if let Some(sum) = answer.headers_mut().get_mut("x-amz-checksum-crc64nvme") {
                *sum = "AAAAAAAAAAA=".parse().unwrap();
            }
        }),
        _ => Meddling::Pass,
    });
    let found = pair.attachments.attach(pair.asked(), "operator").await.unwrap().capabilities;
    assert!(!found.checksums && !found.checksums_of_parts, "{found:?}");
}

#[tokio::test]
async fn the_null_version_is_judged_by_its_own_tags() {
    let pair = Pair::attached().await;
    let tagged = |value| [("x-amz-tagging", value)];
    pair.front.administrator.s3("PUT", "/front/k", "", &tagged("of=null"), b"null").await.ok();
    pair.front.ok("PUT", "/front", "versioning", VERSIONED).await;
    pair.front.administrator.s3("PUT", "/front/k", "", &tagged("of=latest"), b"latest").await.ok();
    // As some stores do, it leaves out which version it is where that is the null version.
    pair.meddler.begin(|asked| {
        let of_null = asked.uri.query().is_some_and(|query| query.contains("versionId=null"));
        match asked.method {
            Method::HEAD if of_null => Meddling::Changed(|answer| {
                answer.headers_mut().remove("x-amz-version-id");
            }),
            _ => Meddling::Pass,
        }
    });
    let everything = |of: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"s3:ExistingObjectTag/of":"{of}"}}}}}}]}}"#
        )
    };
    let of_latest = pair.front.server.user("latest", &[("tags", &everything("latest"))]).await;
    let of_null = pair.front.server.user("null", &[("tags", &everything("null"))]).await;
    let query = "versionId=null";
    assert_eq!(of_latest.s3("GET", "/front/k", query, &[], b"").await.status, 403);
    assert_eq!(of_null.s3("GET", "/front/k", query, &[], b"").await.body, "null");
    let tags = "<Tagging><TagSet><Tag><Key>of</Key><Value>both</Value></Tag></TagSet></Tagging>";
    pair.front.ok("PUT", "/front/k", "tagging&versionId=null", tags).await;
    assert!(pair.back.ok("GET", "/back/of/k", "tagging&versionId=null", "").await.body.contains("both"));
    assert!(pair.back.ok("GET", "/back/of/k", "tagging", "").await.body.contains("latest"));
}

#[tokio::test]
async fn a_null_version_that_is_the_latest_is_the_one_whose_tags_are_put() {
    let pair = Pair::attached().await;
    for (status, bytes) in [("Enabled", "one"), ("Suspended", "null")] {
        let configuration =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        pair.front.ok("PUT", "/front", "versioning", &configuration).await;
        pair.front.ok("PUT", "/front/k", "", bytes).await;
    }
    let (tell, told) = std::sync::mpsc::channel();
    pair.meddler.begin(move |asked| {
        if asked.method == Method::PUT {
            tell.send(asked.uri.query().unwrap_or_default().to_owned()).unwrap();
        }
        Meddling::Pass
    });
    let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    pair.front.ok("PUT", "/front/k", "tagging", tags).await;
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["tagging=&versionId=null"]);
}

#[tokio::test]
async fn nothing_of_the_questions_is_left_there_however_they_end() {
    for versioned in [false, true] {
        let pair = Pair::new().await;
        if versioned {
            pair.back.ok("PUT", "/back", "versioning", VERSIONED).await;
        }
        // It takes no parts.
        pair.meddler.begin(|asked| match asked.uri.query() {
            Some(query) if asked.method == Method::PUT && query.contains("partNumber") => {
                Meddling::Instead(501, "")
            }
            _ => Meddling::Pass,
        });
        let refused = pair.attachments.attach(pair.asked(), "operator").await.unwrap_err();
        assert!(matches!(refused, AttachError::Store(_)), "{refused}");
        let kept = pair.kept().await;
        assert!(!kept.contains("daypass"), "{kept}");
        pair.meddler.end();
        let pair = pair.attach().await;
        let kept = pair.kept().await;
        assert!(!kept.contains("daypass"), "{kept}");
    }
    let pair = Pair::locked().await;
    assert!(pair.attachments.list().unwrap()[0].capabilities.object_lock);
    let kept = pair.kept().await;
    assert!(!kept.contains("daypass"), "{kept}");
}

#[tokio::test]
async fn a_hold_that_does_not_hold_is_no_object_lock() {
    let pair = Pair::new().await;
    pair.back.ok("PUT", "/back", "versioning", VERSIONED).await;
    pair.back.ok("PUT", "/back", "object-lock", LOCKED).await;
    pair.meddler.begin(|asked| match asked.method {
        Method::PUT if asked.headers.contains_key("x-amz-object-lock-legal-hold") => {
            Meddling::Changed(|answer| {
                answer.headers_mut().insert("x-amz-version-id", "null".parse().unwrap());
            })
        }
        _ => Meddling::Pass,
    });
    let found = pair.attachments.attach(pair.asked(), "operator").await.unwrap().capabilities;
    assert!(found.versions && !found.object_lock, "{found:?}");
    let kept = pair.kept().await;
    assert!(!kept.contains("daypass"), "the hold is taken off: {kept}");
}

#[tokio::test]
async fn to_attach_and_to_detach_is_audited_without_the_secret() {
    let pair = Pair::new().await;
    let wrong = NewAttachment { there: "none-such".to_owned(), ..pair.asked() };
    pair.attachments.attach(wrong, "operator").await.unwrap_err();
    let pair = pair.attach().await;
    pair.attachments.detach("front", "operator").await.unwrap();
    let told: Vec<AuditRecord> = pair.front.server.audit();
    let told: Vec<_> = told.iter().filter(|record| record.event_source == "daypass").collect();
    let names: Vec<_> = told.iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(names, ["AttachBucket", "AttachBucket", "DetachBucket"]);
    let codes = told.iter().map(|record| {
        let event: Value = serde_json::from_str(&record.event).unwrap();
        event.get("errorCode").is_some()
    });
    assert_eq!(codes.collect::<Vec<_>>(), [true, false, false]);
    for record in told {
        assert!(record.management && !record.read_only && record.username == "operator");
        assert!(!record.event.contains(&format!("{:s<40}", "key")), "{}", record.event);
        assert_eq!(record.resources, [("AWS::S3::Bucket".to_owned(), "front".to_owned())]);
    }
}

#[tokio::test]
async fn what_is_said_of_another_store_is_bounded() {
    let pair = Pair::new().await;
    let long = || "x".repeat(5000);
    for asked in [
        NewAttachment { endpoint: format!("http://{}", long()), ..pair.asked() },
        NewAttachment { region: long(), ..pair.asked() },
        NewAttachment { there: long(), ..pair.asked() },
        NewAttachment { prefix: long(), ..pair.asked() },
        NewAttachment { access_key_id: long(), ..pair.asked() },
    ] {
        let refused = pair.attachments.attach(asked, "operator").await.unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("bytes") && refused.len() < 500, "{refused}");
    }
}

#[tokio::test]
async fn a_version_that_never_was_is_neither_read_nor_deleted() {
    let pair = Pair::attached().await;
    pair.front.ok("PUT", "/front/k", "", "x").await;
    // Some stores take every id for the object, where there are no versions.
    let (tell, told) = std::sync::mpsc::channel();
    pair.meddler.begin(move |asked| {
        if asked.uri.query().is_some_and(|query| query.contains("versionId=")) {
            tell.send(()).unwrap();
        }
        Meddling::Pass
    });
    let id = "versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY";
    let read = pair.front.administrator.s3("GET", "/front/k", id, &[], b"").await;
    assert!(read.status == 404 || read.status == 400, "{}", read.status);
    pair.front.administrator.s3("DELETE", "/front/k", id, &[], b"").await;
    assert_eq!(told.try_iter().count(), 0, "the store is not asked about it");
    assert_eq!(pair.front.ok("GET", "/front/k", "", "").await.body, "x");
}
