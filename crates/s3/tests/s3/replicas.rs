//! Replicas: what becomes of an object, its versions, its delete markers and its changes in the buckets that it is replicated
//! to.

use daypass_core::testing::DESTINATIONS;
use serde_json::json;

use crate::notifications::taken;
use crate::replication::{
    RIGHTS, TRUST, configuration, put, replicate, role, rule, rule_of, status, two, work,
};
use crate::support::{Account, ask, ask_with, header};

/// Ids of all versions and delete markers of a bucket.
async fn versions(account: &Account, bucket: &str) -> Vec<String> {
    let listed = account.ok("GET", &format!("/{bucket}"), "versions", "").await;
    listed.xml_all("VersionId").into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_replica_is_its_original_in_another_bucket() {
    let account = two().await;
    let before = put(&account.administrator, "/b-1/old", &[], "before").await;
    replicate(&account, &rule("b-2")).await;
    let headers = [
        ("content-type", "text/x"),
        ("x-amz-meta-a", "b"),
        ("x-amz-tagging", "t=1&u=2"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-website-redirect-location", "/elsewhere"),
    ];
    let long = "bytes that are many".repeat(100_000);
    account.server.clock.advance(5);
    let ids = [
        put(&account.administrator, "/b-1/k", &headers, "hello").await,
        put(&account.administrator, "/b-1/k", &headers, &long).await,
    ];
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("PENDING"));
    assert_eq!(status(&account, "/b-2/k").await, None);
    account.server.clock.advance(100);
    assert_eq!(work(&account).await, (2, 0));
    assert_eq!(work(&account).await, (0, 0));
    for (id, body) in ids.iter().zip(["hello", &long]) {
        let query = format!("versionId={id}");
        let checked = [("x-amz-checksum-mode", "ENABLED")];
        let [original, replica] = [
            account.administrator.s3("GET", "/b-1/k", &query, &checked, b"").await.ok(),
            account.administrator.s3("GET", "/b-2/k", &query, &checked, b"").await.ok(),
        ];
        assert_eq!(replica.body, body);
        for name in [
            "etag",
            "last-modified",
            "x-amz-version-id",
            "content-type",
            "x-amz-meta-a",
            "x-amz-tagging-count",
            "x-amz-storage-class",
            "x-amz-checksum-crc32",
            "x-amz-server-side-encryption",
            "x-amz-website-redirect-location",
        ] {
            assert!(header(&original, name).is_some(), "{name}");
            assert_eq!(header(&original, name), header(&replica, name), "{name}");
        }
        assert_eq!(header(&original, "x-amz-replication-status"), Some("COMPLETED"));
        assert_eq!(header(&replica, "x-amz-replication-status"), Some("REPLICA"));
        let tags = account.ok("GET", "/b-2/k", &format!("tagging&{query}"), "").await;
        assert_eq!(tags.xml_all("Value"), ["1", "2"]);
    }
    assert_eq!(versions(&account, "b-2").await, [ids[1].clone(), ids[0].clone()]);
    assert_eq!(status(&account, "/b-1/old").await, None, "what was there before is not replicated");
    assert!(!versions(&account, "b-2").await.contains(&before));
}

#[tokio::test]
async fn copies_forms_and_uploads_are_replicated_as_what_is_put() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    put(&account.administrator, "/b-2/source", &[], "copied").await;
    let copied = [("x-amz-copy-source", "/b-2/source")];
    account.administrator.s3("PUT", "/b-1/copy", "", &copied, b"").await.ok();
    let begun = account.administrator.s3("POST", "/b-1/parts", "uploads", &[], b"").await.ok();
    let upload = begun.xml("UploadId").unwrap().to_owned();
    let mut parts = String::new();
    for (number, body) in [(1, "x".repeat(5 << 20)), (2, "end".to_owned())] {
        let query = format!("partNumber={number}&uploadId={upload}");
        let part = ask(&account.administrator, "PUT", "/b-1/parts", &query, &body).await.ok();
        let etag = header(&part, "etag").unwrap();
        parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let query = format!("uploadId={upload}");
    for _ in 0..2 {
        account.administrator.s3("POST", "/b-1/parts", &query, &[], document.as_bytes()).await.ok();
    }
    assert_eq!(work(&account).await, (2, 0), "what is completed again is not made again");
    assert_eq!(account.ok("GET", "/b-2/copy", "", "").await.body, "copied");
    let [original, replica] = ["/b-1/parts", "/b-2/parts"];
    let part = account.ok("GET", replica, "partNumber=2", "").await;
    assert_eq!((part.body.as_str(), header(&part, "x-amz-mp-parts-count")), ("end", Some("2")));
    let whole = account.ok("GET", original, "", "").await;
    assert_eq!(header(&whole, "etag"), header(&part, "etag"));
    for path in ["/b-1/copy", original] {
        assert_eq!(status(&account, path).await.as_deref(), Some("COMPLETED"), "{path}");
    }
}

#[tokio::test]
async fn rules_choose_by_prefix_tags_and_priority() {
    let account = two().await;
    account.ok("PUT", "/b-3", "", "").await;
    account.ok("PUT", "/b-3", "versioning", crate::replication::ENABLED).await;
    let by_prefix = rule_of("<Filter><Prefix>star</Prefix></Filter>", 1, "Disabled", "b-2");
    let closer = rule_of("<Filter><Prefix>starship</Prefix></Filter>", 2, "Disabled", "b-2")
        .replace("</Destination>", "<StorageClass>STANDARD_IA</StorageClass></Destination>");
    let by_tags = rule_of(
        "<Filter><And><Prefix>star</Prefix><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag></And></Filter>",
        3,
        "Disabled",
        "b-3",
    );
    let off = rule_of("<Filter/>", 4, "Disabled", "b-3").replace("<Status>Enabled", "<Status>Disabled");
    replicate(&account, &[by_prefix, closer, by_tags, off].concat()).await;
    for (key, tags, places, class) in [
        ("other", "", [false, false], None),
        ("star", "", [true, false], None),
        ("star-tagged", "a=1&b=2&c=3", [true, true], None),
        ("star-half", "a=1", [true, false], None),
        ("starship-x", "a=1&b=1", [true, false], Some("STANDARD_IA")),
    ] {
        let headers: &[(&str, &str)] = if tags.is_empty() { &[] } else { &[("x-amz-tagging", tags)] };
        put(&account.administrator, &format!("/b-1/{key}"), headers, "x").await;
        let is_replicated = places.contains(&true);
        let waits = status(&account, &format!("/b-1/{key}")).await;
        assert_eq!(waits.as_deref(), is_replicated.then_some("PENDING"), "{key}");
        assert_eq!(work(&account).await, (usize::from(is_replicated), 0), "{key}");
        for (bucket, expected) in ["b-2", "b-3"].iter().zip(places) {
            let found = account.administrator.s3("HEAD", &format!("/{bucket}/{key}"), "", &[], b"").await;
            assert_eq!(found.status == 200, expected, "{key} in {bucket}");
            if *bucket == "b-2" && expected {
                assert_eq!(header(&found, "x-amz-storage-class"), class);
            }
        }
        let is = status(&account, &format!("/b-1/{key}")).await;
        assert_eq!(is.as_deref(), is_replicated.then_some("COMPLETED"), "{key}");
    }
}

#[tokio::test]
async fn delete_markers_are_replicated_where_a_rule_says_so_and_deletions_of_versions_never() {
    let first = "<Rule><Prefix/><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::b-2</Bucket></Destination></Rule>";
    for (rules, replicated) in [
        (rule_of("<Filter/>", 1, "Enabled", "b-2"), true),
        (rule_of("<Filter/>", 1, "Disabled", "b-2"), false),
        (first.to_owned(), true),
    ] {
        let account = two().await;
        replicate(&account, &rules).await;
        let id = put(&account.administrator, "/b-1/k", &[], "x").await;
        let other = put(&account.administrator, "/b-1/l", &[], "x").await;
        work(&account).await;
        let deleted = account.ok("DELETE", "/b-1/k", "", "").await;
        let marker = header(&deleted, "x-amz-version-id").unwrap().to_owned();
        let many = format!(
            "<Delete><Object><Key>l</Key></Object><Object><Key>k</Key><VersionId>{id}</VersionId></Object></Delete>"
        );
        account.ok("POST", "/b-1", "delete", &many).await;
        work(&account).await;
        let there = versions(&account, "b-2").await;
        assert!(there.contains(&id) && there.contains(&other), "versions stay: {rules}");
        assert_eq!(there.contains(&marker), replicated, "{rules}");
        assert_eq!(there.len(), if replicated { 4 } else { 2 });
        let found = account.administrator.s3("GET", "/b-2/k", "", &[], b"").await;
        assert_eq!(found.status, if replicated { 404 } else { 200 });
        daypass_core::outbox::drain(account.server.gate.state()).await.unwrap();
        let events: Vec<_> = account.server.audit().into_iter().map(|record| record.event_name).collect();
        let deletions = events.iter().filter(|name| *name == "DeleteObject").count();
        assert_eq!(deletions, if replicated { 3 } else { 1 });
    }
}

#[tokio::test]
async fn what_a_lifecycle_deletes_is_not_deleted_elsewhere_and_waits_for_its_replica() {
    let account = two().await;
    replicate(&account, &rule_of("<Filter/>", 1, "Enabled", "b-2")).await;
    put(&account.administrator, "/b-1/k", &[], "x").await;
    let expire = "<LifecycleConfiguration><Rule><ID>e</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    account.ok("PUT", "/b-1", "lifecycle", expire).await;
    account.server.clock.advance(3 * 86_400);
    let client = account.server.administrator().await;
    let state = account.server.gate.state();
    assert_eq!(daypass_s3::end_lifetimes(state).await.unwrap(), 0, "it is still to be replicated");
    work(&account).await;
    assert_eq!(daypass_s3::end_lifetimes(state).await.unwrap(), 1);
    assert_eq!(work(&account).await, (0, 0));
    assert_eq!(client.s3("HEAD", "/b-1/k", "", &[], b"").await.status, 404);
    assert_eq!(client.s3("HEAD", "/b-2/k", "", &[], b"").await.status, 200);
}

#[tokio::test]
async fn replicas_are_not_replicated_and_two_ways_are_no_loop() {
    let account = two().await;
    account.ok("PUT", "/b-3", "", "").await;
    account.ok("PUT", "/b-3", "versioning", crate::replication::ENABLED).await;
    replicate(&account, &rule_of("<Filter/>", 1, "Enabled", "b-2")).await;
    let back = rule_of("<Filter/>", 1, "Enabled", "b-1") + &rule_of("<Filter/>", 2, "Enabled", "b-3");
    account.ok("PUT", "/b-2", "replication", &configuration(&back)).await;
    let one = put(&account.administrator, "/b-1/k", &[], "from the one").await;
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(work(&account).await, (0, 0));
    account.server.clock.advance(1);
    let other = put(&account.administrator, "/b-2/k", &[], "from the other").await;
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(work(&account).await, (0, 0));
    for bucket in ["b-1", "b-2"] {
        assert_eq!(versions(&account, bucket).await, [other.clone(), one.clone()]);
        let newest = account.ok("GET", &format!("/{bucket}/k"), "", "").await;
        assert_eq!(newest.body, "from the other");
    }
    assert_eq!(versions(&account, "b-3").await, [other]);
    account.ok("DELETE", "/b-1/k", "", "").await;
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(work(&account).await, (0, 0));
    assert_eq!(versions(&account, "b-1").await, versions(&account, "b-2").await);
}

#[tokio::test]
async fn what_is_written_in_both_at_the_same_moment_comes_to_both_in_one_order() {
    let account = two().await;
    replicate(&account, &rule_of("<Filter/>", 1, "Enabled", "b-2")).await;
    let back = configuration(&rule_of("<Filter/>", 1, "Enabled", "b-1"));
    account.ok("PUT", "/b-2", "replication", &back).await;
    let mut all = vec![];
    for bucket in ["b-1", "b-2"] {
        for body in ["one", "two"] {
            all.push(put(&account.administrator, &format!("/{bucket}/k"), &[], body).await);
        }
        let deleted = account.ok("DELETE", &format!("/{bucket}/l"), "", "").await;
        all.push(header(&deleted, "x-amz-version-id").unwrap().to_owned());
    }
    assert_eq!(work(&account).await, (6, 0));
    let listed = versions(&account, "b-1").await;
    assert_eq!(listed, versions(&account, "b-2").await);
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(listed), sorted(all.clone()));
    let markers = [all[2].clone(), all[5].clone()];
    let objects: Vec<_> = all.iter().filter(|id| !markers.contains(id)).collect();
    let newest = account.ok("GET", "/b-1/k", "", "").await;
    assert_eq!(header(&newest, "x-amz-version-id"), objects.iter().max().map(|id| id.as_str()));
    for id in objects {
        let one = account.ok("GET", "/b-1/k", &format!("versionId={id}"), "").await;
        assert_eq!(one.body, account.ok("GET", "/b-2/k", &format!("versionId={id}"), "").await.body);
        let status = header(&one, "x-amz-replication-status").unwrap();
        assert_eq!(status, if all[..3].contains(id) { "COMPLETED" } else { "REPLICA" });
    }
}

#[tokio::test]
async fn who_wants_to_know_is_told_of_what_could_not_be_replicated_where_its_rule_is_measured() {
    let account = two().await;
    let queue = DESTINATIONS[0];
    let wish = format!(
        "<NotificationConfiguration><QueueConfiguration><Id>q</Id><Queue>{queue}</Queue><Event>s3:Replication:OperationFailedReplication</Event></QueueConfiguration></NotificationConfiguration>"
    );
    account.ok("PUT", "/b-1", "notification", &wish).await;
    taken(&account, queue).await;
    let measured =
        rule("b-2").replace("</Destination>", "<Metrics><Status>Enabled</Status></Metrics></Destination>");
    for (rules, right, expected) in
        [(&measured, "s3:ReplicateObject", 0), (&rule("b-2"), "s3:None", 0), (&measured, "s3:None", 1)]
    {
        replicate(&account, rules).await;
        role(&account, &RIGHTS.replace("s3:ReplicateObject", right), TRUST).await;
        let id = put(&account.administrator, "/b-1/k", &[], "hello").await;
        account.server.clock.advance(7);
        assert_eq!(work(&account).await, (1, 0));
        let events = taken(&account, queue).await;
        assert_eq!(events.len(), expected, "{rules} {right}");
        for event in events {
            let record = &event["Records"][0];
            assert_eq!(record["eventName"], "Replication:OperationFailedReplication");
            assert_eq!(record["eventVersion"], "2.2");
            assert_eq!(record["userIdentity"]["principalId"], "s3.amazonaws.com");
            let object = &record["s3"]["object"];
            assert_eq!(
                (&object["key"], &object["size"], &object["versionId"]),
                (&"k".into(), &5.into(), &id.as_str().into())
            );
            let expected = json!({
                "replicationRuleId": "rule-1",
                "destinationBucket": "arn:aws:s3:::b-2",
                "s3Operation": "OBJECT_PUT",
                "requestTime": record["replicationEventData"]["requestTime"],
                "failureReason": "DstPutObjectNotPermitted",
            });
            assert_eq!(record["replicationEventData"], expected);
            assert!(expected["requestTime"].as_str() < record["eventTime"].as_str());
        }
    }
}

fn tagging(value: &str) -> String {
    format!("<Tagging><TagSet><Tag><Key>t</Key><Value>{value}</Value></Tag></TagSet></Tagging>")
}

async fn tag_of(account: &Account, path: &str) -> Option<String> {
    account.ok("GET", path, "tagging", "").await.xml("Value").map(str::to_owned)
}

#[tokio::test]
async fn changes_of_tags_follow_and_those_of_replicas_go_back_where_both_say_so() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    put(&account.administrator, "/b-1/k", &[("x-amz-tagging", "t=1")], "x").await;
    work(&account).await;
    account.ok("PUT", "/b-1/k", "tagging", &tagging("2")).await;
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("PENDING"));
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("COMPLETED"));
    assert_eq!(tag_of(&account, "/b-2/k").await.as_deref(), Some("2"));
    daypass_core::outbox::drain(account.server.gate.state()).await.unwrap();
    let audit = account.server.audit();
    let tagged = audit.iter().filter(|record| record.event_name == "PutObjectTagging");
    assert_eq!(tagged.filter(|record| record.event.contains("s3-replication")).count(), 1);
    account.ok("PUT", "/b-2/k", "tagging", &tagging("3")).await;
    assert_eq!(work(&account).await, (0, 0), "no rule is for changes of replicas");
    let synced = |to: &str| {
        rule(to).replace(
            "<Destination>",
            "<SourceSelectionCriteria><ReplicaModifications><Status>Enabled</Status></ReplicaModifications></SourceSelectionCriteria><Destination>",
        )
    };
    replicate(&account, &synced("b-2")).await;
    account.ok("PUT", "/b-2", "replication", &configuration(&synced("b-1"))).await;
    account.ok("PUT", "/b-2/k", "tagging", &tagging("4")).await;
    assert_eq!(status(&account, "/b-2/k").await.as_deref(), Some("PENDING"));
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(work(&account).await, (0, 0));
    assert_eq!(status(&account, "/b-2/k").await.as_deref(), Some("REPLICA"));
    assert_eq!(tag_of(&account, "/b-1/k").await.as_deref(), Some("4"));
    assert_eq!(versions(&account, "b-1").await.len(), 1);
}

#[tokio::test]
async fn changes_of_acls_follow() {
    let account = two().await;
    for bucket in ["/b-1", "/b-2"] {
        let owned = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
        account.ok("PUT", bucket, "ownershipControls", owned).await;
        account.unblock(bucket.trim_start_matches('/')).await;
    }
    replicate(&account, &rule("b-2")).await;
    let public = [("x-amz-acl", "public-read")];
    put(&account.administrator, "/b-1/open", &public, "x").await;
    put(&account.administrator, "/b-1/closed", &[], "x").await;
    work(&account).await;
    let anonymous = account.server.anonymous();
    let read = async |path: &str| anonymous.s3("GET", path, "", &[], b"").await.status;
    assert_eq!((read("/b-2/open").await, read("/b-2/closed").await), (200, 403));
    ask_with(&account.administrator, "PUT", "/b-1/closed", "acl", &public, "").await.ok();
    ask_with(&account.administrator, "PUT", "/b-1/open", "acl", &[("x-amz-acl", "private")], "").await.ok();
    assert_eq!(work(&account).await, (2, 0));
    assert_eq!((read("/b-2/open").await, read("/b-2/closed").await), (403, 200));
}
