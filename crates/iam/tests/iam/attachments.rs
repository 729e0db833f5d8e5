use crate::support::{Account, refusal};

const KINDS: [(&str, &str); 3] = [("User", "UserName"), ("Group", "GroupName"), ("Role", "RoleName")];
const S3: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

async fn account() -> Account {
    let account = Account::new().await;
    account.user("x").await;
    account.group("x").await;
    account.role("x").await;
    account
}

#[tokio::test]
async fn policies_are_attached_listed_counted_and_detached() {
    let account = account().await;
    let own = account.policy("own").await;
    for (kind, handle) in KINDS {
        let (entity, list) = ((handle, "x"), format!("ListAttached{kind}Policies"));
        for arn in [own.as_str(), S3] {
            account.ok(&format!("Attach{kind}Policy"), &[entity, ("PolicyArn", arn)]).await;
        }
        // A second time changes nothing.
        account.ok(&format!("Attach{kind}Policy"), &[entity, ("PolicyArn", S3)]).await;
        let listed = account.ok(&list, &[entity]).await;
        assert_eq!(listed.xml_all("PolicyName"), ["own", "AmazonS3ReadOnlyAccess"]);
        assert_eq!(listed.xml_all("PolicyArn"), [own.as_str(), S3]);
        let filtered = account.ok(&list, &[entity, ("PathPrefix", "/service-role/")]).await;
        assert!(filtered.xml_all("PolicyArn").is_empty());
    }
    for arn in [own.as_str(), S3] {
        let got = account.ok("GetPolicy", &[("PolicyArn", arn)]).await;
        assert_eq!(got.xml("AttachmentCount"), Some("3"));
    }
    let conflict = refusal(409, "DeleteConflict", "Cannot delete a policy attached to entities.");
    for (kind, handle) in KINDS {
        assert_eq!(account.refused("DeletePolicy", &[("PolicyArn", &own)]).await, conflict);
        let both = [(handle, "x"), ("PolicyArn", own.as_str())];
        account.ok(&format!("Detach{kind}Policy"), &both).await;
        let words = format!("Policy {own} was not found.");
        let again = account.refused(&format!("Detach{kind}Policy"), &both).await;
        assert_eq!(again, refusal(404, "NoSuchEntity", words));
    }
    assert_eq!(account.ok("GetPolicy", &[("PolicyArn", &own)]).await.xml("AttachmentCount"), Some("0"));
    account.ok("DeletePolicy", &[("PolicyArn", &own)]).await;
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_attached() {
    let account = account().await;
    let missing = "arn:aws:iam::123456789012:policy/missing";
    let foreign = "arn:aws:iam::999999999999:policy/p";
    for (kind, handle) in KINDS {
        for arn in [missing, foreign] {
            let refused =
                account.refused(&format!("Attach{kind}Policy"), &[(handle, "x"), ("PolicyArn", arn)]).await;
            let words = format!("Policy {arn} does not exist or is not attachable.");
            assert_eq!(refused, refusal(404, "NoSuchEntity", words));
        }
        let refused =
            account.refused(&format!("Attach{kind}Policy"), &[(handle, "y"), ("PolicyArn", S3)]).await;
        let words = format!("The {} with name y cannot be found.", kind.to_lowercase());
        assert_eq!(refused, refusal(404, "NoSuchEntity", words));
    }
}

#[tokio::test]
async fn ten_policies_are_attached_at_most() {
    let account = account().await;
    let mut arns = vec![];
    for number in 0..11 {
        arns.push(account.policy(&format!("p{number}")).await);
    }
    for (kind, handle) in KINDS {
        let attach = format!("Attach{kind}Policy");
        for arn in &arns[..10] {
            account.ok(&attach, &[(handle, "x"), ("PolicyArn", arn)]).await;
        }
        let words = format!("Cannot exceed quota for PoliciesPer{kind}: 10");
        let refused = account.refused(&attach, &[(handle, "x"), ("PolicyArn", &arns[10])]).await;
        assert_eq!(refused, refusal(409, "LimitExceeded", words));
    }
}

#[tokio::test]
async fn a_policy_for_service_linked_roles_is_for_nobody_else() {
    let account = account().await;
    let arn = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
    let refused = account.refused("AttachRolePolicy", &[("RoleName", "x"), ("PolicyArn", arn)]).await;
    let words = "Cannot attach a Service Role Policy to a Customer Role.";
    assert_eq!(refused, refusal(400, "PolicyNotAttachable", words));
    let refused = account.refused("AttachUserPolicy", &[("UserName", "x"), ("PolicyArn", arn)]).await;
    assert_eq!(refused.1, "PolicyNotAttachable");
}

#[tokio::test]
async fn entities_are_found_by_their_policy() {
    let account = account().await;
    let arn = account.policy("p").await;
    let policy = ("PolicyArn", arn.as_str());
    account.ok("CreateUser", &[("UserName", "y"), ("Path", "/deep/")]).await;
    for (kind, handle) in KINDS {
        account.ok(&format!("Attach{kind}Policy"), &[(handle, "x"), policy]).await;
    }
    account.ok("AttachUserPolicy", &[("UserName", "y"), policy]).await;
    let boundary = ("PermissionsBoundary", arn.as_str());
    account.role("bounded").await;
    account.ok("PutRolePermissionsBoundary", &[("RoleName", "bounded"), boundary]).await;
    account.ok("PutUserPermissionsBoundary", &[("UserName", "x"), boundary]).await;
    let list = async |more: &[(&str, &str)]| {
        let answer = account.ok("ListEntitiesForPolicy", &[&[policy], more].concat()).await;
        let names = |name| answer.xml_all(name).join(" ");
        (names("GroupName"), names("UserName"), names("RoleName"))
    };
    let expected =
        |groups: &str, users: &str, roles: &str| (groups.to_owned(), users.to_owned(), roles.to_owned());
    // Who has it both ways is listed once.
    assert_eq!(list(&[]).await, expected("x", "x y", "x bounded"));
    assert_eq!(list(&[("EntityFilter", "User")]).await, expected("", "x y", ""));
    assert_eq!(list(&[("EntityFilter", "LocalManagedPolicy")]).await, expected("", "", ""));
    assert_eq!(list(&[("PathPrefix", "/deep/")]).await, expected("", "y", ""));
    assert_eq!(list(&[("PolicyUsageFilter", "PermissionsBoundary")]).await, expected("", "x", "bounded"));
    assert_eq!(list(&[("PolicyUsageFilter", "PermissionsPolicy")]).await, expected("x", "x y", "x"));
    let got = account.ok("GetPolicy", &[policy]).await;
    assert_eq!(
        (got.xml("AttachmentCount"), got.xml("PermissionsBoundaryUsageCount")),
        (Some("4"), Some("2"))
    );
    // Pages run through all kinds.
    let (mut seen, mut marker) = (vec![], None);
    loop {
        let mut parameters = vec![policy, ("MaxItems", "2")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = account.ok("ListEntitiesForPolicy", &parameters).await;
        for name in ["GroupName", "UserName", "RoleName"] {
            seen.extend(page.xml_all(name).into_iter().map(str::to_owned));
        }
        match page.xml("Marker") {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, ["x", "x", "y", "x", "bounded"]);
}
