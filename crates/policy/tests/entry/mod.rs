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

/// What a text says after its first character, and that character: it picks among the ways to take the rest, so that an
/// input costs one of them and a fuzzer can try the others.
fn split_first(text: &str) -> Option<(usize, &str)> {
    let (first, rest) = text.split_at_checked(1)?;
    Some((usize::from(first.bytes().next()?.wrapping_sub(b'0')), rest))
}

/// Any text as the kind of policy that its first character picks: what the door takes loads as the same document, and
/// what it refuses has a place and a message.
pub(crate) fn document(text: &str) {
    let Some((choice, text)) = split_first(text) else { return };
    let Some(kind) = KINDS.get(choice % KINDS.len()).copied() else { return };
    assert!(size_without_white_space(text) <= size(text));
    let loaded = Document::load(kind, text);
    match Document::parse(kind, text) {
        Ok(parsed) => assert_eq!(parsed, loaded),
        Err(error) => {
            assert!(error.span.start.line >= 1 && error.span.start.column >= 1);
            assert!(!error.aws_message().is_empty() && !error.to_string().is_empty());
        }
    }
    Policy::compile(PolicySource::named("fuzz"), loaded);
}

/// A request out of the lines of a text: action, resource, keys with their values, and after an empty line the documents,
/// one a line, which stand in every layer that the first character picks. Both ways to decide agree, and a denial beside
/// any of it never allows.
pub(crate) fn decision(text: &str) {
    let Some((choice, text)) = split_first(text) else { return };
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
    let picked = |bit: usize| choice >> bit & 1 == 1;
    let identity = load(DocumentKind::Inline);
    let attached = PrincipalPolicies::builder().identity(identity.iter().cloned()).build();
    let set = PolicySet::new(load(DocumentKind::Resource));
    let levels = |kind| Guardrails::new([("level", load(kind))]).ok();
    let scps = picked(1).then(|| levels(DocumentKind::ServiceControl)).flatten();
    let rcps = picked(2).then(|| levels(DocumentKind::ResourceControl)).flatten();
    let mut policies = Policies::of(&attached);
    policies.service_control = scps.as_ref();
    policies.resource_control = rcps.as_ref();
    policies.endpoint = picked(3).then_some(&set);
    policies.resource = match choice % 3 {
        0 => ResourcePolicy::None,
        1 => ResourcePolicy::Grants(&set),
        _ => ResourcePolicy::Required(Some(&set)),
    };

    let arn = "arn:aws:iam::111122223333:role/app".parse().ok();
    let session = arn.and_then(|role| Principal::role_session(&role, "AROAX", "session").ok());
    let principal = session.filter(|_| !picked(4)).unwrap_or_else(Principal::anonymous);
    let request = Request::new(&principal, &action, resource, &context);
    let decided = policies.decide(&request);
    let explanation = policies.explain(&request);
    assert_eq!(explanation.decision, decided);
    assert!(!explanation.to_string().is_empty() && explanation.to_json().starts_with('{'));
    let _ = explanation.message(Audience::Organization, true);

    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let denial = Policy::compile(PolicySource::named("deny"), Document::load(DocumentKind::Inline, deny));
    let denied = PrincipalPolicies::builder().identity(identity).identity([denial]).build();
    policies.principal = &denied;
    assert!(decided == Decision::Allowed || policies.decide(&request) != Decision::Allowed);
}
