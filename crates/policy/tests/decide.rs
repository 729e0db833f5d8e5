//! Rules that the tables do not reach: what stands above the policies, who is not asked, what cannot be understood.
#![expect(clippy::unwrap_used, reason = "test code")]

use daypass_policy::{
    Action, Context, Decision, Document, DocumentKind, Guardrails, Policies, Policy, PolicySet, PolicySource,
    Principal, PrincipalPolicies, Request, Resource, ResourcePolicy, TooManyLevels, keys,
};
use std::sync::Arc;

const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const OBJECT: &str = "arn:aws:s3:::b/k";

fn policy(kind: DocumentKind, text: &str) -> Arc<Policy> {
    Policy::compile(PolicySource::named("test"), Document::load(kind, text))
}

fn identity(text: &str) -> PrincipalPolicies {
    PrincipalPolicies::builder().identity([policy(DocumentKind::Inline, text)]).build()
}

fn user() -> Principal {
    Principal::user(&"arn:aws:iam::111122223333:user/alice".parse().unwrap(), "AIDAALICE").unwrap()
}

fn session_of(role: &str, id: &str) -> Principal {
    Principal::role_session(&format!("arn:aws:iam::111122223333:role/{role}").parse().unwrap(), id, "s")
        .unwrap()
}

fn decide(
    policies: &Policies<'_>,
    principal: &Principal,
    action: &str,
    resource: &str,
    context: &Context<'_>,
) -> Decision {
    let action = Action::new(action).unwrap();
    let resource = if resource == "*" { Resource::NONE } else { Resource::arn(resource).unwrap() };
    let request =
        Request::new(principal, &action, resource, context).in_account("111122223333".parse().unwrap());
    policies.decide(&request)
}

#[test]
fn a_call_is_allowed_only_if_each_of_its_requests_is() {
    let attached = identity(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"ec2:RunInstances","Resource":["arn:aws:ec2:*:*:instance/*","arn:aws:ec2:*::image/*"],
             "Condition":{"StringEqualsIfExists":{"ec2:InstanceType":"t3.micro"}}},
            {"Effect":"Deny","Action":"*","Resource":"arn:aws:ec2:*:*:subnet/locked"}]}"#,
    );
    let policies = Policies::of(&attached);
    let (alice, action) = (user(), Action::new("ec2:RunInstances").unwrap());
    let mut instance = Context::new();
    instance.set("ec2:InstanceType", "t3.micro");
    let none = Context::new();
    let ask = |resources: &[(&'static str, &'static Context<'static>)]| {
        let requests: Vec<_> = resources
            .iter()
            .map(|(arn, context)| Request::new(&alice, &action, Resource::arn(arn).unwrap(), context))
            .collect();
        policies.decide_all(&requests)
    };
    let (instance, none): (&'static Context<'static>, &'static Context<'static>) =
        (Box::leak(Box::new(instance)), Box::leak(Box::new(none)));
    let of_instance = ("arn:aws:ec2:us-east-1:111122223333:instance/*", instance);
    let of_image = ("arn:aws:ec2:us-east-1::image/ami-1", none);
    let of_subnet = ("arn:aws:ec2:us-east-1:111122223333:subnet/open", none);
    let of_locked = ("arn:aws:ec2:us-east-1:111122223333:subnet/locked", none);
    assert_eq!(ask(&[of_instance, of_image]), Ok(()));
    assert_eq!(ask(&[of_instance, of_subnet, of_image]), Err((1, Decision::ImplicitDeny)));
    assert_eq!(ask(&[of_subnet, of_image, of_locked]), Err((2, Decision::ExplicitDeny)));
    assert_eq!(ask(&[]), Ok(()));
}

/// `id_credentials_temp_request`, comparison of the STS operations.
#[test]
fn a_statement_of_many_actions_and_resources_is_decided_as_one_of_few() {
    let list = |form: &dyn Fn(usize) -> String| (0..300).map(form).collect::<Vec<_>>().join(",");
    let actions = list(&|n| format!("\"s3:Get{n}\""));
    let resources = list(&|n| format!("\"arn:aws:s3:::b/{n}/*\""));
    let attached = identity(&format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":[{actions}],"Resource":[{resources}]}}}}"#
    ));
    let (policies, none) = (Policies::of(&attached), Context::new());
    for (action, resource, expected) in [
        ("s3:Get0", "arn:aws:s3:::b/299/k", Decision::Allowed),
        ("s3:Get299", "arn:aws:s3:::b/0/k", Decision::Allowed),
        ("s3:Get300", "arn:aws:s3:::b/0/k", Decision::ImplicitDeny),
        ("s3:Get1", "arn:aws:s3:::b/300/k", Decision::ImplicitDeny),
        ("s3:Get1", "arn:aws:s3:::other/1/k", Decision::ImplicitDeny),
    ] {
        assert_eq!(decide(&policies, &user(), action, resource, &none), expected, "{action} {resource}");
    }
}

#[test]
fn temporary_credentials_of_users_cannot_do_everything() {
    let attached = PrincipalPolicies::builder()
        .identity([policy(DocumentKind::Inline, ALL)])
        .session([policy(DocumentKind::Session, ALL)])
        .build();
    let policies = Policies::of(&attached);
    let mut with_mfa = Context::new();
    with_mfa.set(keys::MULTI_FACTOR_AUTH_PRESENT, true);
    let without = Context::new();
    let token = user().with_session_token();
    let federated = Principal::federated_user(&user(), "app").unwrap();
    for (principal, action, context, allowed) in [
        (&token, "s3:ListAllMyBuckets", &without, true),
        (&token, "iam:ListUsers", &without, false),
        (&token, "iam:ListUsers", &with_mfa, true),
        (&token, "sts:AssumeRole", &without, true),
        (&token, "sts:GetCallerIdentity", &without, true),
        (&token, "sts:GetFederationToken", &with_mfa, false),
        (&federated, "s3:ListAllMyBuckets", &without, true),
        (&federated, "iam:ListUsers", &with_mfa, false),
        (&federated, "sts:AssumeRole", &without, false),
        (&federated, "sts:GetCallerIdentity", &without, true),
        (&user(), "iam:ListUsers", &without, true),
        (&session_of("web", "AROAWEB"), "iam:ListUsers", &without, true),
    ] {
        assert_eq!(decide(&policies, principal, action, "*", context).is_allowed(), allowed, "{action}");
    }
}

#[test]
fn a_deleted_and_remade_role_is_another() {
    let trust = |name: &str| {
        PolicySet::from(policy(
            DocumentKind::Trust,
            &format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{name}"}},"Action":"sts:AssumeRole"}}}}"#
            ),
        ))
    };
    let attached = PrincipalPolicies::default();
    let decide = |name: &str, principal: &Principal| {
        let trust = trust(name);
        let policies = Policies::of(&attached).resource(ResourcePolicy::Trust(&trust));
        decide(
            &policies,
            principal,
            "sts:AssumeRole",
            "arn:aws:iam::111122223333:role/target",
            &Context::new(),
        )
    };
    assert_eq!(decide("AROAFIRST", &session_of("web", "AROAFIRST")), Decision::Allowed);
    assert_eq!(decide("AROAFIRST", &session_of("web", "AROASECOND")), Decision::ImplicitDeny);
    assert_eq!(decide("AIDAALICE", &user()), Decision::Allowed);
    assert_eq!(
        decide("arn:aws:iam::111122223333:role/web", &session_of("web", "AROASECOND")),
        Decision::Allowed
    );
    // An id that is empty names nobody, also not one whose own id is not known.
    assert_eq!(decide("", &session_of("web", "")), Decision::ImplicitDeny);
}

#[test]
fn organizations_limit_whom_and_what_they_can() {
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;
    let deny_own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let attached = identity(ALL);
    let scp = Guardrails::new([("root", [policy(DocumentKind::ServiceControl, deny_own)])]).unwrap();
    let rcp = Guardrails::new([("root", [policy(DocumentKind::ResourceControl, deny)])]).unwrap();
    let base = Policies::of(&attached);
    let linked = session_of("aws-service-role/x.amazonaws.com/X", "AROAX");
    let root = Principal::root("111122223333".parse().unwrap());
    let none = Context::new();
    for (policies, principal, action, resource, expected) in [
        (base.service_control(&scp), &user(), "s3:GetObject", OBJECT, Decision::ExplicitDeny),
        (base.service_control(&scp), &root, "s3:GetObject", OBJECT, Decision::ExplicitDeny),
        (base.service_control(&scp), &linked, "s3:GetObject", OBJECT, Decision::Allowed),
        (base.resource_control(&rcp), &user(), "s3:GetObject", OBJECT, Decision::ExplicitDeny),
        (base.resource_control(&rcp), &root, "s3:GetObject", OBJECT, Decision::ExplicitDeny),
        (base.resource_control(&rcp), &linked, "s3:GetObject", OBJECT, Decision::Allowed),
        (
            base.resource_control(&rcp),
            &user(),
            "ec2:StopInstances",
            "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
            Decision::Allowed,
        ),
        (
            base.resource_control(&rcp),
            &user(),
            "kms:RetireGrant",
            "arn:aws:kms:us-east-1:111122223333:key/1",
            Decision::Allowed,
        ),
    ] {
        assert_eq!(decide(&policies, principal, action, resource, &none), expected, "{principal:?} {action}");
    }
}

#[test]
fn an_organization_without_levels_is_no_limit_and_one_with_too_many_is_refused() {
    let none: [(&str, [Arc<Policy>; 0]); 0] = [];
    let empty = Guardrails::new(none).unwrap();
    let attached = identity(ALL);
    let policies = Policies::of(&attached).service_control(&empty);
    assert_eq!(decide(&policies, &user(), "s3:GetObject", OBJECT, &Context::new()), Decision::Allowed);
    let levels = |count: usize| {
        Guardrails::new(
            (0..count).map(|level| (level.to_string(), [policy(DocumentKind::ServiceControl, ALL)])),
        )
    };
    assert!(levels(16).is_ok());
    assert_eq!(levels(17).unwrap_err(), TooManyLevels);
}

/// What is stored and cannot be understood fails closed: beside a policy that allows everything, it denies; alone, it
/// allows nothing.
#[test]
fn what_cannot_be_understood_denies() {
    for text in [
        "",
        "not json",
        "[]",
        "{}",
        r#"{"Version":"2012-10-17"}"#,
        r#"{"Version":"2012-10-17","Statement":"x"}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},7]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"},"Statement":[]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Action":"*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Forbid","Action":"*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"deny","Action":"*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":{"x":1},"Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*:GetObject","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ec2:*","NotAction":"ec2:*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"bucket"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::${"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::${aws:userid}"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEqualz":{"a":"b"}}}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":[]}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"a":null}}}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"a":"maybe"}}}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","When":"now"}}"#,
        r#"{"Version":"2013-01-01","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#,
    ] {
        let allowed = policy(DocumentKind::Inline, ALL);
        let with =
            PrincipalPolicies::builder().identity([allowed, policy(DocumentKind::Inline, text)]).build();
        assert_eq!(
            decide(&Policies::of(&with), &user(), "s3:GetObject", OBJECT, &Context::new()),
            Decision::ExplicitDeny,
            "{text}"
        );
        assert!(
            Document::parse(DocumentKind::Inline, text).is_err()
                || text.contains("userid")
                || text.contains("maybe")
                || text.contains("${"),
            "{text}"
        );

        let alone = identity(&text.replace("\"Deny\"", "\"Allow\""));
        assert!(
            !decide(&Policies::of(&alone), &user(), "s3:GetObject", OBJECT, &Context::new()).is_allowed(),
            "{text}"
        );
        // In the policy of a resource too, where a statement without a principal is about nobody.
        let nothing = PrincipalPolicies::default();
        let own = PolicySet::from(policy(
            DocumentKind::Resource,
            &text.replace("\"Deny\"", "\"Allow\"").replace("\"Effect\"", "\"Principal\":\"*\",\"Effect\""),
        ));
        let policies = Policies::of(&nothing).resource(ResourcePolicy::Grants(&own));
        let resource_may_lack = text.contains(r#""Action":"*"}"#);
        let principal_belongs = text.contains("Principal");
        if !resource_may_lack && !principal_belongs {
            assert!(
                !decide(&policies, &user(), "s3:GetObject", OBJECT, &Context::new()).is_allowed(),
                "{text}"
            );
        }
    }
}

/// What is unclear decides only where nothing clear does.
#[test]
fn doubt_about_one_element_does_not_deny_what_another_rules_out() {
    let attached = |deny: &str| {
        PrincipalPolicies::builder()
            .identity([policy(DocumentKind::Inline, ALL), policy(DocumentKind::Inline, deny)])
            .build()
    };
    for deny in [
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ec2:*","Resource":"bucket"}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*:*","Resource":"arn:aws:s3:::c","Condition":{"Oops":{"a":"b"}}}}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Oops":{"a":"b"},"Null":{"aws:username":"false"}}}}"#,
    ] {
        let attached = attached(deny);
        assert_eq!(
            decide(&Policies::of(&attached), &user(), "s3:GetObject", OBJECT, &Context::new()),
            Decision::Allowed,
            "{deny}"
        );
    }
}

/// Values of a policy that AWS stores and nothing can be compared with (`NumericLessThan` with `many`).
#[test]
fn a_value_that_cannot_be_read_is_in_doubt_and_one_of_the_request_is_equal_to_nothing() {
    let of = |effect: &str, condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}}}}}"#
        )
    };
    let mut context = Context::new();
    context.set("s3:max-keys", "10");
    context.set("test:odd", "odd");
    let matches = |effect: &str, condition: &str| {
        let own = policy(DocumentKind::Inline, &of(effect, condition));
        let builder = PrincipalPolicies::builder().identity([own]);
        let attached =
            if effect == "Deny" { builder.identity([policy(DocumentKind::Inline, ALL)]) } else { builder }
                .build();
        let decision = decide(&Policies::of(&attached), &user(), "s3:GetObject", OBJECT, &context);
        if effect == "Deny" { decision == Decision::ExplicitDeny } else { decision.is_allowed() }
    };
    for (condition, allow, deny) in [
        // The policy's value: in doubt.
        (r#"{"NumericLessThan":{"s3:max-keys":"many"}}"#, false, true),
        (r#"{"NumericNotEquals":{"s3:max-keys":"many"}}"#, false, true),
        (r#"{"NumericEquals":{"s3:max-keys":["many","10"]}}"#, true, true),
        (r#"{"NumericNotEquals":{"s3:max-keys":["many","10"]}}"#, false, false),
        // The request's value: equal to nothing; different from everything is in doubt.
        (r#"{"NumericEquals":{"test:odd":"10"}}"#, false, false),
        (r#"{"NumericNotEquals":{"test:odd":"10"}}"#, false, true),
        (r#"{"IpAddress":{"test:odd":"0.0.0.0/0"}}"#, false, false),
        (r#"{"NotIpAddress":{"test:odd":"10.0.0.0/8"}}"#, false, true),
        (r#"{"ArnNotLike":{"test:odd":"arn:aws:iam::1:role/x"}}"#, false, true),
    ] {
        assert_eq!((matches("Allow", condition), matches("Deny", condition)), (allow, deny), "{condition}");
    }
}

#[test]
fn a_policy_that_is_hostile_to_matchers_is_decided_all_the_same() {
    let patterns: Vec<String> =
        (0..40).map(|n| format!("\"arn:aws:s3:::b/{}b{n}\"", "*a".repeat(60))).collect();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":["s3:{}"],"Resource":[{}]}}}}"#,
        "*g?t".repeat(30),
        patterns.join(",")
    );
    let attached = identity(&text);
    let key = format!("arn:aws:s3:::b/{}", "a".repeat(1000));
    assert_eq!(
        decide(&Policies::of(&attached), &user(), "s3:GetObject", &key, &Context::new()),
        Decision::ImplicitDeny
    );
}
