//! Audit records, as CloudTrail writes them. They are made from the same value and the same table as the answer is; no
//! operation writes its own.

use daypass_model::{Kind, Location, Operation, Structure, Timestamp, Value};
use daypass_store::AuditRecord;
use daypass_store::records::{Instance, Role};
use daypass_wire::Fault;
use serde_json::{Map, Value as Json, json};

use crate::assume::Asking;
use crate::caller::{Caller, CallerKind, VouchedBy};
use crate::cx::{Cx, Peer, Trail};
use crate::identity::Who;
use crate::ids::Ids;
use crate::session::{Credentials, SessionPrincipal};
use crate::state::State;
use crate::surroundings::random;

/// CloudTrail's version of its records.
const EVENT_VERSION: &str = "1.11";
/// A text longer than this is cut in a record.
const MAX_TEXT: usize = 4096;
/// A record longer than this leaves out what was asked, as CloudTrail does with the largest.
const MAX_EVENT: usize = 96 << 10;
/// What CloudTrail writes for what it must not show.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// What is known of a call when it ends.
pub(crate) struct Call<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) time: Timestamp,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) peer: &'a Peer,
    pub(crate) user_agent: &'a str,
    pub(crate) operation: Option<&'static Operation>,
    /// What was asked for, where it is no operation.
    pub(crate) unknown: &'a str,
    pub(crate) caller: Option<&'a Caller>,
    /// The service that does it in a role, if no request asked for it.
    pub(crate) service: Option<&'static str>,
    /// The key that the request claimed to be signed with.
    pub(crate) claimed_key: Option<&'a str>,
    pub(crate) input: Option<&'a Value>,
}

/// A record that lacks its outcome.
#[derive(Clone)]
pub(crate) struct Draft {
    record: AuditRecord,
    event: Map<String, Json>,
    operation: Option<&'static Operation>,
}

impl Draft {
    /// The record of a success.
    pub(crate) fn finish(mut self, output: Option<&Value>) -> AuditRecord {
        // Of what changes nothing, only sessions that were handed out are told.
        if let (Some(output), Some(operation)) = (output, self.operation)
            && (!self.record.read_only || operation.output.index("Credentials").is_some())
        {
            self.set("responseElements", parameters(operation, Some(output), operation.output));
        }
        self.write()
    }

    /// The record of a refusal or a failure.
    fn fail(mut self, fault: &Fault) -> AuditRecord {
        self.set("errorCode", error_code(self.operation, fault).into());
        self.set("errorMessage", cut(&fault.message).into());
        self.write()
    }

    /// The record of a change whose outcome nobody learned: another store was asked for it and did not answer.
    pub(crate) fn unknown(mut self) -> AuditRecord {
        self.set("errorCode", "OutcomeUnknown".into());
        self.set("errorMessage", "The store that keeps the bucket did not say whether it was done.".into());
        self.write()
    }

    fn set(&mut self, key: &str, value: Json) {
        self.event.insert(key.to_owned(), value);
    }

    fn write(mut self) -> AuditRecord {
        let mut event = Json::Object(std::mem::take(&mut self.event)).to_string();
        if event.len() > MAX_EVENT
            && let Ok(Json::Object(mut whole)) = serde_json::from_str(&event)
        {
            let left_out = json!({ "omitted": true, "originalSize": event.len() });
            whole.insert("requestParameters".to_owned(), left_out);
            whole.insert("responseElements".to_owned(), Json::Null);
            event = Json::Object(whole).to_string();
        }
        self.record.event = event;
        self.record
    }
}

impl<'a> Call<'a> {
    /// A call that reached its operation.
    pub(crate) fn of(cx: &'a Cx) -> Self {
        Self {
            event_id: &cx.event_id,
            request_id: &cx.request_id,
            time: cx.now,
            region: if cx.operation.service.global { "us-east-1" } else { cx.region() },
            account: account_of(cx),
            peer: &cx.peer,
            user_agent: &cx.user_agent,
            operation: Some(cx.operation),
            unknown: "",
            caller: Some(cx.caller()),
            service: cx.service,
            claimed_key: cx.caller().access_key_id(),
            input: cx.input.get(),
        }
    }

    /// The record of the call.
    pub(crate) fn record(&self, outcome: Result<&Value, &Fault>, trail: &Trail) -> AuditRecord {
        let draft = self.draft(trail);
        match outcome {
            Ok(output) => draft.finish(Some(output)),
            Err(_) if trail.outcome_unknown => draft.unknown(),
            Err(fault) => draft.fail(fault),
        }
    }

    /// The record of the call but for its outcome.
    pub(crate) fn draft(&self, trail: &Trail) -> Draft {
        let name = self.operation.map_or(self.unknown, |o| o.name);
        let source = match self.operation.map(|operation| operation.service) {
            None => "signin",
            // CloudTrail knows S3's two APIs as one service.
            Some(service) if service.name == "s3control" => "s3",
            Some(service) => service.endpoint_prefix,
        };
        let read_only = is_read_only(name);
        let management = self.operation.is_none_or(|o| !is_data_event(o));
        let mut event = Map::new();
        let mut set = |key: &str, value: Json| {
            event.insert(key.to_owned(), value);
        };
        set("eventVersion", EVENT_VERSION.into());
        set("userIdentity", self.user_identity());
        set("eventTime", self.time.to_string().into());
        set("eventSource", format!("{source}.amazonaws.com").into());
        set("eventName", name.into());
        set("awsRegion", self.region.into());
        let address = self.service.map_or_else(|| self.peer.address.to_string(), str::to_owned);
        set("sourceIPAddress", address.into());
        set("userAgent", cut(self.user_agent).into());
        set("requestParameters", self.operation.map_or(Json::Null, |o| parameters(o, self.input, o.input)));
        set("responseElements", Json::Null);
        set("requestID", self.request_id.into());
        set("eventID", self.event_id.into());
        set("readOnly", read_only.into());
        set("eventType", "AwsApiCall".into());
        set("managementEvent", management.into());
        set("recipientAccountId", self.account.into());
        set("eventCategory", if management { "Management" } else { "Data" }.into());
        if !trail.additional.is_empty() {
            set("additionalEventData", Json::Object(trail.additional.clone()));
        }
        if let Some(tls) = &self.peer.tls {
            let (version, suite) = (tls.version.name(), &*tls.cipher_suite);
            set("tlsDetails", json!({ "tlsVersion": version, "cipherSuite": suite }));
        }
        if let Some(instance) = &self.peer.instance {
            set("vpcId", instance.vpc_id.clone().into());
        }
        let record = AuditRecord {
            sequence: 0,
            event_id: self.event_id.to_owned(),
            request_id: self.request_id.to_owned(),
            time: self.time,
            account: self.account.to_owned(),
            region: self.region.to_owned(),
            event_name: name.to_owned(),
            event_source: format!("{source}.amazonaws.com"),
            username: self.caller.map_or("", Caller::username).to_owned(),
            access_key_id: self.claimed_key.unwrap_or("").to_owned(),
            read_only,
            management,
            resources: trail.resources.iter().filter_map(|arn| resource_of(arn)).collect(),
            event: String::new(),
            explanation: trail.explanation(),
        };
        Draft { record, event, operation: self.operation }
    }

    /// `userIdentity`: who asked (CloudTrail user guide, "CloudTrail userIdentity element").
    fn user_identity(&self) -> Json {
        let Some(caller) = self.caller else {
            let mut unknown = json!({ "type": "Unknown", "principalId": "", "accountId": "" });
            if let (Some(key), Some(unknown)) = (self.claimed_key, unknown.as_object_mut()) {
                unknown.insert("accessKeyId".to_owned(), cut(key).into());
            }
            return unknown;
        };
        let mut who = Map::new();
        let mut set = |key: &str, value: Json| {
            who.insert(key.to_owned(), value);
        };
        match caller.kind() {
            CallerKind::Anonymous => {
                set("type", "AWSAccount".into());
                set("principalId", "".into());
                set("accountId", "ANONYMOUS_PRINCIPAL".into());
            }
            CallerKind::Service => {
                set("type", "AWSService".into());
                set("invokedBy", caller.arn().into());
            }
            CallerKind::Root(session) => {
                set("type", "Root".into());
                set("principalId", caller.user_id().into());
                set("arn", caller.arn().into());
                set("accountId", session.account.as_str().into());
                set("accessKeyId", caller.access_key_id().unwrap_or("").into());
            }
            CallerKind::User(identity, _) => {
                set("type", "IAMUser".into());
                set("principalId", caller.user_id().into());
                set("arn", caller.arn().into());
                if let Who::User(user) = &identity.who {
                    set("accountId", user.account.as_str().into());
                    set("userName", user.name.as_str().into());
                }
                set("accessKeyId", caller.access_key_id().unwrap_or("").into());
            }
            CallerKind::FederatedUser(..) => {
                set("type", "FederatedUser".into());
                set("principalId", caller.user_id().into());
                set("arn", caller.arn().into());
                set("accountId", caller.account().map_or(Json::Null, |a| a.as_str().into()));
                set("accessKeyId", caller.access_key_id().unwrap_or("").into());
            }
            CallerKind::Vouched(identity) => {
                let by_web = identity.by == VouchedBy::WebIdentity;
                set("type", if by_web { "WebIdentityUser" } else { "SAMLUser" }.into());
                set("principalId", identity.principal_id.as_str().into());
                set("userName", identity.user_name.as_str().into());
                set("identityProvider", identity.identity_provider.as_str().into());
            }
            CallerKind::Role(identity, _) => {
                set("type", "AssumedRole".into());
                set("principalId", caller.user_id().into());
                set("arn", caller.arn().into());
                if let Who::Role(role) = &identity.who {
                    set("accountId", role.account.as_str().into());
                }
                set("accessKeyId", caller.access_key_id().unwrap_or("").into());
            }
        }
        if let Some(context) = session_context(caller) {
            set("sessionContext", context);
        }
        if let Some(service) = self.service {
            set("invokedBy", service.into());
        }
        Json::Object(who)
    }
}

/// The account that a call is recorded in.
fn account_of(cx: &Cx) -> &str {
    match cx.caller().kind() {
        CallerKind::Vouched(identity) => identity.account.as_str(),
        _ => cx.caller().principal().account().map_or(cx.state.account.as_str(), |a| a.as_str()),
    }
}

fn session_context(caller: &Caller) -> Option<Json> {
    let session = caller.session()?;
    let mut context = Map::new();
    if let (SessionPrincipal::FederatedUser { .. }, Some(Who::User(user))) =
        (&session.principal, caller.identity().map(|i| &i.who))
    {
        context.insert(
            "sessionIssuer".to_owned(),
            json!({
                "type": "IAMUser",
                "principalId": user.id,
                "arn": user.arn(),
                "accountId": user.account.as_str(),
                "userName": user.name,
            }),
        );
    }
    if let (SessionPrincipal::AssumedRole { .. }, Some(Who::Role(role))) =
        (&session.principal, caller.identity().map(|i| &i.who))
    {
        context.insert(
            "sessionIssuer".to_owned(),
            json!({
                "type": "Role",
                "principalId": role.id,
                "arn": role.arn(),
                "accountId": role.account.as_str(),
                "userName": role.name,
            }),
        );
    }
    context.insert(
        "attributes".to_owned(),
        json!({ "creationDate": session.issued.to_string(), "mfaAuthenticated": session.mfa.is_some().to_string() }),
    );
    if matches!(session.principal, SessionPrincipal::Root { .. }) {
        context.insert("assumedRoot".to_owned(), "true".into());
    }
    if let Some(federation) = session.federation.as_ref().filter(|f| f.provider.contains(":oidc-provider/")) {
        let data = json!({ "federatedProvider": federation.provider, "attributes": {} });
        context.insert("webIdFederationData".to_owned(), data);
    }
    if let Some(identity) = &session.source_identity {
        context.insert("sourceIdentity".to_owned(), identity.clone().into());
    }
    if let Some(instance) = &session.instance {
        context.insert("ec2RoleDelivery".to_owned(), instance.role_delivery.clone().into());
    }
    Some(Json::Object(context))
}

/// The record of EC2 assuming a role for an instance, as CloudTrail has it.
#[must_use]
pub fn assumed_by_ec2(
    state: &State,
    role: &Role,
    instance: &Instance,
    credentials: &Credentials,
) -> AuditRecord {
    let given = Some((credentials.access_key_id.as_str(), credentials.expires));
    assumed(state, role, &Asking::for_instance(instance, &instance.arn()), given)
}

/// The record of a service assuming a role, as CloudTrail has it: with the access key and its end, or refused.
pub(crate) fn assumed(
    state: &State,
    role: &Role,
    asking: &Asking<'_>,
    given: Option<(&str, Timestamp)>,
) -> AuditRecord {
    let ids = Ids::new(random(&*state.entropy));
    let now = state.clock.now();
    let (event_id, request_id) = (ids.uuid_of(now), ids.uuid_of(now));
    let Asking { service, session_name, region, .. } = *asking;
    let mut event = json!({
        "eventVersion": EVENT_VERSION,
        "userIdentity": { "type": "AWSService", "invokedBy": service },
        "eventTime": now.to_string(),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": region,
        "sourceIPAddress": service,
        "userAgent": service,
        "requestParameters": { "roleArn": role.arn(), "roleSessionName": session_name },
        "responseElements": given.map(|(access_key_id, expires)| json!({
            "credentials": {
                "accessKeyId": access_key_id,
                "sessionToken": HIDDEN,
                "expiration": expires.to_string(),
            },
            "assumedRoleUser": {
                "assumedRoleId": format!("{}:{session_name}", role.id),
                "arn": role.session_arn(session_name),
            },
        })),
        "requestID": request_id,
        "eventID": event_id,
        "readOnly": true,
        "resources": [{ "accountId": role.account.as_str(), "type": "AWS::IAM::Role", "ARN": role.arn() }],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": role.account.as_str(),
        "eventCategory": "Management",
    });
    if let (None, Some(event)) = (given, event.as_object_mut()) {
        event.insert("errorCode".to_owned(), "AccessDenied".into());
        let words = format!("{service} is not authorized to assume the role");
        event.insert("errorMessage".to_owned(), words.into());
    }
    AuditRecord {
        sequence: 0,
        event_id,
        request_id,
        time: now,
        account: role.account.to_string(),
        region: region.to_owned(),
        event_name: "AssumeRole".to_owned(),
        event_source: "sts.amazonaws.com".to_owned(),
        username: String::new(),
        access_key_id: String::new(),
        read_only: true,
        management: true,
        resources: vec![("AWS::IAM::Role".to_owned(), role.name.clone())],
        event: event.to_string(),
        explanation: None,
    }
}

/// EC2's codes carry who is at fault.
fn error_code(operation: Option<&'static Operation>, fault: &Fault) -> String {
    match operation {
        Some(o) if o.service.name == "ec2" => {
            format!("{}.{}", if fault.is_senders() { "Client" } else { "Server" }, fault.code)
        }
        _ => fault.code.clone().into_owned(),
    }
}

/// Whether CloudTrail calls the event read-only: by the verb, as AWS's own records show.
#[must_use]
pub fn is_read_only(operation: &str) -> bool {
    const VERBS: &[&str] = &[
        "Get", "List", "Describe", "Head", "Lookup", "Search", "Check", "Validate", "Simulate", "Decode",
        "Assume",
    ];
    VERBS.iter().any(|verb| operation.starts_with(verb))
}

/// Whether it is a data event: what is done to objects, not to buckets.
fn is_data_event(operation: &Operation) -> bool {
    operation.service.name == "s3"
        && (operation.http.path.contains("{Key+}")
            || matches!(
                operation.name,
                "DeleteObjects"
                    | "ListObjects"
                    | "ListObjectsV2"
                    | "ListObjectVersions"
                    | "HeadBucket"
                    | "ListMultipartUploads"
            ))
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// What the model does not mark and proves somebody all the same.
const SECRETS: [&str; 4] = ["SessionToken", "TokenCode", "AuthenticationCode1", "AuthenticationCode2"];

/// A message as CloudTrail writes it: the model's names with a small first letter, without what is sensitive.
fn parameters(operation: &Operation, value: Option<&Value>, shape: &'static Structure) -> Json {
    let Some(value) = value else { return Json::Null };
    match print(value, &Kind::Structure(shape), operation.service.name == "s3") {
        Json::Object(object) if object.is_empty() => Json::Null,
        json => json,
    }
}

fn print(value: &Value, kind: &Kind, s3: bool) -> Json {
    match (value, kind) {
        (Value::Structure(_), Kind::Structure(shape)) if shape.sensitive => HIDDEN.into(),
        (Value::Structure(fields), Kind::Structure(shape)) => {
            let mut object = Map::new();
            for (index, value) in fields.iter() {
                let Some(member) = shape.member(index) else { continue };
                if member.location == Location::Headers || member.streaming {
                    continue;
                }
                let json = if member.sensitive || SECRETS.contains(&member.name) {
                    HIDDEN.into()
                } else {
                    print(value, &member.kind, s3)
                };
                object.insert(small(member.name, s3), json);
            }
            Json::Object(object)
        }
        (Value::List(items), Kind::List(list)) => {
            items.iter().take(1000).map(|i| print(i, &list.item, s3)).collect()
        }
        (Value::Map(entries), Kind::Map(map)) => {
            Json::Object(entries.iter().map(|(k, v)| (cut(k), print(v, &map.value, s3))).collect())
        }
        (Value::String(_), Kind::String(text)) if text.sensitive => HIDDEN.into(),
        (Value::String(s), _) => cut(s).into(),
        (Value::Integer(i), _) => (*i).into(),
        (Value::Double(f), _) => (*f).into(),
        (Value::Boolean(b), _) => (*b).into(),
        (Value::Timestamp(t), _) => t.to_string().into(),
        (Value::Blob(_), _) => HIDDEN.into(),
        _ => Json::Null,
    }
}

fn small(name: &str, s3: bool) -> String {
    if s3 && name == "Bucket" {
        return "bucketName".to_owned();
    }
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

/// A resource as `LookupEvents` lists it: type and name.
fn resource_of(arn: &str) -> Option<(String, String)> {
    let mut parts = arn.splitn(6, ':');
    let (service, resource) = (parts.nth(2)?, parts.nth(2)?);
    let (kind, name) = resource.split_once(['/', ':']).unwrap_or(("", resource));
    let last = name.rsplit('/').next().unwrap_or(name).to_owned();
    let kind = match (service, kind) {
        ("iam", "role") => "AWS::IAM::Role",
        ("iam", "user") => "AWS::IAM::User",
        ("iam", "group") => "AWS::IAM::Group",
        ("iam", "policy") => return Some(("AWS::IAM::Policy".to_owned(), arn.to_owned())),
        ("iam", "instance-profile") => "AWS::IAM::InstanceProfile",
        ("ec2", "instance") => "AWS::EC2::Instance",
        ("ec2", "security-group") => "AWS::EC2::SecurityGroup",
        ("ec2", "subnet") => "AWS::EC2::Subnet",
        ("ec2", "vpc") => "AWS::EC2::VPC",
        ("ec2", "volume") => "AWS::EC2::Volume",
        ("ec2", "key-pair") => "AWS::EC2::KeyPair",
        ("ec2", "image") => "AWS::EC2::Ami",
        ("ec2", "network-interface") => "AWS::EC2::NetworkInterface",
        ("ec2", "internet-gateway") => "AWS::EC2::InternetGateway",
        ("ec2", "route-table") => "AWS::EC2::RouteTable",
        ("s3", "accesspoint") => {
            let whole = arn.split_once("/object/").map_or(arn, |(access_point, _)| access_point);
            return Some(("AWS::S3::AccessPoint".to_owned(), whole.to_owned()));
        }
        ("s3", _) => {
            let bucket = resource.split('/').next().unwrap_or(resource);
            return Some(("AWS::S3::Bucket".to_owned(), bucket.to_owned()));
        }
        _ => return None,
    };
    if last.is_empty() || last == "*" { None } else { Some((kind.to_owned(), last)) }
}
