//! Lifecycle configurations: shown as they were put, and refused where S3 would not take them.

use crate::support::{Account, ask_with, refusal};

fn configuration(rules: &str) -> String {
    format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>")
}

fn rule(inside: &str) -> String {
    format!("<Rule>{inside}</Rule>")
}

const DAYS: &str = "<Expiration><Days>3</Days></Expiration>";
const EVERYTHING: &str = "<Filter><Prefix></Prefix></Filter><Status>Enabled</Status>";

#[tokio::test]
async fn a_configuration_is_shown_as_it_was_put() {
    let account = Account::with_bucket("b-1").await;
    let absent = refusal(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist");
    assert_eq!(account.refused("GET", "/b-1", "lifecycle", "").await, absent);
    let size = "transition-default-minimum-object-size";
    for rules in [
        "<Expiration><Days>3</Days></Expiration><ID>one</ID><Filter><Prefix>log/</Prefix></Filter><Status>Enabled</Status>",
        "<ID>two</ID><Filter></Filter><Status>Disabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
        "<Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration><ID>three</ID><Prefix>old</Prefix><Status>Enabled</Status>",
        "<ID>four</ID><Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
    ] {
        let put = account.ok("PUT", "/b-1", "lifecycle", &configuration(&rule(rules))).await;
        assert_eq!(put.headers[format!("x-amz-{size}")], "all_storage_classes_128K");
        let is = account.ok("GET", "/b-1", "lifecycle", "").await;
        assert_eq!(is.headers[format!("x-amz-{size}")], "all_storage_classes_128K");
        let (_, inside) = is.body.split_once("<Rule>").unwrap();
        let (inside, _) = inside.split_once("</Rule>").unwrap();
        assert_eq!(inside.replace("<Filter/>", "<Filter></Filter>"), rules);
    }
    let varies = [("x-amz-transition-default-minimum-object-size", "varies_by_storage_class")];
    let body = configuration(&rule(&format!("{EVERYTHING}{DAYS}")));
    ask_with(&account.administrator, "PUT", "/b-1", "lifecycle", &varies, &body).await.ok();
    let is = account.ok("GET", "/b-1", "lifecycle", "").await;
    assert_eq!(is.headers[format!("x-amz-{size}")], "varies_by_storage_class");
    assert!(is.xml("ID").is_some_and(|id| !id.is_empty()), "S3 names a rule that has no name");
    assert_eq!(account.ok("DELETE", "/b-1", "lifecycle", "").await.status, 204);
    assert_eq!(account.refused("GET", "/b-1", "lifecycle", "").await, absent);
}

#[tokio::test]
async fn what_s3_would_not_take_is_refused_in_its_words() {
    let account = Account::with_bucket("b-1").await;
    let malformed =
        "The XML you provided was not well-formed or did not validate against our published schema";
    let (xml, argument, request) = ("MalformedXML", "InvalidArgument", "InvalidRequest");
    let tag = "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Enabled</Status>";
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let marker = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let one = |inside: &str| rule(&format!("{EVERYTHING}{inside}"));
    let old = rule(&format!("<Prefix>a</Prefix><Status>Enabled</Status>{DAYS}"));
    for (rules, code, words) in [
        (String::new(), xml, malformed),
        (rule(&format!("<Status>Enabled</Status>{DAYS}")), xml, malformed),
        (rule(&format!("<Prefix/>{EVERYTHING}{DAYS}")), xml, malformed),
        (rule(&format!("<Filter/><Status>On</Status>{DAYS}")), xml, malformed),
        (one(""), request, "At least one action needs to be specified in a rule"),
        (one("<Expiration></Expiration>"), xml, malformed),
        (one("<Expiration><Days>1</Days><Date>2030-01-01T00:00:00Z</Date></Expiration>"), xml, malformed),
        (
            one("<Expiration><Days>0</Days></Expiration>"),
            argument,
            "'Days' for Expiration action must be a positive integer",
        ),
        (
            one("<Expiration><Date>2030-01-01T01:00:00Z</Date></Expiration>"),
            argument,
            "'Date' must be at midnight GMT",
        ),
        (
            one(
                "<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>",
            ),
            argument,
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
        ),
        (
            one(
                "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
            ),
            argument,
            "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be a positive integer",
        ),
        (
            rule(&format!("{tag}{abort}")),
            request,
            "AbortIncompleteMultipartUpload cannot be specified with Tags.",
        ),
        (
            rule(&format!("{tag}{marker}")),
            request,
            "ExpiredObjectDeleteMarker cannot be specified with Tags.",
        ),
        (
            rule(&format!(
                "<Filter><Prefix>a</Prefix><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter><Status>Enabled</Status>{DAYS}"
            )),
            xml,
            malformed,
        ),
        (
            one(&format!("<ID>{}</ID>{DAYS}", "x".repeat(256))),
            argument,
            "ID length should not exceed allowed limit of 255",
        ),
        (
            one(&format!("<ID>x</ID>{DAYS}")).repeat(2),
            argument,
            "Rule ID must be unique. Found same ID for more than one rule",
        ),
        (format!("{old}{}", one(DAYS)), request, "Filter element can only be used in Lifecycle V2."),
        (
            format!("{}{old}", one(DAYS)),
            request,
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
        ),
        (one(DAYS).repeat(1001), xml, malformed),
    ] {
        let refused = account.refused("PUT", "/b-1", "lifecycle", &configuration(&rules)).await;
        assert_eq!(refused, refusal(400, code, words), "{}", rules.get(..300).unwrap_or(&rules));
    }
    let moves = one("<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>");
    let refused = account.refused("PUT", "/b-1", "lifecycle", &configuration(&moves)).await;
    assert_eq!((refused.0, refused.1.as_str()), (501, "NotImplemented"));
    assert_eq!(account.refused("GET", "/b-1", "lifecycle", "").await.0, 404, "nothing was kept");
}

#[tokio::test]
async fn what_is_written_says_when_it_expires_as_reading_it_does() {
    let account = Account::with_bucket("b-1").await;
    let tagged =
        "<ID>tagged</ID><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Enabled</Status>";
    let body = configuration(&rule(&format!("{tagged}{DAYS}")));
    account.ok("PUT", "/b-1", "lifecycle", &body).await;
    let client = &account.administrator;
    for (tagging, expires) in [("k=v", true), ("k=other", false)] {
        let headers = [("x-amz-tagging", tagging)];
        let put = ask_with(client, "PUT", "/b-1/a", "", &headers, "hello").await.ok();
        let copied = [("x-amz-copy-source", "b-1/a")];
        let copy = ask_with(client, "PUT", "/b-1/b", "", &copied, "").await.ok();
        let read = account.ok("HEAD", "/b-1/a", "", "").await;
        let said = read.headers.get("x-amz-expiration");
        assert_eq!(said.is_some(), expires, "{tagging}");
        assert_eq!(put.headers.get("x-amz-expiration"), said);
        assert_eq!(copy.headers.get("x-amz-expiration"), said);
    }
}
