//! Audit records, as CloudTrail writes them. They are made from the same value and the same table as the answer is; no
//! operation writes its own.

mod bounds;
mod event;

use daypass_model::{Operation, Timestamp, Value};
use daypass_policy::JsonWriter;
use daypass_store::AuditRecord;
use daypass_store::records::{Instance, Role};
use daypass_wire::Fault;
use serde_json::json;

use self::bounds::within_bounds;
use crate::assume::Asking;
use crate::caller::{Caller, CallerKind};
use crate::cx::{Cx, Peer, Trail};
use crate::ids::Ids;
use crate::session::Credentials;
use crate::state::State;
use crate::surroundings::random;

/// CloudTrail's version of its records.
const EVENT_VERSION: &str = "1.11";
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
    /// Its event is that of a call without an outcome.
    record: AuditRecord,
    operation: Option<&'static Operation>,
}

impl Draft {
    /// The record of a success.
    pub(crate) fn finish(self, output: Option<&Value>) -> AuditRecord {
        let read_only = self.record.read_only;
        let operation = self.operation;
        self.end(|event| {
            event.key("responseElements");
            match (output, operation) {
                // Of what changes nothing, only sessions that were handed out are told.
                (Some(output), Some(operation))
                    if !read_only || operation.output.index("Credentials").is_some() =>
                {
                    event::parameters(event, operation, Some(output), operation.output);
                }
                _ => event.verbatim("null"),
            }
        })
    }

    /// The record of a refusal or a failure.
    fn fail(self, fault: &Fault) -> AuditRecord {
        let code = error_code(self.operation, fault);
        self.refused(&code, &fault.message)
    }

    /// The record of a change whose outcome nobody learned: another store was asked for it and did not answer.
    pub(crate) fn unknown(self) -> AuditRecord {
        let words = "The store that keeps the bucket did not say whether it was done.";
        self.refused("OutcomeUnknown", words)
    }

    fn refused(self, code: &str, message: &str) -> AuditRecord {
        self.end(|event| {
            event.key("responseElements").verbatim("null");
            event.key("errorCode").text(event::brief(code));
            event.key("errorMessage").text(event::brief(message));
        })
    }

    /// The record with the members of its outcome, and no longer than it may be.
    fn end(self, outcome: impl FnOnce(&mut JsonWriter)) -> AuditRecord {
        let mut record = self.record;
        let mut end = JsonWriter::default();
        end.object(outcome);
        let end = end.finish();
        // One object of two: neither is empty.
        record.event.pop();
        record.event.push(',');
        record.event.push_str(end.strip_prefix('{').unwrap_or(&end));
        within_bounds(record)
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
        let source = match self.operation.map(|operation| operation.service) {
            None => "signin",
            // CloudTrail knows S3's two APIs as one service.
            Some(service) if service.name == "s3control" => "s3",
            Some(service) => service.endpoint_prefix,
        };
        let name = self.operation.map_or(self.unknown, |o| o.name);
        let record = AuditRecord {
            sequence: 0,
            event_id: self.event_id.to_owned(),
            request_id: self.request_id.to_owned(),
            time: self.time,
            account: self.account.to_owned(),
            region: self.region.to_owned(),
            event_name: name.to_owned(),
            event_source: [source, ".amazonaws.com"].concat(),
            username: self.caller.map_or("", Caller::username).to_owned(),
            access_key_id: self.claimed_key.unwrap_or("").to_owned(),
            read_only: is_read_only(name),
            management: self.operation.is_none_or(|o| !is_data_event(o)),
            resources: trail.resources.iter().filter_map(|arn| resource_of(arn)).collect(),
            event: String::new(),
            explanation: trail.explanation(),
        };
        let event = event::without_outcome(self, &record, trail);
        Draft { record: AuditRecord { event, ..record }, operation: self.operation }
    }
}

/// The account that a call is recorded in.
fn account_of(cx: &Cx) -> &str {
    match cx.caller().kind() {
        CallerKind::Vouched(identity) => identity.account.as_str(),
        _ => cx.caller().principal().account().map_or(cx.state.account.as_str(), |a| a.as_str()),
    }
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

#[cfg(test)]
mod tests;
