//! What is public, as the S3 User Guide defines it (`access-control-block-public-access`).

use crate::{of_resource, policy, resource_allows};
use daypass_policy::DocumentKind;
use daypass_policy::compare::{Access, Certainty, ComparedPolicies, grants, public_access};

fn is_public(statements: &str) -> bool {
    let found = public_access(&of_resource(statements));
    assert_eq!(found.certainty, Certainty::Exact, "{statements}\n{found}");
    let own = policy(DocumentKind::Resource, statements);
    for witness in found.list.iter().map(|difference| &difference.witness) {
        assert!(resource_allows(
            &own,
            &witness.principal,
            &witness.action,
            &witness.resource,
            &witness.context
        ));
    }
    !found.list.is_empty()
}

fn to_everyone(condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*","Condition":{condition}}}"#
    )
}

#[test]
fn the_guides_examples_are_what_it_says_they_are() {
    assert!(is_public(&to_everyone("{}")));
    assert!(is_public(&to_everyone(r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#)));
    assert!(!is_public(&to_everyone(r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#)));
    // A grant to CloudTrail, one to an account, and one to the public; without the last it is not public.
    let fixed = r#"
        {"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"*"},
        {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"*"}"#;
    assert!(!is_public(fixed));
    assert!(is_public(&format!("{fixed},{}", to_everyone("{}"))));
}

#[test]
fn a_fixed_value_of_a_trusted_key_keeps_the_public_out() {
    for (condition, expected) in [
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringLike":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"StringEquals":{"aws:SourceVpce":"${aws:PrincipalTag/vpce}"}}"#, true),
        (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}"#, false),
        (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:*:t"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
        (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}}"#, false),
        (r#"{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}}"#, true),
        (r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#, false),
        (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:123456789012:accesspoint/*"}}"#, false),
        (r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/*"}}"#, true),
        (r#"{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:123456789012:accesspoint/*"}}"#, false),
        (r#"{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:accesspoint/door"}}"#, true),
        (r#"{"StringLike":{"s3:DataAccessPointArn":"arn:*"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"2001::/16"}}"#, true),
        // What a stranger chooses keeps nobody out.
        (r#"{"StringEquals":{"aws:UserAgent":"secret"}}"#, true),
        (r#"{"StringLike":{"aws:Referer":"https://example.com/*"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, true),
    ] {
        assert_eq!(is_public(&to_everyone(condition)), expected, "{condition}");
    }
}

#[test]
fn a_denial_keeps_the_public_out_where_it_covers_it() {
    let deny = |condition: &str| {
        let deny = r#""Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*""#;
        format!(r#"{},{{{deny},"Condition":{condition}}}"#, to_everyone("{}"))
    };
    assert!(!is_public(&deny(r#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#)));
    assert!(is_public(&deny(r#"{"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#)));
    assert!(is_public(&deny(r#"{"StringNotLike":{"aws:SourceVpc":"vpc-*"}}"#)));
    assert!(!is_public(&deny(r#"{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}"#)));
}

#[test]
fn names_are_fixed_but_for_those_that_everyone_can_have() {
    let to = |principal: &str| {
        format!(r#"{{"Effect":"Allow",{principal},"Action":"sts:AssumeRoleWithWebIdentity","Resource":"*"}}"#)
    };
    assert!(!is_public(&to(r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/web"}"#)));
    assert!(!is_public(&to(r#""Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/corp"}"#)));
    assert!(is_public(&to(r#""Principal":{"Federated":"graph.facebook.com"}"#)));
    assert!(is_public(&to(r#""NotPrincipal":{"AWS":"111122223333"}"#)));
    let google = to(r#""Principal":{"Federated":"accounts.google.com"}"#);
    let aud = r#"},"Condition":{"StringEquals":{"accounts.google.com:aud":"app"}},"Action":"#;
    assert!(is_public(&google) && !is_public(&google.replace(r#"},"Action":"#, aud)));
}

#[test]
fn access_is_granted_where_some_of_it_is() {
    let own = || {
        ComparedPolicies::identity([policy(
            DocumentKind::Managed,
            r#"{"Effect":"Allow","Action":["s3:Get*","iam:PassRole"],"Resource":["arn:aws:s3:::a/*","arn:aws:iam::*:role/x*"]},
               {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::a/secret*"}"#,
        )])
    };
    for (actions, resources, expected) in [
        (&["s3:GetObject"][..], &[][..], true),
        (&["s3:PutObject"], &[], false),
        (&["s3:PutObject", "iam:*"], &[], true),
        (&["s3:Get*"], &["arn:aws:s3:::a/secret/*"], false),
        (&["s3:Get*"], &["arn:aws:s3:::a/*"], true),
        (&[], &["arn:aws:iam::111122223333:role/xyz"], true),
        (&[], &["arn:aws:iam::111122223333:role/y"], false),
        (&["*"], &["*"], true),
        (&["ec2:RunInstances"], &["*"], false),
    ] {
        let found = grants(own(), [Access { actions, resources }]).unwrap();
        assert_eq!(found.certainty, Certainty::Exact);
        assert_eq!(!found.list.is_empty(), expected, "{actions:?} {resources:?}\n{found}");
    }
    let both =
        [Access { actions: &["s3:Put*"], resources: &[] }, Access { actions: &["iam:P*"], resources: &[] }];
    assert_eq!(grants(own(), both).unwrap().list.len(), 1);
}

#[test]
fn access_is_granted_by_policies_of_resources_too() {
    let own = of_resource(
        r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"}"#,
    );
    assert!(grants(own, [Access { actions: &["s3:Put*"], resources: &[] }]).unwrap().surely_none());
    let own = of_resource(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*","Resource":"arn:aws:s3:::a/*"}"#,
    );
    assert_eq!(grants(own, [Access { actions: &["s3:Put*"], resources: &[] }]).unwrap().list.len(), 1);
}
