//! The text of a record: JSON, written as it is made, for each request leaves one.

use daypass_model::{Kind, Location, Member, Operation, Structure, Value};
use daypass_policy::JsonWriter;
use daypass_store::AuditRecord;

use super::{Call, EVENT_VERSION, HIDDEN};
use crate::caller::{Caller, CallerKind, VouchedBy};
use crate::cx::Trail;
use crate::identity::Who;
use crate::session::SessionPrincipal;

/// A text longer than this is cut in a record.
const MAX_TEXT: usize = 4096;
/// The same of what stands beside what was asked: who asks says it of itself, or it echoes that (CloudTrail user guide, "CloudTrail
/// record contents", which has 1 KB for `userAgent`, `errorCode` and `errorMessage`). Bytes.
const MAX_BRIEF: usize = 1024;
/// What the model does not mark and proves somebody all the same.
const SECRETS: [&str; 4] = ["SessionToken", "TokenCode", "AuthenticationCode1", "AuthenticationCode2"];

/// The event of a call but for the members that tell its outcome.
pub(super) fn without_outcome(call: &Call<'_>, record: &AuditRecord, trail: &Trail) -> String {
    let mut writer = JsonWriter::default();
    writer.object(|event| {
        event.key("eventVersion").text(EVENT_VERSION);
        event.key("userIdentity").object(|who| user_identity(who, call));
        event.key("eventTime").text(&call.time.to_string());
        event.key("eventSource").text(&record.event_source);
        event.key("eventName").text(&record.event_name);
        event.key("awsRegion").text(call.region);
        match call.service {
            Some(service) => event.key("sourceIPAddress").text(service),
            None => event.key("sourceIPAddress").text(&call.peer.address.to_string()),
        };
        event.key("userAgent").text(brief(call.user_agent));
        event.key("requestParameters");
        match call.operation {
            Some(operation) => parameters(event, operation, call.input, operation.input),
            None => event.verbatim("null"),
        }
        event.key("requestID").text(call.request_id);
        event.key("eventID").text(call.event_id);
        event.key("readOnly").verbatim(boolean(record.read_only));
        event.key("eventType").text("AwsApiCall");
        event.key("managementEvent").verbatim(boolean(record.management));
        event.key("recipientAccountId").text(call.account);
        event.key("eventCategory").text(if record.management { "Management" } else { "Data" });
        if !trail.additional.is_empty() {
            event.key("additionalEventData").object(|data| {
                for (key, value) in &trail.additional {
                    data.key(key).verbatim(&value.to_string());
                }
            });
        }
        if let Some(tls) = &call.peer.tls {
            event.key("tlsDetails").object(|details| {
                details.key("tlsVersion").text(tls.version.name());
                details.key("cipherSuite").text(&tls.cipher_suite);
            });
        }
        if let Some(instance) = &call.peer.instance {
            event.key("vpcId").text(&instance.vpc_id);
        }
    });
    writer.finish()
}

fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// `userIdentity`: who asked (CloudTrail user guide, "CloudTrail userIdentity element").
fn user_identity(who: &mut JsonWriter, call: &Call<'_>) {
    let Some(caller) = call.caller else {
        who.key("type").text("Unknown");
        who.key("principalId").text("");
        who.key("accountId").text("");
        if let Some(key) = call.claimed_key {
            who.key("accessKeyId").text(brief(key));
        }
        return;
    };
    match caller.kind() {
        CallerKind::Anonymous => {
            who.key("type").text("AWSAccount");
            who.key("principalId").text("");
            who.key("accountId").text("ANONYMOUS_PRINCIPAL");
        }
        CallerKind::Service => {
            who.key("type").text("AWSService");
            who.key("invokedBy").text(caller.arn());
        }
        CallerKind::Vouched(identity) => {
            let by_web = identity.by == VouchedBy::WebIdentity;
            who.key("type").text(if by_web { "WebIdentityUser" } else { "SAMLUser" });
            who.key("principalId").text(&identity.principal_id);
            who.key("userName").text(&identity.user_name);
            who.key("identityProvider").text(&identity.identity_provider);
        }
        CallerKind::Root(session) => {
            principal(who, "Root", caller, Some(session.account.as_str()));
        }
        CallerKind::User(identity, _) => {
            let Who::User(user) = &identity.who else { return };
            principal(who, "IAMUser", caller, Some(user.account.as_str()));
            who.key("userName").text(&user.name);
        }
        CallerKind::FederatedUser(..) => {
            let account = caller.account();
            principal(who, "FederatedUser", caller, account.as_ref().map(|account| account.as_str()));
        }
        CallerKind::Role(identity, _) => {
            principal(who, "AssumedRole", caller, Some(identity.who.account().as_str()));
        }
    }
    session_context(who, caller);
    // IAM user guide, `temporary-delegation-cloudtrail`.
    if let Some(delegation) = caller.session().and_then(|session| session.delegation.as_ref()) {
        who.key("invokedByDelegate").object(|delegate| {
            delegate.key("accountId").text(delegation.partner.as_str());
        });
    }
    if let Some(service) = call.service {
        who.key("invokedBy").text(service);
    }
}

fn principal(who: &mut JsonWriter, kind: &str, caller: &Caller, account: Option<&str>) {
    who.key("type").text(kind);
    who.key("principalId").text(caller.user_id());
    who.key("arn").text(caller.arn());
    if let Some(account) = account {
        who.key("accountId").text(account);
    }
    who.key("accessKeyId").text(caller.access_key_id().unwrap_or(""));
}

fn session_context(who: &mut JsonWriter, caller: &Caller) {
    let Some(session) = caller.session() else { return };
    who.key("sessionContext").object(|context| {
        match (&session.principal, caller.identity().map(|identity| &identity.who)) {
            (SessionPrincipal::FederatedUser { .. }, Some(Who::User(user))) => {
                issuer(context, "IAMUser", [&user.id, &user.arn(), user.account.as_str(), &user.name]);
            }
            (SessionPrincipal::AssumedRole { .. }, Some(Who::Role(role))) => {
                issuer(context, "Role", [&role.id, &role.arn(), role.account.as_str(), &role.name]);
            }
            _ => {}
        }
        context.key("attributes").object(|attributes| {
            attributes.key("creationDate").text(&session.issued.to_string());
            attributes.key("mfaAuthenticated").text(boolean(session.mfa.is_some()));
        });
        if matches!(session.principal, SessionPrincipal::Root { .. }) {
            context.key("assumedRoot").text("true");
        }
        let by_web = |provider: &str| provider.contains(":oidc-provider/");
        if let Some(federation) = session.federation.as_ref().filter(|f| by_web(&f.provider)) {
            context.key("webIdFederationData").object(|data| {
                data.key("federatedProvider").text(&federation.provider);
                data.key("attributes").object(|_| ());
            });
        }
        if let Some(identity) = &session.source_identity {
            context.key("sourceIdentity").text(identity);
        }
        if let Some(instance) = &session.instance {
            context.key("ec2RoleDelivery").text(&instance.role_delivery);
        }
    });
}

fn issuer(context: &mut JsonWriter, kind: &str, [id, arn, account, name]: [&str; 4]) {
    context.key("sessionIssuer").object(|issuer| {
        issuer.key("type").text(kind);
        issuer.key("principalId").text(id);
        issuer.key("arn").text(arn);
        issuer.key("accountId").text(account);
        issuer.key("userName").text(name);
    });
}

/// The beginning of a text, as much of it as a record holds.
fn cut(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    text.char_indices().nth(MAX_TEXT).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The beginning of a text that stands beside what was asked.
pub(super) fn brief(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BRIEF)).unwrap_or(text)
}

/// A message as CloudTrail writes it: the model's names with a small first letter, without what is sensitive.
pub(super) fn parameters(
    writer: &mut JsonWriter,
    operation: &Operation,
    value: Option<&Value>,
    shape: &'static Structure,
) {
    match value {
        Some(Value::Structure(fields))
            if !shape.sensitive
                && !fields.iter().any(|(index, _)| shape.member(index).is_some_and(is_told)) =>
        {
            writer.verbatim("null");
        }
        Some(value) => print(writer, value, &Kind::Structure(shape), operation.service.name == "s3"),
        None => writer.verbatim("null"),
    }
}

fn is_told(member: &Member) -> bool {
    member.location != Location::Headers && !member.streaming
}

fn print(writer: &mut JsonWriter, value: &Value, kind: &Kind, s3: bool) {
    match (value, kind) {
        (Value::Structure(_), Kind::Structure(shape)) if shape.sensitive => writer.text(HIDDEN),
        (Value::Structure(fields), Kind::Structure(shape)) => writer.object(|object| {
            for (index, value) in fields.iter() {
                let Some(member) = shape.member(index).filter(|member| is_told(member)) else { continue };
                object.key(&small(member.name, s3));
                if member.sensitive || SECRETS.contains(&member.name) {
                    object.text(HIDDEN);
                } else {
                    print(object, value, &member.kind, s3);
                }
            }
        }),
        (Value::List(items), Kind::List(list)) => {
            writer.list(items.iter().take(1000), |writer, item| print(writer, item, &list.item, s3));
        }
        (Value::Map(entries), Kind::Map(map)) => writer.object(|object| {
            for (key, value) in entries {
                object.key(cut(key));
                print(object, value, &map.value, s3);
            }
        }),
        (Value::String(_), Kind::String(text)) if text.sensitive => writer.text(HIDDEN),
        (Value::String(text), _) => writer.text(cut(text)),
        (Value::Integer(number), _) => writer.verbatim(&number.to_string()),
        // JSON knows no number that is none.
        (Value::Double(number), _) => writer.verbatim(&serde_json::Value::from(*number).to_string()),
        (Value::Boolean(value), _) => writer.verbatim(boolean(*value)),
        (Value::Timestamp(time), _) => writer.text(&time.to_string()),
        (Value::Blob(_), _) => writer.text(HIDDEN),
        _ => writer.verbatim("null"),
    }
}

fn small(name: &str, s3: bool) -> String {
    if s3 && name == "Bucket" {
        return "bucketName".to_owned();
    }
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}
