//! Grants: what a principal may do with a key beside the key's policy (KMS developer guide, "Grants in AWS KMS").

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_model::Timestamp;
use daypass_policy::{Document, DocumentKind, Policy, PolicySource};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name, if it has one.
    #[serde(default)]
    pub name: Option<String>,
    /// Who may: a principal of IAM as its unique id.
    pub grantee: String,
    /// Who may end it, likewise.
    #[serde(default)]
    pub retiring: Option<String>,
    /// What, as the API names operations.
    pub operations: Vec<String>,
    /// Under which encryption contexts, if not all.
    #[serde(default)]
    pub constraint: Option<Constraint>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it: an account's root ARN.
    pub issuer: String,
}

/// Which encryption contexts a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Constraint {
    /// This one.
    Equals(BTreeMap<String, String>),
    /// Those that have all of this.
    Subset(BTreeMap<String, String>),
}

/// What has no encryption context, and so is granted whatever the constraint (KMS API reference, GrantConstraints).
const WITHOUT_CONTEXT: &[&str] = &["DescribeKey", "RetireGrant"];

impl Grant {
    /// It as a policy of its own. One that can be none grants nothing: of a text that does not read, it could not be told
    /// that it only ever allows.
    #[must_use]
    pub fn policy(&self, key_id: &str) -> Option<Arc<Policy>> {
        let without_context = |operation: &&String| WITHOUT_CONTEXT.contains(&operation.as_str());
        let constrained: Vec<&String> = match self.constraint {
            Some(_) => self.operations.iter().filter(|operation| !without_context(operation)).collect(),
            None => vec![],
        };
        let free: Vec<&String> =
            self.operations.iter().filter(|operation| !constrained.contains(operation)).collect();
        let mut statements: Vec<Value> = vec![];
        statements.extend((!free.is_empty()).then(|| self.statement(&free, json!({}))));
        let condition = self.constraint.as_ref().map(condition).filter(|_| !constrained.is_empty());
        statements.extend(condition.map(|condition| self.statement(&constrained, condition)));
        // The version without variables: what stands in a constraint is text.
        let text = json!({"Version": "2008-10-17", "Statement": statements}).to_string();
        let document = Document::parse(DocumentKind::Resource, &text).ok()?;
        Some(Policy::compile(PolicySource::named(format!("grant {} of key {key_id}", self.id)), document))
    }

    fn statement(&self, operations: &[&String], condition: Value) -> Value {
        let actions: Vec<String> = operations.iter().map(|operation| format!("kms:{operation}")).collect();
        json!({
            "Effect": "Allow",
            "Principal": {"AWS": self.grantee},
            "Action": actions,
            "Resource": "*",
            "Condition": condition,
        })
    }
}

fn condition(constraint: &Constraint) -> Value {
    let (Constraint::Equals(context) | Constraint::Subset(context)) = constraint;
    let equal: Map<String, Value> = context
        .iter()
        .map(|(key, value)| (format!("kms:EncryptionContext:{key}"), Value::from(value.as_str())))
        .collect();
    match constraint {
        Constraint::Subset(context) if context.is_empty() => json!({}),
        Constraint::Subset(_) => json!({"StringEquals": equal}),
        // Under none at all.
        Constraint::Equals(context) if context.is_empty() => {
            json!({"Null": {"kms:EncryptionContextKeys": "true"}})
        }
        // Names have no case in a constraint, values do (KMS API reference, GrantConstraints).
        Constraint::Equals(context) => {
            let keys: Vec<&String> = context.keys().collect();
            json!({
                "StringEquals": equal,
                "ForAllValues:StringEqualsIgnoreCase": {"kms:EncryptionContextKeys": keys},
            })
        }
    }
}
