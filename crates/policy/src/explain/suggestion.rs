//! The least that would allow a request.

use super::layers::{LayerKind, LayerReport, Named, Verdict, resource_kind};
use crate::decide::{Policies, Request};
use crate::json::Writer;
use crate::principal::{Principal, PrincipalKind};

/// A statement that a layer lacks. All suggestions together allow the request; they are the least of their kind, not
/// what anybody should want to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suggestion {
    /// The layer that lacks it.
    pub layer: LayerKind,
    /// The level of the organization, where the layer has levels.
    pub level: Option<Box<str>>,
    /// The statement as JSON, for a document of version 2012-10-17.
    pub statement: Box<str>,
}

/// What would have to be added, layer by layer.
pub(super) fn suggest(
    policies: &Policies<'_>,
    request: &Request<'_>,
    layers: &[LayerReport],
) -> Vec<Suggestion> {
    let mut lacking: Vec<(LayerKind, Option<Box<str>>)> = Vec::new();
    let guards = [LayerKind::ResourceControl, LayerKind::ServiceControl, LayerKind::Endpoint];
    for layer in
        layers.iter().filter(|layer| guards.contains(&layer.kind) && layer.verdict == Verdict::Silent)
    {
        lacking.push((layer.kind, layer.level.clone()));
    }
    lacking.extend(grants(policies, request, layers).into_iter().map(|kind| (kind, None)));
    let suggest = |(layer, level)| Suggestion { layer, level, statement: statement(layer, request).into() };
    lacking.into_iter().map(suggest).collect()
}

/// The layers of those that grant or limit grants which lack an allowance.
fn grants(policies: &Policies<'_>, request: &Request<'_>, layers: &[LayerReport]) -> Vec<LayerKind> {
    let silent =
        |kind: LayerKind| layers.iter().any(|layer| layer.kind == kind && layer.verdict == Verdict::Silent);
    let of_resource = resource_kind(&policies.resource);
    let named = |wanted: Named| {
        let resource =
            layers.iter().find(|layer| layer.kind == of_resource && layer.verdict == Verdict::Allows);
        resource.is_some_and(|layer| layer.deciders.iter().any(|decider| decider.named == Some(wanted)))
    };
    let granted = [Named::Itself, Named::Behind, Named::Account].map(named);
    let any_named = granted.contains(&true);
    // The root user lacks nothing: what its session was given can only deny.
    let lacks = |kind: &LayerKind| request.principal.kind != PrincipalKind::Root && silent(*kind);
    let limits = [LayerKind::Boundary, LayerKind::Session].into_iter().filter(lacks);
    let identity = [LayerKind::Identity].into_iter().filter(lacks);
    let required = policies.resource.is_required();
    // A federated user without session policies has no use of identity-based ones.
    let is_federated = matches!(request.principal.kind, PrincipalKind::FederatedUser { .. });
    let needs_session = is_federated && !policies.principal.has_session_policies;

    if !request.principal.is_of_account() {
        return if any_named { Vec::new() } else { vec![of_resource] };
    }
    if !request.is_same_account() {
        let resource = (!any_named).then_some(of_resource);
        let session = needs_session.then_some(LayerKind::Session);
        return identity.chain(limits).chain(session).chain(resource).collect();
    }
    let [itself, behind, account] = granted;
    if itself {
        Vec::new()
    } else if behind {
        limits.collect()
    } else if required && !account {
        // Named itself, or by its role, which the limits still hold.
        let role = matches!(request.principal.kind, PrincipalKind::RoleSession(_));
        [of_resource].into_iter().chain(limits.filter(|_| role)).collect()
    } else {
        identity.chain(limits).chain(needs_session.then_some(LayerKind::Session)).collect()
    }
}

fn statement(layer: LayerKind, request: &Request<'_>) -> String {
    let mut writer = Writer::default();
    writer.object(|statement| {
        statement.key("Effect").text("Allow");
        match layer {
            LayerKind::Resource | LayerKind::Trust => {
                statement.key("Principal");
                principal(statement, request.principal);
            }
            LayerKind::Endpoint | LayerKind::ResourceControl => statement.key("Principal").text("*"),
            _ => (),
        }
        statement.key("Action").text(request.action.as_str());
        if layer != LayerKind::Trust {
            statement.key("Resource").text(&pattern_for(request.resource.as_str()));
        }
    });
    writer.finish()
}

/// The principal as a policy names it. A role session is named by its role, since sessions come and go.
fn principal(writer: &mut Writer, principal: &Principal) {
    let (kind, name) = match &principal.kind {
        PrincipalKind::Anonymous => return writer.text("*"),
        PrincipalKind::RoleSession(session) => ("AWS", session.role.as_str()),
        PrincipalKind::Service { name } => ("Service", &**name),
        PrincipalKind::Provider { name } => ("Federated", &**name),
        PrincipalKind::CanonicalUser => ("CanonicalUser", principal.arn()),
        _ => ("AWS", principal.arn()),
    };
    writer.object(|map| map.key(kind).text(name));
}

/// The pattern that covers just this resource.
fn pattern_for(resource: &str) -> String {
    if resource == "*" {
        return resource.to_owned();
    }
    let escape = |character: char| match character {
        '*' | '?' | '$' => format!("${{{character}}}"),
        other => other.to_string(),
    };
    // Only the sixth part may hold variables; in the others these signs do not occur.
    match resource.splitn(6, ':').nth(5) {
        Some(last) => {
            let head = resource.strip_suffix(last).unwrap_or(resource);
            format!("{head}{}", last.chars().map(escape).collect::<String>())
        }
        None => resource.to_owned(),
    }
}
