//! Every list in pages of one item: together they are the list, and nobody makes a token.

use std::collections::{BTreeMap, BTreeSet};

use daypass_core::testing::Client;
use serde_json::{Value, json};

use crate::support::{Organization, SCP, ok, refused, text};

/// Of these there is never more than one.
const SINGLE: [&str; 2] = ["ListParents", "ListRoots"];
/// Of this the caller cannot say how long a page is.
const WHOLE: &str = "ListTagsForResource";
/// No account has an effective policy, so that these only refuse.
const REFUSED: [&str; 2] = ["ListAccountsWithInvalidEffectivePolicy", "ListEffectivePolicyValidationErrors"];

/// A list: who asks what, and the member of the answer that it is in.
struct Listing<'a> {
    operation: &'static str,
    client: &'a Client,
    input: Value,
    part: &'static str,
}

/// An organization with two of everything that is listed, and somebody in an account that was invited twice.
async fn furnished() -> (Organization, Client) {
    let org = Organization::new().await;
    org.enable(SCP).await;
    let bob = org.user(&"444455556666".parse().unwrap(), "bob").await;
    let invite = json!({ "Target": { "Id": "444455556666", "Type": "ACCOUNT" } });
    let first = org.ok("InviteAccountToOrganization", invite.clone()).await;
    ok(&bob, "DeclineHandshake", json!({ "HandshakeId": text(&first, "/Handshake/Id") })).await;
    org.ok("InviteAccountToOrganization", invite).await;
    for (name, service) in [("one", "guardduty.amazonaws.com"), ("two", "securityhub.amazonaws.com")] {
        let account = org.account(name).await;
        org.unit(&org.root, name).await;
        let policy = org.policy(SCP, name, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#).await;
        org.attach(&policy, &org.root).await;
        org.ok("EnableAWSServiceAccess", json!({ "ServicePrincipal": service })).await;
        let register = json!({ "AccountId": account.as_str(), "ServicePrincipal": service });
        org.ok("RegisterDelegatedAdministrator", register).await;
    }
    let tags = json!([{ "Key": "one", "Value": "1" }, { "Key": "two", "Value": "2" }]);
    org.ok("TagResource", json!({ "ResourceId": org.root, "Tags": tags })).await;
    (org, bob)
}

async fn listings<'a>(org: &'a Organization, bob: &'a Client) -> Vec<Listing<'a>> {
    let administrators = org.ok("ListDelegatedAdministrators", json!({})).await;
    let first = text(&administrators, "/DelegatedAdministrators/0/Id");
    for service in ["guardduty.amazonaws.com", "securityhub.amazonaws.com"] {
        // One of them is registered already.
        let register = json!({ "AccountId": first, "ServicePrincipal": service });
        crate::support::send(&org.management, "RegisterDelegatedAdministrator", register).await;
    }
    let root = || json!({ "ParentId": org.root });
    let policies = || json!({ "Filter": SCP, "TargetId": org.root });
    let children = json!({ "ParentId": org.root, "ChildType": "ACCOUNT" });
    let of = |operation, input, part| Listing { operation, client: &org.management, input, part };
    vec![
        of("ListAWSServiceAccessForOrganization", json!({}), "EnabledServicePrincipals"),
        of("ListAccounts", json!({}), "Accounts"),
        of("ListAccountsForParent", root(), "Accounts"),
        of("ListChildren", children, "Children"),
        of("ListCreateAccountStatus", json!({}), "CreateAccountStatuses"),
        of("ListDelegatedAdministrators", json!({}), "DelegatedAdministrators"),
        of("ListDelegatedServicesForAccount", json!({ "AccountId": first }), "DelegatedServices"),
        Listing { client: bob, ..of("ListHandshakesForAccount", json!({}), "Handshakes") },
        of("ListHandshakesForOrganization", json!({}), "Handshakes"),
        of("ListOrganizationalUnitsForParent", root(), "OrganizationalUnits"),
        of("ListParents", json!({ "ChildId": first }), "Parents"),
        of("ListPolicies", json!({ "Filter": SCP }), "Policies"),
        of("ListPoliciesForTarget", policies(), "Policies"),
        of("ListRoots", json!({}), "Roots"),
        of("ListTagsForResource", json!({ "ResourceId": org.root }), "Tags"),
        of("ListTargetsForPolicy", json!({ "PolicyId": "p-FullAWSAccess" }), "Targets"),
    ]
}

fn items(answer: &Value, listing: &Listing<'_>) -> Vec<Value> {
    let items = answer[listing.part].as_array();
    items.unwrap_or_else(|| panic!("{}: {answer}", listing.operation)).clone()
}

fn with(input: &Value, more: &[(&str, Value)]) -> Value {
    let mut input = input.clone();
    more.iter().for_each(|(name, value)| input[*name] = value.clone());
    input
}

#[tokio::test]
async fn every_list_is_in_the_table() {
    let (org, bob) = furnished().await;
    let listings = listings(&org, &bob).await;
    let listed = listings.iter().map(|listing| listing.operation).chain(REFUSED);
    let built = daypass_organizations::OPERATIONS.iter().map(|entry| entry.operation());
    let built = built.filter(|built| built.input.index("NextToken").is_some()).map(|built| built.name);
    assert_eq!(listed.collect::<BTreeSet<_>>(), built.collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_list() {
    let (org, bob) = furnished().await;
    let listings = listings(&org, &bob).await;
    let mut tokens: BTreeMap<&str, String> = BTreeMap::new();
    for listing in &listings {
        let whole = items(&ok(listing.client, listing.operation, listing.input.clone()).await, listing);
        let least = if SINGLE.contains(&listing.operation) { 1 } else { 2 };
        assert!(whole.len() >= least, "{}: {whole:?}", listing.operation);
        if listing.operation == WHOLE {
            continue;
        }
        let (mut walked, mut token) = (vec![], None);
        loop {
            let mut more = vec![("MaxResults", json!(1))];
            more.extend(token.map(|token| ("NextToken", token)));
            let page = ok(listing.client, listing.operation, with(&listing.input, &more)).await;
            let found = items(&page, listing);
            assert_eq!(found.len(), 1, "{}: {page}", listing.operation);
            walked.extend(found);
            token = page.get("NextToken").cloned();
            let Some(Value::String(token)) = &token else { break };
            tokens.entry(listing.operation).or_insert_with(|| token.clone());
            assert!(walked.len() < 100, "{} does not end", listing.operation);
        }
        assert_eq!(walked, whole, "{}", listing.operation);
    }
    for listing in &listings {
        let mut forged = vec!["AAAA".to_owned(), "1".to_owned()];
        forged.extend(tokens.iter().find(|(known, _)| **known != listing.operation).map(|(_, t)| t.clone()));
        if let Some(own) = tokens.get(listing.operation) {
            let (head, tail) = own.split_at(own.len() / 2);
            let other = if tail.starts_with('A') { "B" } else { "A" };
            forged.push(format!("{head}{other}{}", tail.get(1..).unwrap()));
        }
        for token in forged {
            let input = with(&listing.input, &[("NextToken", json!(token))]);
            let (code, _) = refused(listing.client, listing.operation, input).await;
            assert_eq!(code, "InvalidInputException", "{} {token}", listing.operation);
        }
    }
}
