//! The examples of AWS's documentation (`data/examples.json`): what is there before, what is asked, and that the answer has
//! what is documented. The documentation leaves members out, makes ids up and lists in no order: each documented member has to
//! be there, ids of the same kind are the same, and lists are compared without regard to order.

use daypass_core::store::records::Account;
use daypass_core::store::{Read as _, StoreError, TransactError};
use daypass_core::testing::{Client, TestServer, account};
use serde_json::{Value, json};

use crate::support::{Organization, SCP, ok, text};

/// What is not compared, and why.
const ELSEWHERE: [(&str, &str); 14] = [
    ("AcceptHandshake", "names the party by its address and the resource by its number: handshakes.rs"),
    ("CancelHandshake", "names the party by its address and the resource by its number: handshakes.rs"),
    (
        "CreatePolicy",
        "gives and shows different descriptions, and a document with escaped quotes: policies.rs",
    ),
    ("DescribePolicy", "shows a document with escaped quotes: policies.rs"),
    ("UpdatePolicy", "gives a document with escaped quotes: policies.rs"),
    ("ListPolicies", "shows documents' descriptions cut off in between: policies.rs"),
    ("ListPoliciesForTarget", "shows a target without the policy that every target has: policies.rs"),
    ("ListTargetsForPolicy", "shows one account of three, with a stray semicolon: policies.rs"),
    ("ListAccounts", "shows accounts that were invited with addresses of their own: accounts.rs"),
    ("ListAccountsForParent", "shows accounts that were invited with addresses of their own: accounts.rs"),
    ("ListHandshakesForAccount", "shows a feature set `FULL`: handshakes.rs"),
    ("ListHandshakesForOrganization", "shows a feature set `FULL`: handshakes.rs"),
    ("InviteAccountToOrganization", "shows a feature set `FULL`: handshakes.rs"),
    ("DeclineHandshake", "shows parties in another form: handshakes.rs"),
];

const INVITED: &str = "444455556666";

struct Example {
    operation: String,
    input: Value,
    output: Value,
}

fn examples() -> Vec<Example> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../data/examples.json")).unwrap();
    let example = |one: &Value| Example {
        operation: one["operation"].as_str().unwrap().to_owned(),
        input: one["input"].clone(),
        output: one["output"].clone(),
    };
    all.iter().map(example).collect()
}

/// A server whose account is Bill's.
async fn bill(name: &str, email: &str) -> TestServer {
    let server = TestServer::new(daypass_organizations::OPERATIONS.iter().copied()).await;
    let put = server.gate.state().store.transact(|tx| {
        let own: Account = tx.get(&Account::key_of(&account()))?.unwrap();
        tx.put(&Account { name: Some(name.to_owned()), email: Some(email.to_owned()), ..own })
    });
    let put: Result<(), TransactError<StoreError>> = put.await;
    put.unwrap();
    server
}

/// What is there: a unit, an account made and one invited, a policy.
struct Place {
    org: Organization,
    unit: String,
    account: String,
    policy: String,
    /// Of the account that was made.
    member: Client,
    /// Of the account that was invited.
    invited: Client,
    /// The invitation.
    handshake: String,
    /// How the account was made.
    creation: String,
}

impl Place {
    async fn for_example(operation: &str, output: &Value) -> Self {
        let handshake = &output["Handshake"];
        let shown = |kind: &str| {
            let details = handshake["Resources"][0]["Resources"].as_array().into_iter().flatten();
            let found =
                details.filter(|detail| detail["Type"] == kind).find_map(|detail| detail["Value"].as_str());
            found.map(str::to_owned)
        };
        let name = shown("MASTER_NAME").unwrap_or_else(|| "Master Account".to_owned());
        let email = shown("MASTER_EMAIL").unwrap_or_else(|| "bill@example.com".to_owned());
        let billing = operation == "EnableAllFeatures"
            || shown("ORGANIZATION_FEATURE_SET").is_some_and(|set| set == "CONSOLIDATED_BILLING");
        let features = if billing { "CONSOLIDATED_BILLING" } else { "ALL" };
        let org = Organization::on(bill(&name, &email).await, features).await;
        if !billing && operation != "EnablePolicyType" {
            org.enable(SCP).await;
        }
        let unit = match operation {
            "ListOrganizationalUnitsForParent" => "Development",
            "DescribeOrganizationalUnit" => "Accounting Group",
            _ => "Accounting",
        };
        let unit = org.unit(&org.root, unit).await;
        let name = if operation == "DescribeAccount" { "Beta Account" } else { "Developer Test Account" };
        let made = json!({ "AccountName": name, "Email": "anika@example.com" });
        let made = org.ok("CreateAccount", made).await;
        let creation = text(&made, "/CreateAccountStatus/Id");
        let done = json!({ "CreateAccountRequestId": creation });
        let account =
            text(&org.ok("DescribeCreateAccountStatus", done).await, "/CreateAccountStatus/AccountId");
        let member = org.user(&account.parse().unwrap(), "member").await;
        let invited = org.user(&INVITED.parse().unwrap(), "invited").await;
        let parties = handshake["Parties"].as_array().into_iter().flatten();
        let by_number = parties.filter(|party| party["Type"] == "ACCOUNT").count() > 0;
        let address = json!({ "Id": format!("root@{INVITED}.daypass.internal"), "Type": "EMAIL" });
        let target = if by_number { json!({ "Id": INVITED, "Type": "ACCOUNT" }) } else { address };
        let mut invite = json!({ "Target": target });
        let mut resources = handshake["Resources"].as_array().into_iter().flatten();
        if let Some(notes) = resources.find(|resource| resource["Type"] == "NOTES") {
            invite["Notes"] = notes["Value"].clone();
        }
        let handshake = text(&org.ok("InviteAccountToOrganization", invite).await, "/Handshake/Id");
        let policy = match billing {
            true => String::new(),
            false => {
                org.policy(SCP, "AllowAllS3Actions", r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#)
                    .await
            }
        };
        Self { org, unit, account, policy, member, invited, handshake, creation }
    }

    /// What more is there before some.
    async fn furnish(&self, operation: &str) {
        let under = json!({ "AccountId": self.account, "SourceParentId": self.org.root, "DestinationParentId": self.unit });
        match operation {
            "DeletePolicy" | "AttachPolicy" => {}
            "DetachPolicy" => self.org.attach(&self.policy, &self.unit).await,
            "ListChildren" => {
                self.org.unit(&self.unit, "one").await;
                self.org.unit(&self.unit, "two").await;
            }
            "ListOrganizationalUnitsForParent" => {
                self.org.unit(&self.org.root, "Production").await;
            }
            "ListParents" => {
                self.org.ok("MoveAccount", under).await;
            }
            "EnableAllFeatures" => {
                // Who was invited has to agree.
                ok(&self.invited, "AcceptHandshake", json!({ "HandshakeId": self.handshake })).await;
            }
            _ => {}
        }
    }

    /// The input with the ids of what is there.
    fn input(&self, input: &Value) -> Value {
        let mut input = input.clone();
        for (name, value) in input.as_object_mut().into_iter().flatten() {
            let Some(example) = value.as_str() else { continue };
            let own = match example.split('-').next().unwrap() {
                "r" => &self.org.root,
                "ou" => &self.unit,
                "p" => &self.policy,
                "h" => &self.handshake,
                "car" => &self.creation,
                _ if name.ends_with("Id") => &self.account,
                _ => continue,
            };
            *value = json!(own);
        }
        input
    }

    fn caller(&self, operation: &str) -> &Client {
        match operation {
            "LeaveOrganization" => &self.member,
            "AcceptHandshake" => &self.invited,
            _ => &self.org.management,
        }
    }
}

/// The value with what is made up in it put aside.
fn general(name: &str, value: &Value) -> Value {
    match value {
        // An organization is a party by its id without the prefix (recorded answers).
        Value::Object(members)
            if members.get("Type") == Some(&json!("ORGANIZATION")) && members.len() == 2 =>
        {
            json!("the organization")
        }
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), general(name, value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| general(name, item)).collect(),
        Value::String(text) if !name.ends_with("Timestamp") => json!(of_kind(text)),
        _ if name.ends_with("Timestamp") => json!("time"),
        other => other.clone(),
    }
}

/// A text with the ids in it reduced to their kinds.
fn of_kind(text: &str) -> String {
    let kind = |part: &str| match part.split('-').next() {
        Some(kind @ ("o" | "r" | "ou" | "h" | "car")) if part.contains('-') => kind.to_owned(),
        Some("p") if part.contains("example") || part.len() == 10 => "p".to_owned(),
        _ if part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()) => "account".to_owned(),
        _ => part.to_owned(),
    };
    let parts = text.split(':').map(|part| part.split('/').map(kind).collect::<Vec<_>>().join("/"));
    let text = parts.collect::<Vec<_>>().join(":");
    // The address of the account that is invited.
    if ["juan@example.com", "susan@example.com"].contains(&text.as_str()) || text.contains("daypass.internal")
    {
        return "invited".to_owned();
    }
    text
}

/// Whether all that is documented is there.
fn has(answer: &Value, documented: &Value) -> bool {
    match (answer, documented) {
        (Value::Object(answer), Value::Object(documented)) => {
            documented.iter().all(|(name, value)| answer.get(name).is_some_and(|answer| has(answer, value)))
        }
        (Value::Array(answer), Value::Array(documented)) => {
            // Of what a handshake is about some examples leave out more.
            let details = documented.iter().all(|value| value.get("Value").is_some());
            (details || answer.len() == documented.len())
                && documented.iter().all(|value| answer.iter().any(|answer| has(answer, value)))
        }
        // Nothing is documented as no answer at all.
        (Value::Object(answer), Value::Null) => answer.is_empty(),
        (answer, documented) => answer == documented,
    }
}

#[tokio::test]
async fn the_documented_examples_are_answered_as_documented() {
    let (mut compared, mut different) = (0, vec![]);
    for Example { operation, input, output } in examples() {
        let in_progress = input["States"] == json!(["IN_PROGRESS"]);
        if in_progress || ELSEWHERE.iter().any(|(known, _)| *known == operation) {
            continue;
        }
        let answer = if operation == "CreateOrganization" {
            let server = bill("Master Account", "bill@example.com").await;
            ok(&server.administrator().await, &operation, input).await
        } else {
            let place = Place::for_example(&operation, &output).await;
            place.furnish(&operation).await;
            ok(place.caller(&operation), &operation, place.input(&input)).await
        };
        let (answer, documented) = (general("", &answer), general("", &output));
        if !has(&answer, &documented) {
            different.push(format!("{operation}: {answer} has not {documented}"));
        }
        compared += 1;
    }
    assert!(different.is_empty(), "{different:#?}");
    assert_eq!(compared, 26);
}
