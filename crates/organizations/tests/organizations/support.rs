use daypass_core::model::AccountId;
use daypass_core::testing::{Client, TestAnswer, TestServer};
use serde_json::{Value, json};

/// Everything.
pub(crate) const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// A server with an organization, and a client of its management account.
pub(crate) struct Organization {
    pub(crate) server: TestServer,
    pub(crate) management: Client,
    pub(crate) id: String,
    pub(crate) root: String,
}

impl Organization {
    pub(crate) async fn new() -> Self {
        Self::of_features("ALL").await
    }

    pub(crate) async fn of_features(features: &str) -> Self {
        Self::on(TestServer::new(daypass_organizations::OPERATIONS.iter().copied()).await, features).await
    }

    /// An organization where quotas are set, as `organizations:AccountsPerOrganization=7`.
    pub(crate) async fn with_quotas(quotas: &[&str]) -> Self {
        let operations = daypass_organizations::OPERATIONS.iter().copied();
        Self::on(TestServer::with_quotas(operations, quotas).await, "ALL").await
    }

    /// An organization of a server's own account.
    pub(crate) async fn on(server: TestServer, features: &str) -> Self {
        let management = server.administrator().await;
        let made = ok(&management, "CreateOrganization", json!({ "FeatureSet": features })).await;
        let id = text(&made, "/Organization/Id");
        let root = text(&ok(&management, "ListRoots", json!({})).await, "/Roots/0/Id");
        Self { server, management, id, root }
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        ok(&self.management, operation, input).await
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        refused(&self.management, operation, input).await
    }

    /// An account that was made in the organization.
    pub(crate) async fn account(&self, name: &str) -> AccountId {
        let input = json!({ "AccountName": name, "Email": format!("{name}@example.com") });
        let made = self.ok("CreateAccount", input).await;
        let id = text(&made, "/CreateAccountStatus/Id");
        let done = self.ok("DescribeCreateAccountStatus", json!({ "CreateAccountRequestId": id })).await;
        text(&done, "/CreateAccountStatus/AccountId").parse().unwrap()
    }

    /// A user with every right in an account.
    pub(crate) async fn user(&self, account: &AccountId, name: &str) -> Client {
        self.server.user_of(account, name, &[("all", ALL)]).await
    }

    pub(crate) async fn unit(&self, parent: &str, name: &str) -> String {
        let made = self.ok("CreateOrganizationalUnit", json!({ "ParentId": parent, "Name": name })).await;
        text(&made, "/OrganizationalUnit/Id")
    }

    pub(crate) async fn enable(&self, kind: &str) {
        self.ok("EnablePolicyType", json!({ "RootId": self.root, "PolicyType": kind })).await;
    }

    pub(crate) async fn policy(&self, kind: &str, name: &str, statement: &str) -> String {
        let content = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        let input = json!({ "Type": kind, "Name": name, "Description": "d", "Content": content });
        text(&self.ok("CreatePolicy", input).await, "/Policy/PolicySummary/Id")
    }

    pub(crate) async fn attach(&self, policy: &str, target: &str) {
        self.ok("AttachPolicy", json!({ "PolicyId": policy, "TargetId": target })).await;
    }
}

pub(crate) const SCP: &str = "SERVICE_CONTROL_POLICY";
pub(crate) const RCP: &str = "RESOURCE_CONTROL_POLICY";

pub(crate) async fn send(client: &Client, operation: &str, input: Value) -> TestAnswer {
    client.json("organizations", operation, &input).await
}

pub(crate) async fn ok(client: &Client, operation: &str, input: Value) -> Value {
    let answer = send(client, operation, input).await.ok();
    if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body).unwrap() }
}

pub(crate) async fn refused(client: &Client, operation: &str, input: Value) -> (String, String) {
    send(client, operation, input).await.refused()
}

pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value}"));
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}

/// The values of one member of a list, sorted.
pub(crate) fn each(value: &Value, list: &str, member: &str) -> Vec<String> {
    let items = value.get(list).and_then(Value::as_array).unwrap().iter();
    let mut all: Vec<String> = items.map(|item| text(item, &format!("/{member}"))).collect();
    all.sort();
    all
}

/// The pages of a list of one item each: the values of a member, in order.
pub(crate) async fn pages(
    client: &Client,
    operation: &str,
    input: &Value,
    list: &str,
    member: &str,
) -> Vec<String> {
    let (mut all, mut token) = (vec![], None);
    loop {
        let mut input = input.clone();
        input["MaxResults"] = 1.into();
        if let Some(token) = token {
            input["NextToken"] = token;
        }
        let page = ok(client, operation, input).await;
        let found = each(&page, list, member);
        assert!(found.len() <= 1, "{page}");
        all.extend(found);
        match page.get("NextToken") {
            Some(next) => token = Some(next.clone()),
            None => return all,
        }
    }
}
