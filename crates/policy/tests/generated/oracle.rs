//! A second evaluator, written from the guide and nothing else: no index, no compilation, documents as JSON, each rule as
//! its page words it. Slow, and simple enough to be read beside the guide.
//!
//! `Option<bool>` is yes, no, and cannot say: an `Allow` needs yes, a `Deny` counts unless it is no.

use crate::case::{Asked, ContextValue, OTHER, OWN, OfResource, Who, World};
use crate::conditions;
use crate::text::{Bad, fits, parse};
use daypass_policy::{Decision, DocumentKind};
use serde_json::Value;

pub(crate) fn and(each: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let each: Vec<_> = each.into_iter().collect();
    if each.contains(&Some(false)) {
        Some(false)
    } else if each.contains(&None) {
        None
    } else {
        Some(true)
    }
}

pub(crate) fn or(each: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    and(each.into_iter().map(|one| one.map(|one| !one))).map(|all| !all)
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// How a statement of a resource's policy names the caller; the larger the more directly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Account,
    Behind,
    Direct,
}

#[derive(Default)]
struct Said {
    denies: bool,
    allows: Vec<Kind>,
}

fn ask(kind: DocumentKind, documents: &[Value], asked: &Asked, has_boundary: bool) -> Said {
    let mut said = Said::default();
    for document in documents {
        let new = document["Version"] == "2012-10-17";
        let version_known = matches!(document["Version"].as_str(), None | Some("2008-10-17" | "2012-10-17"));
        let statements = match &document["Statement"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        for statement in statements {
            let (named, how) = principal(kind, &statement, asked, has_boundary);
            let understood = (version_known && shape_is_known(kind, &statement)).then_some(true);
            let matches = and([
                named,
                action(&statement, asked),
                resource(kind, &statement, asked, new),
                conditions::all(&statement["Condition"], asked, new),
                understood,
            ]);
            match statement["Effect"].as_str() {
                Some("Allow" | "allow") if matches == Some(true) => said.allows.push(how),
                Some("Allow" | "allow") => (),
                _ => said.denies |= matches != Some(false),
            }
        }
    }
    said
}

/// What the generator puts in that AWS would refuse and whose meaning is lost.
fn shape_is_known(kind: DocumentKind, statement: &Value) -> bool {
    let known = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    ];
    let has = |name: &str| statement.get(name).is_some();
    let no_principal = matches!(
        kind,
        DocumentKind::Managed | DocumentKind::Inline | DocumentKind::Session | DocumentKind::ServiceControl
    );
    let misplaced = no_principal && (has("Principal") || has("NotPrincipal"));
    let effect = matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"));
    effect && !misplaced && statement.as_object().unwrap().keys().all(|key| known.contains(&key.as_str()))
}

fn action(statement: &Value, asked: &Asked) -> Option<bool> {
    let wanted = asked.action.to_lowercase();
    let (service, name) = wanted.split_once(':').unwrap();
    let one = |pattern: &String| {
        let pattern = pattern.to_lowercase();
        if pattern == "*" || pattern == "*:*" {
            return Some(true);
        }
        let (own, own_name) = pattern.split_once(':')?;
        if own.is_empty() || own.contains(['*', '?']) {
            return None;
        }
        Some(own == service && fits(&parse(own_name, true, None).unwrap(), name))
    };
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(list), None) => or(texts(list).iter().map(one)),
        (None, Some(list)) => or(texts(list).iter().map(one)).map(|listed| !listed),
        _ => None,
    }
}

fn resource(kind: DocumentKind, statement: &Value, asked: &Asked, new: bool) -> Option<bool> {
    let (list, inverted) = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(list), None) => (list, false),
        (None, Some(list)) => (list, true),
        // The resource that the policy hangs on.
        (None, None) if matches!(kind, DocumentKind::Resource | DocumentKind::Trust) => return Some(true),
        _ => return None,
    };
    let listed = or(texts(list).iter().map(|pattern| one_resource(pattern, asked, new, inverted)));
    listed.map(|listed| listed != inverted)
}

fn one_resource(pattern: &str, asked: &Asked, new: bool, inverted: bool) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    if parts.len() == 1 {
        return None;
    }
    let head = &parts[..parts.len().min(5)];
    if new && head.iter().any(|part| part.contains("${")) {
        return None;
    }
    let head_fits = |part: &str, text: &str| fits(&parse(part, true, None).unwrap(), text);
    let last = match parts.get(5) {
        Some(last) => match parse(last, true, new.then_some(asked)) {
            Err(Bad::Syntax) => return None,
            other => Some(other),
        },
        None => None,
    };
    // An action without resources is covered by nothing but a literal `*`.
    let Some(arn) = &asked.resource else { return Some(false) };
    let own: Vec<&str> = arn.splitn(6, ':').collect();
    let Some(last) = last else {
        return Some(short_fits(&parts, &arn.split(':').collect::<Vec<_>>()));
    };
    if !head.iter().zip(&own).all(|(part, text)| head_fits(part, text)) {
        return Some(false);
    }
    match last {
        Ok(last) => Some(fits(&last, own[5])),
        // A variable without a value: "will not match any resource".
        Err(_) if inverted => None,
        Err(_) => Some(false),
    }
}

/// "If the `*` wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon
/// boundaries."
fn short_fits(parts: &[&str], own: &[&str]) -> bool {
    let (Some(part), Some(text)) = (parts.first(), own.first()) else {
        return parts.is_empty() && own.is_empty();
    };
    if !fits(&parse(part, true, None).unwrap(), text) {
        return false;
    }
    if part.ends_with('*') {
        (1..=own.len()).any(|taken| short_fits(&parts[1..], &own[taken..]))
    } else {
        short_fits(&parts[1..], &own[1..])
    }
}

fn principal(
    kind: DocumentKind,
    statement: &Value,
    asked: &Asked,
    has_boundary: bool,
) -> (Option<bool>, Kind) {
    let about_anyone = (Some(true), Kind::Direct);
    let (list, inverted) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        _ if !matches!(
            kind,
            DocumentKind::Resource
                | DocumentKind::Trust
                | DocumentKind::ResourceControl
                | DocumentKind::VpcEndpoint
        ) =>
        {
            return about_anyone;
        }
        (Some(list), _) => (list, false),
        (None, Some(list)) => (list, true),
        (None, None) if matches!(kind, DocumentKind::ResourceControl | DocumentKind::VpcEndpoint) => {
            return about_anyone;
        }
        // A statement that is not understood might be about anyone.
        (None, None) if !shape_is_known(kind, statement) => return (None, Kind::Direct),
        (None, None) => return (Some(false), Kind::Direct),
    };
    let mut names: Vec<(String, String)> = Vec::new();
    match list {
        Value::String(text) => names.push(("AWS".into(), text.clone())),
        Value::Object(map) => {
            names.extend(
                map.iter().flat_map(|(kind, list)| texts(list).into_iter().map(|text| (kind.clone(), text))),
            );
        }
        _ => unreachable!(),
    }
    let found: Vec<Option<Option<Kind>>> =
        names.iter().map(|(kind, text)| name(kind, text, &asked.who)).collect();
    let unclear = found.contains(&None);
    let best = found.into_iter().flatten().flatten().max();
    if !inverted {
        return match best {
            Some(how) => (Some(true), how),
            None => (if unclear { None } else { Some(false) }, Kind::Direct),
        };
    }
    let denies =
        statement["Effect"] == "Deny" || !matches!(statement["Effect"].as_str(), Some("Allow" | "allow"));
    if denies && has_boundary {
        return about_anyone;
    }
    let listed = match best {
        Some(Kind::Account) => !denies,
        Some(_) => true,
        None => false,
    };
    (
        if listed {
            Some(false)
        } else if unclear {
            None
        } else {
            Some(true)
        },
        Kind::Direct,
    )
}

/// Whether a principal element names the caller: `None` where it cannot be a principal.
fn name(kind: &str, text: &str, who: &Who) -> Option<Option<Kind>> {
    let of_account = !matches!(who, Who::Service | Who::Provider | Who::Canonical | Who::Anonymous);
    let by_user = matches!(who, Who::FederatedByUser);
    let session = matches!(who, Who::Session { .. });
    let account = if matches!(who, Who::Root) { Kind::Direct } else { Kind::Account };
    Some(match (kind, text) {
        ("AWS", "*") => Some(Kind::Direct),
        ("AWS", text) if text.is_empty() || text.contains('*') => return None,
        ("AWS", text) if text == OWN || text == format!("arn:aws:iam::{OWN}:root") => {
            of_account.then_some(account)
        }
        ("AWS", text) if text == format!("arn:aws:iam::{OWN}:user/alice") => match who {
            Who::User => Some(Kind::Direct),
            _ => by_user.then_some(Kind::Behind),
        },
        ("AWS", "AIDAALICEALICEALICE") => match who {
            Who::User => Some(Kind::Direct),
            _ => by_user.then_some(Kind::Behind),
        },
        ("AWS", "AROAAPPAPPAPPAPP") => session.then_some(Kind::Behind),
        // The path is ignored.
        ("AWS", text) if text.starts_with(&format!("arn:aws:iam::{OWN}:role/")) && text.ends_with("/app") => {
            session.then_some(Kind::Behind)
        }
        ("AWS", text) if text == format!("arn:aws:sts::{OWN}:assumed-role/app/i-1") => {
            session.then_some(Kind::Direct)
        }
        ("AWS", text) if text == format!("arn:aws:sts::{OWN}:federated-user/fed") => {
            matches!(who, Who::FederatedByUser | Who::FederatedByRoot).then_some(Kind::Direct)
        }
        ("AWS", _) => None,
        ("Service" | "Federated", text) if text.contains('*') => return None,
        ("Service", text) => {
            (text == "ec2.amazonaws.com" && matches!(who, Who::Service)).then_some(Kind::Direct)
        }
        ("Federated", text) => {
            (text == "accounts.google.com" && matches!(who, Who::Provider)).then_some(Kind::Direct)
        }
        ("CanonicalUser", "c0ffee") => match who {
            Who::Root | Who::Canonical => Some(Kind::Direct),
            Who::User => Some(Kind::Account),
            _ => None,
        },
        ("CanonicalUser", _) => None,
        _ => return None,
    })
}

/// The rules above the policies.
fn exception(asked: &Asked) -> Option<Decision> {
    let action = asked.action.to_lowercase();
    let of_account = !matches!(asked.who, Who::Service | Who::Provider | Who::Canonical | Who::Anonymous);
    if action == "sts:getcalleridentity" && of_account {
        return Some(Decision::Allowed);
    }
    let resource = asked.resource.as_deref().unwrap_or("*");
    let service = action.split(':').next().unwrap().to_owned();
    let aws_policy =
        service == "iam" && resource.starts_with("arn:aws:iam::aws:policy/") && action != "iam:getpolicy";
    let reserved = service == "iam" && resource.contains(":role/aws-reserved/") && action != "iam:getrole";
    let alias = action == "kms:deletealias" && resource.contains(":alias/aws/");
    let mfa = matches!(asked.context.get("aws:MultiFactorAuthPresent"), Some(ContextValue::Single(v)) if v.eq_ignore_ascii_case("true"));
    let federated = matches!(asked.who, Who::FederatedByUser | Who::FederatedByRoot);
    let temporary = (federated && (service == "iam" || service == "sts"))
        || (asked.session_token && service == "iam" && !mfa)
        || (asked.session_token && service == "sts" && action != "sts:assumerole");
    (aws_policy || reserved || alias || temporary).then_some(Decision::ImplicitDeny)
}

/// The decision, step by step as the guide has it.
pub(crate) fn decide(world: &World, asked: &Asked) -> Decision {
    let exception = exception(asked);
    if exception == Some(Decision::Allowed) {
        return Decision::Allowed;
    }
    let boundary = world.boundary.is_some();
    let of_account = !matches!(asked.who, Who::Service | Who::Provider | Who::Canonical | Who::Anonymous);
    let linked = matches!(asked.who, Who::Session { linked: true });
    let root = matches!(asked.who, Who::Root);
    let service = asked.action.split(':').next().unwrap().to_lowercase();

    let levels = |kind, levels: &Option<Vec<Vec<Value>>>, applies: bool| match levels {
        Some(levels) if applies => levels.iter().map(|level| ask(kind, level, asked, boundary)).collect(),
        _ => Vec::new(),
    };
    let scps = levels(DocumentKind::ServiceControl, &world.scps, of_account && !linked);
    let rcp_applies =
        ["s3", "kms", "sts"].contains(&&*service) && !asked.action.eq_ignore_ascii_case("kms:RetireGrant");
    let rcps = levels(DocumentKind::ResourceControl, &world.rcps, !linked && rcp_applies);
    let endpoint: Vec<Said> = world
        .endpoint
        .iter()
        .map(|documents| ask(DocumentKind::VpcEndpoint, documents, asked, boundary))
        .collect();
    // Root has every permission of its account, but what a session of it was given for its task can deny.
    let has_own = of_account && (!root || !world.session.is_empty());
    let own = |documents: &[Value]| match has_own {
        true => ask(DocumentKind::Inline, documents, asked, boundary),
        false => Said::default(),
    };
    let identity = own(&world.identity);
    let limit = world.boundary.as_ref().map(|document| own(std::slice::from_ref(document)));
    let session = (!world.session.is_empty()).then(|| own(&world.session));
    let of_resource = match world.resource.document() {
        Some(document) => ask(world.resource.kind(), std::slice::from_ref(document), asked, boundary),
        None => Said::default(),
    };

    // 1. Any Deny.
    let asked_layers = scps
        .iter()
        .chain(&rcps)
        .chain(&endpoint)
        .chain([&identity, &of_resource])
        .chain(&limit)
        .chain(&session);
    if asked_layers.into_iter().any(|said| said.denies) {
        return Decision::ExplicitDeny;
    }
    if let Some(decision) = exception {
        return decision;
    }
    // 2 to 4. Every level, and the endpoint, must allow.
    if scps.iter().chain(&rcps).chain(&endpoint).any(|said| said.allows.is_empty()) {
        return Decision::ImplicitDeny;
    }
    let federated = matches!(asked.who, Who::FederatedByUser | Who::FederatedByRoot);
    let allows = |said: &Said| !said.allows.is_empty();
    let own = Own {
        within_limits: root || (limit.as_ref().is_none_or(allows) && session.as_ref().is_none_or(allows)),
        // Without session policies a federated user has nothing of the one who made it.
        identity: root || (allows(&identity) && (!federated || session.is_some())),
    };
    let required = matches!(world.resource, OfResource::Required(_) | OfResource::Trust(_));
    let account = of_account.then_some(if asked.other_account { OTHER } else { OWN });
    if granted(account, required, &of_resource, &own) { Decision::Allowed } else { Decision::ImplicitDeny }
}

/// What the caller's own policies say.
struct Own {
    within_limits: bool,
    identity: bool,
}

/// 5 to 9. The resource's policy and the caller's; `account` is that of the resource, for a caller of an account.
fn granted(account: Option<&str>, required: bool, of_resource: &Said, own: &Own) -> bool {
    let named = |kind: Kind| of_resource.allows.contains(&kind);
    match account {
        // A service, a provider, nobody in particular.
        None => !of_resource.allows.is_empty(),
        Some(OWN) if named(Kind::Direct) => true,
        Some(OWN) if named(Kind::Behind) => own.within_limits,
        Some(OWN) if required && !named(Kind::Account) => false,
        Some(OWN) => own.identity && own.within_limits,
        // Across accounts both sides must allow.
        Some(_) => !of_resource.allows.is_empty() && own.identity && own.within_limits,
    }
}
