//! Grants: what a principal may do with a key beside the key's policy (KMS developer guide, "Grants in AWS KMS").

use std::collections::BTreeMap;

use daypass_model::Timestamp;
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

/// All grants of a key as a policy; `None` if there are none.
pub(super) fn document(grants: &[Grant]) -> Option<String> {
    let statements: Vec<Value> = grants.iter().map(statement).collect();
    // The version without variables: what stands in a constraint is text.
    (!statements.is_empty()).then(|| json!({"Version": "2008-10-17", "Statement": statements}).to_string())
}

fn statement(grant: &Grant) -> Value {
    let actions: Vec<String> = grant.operations.iter().map(|operation| format!("kms:{operation}")).collect();
    let mut statement = json!({
        "Sid": grant.id,
        "Effect": "Allow",
        "Principal": {"AWS": grant.grantee},
        "Action": actions,
        "Resource": "*",
    });
    if let (Some(constraint), Some(statement)) = (&grant.constraint, statement.as_object_mut()) {
        statement.insert("Condition".to_owned(), condition(constraint));
    }
    statement
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
        Constraint::Equals(context) => {
            let keys: Vec<&String> = context.keys().collect();
            json!({
                "StringEquals": equal,
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": keys},
            })
        }
    }
}
