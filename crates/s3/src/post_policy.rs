//! The policy of an upload by a form: until when it may be used, and what the form's fields must be (S3 API reference,
//! "Creating a POST Policy").

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::Fault;
use daypass_core::model::Timestamp;
use daypass_core::model::s3::errors;
use serde_json::Value as Json;

/// Fields that need no condition, beside those whose names begin with [`IGNORED`].
const UNCONDITIONED: [&str; 3] = ["policy", "x-amz-signature", "file"];
const IGNORED: &str = "x-ignore-";

/// Judges a form by its policy.
///
/// Names of fields have no case. The bucket is as good as a field; what the size of the file must be is answered, for it
/// is not known yet.
///
/// # Errors
/// `AccessDenied` where the form is not what the policy lets in, `InvalidPolicyDocument` where there is no policy.
pub(crate) fn check(
    policy: &str,
    bucket: &str,
    fields: &[(String, String)],
    now: Timestamp,
) -> Result<Option<RangeInclusive<u64>>, Fault> {
    let text: String = policy.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let document = BASE64.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok());
    let document = document.ok_or_else(|| invalid_policy("Invalid JSON."))?;
    let expiration = document.get("expiration").and_then(Json::as_str);
    let expiration = expiration.ok_or_else(|| invalid_policy("Policy missing expiration."))?;
    let expiration = Timestamp::parse_iso8601(expiration)
        .map_err(|_| invalid_policy(&format!("Invalid 'expiration' value: '{expiration}'")))?;
    let conditions = document.get("conditions").and_then(Json::as_array);
    let conditions = conditions.ok_or_else(|| invalid_policy("Policy missing conditions."))?;
    let conditions: Vec<Condition> = conditions.iter().map(Condition::read).collect::<Result<_, _>>()?;
    let conditions: Vec<Condition> = conditions.into_iter().flat_map(Condition::each).collect();
    if expiration <= now {
        return Err(denied("Policy expired."));
    }
    let value_of = |name: &str| {
        let field = fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        if name == "bucket" { Some(bucket) } else { field }
    };
    let mut size: Option<RangeInclusive<u64>> = None;
    for condition in &conditions {
        if let Condition::Size(range) = condition {
            // Of several, all hold.
            size = Some(match size {
                None => range.clone(),
                Some(known) => *known.start().max(range.start())..=*known.end().min(range.end()),
            });
        } else if !condition.holds(&value_of) {
            return Err(denied(&format!("Policy Condition failed: {}", condition.shown())));
        }
    }
    let conditioned = |name: &str| conditions.iter().any(|condition| condition.is_about(name));
    match fields.iter().find(|(name, _)| {
        !UNCONDITIONED.contains(&name.as_str()) && !name.starts_with(IGNORED) && !conditioned(name)
    }) {
        Some((name, _)) => Err(denied(&format!("Extra input fields: {name}"))),
        None => Ok(size),
    }
}

/// A condition of a policy; names of fields are in lower case.
#[derive(Debug)]
enum Condition {
    Equals(String, String),
    StartsWith(String, String),
    Size(RangeInclusive<u64>),
    /// Of an object with several members.
    All(Vec<Self>),
}

impl Condition {
    fn read(json: &Json) -> Result<Self, Fault> {
        let malformed = || invalid_policy(&format!("Invalid Simple-Condition: {json}"));
        if let Some(members) = json.as_object() {
            let equals = members.iter().map(|(name, value)| {
                let value = value.as_str().ok_or_else(malformed)?;
                Ok(Self::Equals(name.to_lowercase(), value.to_owned()))
            });
            return if members.is_empty() {
                Err(malformed())
            } else {
                Ok(Self::All(equals.collect::<Result<_, _>>()?))
            };
        }
        let Some([operator, field, value]) = json.as_array().map(Vec::as_slice) else {
            return Err(malformed());
        };
        let operator = operator.as_str().ok_or_else(malformed)?.to_lowercase();
        if operator == "content-length-range" {
            let number =
                |json: &Json| json.as_u64().or_else(|| json.as_str()?.parse().ok()).ok_or_else(malformed);
            return Ok(Self::Size(number(field)?..=number(value)?));
        }
        let field = field.as_str().and_then(|field| field.strip_prefix('$')).ok_or_else(malformed)?;
        let (field, value) = (field.to_lowercase(), value.as_str().ok_or_else(malformed)?.to_owned());
        match operator.as_str() {
            "eq" => Ok(Self::Equals(field, value)),
            "starts-with" => Ok(Self::StartsWith(field, value)),
            _ => Err(malformed()),
        }
    }

    fn each(self) -> Vec<Self> {
        match self {
            Self::All(conditions) => conditions,
            condition => vec![condition],
        }
    }

    fn is_about(&self, name: &str) -> bool {
        matches!(self, Self::Equals(field, _) | Self::StartsWith(field, _) if field == name)
    }

    fn holds<'f>(&self, value_of: &impl Fn(&str) -> Option<&'f str>) -> bool {
        match self {
            Self::Equals(field, expected) => value_of(field) == Some(expected),
            // A content type may be several, and each has to begin so.
            Self::StartsWith(field, prefix) if field == "content-type" => value_of(field)
                .is_some_and(|value| value.split(',').all(|one| one.starts_with(prefix.as_str()))),
            // Anything is something: a field that is not there begins with nothing.
            Self::StartsWith(field, prefix) => {
                value_of(field).is_some_and(|value| value.starts_with(prefix.as_str()))
            }
            Self::Size(_) | Self::All(_) => true,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Equals(field, value) => format!("[\"eq\", \"${field}\", \"{value}\"]"),
            Self::StartsWith(field, value) => format!("[\"starts-with\", \"${field}\", \"{value}\"]"),
            Self::Size(_) | Self::All(_) => String::new(),
        }
    }
}

fn denied(why: &str) -> Fault {
    Fault::new(&errors::ACCESS_DENIED, format!("Invalid according to Policy: {why}"))
}

fn invalid_policy(why: &str) -> Fault {
    let words = format!(
        "The content of the form does not meet the conditions specified in the policy document: {why}"
    );
    Fault::coded("InvalidPolicyDocument", 400, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(conditions: &str, fields: &[(&str, &str)]) -> Result<Option<RangeInclusive<u64>>, String> {
        let policy = format!(r#"{{"expiration":"2030-01-01T12:00:00.000Z","conditions":{conditions}}}"#);
        let fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        check(&BASE64.encode(policy), "b", &fields, Timestamp::from_seconds(1_600_000_000))
            .map_err(|fault| fault.message)
    }

    #[test]
    fn every_condition_holds_and_every_field_has_one() {
        let denied = |why: &str| Err(format!("Invalid according to Policy: {why}"));
        let key = ("key", "up/x");
        for (conditions, fields, expected) in [
            (r#"[{"bucket":"b"},["starts-with","$key","up/"]]"#, &[key][..], Ok(None)),
            (r#"[{"BUCKET":"b","key":"up/x"}]"#, &[key], Ok(None)),
            (r#"[["eq","$Key","up/x"]]"#, &[key, ("policy", "p"), ("x-ignore-me", "1")], Ok(None)),
            (r#"[["starts-with","$key",""],["content-length-range","1",10]]"#, &[key], Ok(Some(1..=10))),
            (
                r#"[["starts-with","$key",""],["content-length-range",0,10],["content-length-range",3,20]]"#,
                &[key],
                Ok(Some(3..=10)),
            ),
            (
                r#"[{"bucket":"c"},["starts-with","$key",""]]"#,
                &[key],
                denied(r#"Policy Condition failed: ["eq", "$bucket", "c"]"#),
            ),
            (
                r#"[["starts-with","$key","down/"]]"#,
                &[key],
                denied(r#"Policy Condition failed: ["starts-with", "$key", "down/"]"#),
            ),
            (
                r#"[["starts-with","$key",""]]"#,
                &[key, ("acl", "public-read")],
                denied("Extra input fields: acl"),
            ),
            (
                r#"[["starts-with","$key",""],{"acl":"private"}]"#,
                &[key],
                denied(r#"Policy Condition failed: ["eq", "$acl", "private"]"#),
            ),
            (
                r#"[["starts-with","$key",""],["starts-with","$name",""]]"#,
                &[key],
                denied(r#"Policy Condition failed: ["starts-with", "$name", ""]"#),
            ),
            (
                r#"[["starts-with","$key",""],["starts-with","$Content-Type","image/"]]"#,
                &[key, ("content-type", "image/a,text/b")],
                denied(r#"Policy Condition failed: ["starts-with", "$content-type", "image/"]"#),
            ),
        ] {
            assert_eq!(judged(conditions, fields), expected, "{conditions}");
        }
    }

    #[test]
    fn a_policy_has_an_end_and_conditions() {
        for (policy, code) in [
            (r#"{"expiration":"2001-01-01T12:00:00Z","conditions":[]}"#, "AccessDenied"),
            (r#"{"expiration":"tomorrow","conditions":[]}"#, "InvalidPolicyDocument"),
            (r#"{"conditions":[]}"#, "InvalidPolicyDocument"),
            (r#"{"expiration":"2030-01-01T12:00:00Z"}"#, "InvalidPolicyDocument"),
            (r#"{"expiration":"2030-01-01T12:00:00Z","conditions":[{}]}"#, "InvalidPolicyDocument"),
            (
                r#"{"expiration":"2030-01-01T12:00:00Z","conditions":[["ne","$key","x"]]}"#,
                "InvalidPolicyDocument",
            ),
            (
                r#"{"expiration":"2030-01-01T12:00:00Z","conditions":[["eq","key","x"]]}"#,
                "InvalidPolicyDocument",
            ),
            (
                r#"{"expiration":"2030-01-01T12:00:00Z","conditions":[["content-length-range",-1,2]]}"#,
                "InvalidPolicyDocument",
            ),
            ("no JSON", "InvalidPolicyDocument"),
        ] {
            assert_eq!(
                check(&BASE64.encode(policy), "b", &[], Timestamp::from_seconds(1_600_000_000))
                    .unwrap_err()
                    .code,
                code,
                "{policy}"
            );
        }
        assert_eq!(
            check("!", "b", &[], Timestamp::from_seconds(1_600_000_000)).unwrap_err().code,
            "InvalidPolicyDocument"
        );
    }
}
