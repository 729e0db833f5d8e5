use crate::support::{Account, allow, refusal};

#[tokio::test]
async fn a_boundary_is_set_shown_counted_and_removed() {
    let account = Account::new().await;
    account.user("x").await;
    account.role("x").await;
    let arn = account.policy("b").await;
    for (kind, handle) in [("User", "UserName"), ("Role", "RoleName")] {
        let (entity, boundary) = ((handle, "x"), ("PermissionsBoundary", arn.as_str()));
        account.ok(&format!("Put{kind}PermissionsBoundary"), &[entity, boundary]).await;
        let got = account.ok(&format!("Get{kind}"), &[entity]).await;
        assert_eq!(got.xml("PermissionsBoundaryArn"), Some(arn.as_str()));
        assert!(got.xml("PermissionsBoundaryType").is_some());
        let listed = account.ok(&format!("List{kind}s"), &[]).await;
        assert!(!listed.body.contains("PermissionsBoundary"));
        let count = account.ok("GetPolicy", &[("PolicyArn", &arn)]).await;
        assert_eq!(count.xml("PermissionsBoundaryUsageCount"), Some("1"));
        let conflict = refusal(409, "DeleteConflict", "Cannot delete a policy attached to entities.");
        assert_eq!(account.refused("DeletePolicy", &[("PolicyArn", &arn)]).await, conflict);
        account.ok(&format!("Delete{kind}PermissionsBoundary"), &[entity]).await;
        account.ok(&format!("Delete{kind}PermissionsBoundary"), &[entity]).await;
        assert_eq!(account.ok(&format!("Get{kind}"), &[entity]).await.xml("PermissionsBoundaryArn"), None);
        let missing = "arn:aws:iam::123456789012:policy/missing";
        let refused = account
            .refused(&format!("Put{kind}PermissionsBoundary"), &[entity, ("PermissionsBoundary", missing)])
            .await;
        let words = format!("Policy {missing} does not exist or is not attachable.");
        assert_eq!(refused, refusal(404, "NoSuchEntity", words));
        let nobody = account.refused(&format!("Delete{kind}PermissionsBoundary"), &[(handle, "y")]).await;
        assert_eq!(nobody.1, "NoSuchEntity");
    }
}

#[tokio::test]
async fn a_user_or_role_can_be_made_with_one() {
    let account = Account::new().await;
    let arn = account.policy("b").await;
    let boundary = ("PermissionsBoundary", arn.as_str());
    let made = account.ok("CreateUser", &[("UserName", "x"), boundary]).await;
    assert_eq!(made.xml("PermissionsBoundaryArn"), Some(arn.as_str()));
    let role = [("RoleName", "x"), ("AssumeRolePolicyDocument", crate::support::TRUST), boundary];
    let made = account.ok("CreateRole", &role).await;
    assert_eq!(made.xml("PermissionsBoundaryArn"), Some(arn.as_str()));
    let missing = ("PermissionsBoundary", "arn:aws:iam::aws:policy/Nothing");
    assert_eq!(account.refused("CreateUser", &[("UserName", "y"), missing]).await.1, "NoSuchEntity");
    let role = [("RoleName", "y"), role[1], missing];
    assert_eq!(account.refused("CreateRole", &role).await.1, "NoSuchEntity");
}

#[tokio::test]
async fn a_boundary_bounds_at_once() {
    let account = Account::new().await;
    let alice = account.server.user("alice", &[("all", &allow(r#""*""#, "*", ""))]).await;
    alice.query("iam", "GetAccountSummary", &[]).await.ok();
    let arn = account.policy("b").await;
    account.ok("PutUserPermissionsBoundary", &[("UserName", "alice"), ("PermissionsBoundary", &arn)]).await;
    let (code, message) = alice.query("iam", "GetAccountSummary", &[]).await.refused();
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("because no permissions boundary allows"), "{message}");
}
