use crate::support::{Account, TRUST, decoded, refusal};

#[tokio::test]
async fn a_profile_is_made_filled_shown_and_deleted() {
    let account = Account::new().await;
    account.role("app").await;
    let profile = ("InstanceProfileName", "App");
    let made = account.ok("CreateInstanceProfile", &[profile, ("Path", "/x/")]).await;
    assert_eq!(made.xml("Arn"), Some("arn:aws:iam::123456789012:instance-profile/x/App"));
    assert!(made.xml("InstanceProfileId").unwrap().starts_with("AIPA"));
    assert!(made.body.contains("<Roles"), "{}", made.body);
    let taken = refusal(409, "EntityAlreadyExists", "Instance Profile APP already exists.");
    assert_eq!(account.refused("CreateInstanceProfile", &[("InstanceProfileName", "APP")]).await, taken);
    let both = [profile, ("RoleName", "app")];
    account.ok("AddRoleToInstanceProfile", &both).await;
    let got = account.ok("GetInstanceProfile", &[profile]).await;
    assert_eq!(got.xml("RoleName"), Some("app"));
    assert_eq!(decoded(got.xml("AssumeRolePolicyDocument").unwrap()), TRUST);
    assert!(!got.body.contains("MaxSessionDuration") && !got.body.contains("RoleLastUsed"));
    assert!(got.body.contains("<Tags"), "{}", got.body);
    let of_role = account.ok("ListInstanceProfilesForRole", &both[1..]).await;
    assert_eq!(of_role.xml_all("InstanceProfileName"), ["App"]);
    let full = refusal(409, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
    assert_eq!(account.refused("AddRoleToInstanceProfile", &both).await, full);
    let words = "Cannot delete entity, must remove roles from instance profile first.";
    let conflict = account.refused("DeleteInstanceProfile", &[profile]).await;
    assert_eq!(conflict, refusal(409, "DeleteConflict", words));
    account.ok("RemoveRoleFromInstanceProfile", &both).await;
    assert!(
        account.ok("ListInstanceProfilesForRole", &both[1..]).await.xml_all("InstanceProfileName").is_empty()
    );
    account.ok("DeleteInstanceProfile", &[profile]).await;
    let gone = refusal(404, "NoSuchEntity", "Instance Profile App cannot be found.");
    for action in ["GetInstanceProfile", "DeleteInstanceProfile", "ListInstanceProfileTags"] {
        assert_eq!(account.refused(action, &[profile]).await, gone, "{action}");
    }
    for action in ["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"] {
        assert_eq!(account.refused(action, &both).await, gone, "{action}");
    }
}

#[tokio::test]
async fn only_a_role_that_is_there_goes_in_and_only_one_that_is_in_comes_out() {
    let account = Account::new().await;
    account.role("app").await;
    let profile = ("InstanceProfileName", "p");
    account.ok("CreateInstanceProfile", &[profile]).await;
    let missing = refusal(404, "NoSuchEntity", "The role with name x cannot be found.");
    for action in ["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"] {
        assert_eq!(account.refused(action, &[profile, ("RoleName", "x")]).await, missing, "{action}");
    }
    let out = account.refused("RemoveRoleFromInstanceProfile", &[profile, ("RoleName", "app")]).await;
    assert_eq!(out, refusal(404, "NoSuchEntity", "The role with name app cannot be found."));
}
