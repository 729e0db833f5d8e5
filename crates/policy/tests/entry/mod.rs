//! What must hold for any input: nothing panics, and the two ways to read and to decide agree.

use daypass_policy::{
    Action, Audience, Context, Decision, Document, DocumentKind, Guardrails, Policies, Policy, PolicySet,
    PolicySource, Principal, PrincipalPolicies, Request, Resource, ResourcePolicy, size,
    size_without_white_space,
};
use std::sync::Arc;

const KINDS: [DocumentKind; 9] = [
    DocumentKind::Managed,
    DocumentKind::Inline,
    DocumentKind::Session,
    DocumentKind::Trust,
    DocumentKind::Bucket,
    DocumentKind::Resource,
    DocumentKind::ServiceControl,
    DocumentKind::ResourceControl,
    DocumentKind::VpcEndpoint,
];

/// Any text as every kind of policy: what the door takes loads as the same document, and what it refuses has a place and
/// a message.
pub(crate) fn document(text: &str) {
    assert!(size_without_white_space(text) <= size(text));
    for kind in KINDS {
        let loaded = Document::load(kind, text);
        match Document::parse(kind, text) {
            Ok(parsed) => assert_eq!(format!("{parsed:?}"), format!("{loaded:?}")),
            Err(error) => {
                assert!(error.span.start.line >= 1 && error.span.start.column >= 1);
                assert!(!error.aws_message().is_empty() && !error.to_string().is_empty());
            }
        }
        Policy::compile(PolicySource::named("fuzz"), loaded);
    }
}

/// A request out of the lines of a text: action, resource, keys with their values, and after an empty line the documents,
/// one a line. Both ways to decide agree, and a denial beside any of it never allows.
pub(crate) fn decision(text: &str) {
    let (head, documents) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let Ok(action) = Action::new(lines.next().unwrap_or_default()) else { return };
    let Ok(resource) = Resource::arn(lines.next().unwrap_or_default()) else { return };
    let mut context = Context::new();
    for line in lines.take(64) {
        match line.split_once('=') {
            Some((key, values)) if values.contains('|') => context.set_list(key, values.split('|')),
            Some((key, value)) => context.set(key, value),
            None => context.remove(line),
        }
    }
    let load = |kind: DocumentKind| {
        let compile =
            move |text: &str| Policy::compile(PolicySource::named("fuzz"), Document::load(kind, text));
        documents.lines().take(4).map(compile).collect::<Vec<Arc<Policy>>>()
    };
    let attached = PrincipalPolicies::builder().identity(load(DocumentKind::Inline)).build();
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let denied = Policy::compile(PolicySource::named("deny"), Document::load(DocumentKind::Inline, deny));
    let denied = PrincipalPolicies::builder().identity(load(DocumentKind::Inline)).identity([denied]).build();
    let set = PolicySet::new(load(DocumentKind::Resource));
    let levels = |kind| Guardrails::new([("level", load(kind))]).ok();
    let (scps, rcps) = (levels(DocumentKind::ServiceControl), levels(DocumentKind::ResourceControl));

    let arn = "arn:aws:iam::111122223333:role/app".parse().ok();
    let session = arn.and_then(|role| Principal::role_session(&role, "AROAX", "session").ok());
    for principal in [session, Some(Principal::anonymous())].into_iter().flatten() {
        let request = Request::new(&principal, &action, resource, &context);
        for of_resource in
            [ResourcePolicy::None, ResourcePolicy::Grants(&set), ResourcePolicy::Required(Some(&set))]
        {
            let mut policies = Policies::of(&attached).resource(of_resource).endpoint(&set);
            policies.service_control = scps.as_ref();
            policies.resource_control = rcps.as_ref();
            let decided = policies.decide(&request);
            let explanation = policies.explain(&request);
            assert_eq!(explanation.decision, decided);
            assert!(!explanation.to_string().is_empty() && explanation.to_json().starts_with('{'));
            let _ = explanation.message(Audience::Organization, true);

            policies.principal = &denied;
            let stricter = policies.decide(&request);
            assert!(decided == Decision::Allowed || stricter != Decision::Allowed);
        }
    }
}
