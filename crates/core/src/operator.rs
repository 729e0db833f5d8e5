//! What the operator of the server does by its own commands, in the audit log beside what clients ask for.

use daypass_model::AccountId;
use daypass_store::AuditRecord;
use serde_json::{Value, json};

use crate::ids::Ids;
use crate::state::State;

/// What is told of errors, in characters.
const MAX_TEXT: usize = 1024;

/// Something that the operator did, or tried to do.
pub struct Operated<'a> {
    /// The account that it concerns.
    pub account: &'a AccountId,
    /// The operator, as this machine knows them.
    pub by: &'a str,
    /// What was done, as `AttachBucket`.
    pub what: &'static str,
    /// The resource: its type, as AWS names it, and its name.
    pub resource: (&'static str, &'a str),
    /// How, without secrets.
    pub parameters: Value,
}

impl Operated<'_> {
    /// The record of it, in the form of CloudTrail's (CloudTrail user guide, "CloudTrail record contents"); with what it failed
    /// with, if it did.
    #[must_use]
    pub fn record(&self, state: &State, failure: Option<&str>) -> AuditRecord {
        let ids = Ids::drawn(&*state.entropy);
        let now = state.clock.now();
        let (event_id, request_id) = (ids.uuid_of(now), ids.uuid_of(now));
        let (kind, name) = self.resource;
        let mut event = json!({
            "eventVersion": "1.11",
            "userIdentity": { "type": "Unknown", "principalId": self.by, "accountId": self.account.as_str() },
            "eventTime": now.to_string(),
            "eventSource": "daypass",
            "eventName": self.what,
            "awsRegion": state.region,
            "sourceIPAddress": "daypass",
            "userAgent": "daypass",
            "requestParameters": self.parameters,
            "responseElements": Value::Null,
            "requestID": request_id,
            "eventID": event_id,
            "readOnly": false,
            "resources": [{ "accountId": self.account.as_str(), "type": kind, "resourceName": name }],
            "eventType": "AwsServiceEvent",
            "managementEvent": true,
            "recipientAccountId": self.account.as_str(),
            "eventCategory": "Management",
        });
        if let (Some(failure), Some(event)) = (failure, event.as_object_mut()) {
            let text: String = failure.chars().take(MAX_TEXT).collect();
            event.insert("errorCode".to_owned(), "Failed".into());
            event.insert("errorMessage".to_owned(), text.into());
        }
        AuditRecord {
            event_id,
            request_id,
            time: now,
            account: self.account.to_string(),
            region: state.region.clone(),
            event_name: self.what.to_owned(),
            event_source: "daypass".to_owned(),
            username: self.by.to_owned(),
            read_only: false,
            management: true,
            resources: vec![(kind.to_owned(), name.to_owned())],
            event: event.to_string(),
            ..AuditRecord::default()
        }
    }
}
