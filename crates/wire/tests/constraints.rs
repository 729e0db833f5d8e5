//! The model's constraints, in AWS's words.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use daypass_wire::{Form, Hosts, Protocols, read_input, route};

/// The code and words with which a form is refused.
fn refusal(form: &str) -> (String, String) {
    let head = http::Request::post("/").body(()).unwrap().into_parts().0;
    let form = Form::parse(form).unwrap();
    let routed = route(Protocols::FormBody, &head, Some(&form), &Hosts::default()).unwrap();
    let fault = read_input(&routed, &head, Some(&form), &[]).err().expect("the form is refused");
    assert_eq!(fault.status, 400);
    (fault.code.into_owned(), fault.message)
}

#[test]
fn iam_lists_every_violation_with_its_path() {
    let iam = |rest: &str| refusal(&format!("Version=2010-05-08&{rest}"));
    for (form, message) in [
        (
            "Action=GetRole",
            "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null",
        ),
        (
            &format!("Action=GetRole&RoleName={}", "x".repeat(65)),
            &format!(
                "1 validation error detected: Value '{}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64",
                "x".repeat(65)
            ),
        ),
        (
            "Action=GetRole&RoleName=a%20b",
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ),
        (
            "Action=TagRole&RoleName=r&Tags.member.1.Key=&Tags.member.1.Value=v",
            "1 validation error detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "Action=UpdateAccessKey&Status=On",
            "2 validation errors detected: Value null at 'accessKeyId' failed to satisfy constraint: Member must not be null; Value 'On' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]",
        ),
        (
            "Action=ListRoles&MaxItems=many",
            "1 validation error detected: Value 'many' at 'maxItems' failed to satisfy constraint: Member must be an integer",
        ),
        (
            "Action=ListRoles&MaxItems=0",
            "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
    ] {
        assert_eq!(iam(form), ("ValidationError".to_owned(), message.to_owned()), "{form}");
    }
}

#[test]
fn a_sensitive_value_is_never_repeated() {
    let (_, message) = refusal(&format!(
        "Version=2010-05-08&Action=ChangePassword&OldPassword=a&NewPassword={}",
        "s3cret".repeat(30)
    ));
    assert!(message.contains("at 'newPassword'") && !message.contains("s3cret"), "{message}");
}

#[test]
fn ec2_has_words_of_its_own() {
    let ec2 = |rest: &str| refusal(&format!("Version=2016-11-15&{rest}"));
    for (form, code, message) in [
        (
            "Action=RunInstances&MaxCount=1",
            "MissingParameter",
            "The request must contain the parameter MinCount",
        ),
        (
            "Action=RunInstances&MinCount=one&MaxCount=1",
            "InvalidParameterValue",
            "Value (one) for parameter MinCount is invalid. Member must be an integer",
        ),
        ("Action=DescribeVpcs&Vpcs.1=x", "UnknownParameter", "The parameter Vpcs is not recognized"),
    ] {
        assert_eq!(ec2(form), (code.to_owned(), message.to_owned()), "{form}");
    }
}

#[test]
fn a_malformed_input_is_refused_in_bounded_time() {
    // A hundred thousand items under one name, each wrong.
    let form: String = (1..15_000).map(|i| format!("&Tags.member.{i}.Key={}", "\u{ff}")).collect();
    let (code, message) = refusal(&format!("Version=2010-05-08&Action=TagRole&RoleName=r{form}"));
    assert_eq!(code, "ValidationError");
    assert!(message.len() < 20_000, "{}", message.len());
}

/// The code, words and named argument with which S3 refuses a request.
fn s3_refusal(method: &str, uri: &str, headers: &[(&str, &str)]) -> (String, String, Option<String>) {
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let head = request.body(()).unwrap().into_parts().0;
    let routed = route(Protocols::S3, &head, None, &Hosts::default()).unwrap();
    let fault = read_input(&routed, &head, None, &[]).err().expect("the request is refused");
    let argument = fault.details.iter().find(|(name, _)| *name == "ArgumentName").map(|(_, v)| v.clone());
    (fault.code.into_owned(), fault.message, argument)
}

#[test]
fn s3_names_the_argument_in_its_own_words() {
    for (method, uri, headers, code, message, argument) in [
        (
            "PUT",
            "/b/k",
            &[("x-amz-storage-class", "NOPE")][..],
            "InvalidStorageClass",
            "The storage class you specified is not valid",
            None,
        ),
        (
            "PUT",
            "/b/k",
            &[("x-amz-server-side-encryption", "DES")],
            "InvalidArgument",
            "The encryption method specified is not supported",
            Some("x-amz-server-side-encryption"),
        ),
        ("PUT", "/b/k", &[("x-amz-acl", "x")], "InvalidArgument", "", Some("x-amz-acl")),
        (
            "PUT",
            "/b/k",
            &[("x-amz-copy-source", "/a/b"), ("x-amz-metadata-directive", "X")],
            "InvalidArgument",
            "Unknown metadata directive.",
            Some("x-amz-metadata-directive"),
        ),
        (
            "GET",
            "/b?max-keys=many",
            &[],
            "InvalidArgument",
            "Provided max-keys not an integer or within integer range",
            Some("max-keys"),
        ),
        (
            "GET",
            "/b?max-keys=99999999999999999999",
            &[],
            "InvalidArgument",
            "Provided max-keys not an integer or within integer range",
            Some("max-keys"),
        ),
        (
            "GET",
            "/b?encoding-type=x",
            &[],
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            Some("encoding-type"),
        ),
        (
            "GET",
            "/?max-buckets=0",
            &[],
            "InvalidArgument",
            "Argument max-buckets must be an integer between 1 and 10000.",
            Some("max-buckets"),
        ),
        ("PUT", "/b/k?tagging", &[], "MissingRequestBodyError", "Request Body is empty", None),
    ] {
        let found = s3_refusal(method, uri, headers);
        assert_eq!(
            (found.0.as_str(), found.1.as_str(), found.2.as_deref()),
            (code, message, argument),
            "{method} {uri}"
        );
    }
}

#[test]
fn what_is_kept_as_json_comes_back_as_it_was() {
    let xml = br#"<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter/><Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration></Rule><Rule><Status>Disabled</Status><Prefix></Prefix><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"#;
    let head = http::Request::put("/b?lifecycle").body(()).unwrap().into_parts().0;
    let routed = route(Protocols::S3, &head, None, &Hosts::default()).unwrap();
    let value = read_input(&routed, &head, None, xml).expect("the request is read");
    let shape = routed.operation.input;
    let index = shape.payload.unwrap();
    let daypass_model::Kind::Structure(inner) = shape.member(index).unwrap().kind else {
        panic!("a structure")
    };
    let configuration = value.fields().unwrap().get(index).unwrap();
    let json = daypass_wire::json_of_value(configuration, inner);
    assert!(daypass_wire::value_of_json(&json, inner).as_ref() == Some(configuration), "{json}");
    assert!(daypass_wire::value_of_json(&serde_json::json!([1]), inner).is_none());
}
