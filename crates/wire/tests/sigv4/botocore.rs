//! Requests that botocore signed, recorded by `tests/sigv4_botocore.py`: each is accepted as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_wire::sigv4::{AuthForm, BodyKind, Family};
use serde_json::Value;

use crate::support::*;

struct Record {
    name: String,
    family: Family,
    service: String,
    request: Request,
}

fn records() -> Vec<Record> {
    let file: Value = serde_json::from_str(include_str!("../data/sigv4-botocore.json")).unwrap();
    let records: Vec<Record> = file["records"].as_array().unwrap().iter().map(read).collect();
    assert_eq!(records.len(), 70);
    records
}

fn read(record: &Value) -> Record {
    let text = |field: &str| record[field].as_str().unwrap().to_owned();
    let mut request = Request::new(&text("method"), &text("target"));
    for line in record["headers"].as_array().unwrap() {
        request.add(line[0].as_str().unwrap(), line[1].as_str().unwrap());
    }
    request.body = STANDARD.decode(text("body")).unwrap();
    let family = match text("family").as_str() {
        "query" => Family::Query,
        "ec2" => Family::Ec2,
        "json" => Family::Json,
        "rest-json" => Family::RestJson,
        "s3" => Family::S3,
        other => panic!("{other}"),
    };
    Record { name: text("name"), family, service: text("service"), request }
}

#[test]
fn what_botocore_signs_is_accepted() {
    for record in records() {
        let proof = gate(&record.request, record.family, &record.service, BodyKind::Object);
        let proof = proof.unwrap_or_else(|error| panic!("{}: {error:?}", record.name)).unwrap();
        let session = record.name.contains("session");
        assert_eq!(proof.access_key_id(), if session { SESSION_KEY_ID } else { KEY_ID }, "{}", record.name);
        let form = if record.name.contains("presigned") { AuthForm::Query } else { AuthForm::Header };
        assert_eq!(proof.form(), form, "{}", record.name);
        assert_eq!(
            (proof.region(), proof.signature_version()),
            (Some(REGION), "AWS4-HMAC-SHA256"),
            "{}",
            record.name
        );
    }
}

#[test]
fn what_botocore_signs_for_one_service_is_refused_by_another() {
    for record in records() {
        let result = gate(&record.request, record.family, "organizations", BodyKind::Object);
        assert!(result.is_err(), "{}", record.name);
    }
}

/// A presigned URL of somebody else's upload is no way to read or to share what is not his.
#[test]
fn a_presigned_url_of_botocores_takes_no_further_headers() {
    let uploads = records().into_iter().filter(|record| record.name.starts_with("s3 presigned"));
    for record in uploads {
        for (name, value) in [
            ("x-amz-copy-source", "/victim/secret"),
            ("x-amz-acl", "public-read"),
            ("x-amz-tagging", "a=b"),
            ("x-amz-security-token", "other"),
        ] {
            let mut request = record.request.clone();
            request.add(name, value);
            let result = gate(&request, record.family, "s3", BodyKind::Object);
            assert_eq!(answer(&result, Family::S3), ("AccessDenied", 403), "{} {name}", record.name);
        }
    }
}

#[test]
fn each_byte_of_a_small_request_of_botocores_counts() {
    for record in records().into_iter().filter(|record| record.request.body.len() <= 200) {
        let presigned_s3 = record.family == Family::S3 && record.name.contains("presigned");
        for at in (0..record.request.body.len()).filter(|_| !presigned_s3) {
            let mut request = record.request.clone();
            request.body[at] ^= 0x01;
            let result = gate(&request, record.family, &record.service, BodyKind::Object);
            assert!(result.is_err(), "{} byte {at}", record.name);
        }
    }
}
