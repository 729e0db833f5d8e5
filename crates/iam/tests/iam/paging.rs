//! Every list in pages of one item: together they are the list, and nobody makes a marker.

use std::collections::{BTreeMap, BTreeSet};

use daypass_core::delegation::partner::{self, NewTemplate};
use daypass_core::model::AccountId;
use daypass_core::store::records::{ControlPolicyType, Organization};
use daypass_core::testing::{DESTINATIONS, account as account_id};
use serde_json::{Value, json};

use crate::answers::{ok, send};
use crate::identity_providers::{METADATA, THUMBPRINT};
use crate::mfa::Device;
use crate::support::{Account, DOCUMENT, SERVER_CERTIFICATE, allow};

/// A list: what is asked, and the members of the answer that are its parts.
struct Listing {
    operation: &'static str,
    input: Value,
    parts: &'static [&'static str],
}

fn listing(operation: &'static str, input: Value, parts: &'static [&'static str]) -> Listing {
    Listing { operation, input, parts }
}

/// Of these there is never more than one.
const SINGLE: [&str; 1] = ["ListAccountAliases"];
/// Of these the caller cannot say how long a page is.
const WHOLE: [&str; 1] = ["ListPoliciesGrantingServiceAccess"];

fn arn(kind: &str) -> String {
    format!("arn:aws:iam::123456789012:{kind}")
}

/// An account with two of everything that is listed.
async fn furnished() -> Account {
    let account = Account::new().await;
    let administrator = &account.administrator;
    let make = async |operation: &str, input: Value| ok(administrator, operation, &input).await;
    let tags = json!([{ "Key": "one", "Value": "1" }, { "Key": "two", "Value": "2" }]);
    make("CreateAccountAlias", json!({ "AccountAlias": "example" })).await;
    for name in ["alice", "bob"] {
        make("CreateUser", json!({ "UserName": name, "Tags": tags })).await;
        make("CreateGroup", json!({ "GroupName": name })).await;
        account.role(name).await;
        make("CreatePolicy", json!({ "PolicyName": name, "PolicyDocument": DOCUMENT, "Tags": tags })).await;
        make("CreateInstanceProfile", json!({ "InstanceProfileName": name, "Tags": tags })).await;
        make("AddRoleToInstanceProfile", json!({ "InstanceProfileName": name, "RoleName": "alice" })).await;
        account.server_certificate(name).await;
        make("AddUserToGroup", json!({ "GroupName": "alice", "UserName": name })).await;
        Device::new(&account, name).await.enable(&account, "alice", 0).await;
        make("TagMFADevice", json!({ "SerialNumber": arn(&format!("mfa/{name}")), "Tags": tags })).await;
        make("CreateAccessKey", json!({ "UserName": "alice" })).await;
        let service = json!({ "UserName": "alice", "ServiceName": "codecommit.amazonaws.com" });
        make("CreateServiceSpecificCredential", service).await;
    }
    make("AddUserToGroup", json!({ "GroupName": "bob", "UserName": "alice" })).await;
    let keys = allow(r#""s3:*""#, "*", "");
    for kind in ["User", "Group", "Role"] {
        let of = format!("{kind}Name");
        for (name, document) in [("alice", DOCUMENT), ("bob", keys.as_str())] {
            let policy = json!({ &of: "alice", "PolicyName": name, "PolicyDocument": document });
            make(&format!("Put{kind}Policy"), policy).await;
            let attached = json!({ &of: "alice", "PolicyArn": arn(&format!("policy/{name}")) });
            make(&format!("Attach{kind}Policy"), attached).await;
        }
    }
    let version = json!({ "PolicyArn": arn("policy/alice"), "PolicyDocument": DOCUMENT });
    make("CreatePolicyVersion", version).await;
    make("TagRole", json!({ "RoleName": "alice", "Tags": tags })).await;
    make("TagServerCertificate", json!({ "ServerCertificateName": "alice", "Tags": tags })).await;
    for key in [include_str!("../data/public.ssh"), include_str!("../data/second.ssh")] {
        make("UploadSSHPublicKey", json!({ "UserName": "alice", "SSHPublicKeyBody": key })).await;
    }
    for certificate in [SERVER_CERTIFICATE, include_str!("../data/curve.pem")] {
        let upload = json!({ "UserName": "alice", "CertificateBody": certificate });
        make("UploadSigningCertificate", upload).await;
    }
    let provider = json!({ "Url": "https://example.com", "ThumbprintList": [THUMBPRINT], "Tags": tags });
    make("CreateOpenIDConnectProvider", provider).await;
    make("CreateSAMLProvider", json!({ "Name": "corp", "SAMLMetadataDocument": METADATA, "Tags": tags }))
        .await;
    delegate(&account).await;
    organize(&account).await;
    account
}

/// Has the account ask itself for access, twice.
async fn delegate(account: &Account) {
    let state = account.server.gate.state();
    partner::add(state, "operator", &account_id(), "Example Corp", "example.com").await.unwrap();
    let new = NewTemplate {
        account: account_id(),
        name: "queues".to_owned(),
        document: DOCUMENT.to_owned(),
        boundaries: vec![],
    };
    partner::add_template(state, "operator", new).await.unwrap();
    for name in ["first", "second"] {
        let template = "arn:aws:iam::partner:delegation-template/example.com/queues";
        let input = json!({
            "Description": name,
            "Permissions": { "PolicyTemplateArn": template },
            "RequestorWorkflowId": name,
            "NotificationChannel": DESTINATIONS[1],
            "SessionDuration": 3600,
        });
        let made = ok(&account.administrator, "CreateDelegationRequest", &input).await;
        let id = json!({ "DelegationRequestId": made["DelegationRequestId"] });
        ok(&account.administrator, "AssociateDelegationRequest", &id).await;
    }
}

/// Puts the account above another one, which may use two services.
async fn organize(account: &Account) {
    let member: AccountId = "444455556666".parse().unwrap();
    let limits = |organization: &mut Organization| {
        organization.policy_types = vec![ControlPolicyType::ServiceControlPolicy];
    };
    account.server.organize(&[account_id(), member.clone()], limits).await;
    account.server.limit(&member, "p-queues0001", &allow(r#"["sqs:*","s3:*"]"#, "*", ""), &[]).await;
}

/// Every list of what is there.
async fn listings(account: &Account) -> Vec<Listing> {
    let job = async |operation: &str, input: Value| {
        ok(&account.administrator, operation, &input).await["JobId"].clone()
    };
    let generate = "GenerateServiceLastAccessedDetails";
    let of_user = job(generate, json!({ "Arn": arn("user/alice") })).await;
    let of_policy = job(generate, json!({ "Arn": arn("policy/alice") })).await;
    let path = json!({ "EntityPath": "o-exampleorgid/r-root/444455556666" });
    let of_account = job("GenerateOrganizationsAccessReport", path).await;
    let user = || json!({ "UserName": "alice" });
    let group = || json!({ "GroupName": "alice" });
    let role = || json!({ "RoleName": "alice" });
    let policy = || json!({ "PolicyArn": arn("policy/alice") });
    let actions = json!(["s3:GetObject", "sqs:SendMessage"]);
    let all = allow(r#""*""#, "*", "");
    let mut listings = vec![
        listing("GetGroup", group(), &["Users"]),
        listing("GetOrganizationsAccessReport", json!({ "JobId": of_account }), &["AccessDetails"]),
        listing("GetServiceLastAccessedDetails", json!({ "JobId": of_user }), &["ServicesLastAccessed"]),
        listing(
            "GetServiceLastAccessedDetailsWithEntities",
            json!({ "JobId": of_policy, "ServiceNamespace": "sqs" }),
            &["EntityDetailsList"],
        ),
        listing(
            "SimulateCustomPolicy",
            json!({ "PolicyInputList": [all], "ActionNames": actions }),
            &["EvaluationResults"],
        ),
        listing(
            "SimulatePrincipalPolicy",
            json!({ "PolicySourceArn": arn("user/alice"), "ActionNames": actions }),
            &["EvaluationResults"],
        ),
        listing(
            "ListPoliciesGrantingServiceAccess",
            json!({ "Arn": arn("user/alice"), "ServiceNamespaces": ["sqs", "s3"] }),
            &["PoliciesGrantingServiceAccess"],
        ),
        listing("ListEntitiesForPolicy", policy(), &["PolicyGroups", "PolicyUsers", "PolicyRoles"]),
        listing("ListPolicies", json!({ "Scope": "Local" }), &["Policies"]),
        listing("ListInstanceProfilesForRole", role(), &["InstanceProfiles"]),
        listing("ListPolicyVersions", policy(), &["Versions"]),
        listing("ListAttachedGroupPolicies", group(), &["AttachedPolicies"]),
        listing("ListAttachedRolePolicies", role(), &["AttachedPolicies"]),
        listing("ListAttachedUserPolicies", user(), &["AttachedPolicies"]),
        listing("ListGroupPolicies", group(), &["PolicyNames"]),
        listing("ListRolePolicies", role(), &["PolicyNames"]),
        listing("ListUserPolicies", user(), &["PolicyNames"]),
    ];
    let details: &[&str] = &["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    let local = json!({ "Filter": ["User", "Group", "Role", "LocalManagedPolicy"] });
    listings.push(listing("GetAccountAuthorizationDetails", local, details));
    listings.extend(of_users().into_iter().map(|(operation, part)| listing(operation, user(), part)));
    listings
        .extend(of_the_account().into_iter().map(|(operation, part)| listing(operation, json!({}), part)));
    let tags: &[&str] = &["Tags"];
    listings.extend([
        listing("ListInstanceProfileTags", json!({ "InstanceProfileName": "alice" }), tags),
        listing("ListMFADeviceTags", json!({ "SerialNumber": arn("mfa/alice") }), tags),
        listing(
            "ListOpenIDConnectProviderTags",
            json!({ "OpenIDConnectProviderArn": arn("oidc-provider/example.com") }),
            tags,
        ),
        listing("ListPolicyTags", policy(), tags),
        listing("ListRoleTags", role(), tags),
        listing("ListSAMLProviderTags", json!({ "SAMLProviderArn": arn("saml-provider/corp") }), tags),
        listing("ListServerCertificateTags", json!({ "ServerCertificateName": "alice" }), tags),
        listing("ListUserTags", user(), tags),
    ]);
    listings
}

fn of_users() -> [(&'static str, &'static [&'static str]); 6] {
    [
        ("ListAccessKeys", &["AccessKeyMetadata"]),
        ("ListGroupsForUser", &["Groups"]),
        ("ListMFADevices", &["MFADevices"]),
        ("ListSSHPublicKeys", &["SSHPublicKeys"]),
        ("ListServiceSpecificCredentials", &["ServiceSpecificCredentials"]),
        ("ListSigningCertificates", &["Certificates"]),
    ]
}

fn of_the_account() -> [(&'static str, &'static [&'static str]); 8] {
    [
        ("ListAccountAliases", &["AccountAliases"]),
        ("ListDelegationRequests", &["DelegationRequests"]),
        ("ListGroups", &["Groups"]),
        ("ListInstanceProfiles", &["InstanceProfiles"]),
        ("ListRoles", &["Roles"]),
        ("ListServerCertificates", &["ServerCertificateMetadataList"]),
        ("ListUsers", &["Users"]),
        ("ListVirtualMFADevices", &["VirtualMFADevices"]),
    ]
}

/// The items of an answer, each with the part that it stands in.
fn items(answer: &Value, listing: &Listing) -> Vec<(&'static str, Value)> {
    let of = |part: &'static str| {
        let items = answer[part].as_array().unwrap_or_else(|| panic!("{}: {answer}", listing.operation));
        items.iter().map(move |item| (part, item.clone()))
    };
    listing.parts.iter().copied().flat_map(of).collect()
}

fn with(input: &Value, more: &[(&str, Value)]) -> Value {
    let mut input = input.clone();
    more.iter().for_each(|(name, value)| input[*name] = value.clone());
    input
}

/// A list in pages of one item: the items, and the markers.
async fn walk(account: &Account, listing: &Listing) -> (Vec<(&'static str, Value)>, Vec<String>) {
    let (mut all, mut markers): (Vec<_>, Vec<String>) = (vec![], vec![]);
    loop {
        let mut more = vec![("MaxItems", json!(1))];
        more.extend(markers.last().map(|marker| ("Marker", json!(marker))));
        let page = ok(&account.administrator, listing.operation, &with(&listing.input, &more)).await;
        let found = items(&page, listing);
        assert_eq!(found.len(), 1, "{}: {page}", listing.operation);
        all.extend(found);
        // IAM's model begins it with a small letter once.
        let truncated = page.get("IsTruncated").or_else(|| page.get("isTruncated"));
        assert_eq!(truncated, Some(&json!(page.get("Marker").is_some())), "{}", listing.operation);
        match page["Marker"].as_str() {
            Some(marker) => markers.push(marker.to_owned()),
            None => return (all, markers),
        }
        assert!(markers.len() < 100, "{} does not end", listing.operation);
    }
}

#[tokio::test]
async fn every_list_is_in_the_table() {
    let account = furnished().await;
    let listed: BTreeSet<&str> = listings(&account).await.iter().map(|listing| listing.operation).collect();
    let built = daypass_iam::OPERATIONS.iter().map(|entry| entry.operation());
    let built: BTreeSet<&str> =
        built.filter(|built| built.input.index("Marker").is_some()).map(|built| built.name).collect();
    assert_eq!(listed, built);
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_list() {
    let account = furnished().await;
    let mut markers = BTreeMap::new();
    let listings = listings(&account).await;
    for listing in &listings {
        let whole = ok(&account.administrator, listing.operation, &listing.input).await;
        let whole = items(&whole, listing);
        let least = if SINGLE.contains(&listing.operation) { 1 } else { 2 };
        assert!(whole.len() >= least, "{}: {whole:?}", listing.operation);
        if WHOLE.contains(&listing.operation) {
            continue;
        }
        let (mut walked, own) = walk(&account, listing).await;
        // What has several parts may go through them in another order than the answer has them in.
        walked.sort_by_key(|(part, _)| listing.parts.iter().position(|known| known == part));
        assert_eq!(walked, whole, "{}", listing.operation);
        own.into_iter().next().map(|marker| markers.insert(listing.operation, marker));
    }
    for listing in &listings {
        let mut forged = vec!["AAAA".to_owned(), "1".to_owned()];
        forged.extend(markers.iter().find(|(known, _)| **known != listing.operation).map(|(_, m)| m.clone()));
        if let Some(own) = markers.get(listing.operation) {
            let (head, tail) = own.split_at(own.len() / 2);
            let other = if tail.starts_with('A') { "B" } else { "A" };
            forged.push(format!("{head}{other}{}", tail.get(1..).unwrap()));
        }
        for marker in forged {
            let input = with(&listing.input, &[("Marker", json!(marker))]);
            let (code, words) = send(&account.administrator, listing.operation, &input).await.refused();
            let invalid = ("ValidationError", "Invalid Marker.");
            assert_eq!((code.as_str(), words.as_str()), invalid, "{} {marker}", listing.operation);
        }
    }
}
