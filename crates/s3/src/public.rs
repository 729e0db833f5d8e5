//! Whether a bucket's policy lets in the public (S3 user guide, "Blocking public access to your Amazon S3 storage", "The
//! meaning of public"): it does unless every `Allow` is for fixed principals, or under a condition that pins one of a few
//! keys to fixed values.

use std::net::{Ipv4Addr, Ipv6Addr};

use daypass_core::policy::{Comparison, Condition, Document, Effect, PrincipalName, Quantifier, Statement};

/// Keys that make a statement not public where they are pinned to fixed values; the last two are of access points.
const PINNING: [&str; 13] = [
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:userid",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Whether the policy lets in the public.
pub(crate) fn is_public(document: &Document) -> bool {
    lets_in(document, &PINNING)
}

/// Whether the policy of an access point lets in the public. What every request through it has in common, its ARN and its
/// account, keeps nobody out there (S3 user guide, likewise, "Access points").
pub(crate) fn is_public_at_access_point(document: &Document) -> bool {
    let (pinning, _) = PINNING.split_at(PINNING.len() - 2);
    lets_in(document, pinning)
}

fn lets_in(document: &Document, pinning: &[&str]) -> bool {
    let allows = |s: &&Statement| s.effect.value == Effect::Allow;
    document.statements.iter().filter(allows).any(|s| grants_to_the_public(s, pinning))
}

fn grants_to_the_public(statement: &Statement, pinning: &[&str]) -> bool {
    let open = statement.principal.as_ref().is_none_or(|clause| {
        // An `Allow` with `NotPrincipal` is for everybody else.
        clause.inverted || clause.entries.iter().any(|entry| !is_fixed_principal(&entry.value))
    });
    open && !statement.conditions.iter().any(|condition| pins(condition, pinning))
}

fn is_fixed_principal(name: &PrincipalName) -> bool {
    match name {
        PrincipalName::Aws(text) => !text.contains('*'),
        PrincipalName::Service(_) | PrincipalName::CanonicalUser(_) => true,
        // Everyone, whoever a provider lets in, and what is not known.
        _ => false,
    }
}

/// Whether a condition keeps out everybody but a few. One that is also true of requests without the key does not.
fn pins(condition: &Condition, pinning: &[&str]) -> bool {
    let key = condition.key.value.to_lowercase();
    let Some(operator) = condition.operator.value.1 else { return false };
    if operator.if_exists || operator.quantifier == Some(Quantifier::ForAllValues) {
        return false;
    }
    let mut values = condition.values.iter().map(|value| &*value.value);
    match operator.comparison {
        Comparison::IpAddress => key == "aws:sourceip" && values.all(is_narrow),
        Comparison::StringEquals
        | Comparison::StringEqualsIgnoreCase
        | Comparison::StringLike
        | Comparison::ArnEquals
        | Comparison::ArnLike => pinning.contains(&key.as_str()) && values.all(|value| is_fixed(&key, value)),
        _ => false,
    }
}

fn is_fixed(key: &str, value: &str) -> bool {
    let wild = |text: &str| text.contains(['*', '?']) || text.contains("${");
    match key {
        "s3:dataaccesspointarn" => has_fixed_account(value),
        // Who has sessions of a role names them.
        "aws:userid" => !wild(value) && !value.starts_with("AROA"),
        _ => !wild(value),
    }
}

/// Whether a pattern of access points' ARNs is of one account's alone: all else in it may be anything. An ARN of an access
/// point has five colons; so has the pattern, and none of its wildcards stands for one.
fn has_fixed_account(pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split(':').collect();
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [_, _, _, _, account, _] if is_account(account)) && !pattern.contains("${")
}

/// Whether a range of addresses is no wider than /8 (IPv4) or /32 (IPv6). The private ranges are not.
fn is_narrow(range: &str) -> bool {
    let (address, length) = match range.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (range, Some(128)),
    };
    let Some(length) = length else { return false };
    if address.parse::<Ipv4Addr>().is_ok() {
        return length >= 8;
    }
    address.parse::<Ipv6Addr>().is_ok() && length >= 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_core::policy::DocumentKind;

    fn public(principal: &str, condition: &str) -> bool {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}},
            {{"Effect":"Allow","Principal":{principal},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"{condition}}}]}}"#
        );
        is_public(&Document::parse(DocumentKind::Bucket, &text).unwrap())
    }

    #[test]
    fn the_public_is_whoever_is_not_named() {
        for (principal, expected) in [
            (r#""*""#, true),
            (r#"{"AWS":"*"}"#, true),
            (r#"{"AWS":["arn:aws:iam::111122223333:user/alice","*"]}"#, true),
            (r#"{"Federated":"graph.facebook.com"}"#, true),
            (r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, false),
            (r#"{"AWS":"111122223333"}"#, false),
            (r#"{"Service":"cloudtrail.amazonaws.com"}"#, false),
        ] {
            assert_eq!(public(principal, ""), expected, "{principal}");
        }
    }

    #[test]
    fn a_condition_that_pins_keeps_out_the_public() {
        for (operator, key, value, expected) in [
            ("StringEquals", "aws:SourceVpc", "vpc-91237329", false),
            ("StringLike", "aws:SourceVpc", "vpc-*", true),
            ("StringEqualsIfExists", "aws:SourceVpc", "vpc-91237329", true),
            ("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-91237329", true),
            ("StringNotEquals", "aws:SourceVpc", "vpc-91237329", true),
            ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3", false),
            ("StringEquals", "aws:username", "alice", true),
            ("StringEquals", "AWS:SOURCEACCOUNT", "111122223333", false),
            ("StringEquals", "aws:SourceAccount", "${aws:PrincipalAccount}", true),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:us-east-1:111122223333:topic", false),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*", true),
            ("StringLike", "aws:userid", "AROAEXAMPLE:*", true),
            ("StringEquals", "aws:userid", "AROAEXAMPLE:i-1", true),
            ("StringEquals", "aws:userid", "AIDAEXAMPLE", false),
            ("IpAddress", "aws:SourceIp", "203.0.113.0/24", false),
            ("IpAddress", "aws:SourceIp", "10.0.0.0/8", false),
            ("IpAddress", "aws:SourceIp", "0.0.0.0/1", true),
            ("IpAddress", "aws:SourceIp", "2001:db8::/32", false),
            ("IpAddress", "aws:SourceIp", "::/0", true),
            ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", true),
            ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:111122223333:accesspoint/*", false),
            ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:*:111122223333:accesspoint/*", false),
            ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:*:accesspoint/*", true),
            ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:11112222333?:accesspoint/*", true),
            (
                "ArnLike",
                "s3:DataAccessPointArn",
                "arn:aws:s3:us-west-2:${aws:PrincipalAccount}:accesspoint/a",
                true,
            ),
            (
                "ArnLike",
                "s3:DataAccessPointArn",
                "arn:aws:s3:us-west-2:111122223333:accesspoint/${aws:username}",
                true,
            ),
            ("StringLike", "s3:DataAccessPointArn", "arn:*", true),
            ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:*", true),
            ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:*", true),
            ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2::*", true),
            ("StringLike", "s3:DataAccessPointArn", "*", true),
        ] {
            let condition = format!(r#","Condition":{{"{operator}":{{"{key}":"{value}"}}}}"#);
            assert_eq!(public(r#""*""#, &condition), expected, "{operator} {key} {value}");
        }
    }

    #[test]
    fn an_access_point_is_not_kept_from_the_public_by_what_all_its_requests_share() {
        let of = |key: &str, value: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}]}}"#
            );
            let document = Document::parse(DocumentKind::Bucket, &text).unwrap();
            (is_public(&document), is_public_at_access_point(&document))
        };
        let arn = "arn:aws:s3:us-west-2:111122223333:accesspoint/ap";
        assert_eq!(of("s3:DataAccessPointArn", arn), (false, true));
        assert_eq!(of("s3:DataAccessPointAccount", "111122223333"), (false, true));
        assert_eq!(of("aws:SourceVpc", "vpc-91237329"), (false, false));
    }

    #[test]
    fn every_value_must_be_narrow() {
        let condition = r#","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}"#;
        assert!(public(r#""*""#, condition));
    }
}
