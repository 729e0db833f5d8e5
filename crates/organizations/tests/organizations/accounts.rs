use daypass_core::store::Read as _;
use daypass_core::store::records::Role;
use serde_json::json;

use crate::support::{Organization, each, ok, pages, refused, send, text};

#[tokio::test]
async fn a_new_account_is_there_with_the_role_that_leads_into_it() {
    let org = Organization::new().await;
    let input = json!({ "AccountName": "Dev", "Email": "dev@example.com" });
    let made = org.ok("CreateAccount", input.clone()).await;
    assert_eq!(text(&made, "/CreateAccountStatus/State"), "IN_PROGRESS");
    let request = json!({ "CreateAccountRequestId": text(&made, "/CreateAccountStatus/Id") });
    let done = org.ok("DescribeCreateAccountStatus", request).await;
    assert_eq!(text(&done, "/CreateAccountStatus/State"), "SUCCEEDED");
    let id = text(&done, "/CreateAccountStatus/AccountId");
    let shown = org.ok("DescribeAccount", json!({ "AccountId": id })).await;
    let account = shown.get("Account").unwrap();
    assert_eq!(
        (text(account, "/Name"), text(account, "/Email"), text(account, "/JoinedMethod")),
        ("Dev".to_owned(), "dev@example.com".to_owned(), "CREATED".to_owned())
    );
    assert_eq!((text(account, "/Status"), text(account, "/State")), ("ACTIVE".into(), "ACTIVE".into()));
    let key = Role::key_of(&id.parse().unwrap(), "OrganizationAccountAccessRole");
    let role = org.server.gate.state().store.read(|tx| tx.get::<Role>(&key)).unwrap().unwrap();
    assert!(role.trust_policy.contains(r#"{"AWS":"arn:aws:iam::123456789012:root"}"#));
    assert_eq!(role.policies.attached, ["arn:aws:iam::aws:policy/AdministratorAccess"]);
    // The address is taken now, and the request tells.
    let again = org.ok("CreateAccount", input).await;
    let request = json!({ "CreateAccountRequestId": text(&again, "/CreateAccountStatus/Id") });
    let failed = org.ok("DescribeCreateAccountStatus", request).await;
    assert_eq!(text(&failed, "/CreateAccountStatus/FailureReason"), "EMAIL_ALREADY_EXISTS");
    let all = org.ok("ListCreateAccountStatus", json!({})).await;
    assert_eq!(each(&all, "CreateAccountStatuses", "State"), ["FAILED", "SUCCEEDED"]);
    let some = org.ok("ListCreateAccountStatus", json!({ "States": ["FAILED"] })).await;
    assert_eq!(each(&some, "CreateAccountStatuses", "State"), ["FAILED"]);
    let input = json!({});
    let listed = pages(&org.management, "ListCreateAccountStatus", &input, "CreateAccountStatuses", "State");
    assert_eq!(listed.await.len(), 2);
    let nothing = json!({ "CreateAccountRequestId": "car-zzzzzzzz" });
    assert_eq!(
        org.refused("DescribeCreateAccountStatus", nothing).await.0,
        "CreateAccountStatusNotFoundException"
    );
    let named = json!({ "AccountName": "x", "Email": "x@example.com", "RoleName": "AWSServiceRoleForX" });
    assert_eq!(org.refused("CreateAccount", named).await.0, "InvalidInputException");
}

#[tokio::test]
async fn accounts_are_listed_in_pages_and_by_their_parent() {
    let org = Organization::new().await;
    let mut accounts = vec![
        "123456789012".to_owned(),
        org.account("a").await.to_string(),
        org.account("b").await.to_string(),
    ];
    accounts.sort();
    let input = json!({});
    assert_eq!(pages(&org.management, "ListAccounts", &input, "Accounts", "Id").await, accounts);
    let input = json!({ "ParentId": org.root });
    assert_eq!(pages(&org.management, "ListAccountsForParent", &input, "Accounts", "Id").await, accounts);
    let (code, words) = org.refused("DescribeAccount", json!({ "AccountId": "999999999999" })).await;
    assert_eq!(code, "AccountNotFoundException");
    assert_eq!(words, "You specified an account that doesn't exist.");
    let (code, words) = org.refused("DescribeAccount", json!({ "AccountId": "12" })).await;
    assert_eq!(code, "InvalidInputException");
    assert_eq!(words, "You provided a value that does not match the required pattern.");
}

#[tokio::test]
async fn an_account_moves_from_where_it_is() {
    let org = Organization::new().await;
    let account = org.account("dev").await;
    let (a, b) = (org.unit(&org.root, "a").await, org.unit(&org.root, "b").await);
    let go = |from: &str, to: &str| json!({ "AccountId": account.as_str(), "SourceParentId": from, "DestinationParentId": to });
    org.ok("MoveAccount", go(&org.root, &a)).await;
    let shown = org.ok("ListAccountsForParent", json!({ "ParentId": a })).await;
    assert_eq!(each(&shown, "Accounts", "Id"), [account.as_str()]);
    assert_eq!(org.refused("MoveAccount", go(&a, &a)).await.0, "DuplicateAccountException");
    assert_eq!(org.refused("MoveAccount", go(&org.root, &b)).await.0, "SourceParentNotFoundException");
    let nowhere = "ou-zzzz-zzzzzzzz";
    assert_eq!(org.refused("MoveAccount", go(nowhere, &b)).await.0, "SourceParentNotFoundException");
    assert_eq!(org.refused("MoveAccount", go(&a, nowhere)).await.0, "DestinationParentNotFoundException");
    let unit = json!({ "OrganizationalUnitId": a });
    assert_eq!(org.refused("DeleteOrganizationalUnit", unit).await.0, "OrganizationalUnitNotEmptyException");
}

#[tokio::test]
async fn in_a_closed_account_nobody_is_anybody() {
    let org = Organization::new().await;
    let account = org.account("dev").await;
    let alice = org.user(&account, "alice").await;
    ok(&alice, "DescribeOrganization", json!({})).await;
    let input = json!({ "AccountId": account.as_str() });
    org.ok("CloseAccount", input.clone()).await;
    assert_eq!(
        send(&alice, "DescribeOrganization", json!({})).await.refused().0,
        "UnrecognizedClientException"
    );
    let shown = org.ok("DescribeAccount", input.clone()).await;
    assert_eq!(
        (text(&shown, "/Account/Status"), text(&shown, "/Account/State")),
        ("SUSPENDED".into(), "CLOSED".into())
    );
    assert_eq!(org.refused("CloseAccount", input.clone()).await.0, "AccountAlreadyClosedException");
    assert_eq!(org.refused("RemoveAccountFromOrganization", input).await.0, "ConstraintViolationException");
    let own = json!({ "AccountId": "123456789012" });
    assert_eq!(org.refused("CloseAccount", own).await.0, "ConstraintViolationException");
}

#[tokio::test]
async fn an_account_leaves_or_is_removed() {
    let org = Organization::new().await;
    let (one, two) = (org.account("one").await, org.account("two").await);
    let alice = org.user(&one, "alice").await;
    ok(&alice, "LeaveOrganization", json!({})).await;
    assert_eq!(
        refused(&alice, "DescribeOrganization", json!({})).await.0,
        "AWSOrganizationsNotInUseException"
    );
    org.ok("RemoveAccountFromOrganization", json!({ "AccountId": two.as_str() })).await;
    assert_eq!(
        org.refused("RemoveAccountFromOrganization", json!({ "AccountId": two.as_str() })).await.0,
        "AccountNotFoundException"
    );
    assert_eq!(org.refused("LeaveOrganization", json!({})).await.0, "MasterCannotLeaveOrganizationException");
    let own = json!({ "AccountId": "123456789012" });
    assert_eq!(
        org.refused("RemoveAccountFromOrganization", own).await.0,
        "MasterCannotLeaveOrganizationException"
    );
}

#[tokio::test]
async fn an_organization_has_ten_accounts_or_what_the_operator_says() {
    for (quotas, room) in [(&[][..], 10), (&["organizations:AccountsPerOrganization=2"], 2)] {
        let org = Organization::with_quotas(quotas).await;
        for number in 1..room {
            org.account(&format!("n{number}")).await;
        }
        let more = json!({ "AccountName": "more", "Email": "more@example.com" });
        assert_eq!(org.refused("CreateAccount", more).await.0, "ConstraintViolationException", "{room}");
        org.user(&"444455556666".parse().unwrap(), "bob").await;
        let more = json!({ "Target": { "Id": "444455556666", "Type": "ACCOUNT" } });
        assert_eq!(org.refused("InviteAccountToOrganization", more).await.0, "ConstraintViolationException");
    }
}
