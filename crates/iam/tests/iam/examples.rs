//! The examples of AWS's documentation (`data/examples.json`): what is there before, what is asked, and that the answer is the
//! documented one. Ids, dates and what the documentation leaves open (`<…>`) have to be there; lists are compared without
//! regard to order, in which the documentation has none.

use daypass_core::testing::Client;
use serde_json::{Map, Value, json};

use crate::answers::{read, send};
use crate::identity_providers::THUMBPRINT;
use crate::support::{Account, DOCUMENT, SERVER_CERTIFICATE, TRUST, allow};

/// What is not compared, and why.
const ELSEWHERE: [(&str, &str); 6] = [
    ("GetAccountPasswordPolicy", "tells a greatest age of passwords, and that they do not expire"),
    ("GetAccountSummary", "tells quotas of another year"),
    ("GetOrganizationsAccessReport", "needs uses in several accounts: organizations_access_report.rs"),
    ("GetServiceLastAccessedDetails", "needs uses by several users: last_accessed.rs"),
    ("GetServiceLastAccessedDetailsWithEntities", "needs uses by several users: last_accessed.rs"),
    ("ListGroups", "shows an ARN without the path beside it"),
];

/// What is not compared in the examples of these operations: what answers have beside it, and uses that no request makes.
const BESIDE: [(&str, &str); 4] = [
    ("GetInstanceProfile", "Tags"),
    ("GetLoginProfile", "PasswordResetRequired"),
    ("GetRole", "RoleLastUsed"),
    ("ListUsers", "PasswordLastUsed"),
];
/// Answers of every list say whether there is more; most examples do not.
const TRUNCATED: &str = "IsTruncated";

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

fn user(name: &str) -> (&'static str, Value) {
    ("CreateUser", json!({ "UserName": name }))
}

fn group(name: &str) -> (&'static str, Value) {
    ("CreateGroup", json!({ "GroupName": name }))
}

fn role(name: &str) -> (&'static str, Value) {
    ("CreateRole", json!({ "RoleName": name, "AssumeRolePolicyDocument": TRUST }))
}

fn profile(name: &str) -> (&'static str, Value) {
    ("CreateInstanceProfile", json!({ "InstanceProfileName": name }))
}

fn policy(kind: &'static str, name: &str, policy: &str) -> (&'static str, Value) {
    let handle = format!("{}Name", kind.trim_start_matches("Put").trim_end_matches("Policy"));
    (kind, json!({ handle: name, "PolicyName": policy, "PolicyDocument": DOCUMENT }))
}

fn password(name: &str) -> (&'static str, Value) {
    ("CreateLoginProfile", json!({ "UserName": name, "Password": "3s0K_;xh4~8XXI" }))
}

fn certificate(name: &str) -> (&'static str, Value) {
    ("UploadSigningCertificate", json!({ "UserName": name, "CertificateBody": SERVER_CERTIFICATE }))
}

fn key(name: &str) -> (&'static str, Value) {
    ("CreateAccessKey", json!({ "UserName": name }))
}

fn tags() -> Value {
    json!([{ "Key": "Dept", "Value": "12345" }, { "Key": "Team", "Value": "Accounting" }])
}

/// What is there before an example.
fn before(operation: &str) -> Vec<(&'static str, Value)> {
    match operation {
        "AddClientIDToOpenIDConnectProvider" => {
            let provider = json!({ "Url": "https://server.example.com", "ThumbprintList": [THUMBPRINT] });
            vec![("CreateOpenIDConnectProvider", provider)]
        }
        "AddRoleToInstanceProfile" => vec![profile("Webserver"), role("S3Access")],
        "AddUserToGroup" => vec![group("Admins"), user("Bob")],
        "AttachGroupPolicy" => vec![group("Finance")],
        "AttachRolePolicy" => vec![role("ReadOnlyRole")],
        "AttachUserPolicy" => vec![user("Alice")],
        "ChangePassword" => vec![password("Bob")],
        "CreateAccessKey"
        | "CreateLoginProfile"
        | "DeleteUser"
        | "GetUser"
        | "PutUserPolicy"
        | "UpdateUser"
        | "UploadSigningCertificate" => vec![user("Bob")],
        "DeleteAccessKey" | "UpdateAccessKey" => vec![user("Bob"), key("Bob")],
        "DeleteAccountAlias" => vec![("CreateAccountAlias", json!({ "AccountAlias": "mycompany" }))],
        "DeleteAccountPasswordPolicy" => vec![("UpdateAccountPasswordPolicy", json!({}))],
        "DeleteGroupPolicy" => vec![group("Admins"), policy("PutGroupPolicy", "Admins", "ExamplePolicy")],
        "DeleteInstanceProfile" => vec![profile("ExampleInstanceProfile")],
        "DeleteLoginProfile" | "UpdateLoginProfile" => vec![user("Bob"), password("Bob")],
        "DeleteRole" => vec![role("Test-Role")],
        "DeleteRolePolicy" => vec![role("Test-Role"), policy("PutRolePolicy", "Test-Role", "ExamplePolicy")],
        "DeleteSigningCertificate" => vec![user("Anika"), certificate("Anika")],
        "DeleteUserPolicy" => vec![user("Juan"), policy("PutUserPolicy", "Juan", "ExamplePolicy")],
        "DeleteVirtualMFADevice" => {
            vec![("CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": "ExampleName" }))]
        }
        "GenerateServiceLastAccessedDetails" => {
            vec![("CreatePolicy", json!({ "PolicyName": "ExamplePolicy1", "PolicyDocument": DOCUMENT }))]
        }
        "GetInstanceProfile" | "RemoveRoleFromInstanceProfile" => {
            let both = json!({ "InstanceProfileName": "ExampleInstanceProfile", "RoleName": "Test-Role" });
            vec![profile("ExampleInstanceProfile"), role("Test-Role"), ("AddRoleToInstanceProfile", both)]
        }
        "GetLoginProfile" => vec![user("Anika"), password("Anika")],
        "GetRole" => vec![role("Test-Role")],
        "ListAccessKeys" => vec![user("Alice"), key("Alice"), key("Alice")],
        "PutGroupPolicy" => vec![group("Admins")],
        "PutRolePolicy" => vec![role("S3Access")],
        "RemoveUserFromGroup" => {
            let both = json!({ "GroupName": "Admins", "UserName": "Bob" });
            vec![group("Admins"), user("Bob"), ("AddUserToGroup", both)]
        }
        "TagRole" | "UntagRole" => vec![role("taggedrole")],
        "TagUser" | "UntagUser" => vec![user("anika")],
        "UpdateAssumeRolePolicy" => vec![role("S3AccessForEC2Instances")],
        "UpdateGroup" => vec![group("Test")],
        "ListSigningCertificates" | "UpdateSigningCertificate" => vec![user("Bob"), certificate("Bob")],
        list if list.starts_with("List") => before_list(list),
        _ => vec![],
    }
}

/// What is there before the example of a list.
fn before_list(operation: &str) -> Vec<(&'static str, Value)> {
    let below = "/division_abc/subdivision_xyz/";
    match operation {
        "ListAccountAliases" => {
            vec![("CreateAccountAlias", json!({ "AccountAlias": "exmaple-corporation" }))]
        }
        "ListGroupPolicies" => vec![
            group("Admins"),
            policy("PutGroupPolicy", "Admins", "AdminRoot"),
            policy("PutGroupPolicy", "Admins", "KeyPolicy"),
        ],
        "ListGroupsForUser" => {
            let mut all = vec![user("Bob")];
            for (name, path) in [("Test", "product_1234/engineering/"), ("Managers", "product_1234/")] {
                all.push(("CreateGroup", json!({ "GroupName": name, "Path": format!("{below}{path}") })));
                all.push(("AddUserToGroup", json!({ "GroupName": name, "UserName": "Bob" })));
            }
            all
        }
        "ListPoliciesGrantingServiceAccess" => granting(),
        "ListRoleTags" => {
            vec![role("taggedrole1"), ("TagRole", json!({ "RoleName": "taggedrole1", "Tags": tags() }))]
        }
        "ListUserTags" => vec![("CreateUser", json!({ "UserName": "anika", "Tags": tags() }))],
        "ListUsers" => {
            let path = format!("{below}engineering/");
            let user = |name: &str| ("CreateUser", json!({ "UserName": name, "Path": path }));
            vec![user("Juan"), user("Anika")]
        }
        "ListVirtualMFADevices" => {
            let device = |name: &str| ("CreateVirtualMFADevice", json!({ "VirtualMFADeviceName": name }));
            vec![device("ExampleMFADevice"), device("Juan")]
        }
        _ => vec![],
    }
}

fn granting() -> Vec<(&'static str, Value)> {
    let who = "ExampleUser01";
    let mut all = vec![user(who), group("AWSExampleGroup1")];
    all.push(("AddUserToGroup", json!({ "GroupName": "AWSExampleGroup1", "UserName": who })));
    let (iam, ec2) = (allow(r#""iam:*""#, "*", ""), allow(r#""ec2:*""#, "*", ""));
    let inline = json!({ "GroupName": "AWSExampleGroup1", "PolicyName": "ExampleGroup1Policy", "PolicyDocument": iam });
    for (name, document) in [("ExampleIamPolicy", &iam), ("ExampleEc2Policy", &ec2)] {
        let arn = format!("arn:aws:iam::123456789012:policy/{name}");
        all.push(("CreatePolicy", json!({ "PolicyName": name, "PolicyDocument": document })));
        all.push(("AttachUserPolicy", json!({ "UserName": who, "PolicyArn": arn })));
    }
    all.push(("PutGroupPolicy", inline));
    all
}

/// What stands in the input for what the documentation leaves open or makes up.
fn instead(operation: &str, made: &Map<String, Value>) -> Value {
    match operation {
        "CreateOpenIDConnectProvider" => json!({ "ThumbprintList": [THUMBPRINT] }),
        "CreateRole" => json!({ "AssumeRolePolicyDocument": TRUST }),
        "UploadServerCertificate" => {
            json!({ "CertificateBody": SERVER_CERTIFICATE, "PrivateKey": include_str!("../data/server.key") })
        }
        "UploadSigningCertificate" => json!({ "CertificateBody": SERVER_CERTIFICATE }),
        "DeleteAccessKey" | "UpdateAccessKey" => json!({ "AccessKeyId": made["AccessKeyId"] }),
        "DeleteSigningCertificate" | "UpdateSigningCertificate" => {
            json!({ "CertificateId": made["CertificateId"] })
        }
        _ => json!({}),
    }
}

/// Makes what is there before; what was made, by its members.
async fn furnish(account: &Account, operation: &str) -> Map<String, Value> {
    let mut made = Map::new();
    for (action, input) in before(operation) {
        let answer = crate::answers::ok(&account.administrator, action, &input).await;
        let shapes = answer.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
        shapes.for_each(|shape| made.extend(shape.clone()));
    }
    made
}

/// The caller of an example.
async fn caller(account: &Account, operation: &str) -> Option<Client> {
    // A user changes its own password.
    match operation {
        "ChangePassword" => Some(account.server.user("Bob", &[("all", &allow(r#""*""#, "*", ""))]).await),
        _ => None,
    }
}

/// An answer with what differs from one account to the next put aside. `open` are the places that the documentation leaves
/// open, by their names.
fn comparable(name: &str, value: &Value, beside: &[&str], open: &[String]) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !beside.contains(&name.as_str()));
            let kept = kept.map(|(name, value)| (name.clone(), comparable(name, value, beside, open)));
            // In one order, whatever order a map of JSON keeps.
            Value::Object(kept.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> =
                items.iter().map(|item| comparable(name, item, beside, open)).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::String(text) => {
            let made_up = name.ends_with("Id") || name == "SecretAccessKey" || open.iter().any(|o| o == name);
            let time = ["Date", "Expiration", "LastAuthenticated"].iter().any(|part| name.contains(part));
            assert!(!text.is_empty(), "{name} is empty");
            match (made_up, time) {
                (true, _) => json!("any"),
                (_, true) => json!(text.len() >= "2015-03-09T18:39:23Z".len()),
                _ => json!(text.replace("336924118301", "123456789012")),
            }
        }
        other => other.clone(),
    }
}

/// The names of the members that the documentation leaves open.
fn open(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| match value {
            Value::String(text) if text.contains('<') => names.push(name.clone()),
            other => open(other, names),
        }),
        Value::Array(items) => items.iter().for_each(|item| open(item, names)),
        _ => {}
    }
}

#[tokio::test]
async fn the_documented_examples_are_answered_as_documented() {
    let (mut compared, mut different) = (0, vec![]);
    for Example { operation, input, output } in examples() {
        if ELSEWHERE.iter().any(|(known, _)| *known == operation) {
            continue;
        }
        let account = Account::new().await;
        let user = caller(&account, &operation).await;
        let made = furnish(&account, &operation).await;
        let mut asked = input.as_object().unwrap().clone();
        asked.extend(instead(&operation, &made).as_object().unwrap().clone());
        let client = user.as_ref().unwrap_or(&account.administrator);
        let answer = send(client, &operation, &Value::Object(asked)).await.ok();
        let answer = read(&operation, &answer.body);
        let mut left_open = vec![];
        open(&output, &mut left_open);
        let beside = BESIDE.iter().filter(|(known, _)| *known == operation).map(|(_, name)| *name);
        let beside: Vec<&str> = beside.chain([TRUNCATED]).collect();
        let compare = |value: &Value| comparable("", value, &beside, &left_open);
        if compare(&answer) != compare(&output) {
            different.push(format!("{operation}: {} is not {}", compare(&answer), compare(&output)));
        }
        compared += 1;
    }
    assert!(different.is_empty(), "{different:#?}");
    assert_eq!(compared, 62);
}
