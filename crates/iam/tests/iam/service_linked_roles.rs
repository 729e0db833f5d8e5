use crate::support::{Account, TRUST, decoded, refusal};

const NAME: &str = "AWSServiceRoleForAutoScaling";

#[tokio::test]
async fn a_service_gets_its_own_role() {
    let account = Account::new().await;
    let ask = [("AWSServiceName", "autoscaling.amazonaws.com"), ("Description", "for the group")];
    let made = account.ok("CreateServiceLinkedRole", &ask).await;
    let arn = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
    assert_eq!((made.xml("Arn"), made.xml("RoleName")), (Some(arn), Some(NAME)));
    assert_eq!(made.xml("Path"), Some("/aws-service-role/autoscaling.amazonaws.com/"));
    let trust = decoded(made.xml("AssumeRolePolicyDocument").unwrap());
    assert!(trust.contains(r#""Principal":{"Service":["autoscaling.amazonaws.com"]}"#), "{trust}");
    let policies = account.ok("ListAttachedRolePolicies", &[("RoleName", NAME)]).await;
    let policy = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy";
    assert_eq!(policies.xml_all("PolicyArn"), [policy]);
    let told = account.ok("GetRole", &[("RoleName", NAME)]).await;
    assert_eq!(
        (told.xml("Description"), told.xml("MaxSessionDuration")),
        (Some("for the group"), Some("3600"))
    );
    let words =
        format!("Service role name {NAME} has been taken in this account, please try a different suffix.");
    assert_eq!(account.refused("CreateServiceLinkedRole", &ask).await, refusal(400, "InvalidInput", words));
    let suffixed = [ask[0], ("CustomSuffix", "mine")];
    let made = account.ok("CreateServiceLinkedRole", &suffixed).await;
    assert_eq!(made.xml("RoleName"), Some("AWSServiceRoleForAutoScaling_mine"));
}

#[tokio::test]
async fn other_services_and_suffixes_are_refused() {
    let account = Account::new().await;
    let unknown =
        account.refused("CreateServiceLinkedRole", &[("AWSServiceName", "nothing.amazonaws.com")]).await;
    let words = "Cannot find Service Linked Role template for nothing.amazonaws.com";
    assert_eq!(unknown, refusal(400, "InvalidInput", words));
    let ask = [("AWSServiceName", "ecs.amazonaws.com"), ("CustomSuffix", "x")];
    let words = "Custom suffix is not allowed for ecs.amazonaws.com";
    assert_eq!(account.refused("CreateServiceLinkedRole", &ask).await, refusal(400, "InvalidInput", words));
}

#[tokio::test]
async fn only_its_description_changes() {
    let account = Account::new().await;
    account.ok("CreateServiceLinkedRole", &[("AWSServiceName", "autoscaling.amazonaws.com")]).await;
    let role = ("RoleName", NAME);
    let words = format!(
        "Cannot perform the operation on the protected role '{NAME}' - this role is only modifiable by AWS"
    );
    let protected = refusal(400, "UnmodifiableEntity", words);
    let policy = account.policy("own").await;
    for (action, more) in [
        ("DeleteRole", vec![]),
        ("UpdateAssumeRolePolicy", vec![("PolicyDocument", TRUST)]),
        ("PutRolePolicy", vec![("PolicyName", "p"), ("PolicyDocument", crate::support::DOCUMENT)]),
        ("AttachRolePolicy", vec![("PolicyArn", policy.as_str())]),
        (
            "DetachRolePolicy",
            vec![("PolicyArn", "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy")],
        ),
        ("PutRolePermissionsBoundary", vec![("PermissionsBoundary", policy.as_str())]),
        ("DeleteRolePermissionsBoundary", vec![]),
        ("UpdateRole", vec![("MaxSessionDuration", "7200")]),
    ] {
        let ask = [&[role], &more[..]].concat();
        assert_eq!(account.refused(action, &ask).await, protected, "{action}");
    }
    account.ok("UpdateRoleDescription", &[role, ("Description", "mine")]).await;
    account.ok("UpdateRole", &[role, ("Description", "ours")]).await;
    assert_eq!(account.ok("GetRole", &[role]).await.xml("Description"), Some("ours"));
}

#[tokio::test]
async fn a_deletion_has_a_task_that_tells_how_it_went() {
    let account = Account::new().await;
    account.ok("CreateServiceLinkedRole", &[("AWSServiceName", "autoscaling.amazonaws.com")]).await;
    let gone = account.ok("DeleteServiceLinkedRole", &[("RoleName", NAME)]).await;
    let task = gone.xml("DeletionTaskId").unwrap();
    let begin = "task/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling/";
    assert!(task.starts_with(begin), "{task}");
    let status = account.ok("GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", task)]).await;
    assert_eq!(status.xml("Status"), Some("SUCCEEDED"));
    assert_eq!(account.refused("GetRole", &[("RoleName", NAME)]).await.1, "NoSuchEntity");
    let words = format!("The role with name {NAME} cannot be found.");
    assert_eq!(
        account.refused("DeleteServiceLinkedRole", &[("RoleName", NAME)]).await,
        refusal(404, "NoSuchEntity", words)
    );
    let other = format!("{begin}00000000-0000-4000-8000-000000000000");
    let status = account.refused("GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", &other)]).await;
    assert_eq!((status.0, status.1.as_str()), (404, "NoSuchEntity"));
    // A role of the account's own is no role of a service.
    account.role("app").await;
    assert_eq!(account.refused("DeleteServiceLinkedRole", &[("RoleName", "app")]).await.1, "NoSuchEntity");
}

#[tokio::test]
async fn who_may_make_roles_for_one_service_may_not_for_another() {
    let account = Account::new().await;
    let condition = r#","Condition":{"StringEquals":{"iam:AWSServiceName":"ecs.amazonaws.com"}}"#;
    let may = crate::support::allow(r#""iam:CreateServiceLinkedRole""#, "*", condition);
    let alice = account.server.user("alice", &[("may", &may)]).await;
    let ask = async |service: &str| {
        alice.query("iam", "CreateServiceLinkedRole", &[("AWSServiceName", service)]).await
    };
    assert_eq!(ask("autoscaling.amazonaws.com").await.refused().0, "AccessDenied");
    ask("ecs.amazonaws.com").await.ok();
}

#[tokio::test]
async fn an_account_in_an_organization_keeps_its_role() {
    let account = Account::new().await;
    let ask = [("AWSServiceName", "organizations.amazonaws.com")];
    let name = [("RoleName", "AWSServiceRoleForOrganizations")];
    account.ok("CreateServiceLinkedRole", &ask).await;
    let status = async || {
        let gone = account.ok("DeleteServiceLinkedRole", &name).await;
        let task = [("DeletionTaskId", gone.xml("DeletionTaskId").unwrap())];
        account.ok("GetServiceLinkedRoleDeletionStatus", &task).await
    };
    account.server.organize(&[daypass_core::testing::account()], |_| {}).await;
    let failed = status().await;
    assert_eq!(failed.xml("Status"), Some("FAILED"));
    assert!(failed.xml("Reason").is_some_and(|reason| reason.contains("o-exampleorgid")), "{}", failed.body);
    account.ok("GetRole", &name).await;
    account.server.organize(&[daypass_core::testing::account()], |o| o.all_features = false).await;
    assert_eq!(status().await.xml("Status"), Some("SUCCEEDED"));
    assert_eq!(account.refused("GetRole", &name).await.1, "NoSuchEntity");
}

#[tokio::test]
async fn what_came_of_a_deletion_is_told_for_a_day() {
    let account = Account::new().await;
    account.ok("CreateServiceLinkedRole", &[("AWSServiceName", "autoscaling.amazonaws.com")]).await;
    let gone = account.ok("DeleteServiceLinkedRole", &[("RoleName", NAME)]).await;
    let task = [("DeletionTaskId", gone.xml("DeletionTaskId").unwrap())];
    account.server.clock.advance(86_399);
    let administrator = account.server.administrator().await;
    administrator.query("iam", "GetServiceLinkedRoleDeletionStatus", &task).await.ok();
    account.server.clock.advance(1);
    let told = administrator.query("iam", "GetServiceLinkedRoleDeletionStatus", &task).await;
    assert_eq!(told.refused().0, "NoSuchEntity");
}
