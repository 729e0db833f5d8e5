use crate::support::{Account, DOCUMENT, decoded, document_of, refusal};

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

#[tokio::test]
async fn a_policy_is_made_shown_and_deleted() {
    let account = Account::new().await;
    let made = account
        .ok(
            "CreatePolicy",
            &[
                ("PolicyName", "Read"),
                ("Path", "/x/"),
                ("PolicyDocument", DOCUMENT),
                ("Description", "reads"),
                ("Tags.member.1.Key", "k"),
                ("Tags.member.1.Value", "v"),
            ],
        )
        .await;
    let arn = "arn:aws:iam::123456789012:policy/x/Read";
    assert_eq!(made.xml("Arn"), Some(arn));
    assert!(made.xml("PolicyId").unwrap().starts_with("ANPA"));
    for (name, value) in [
        ("DefaultVersionId", "v1"),
        ("AttachmentCount", "0"),
        ("PermissionsBoundaryUsageCount", "0"),
        ("IsAttachable", "true"),
        ("CreateDate", "2026-11-22T02:14:00Z"),
        ("UpdateDate", "2026-11-22T02:14:00Z"),
        ("Key", "k"),
    ] {
        assert_eq!(made.xml(name), Some(value), "{name}");
    }
    assert_eq!(made.xml("Description"), None);
    let got = account.ok("GetPolicy", &[("PolicyArn", arn)]).await;
    assert_eq!((got.xml("PolicyId"), got.xml("Description")), (made.xml("PolicyId"), Some("reads")));
    account.ok("DeletePolicy", &[("PolicyArn", arn)]).await;
    let gone = refusal(404, "NoSuchEntity", format!("Policy {arn} was not found."));
    for (action, more) in [
        ("GetPolicy", vec![]),
        ("DeletePolicy", vec![]),
        ("ListPolicyVersions", vec![]),
        ("ListEntitiesForPolicy", vec![]),
        ("ListPolicyTags", vec![]),
        ("GetPolicyVersion", vec![("VersionId", "v1")]),
        ("DeletePolicyVersion", vec![("VersionId", "v1")]),
        ("SetDefaultPolicyVersion", vec![("VersionId", "v1")]),
        ("CreatePolicyVersion", vec![("PolicyDocument", DOCUMENT)]),
    ] {
        let parameters = [&[("PolicyArn", arn)], &more[..]].concat();
        assert_eq!(account.refused(action, &parameters).await, gone, "{action}");
    }
}

#[tokio::test]
async fn names_are_unique_whatever_their_paths() {
    let account = Account::new().await;
    account.policy("Read").await;
    let again = [("PolicyName", "READ"), ("Path", "/x/"), ("PolicyDocument", DOCUMENT)];
    let words = "A policy called READ already exists. Duplicate names are not allowed.";
    assert_eq!(account.refused("CreatePolicy", &again).await, refusal(409, "EntityAlreadyExists", words));
    // Nor is a policy found under another path than its own.
    let elsewhere = "arn:aws:iam::123456789012:policy/x/Read";
    assert_eq!(account.refused("GetPolicy", &[("PolicyArn", elsewhere)]).await.0, 404);
}

#[tokio::test]
async fn documents_are_checked_and_measured_without_white_space() {
    let account = Account::new().await;
    let missing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject"}]}"#;
    for (document, expected) in [
        ("{", refusal(400, "MalformedPolicyDocument", "Syntax errors in policy.")),
        (missing, refusal(400, "MalformedPolicyDocument", "Policy statement must contain resources.")),
        (&document_of(6145), refusal(409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144")),
    ] {
        let parameters = [("PolicyName", "p"), ("PolicyDocument", document)];
        assert_eq!(account.refused("CreatePolicy", &parameters).await, expected);
    }
    let arn = account.policy("p").await;
    let longest = document_of(6144);
    account.ok("CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", &longest)]).await;
    let longer = [("PolicyArn", arn.as_str()), ("PolicyDocument", &document_of(6145))];
    assert_eq!(account.refused("CreatePolicyVersion", &longer).await.1, "LimitExceeded");
    let got = account.ok("GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]).await;
    assert_eq!(decoded(got.xml("Document").unwrap()), longest);
}

#[tokio::test]
async fn versions_come_and_go_but_the_default_one() {
    let account = Account::new().await;
    let arn = account.policy("p").await;
    let policy = ("PolicyArn", arn.as_str());
    account.server.clock.advance(60);
    for number in 2..=5 {
        let made = account.ok("CreatePolicyVersion", &[policy, ("PolicyDocument", DOCUMENT)]).await;
        assert_eq!(made.xml("VersionId"), Some(format!("v{number}").as_str()));
        assert_eq!((made.xml("IsDefaultVersion"), made.xml("Document")), (Some("false"), None));
    }
    let words = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
    let sixth = account.refused("CreatePolicyVersion", &[policy, ("PolicyDocument", DOCUMENT)]).await;
    assert_eq!(sixth, refusal(409, "LimitExceeded", words));
    let listed = account.ok("ListPolicyVersions", &[policy]).await;
    assert_eq!(listed.xml_all("VersionId"), ["v5", "v4", "v3", "v2", "v1"]);
    assert_eq!(listed.xml_all("IsDefaultVersion"), ["false", "false", "false", "false", "true"]);
    assert!(!listed.body.contains("<Document>"));
    let default = account.refused("DeletePolicyVersion", &[policy, ("VersionId", "v1")]).await;
    assert_eq!(default, refusal(409, "DeleteConflict", "Cannot delete the default version of a policy."));
    let many = account.refused("DeletePolicy", &[policy]).await;
    assert_eq!(many.1, "DeleteConflict");
    assert!(many.2.starts_with("This policy has more than one version."), "{}", many.2);
    account.ok("SetDefaultPolicyVersion", &[policy, ("VersionId", "v3")]).await;
    assert_eq!(account.ok("GetPolicy", &[policy]).await.xml("DefaultVersionId"), Some("v3"));
    for version in ["v1", "v2", "v4", "v5"] {
        account.ok("DeletePolicyVersion", &[policy, ("VersionId", version)]).await;
    }
    let gone = format!("Policy {arn} version v1 does not exist or is not attachable.");
    for action in ["GetPolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion"] {
        let refused = account.refused(action, &[policy, ("VersionId", "v1")]).await;
        assert_eq!(refused, refusal(404, "NoSuchEntity", gone.as_str()), "{action}");
    }
    // Numbers are never used again.
    let made = [policy, ("PolicyDocument", DOCUMENT), ("SetAsDefault", "true")];
    let made = account.ok("CreatePolicyVersion", &made).await;
    assert_eq!((made.xml("VersionId"), made.xml("IsDefaultVersion")), (Some("v6"), Some("true")));
    let got = account.ok("GetPolicy", &[policy]).await;
    assert_eq!(got.xml("DefaultVersionId"), Some("v6"));
    assert_eq!(got.xml("UpdateDate"), Some("2026-11-22T02:15:00Z"));
    account.ok("DeletePolicyVersion", &[policy, ("VersionId", "v3")]).await;
    account.ok("DeletePolicy", &[policy]).await;
}

#[tokio::test]
async fn a_new_default_version_counts_at_once() {
    let account = Account::new().await;
    let alice = account.server.user("alice", &[]).await;
    let arn = account.policy("p").await;
    let policy = ("PolicyArn", arn.as_str());
    account.ok("AttachUserPolicy", &[("UserName", "alice"), policy]).await;
    let may = crate::support::allow(r#""iam:GetAccountSummary""#, "*", "");
    let code = async || alice.query("iam", "GetAccountSummary", &[]).await.code();
    assert_eq!(code().await.as_deref(), Some("AccessDenied"));
    account.ok("CreatePolicyVersion", &[policy, ("PolicyDocument", &may), ("SetAsDefault", "true")]).await;
    assert_eq!(code().await, None);
    account.ok("SetDefaultPolicyVersion", &[policy, ("VersionId", "v1")]).await;
    assert_eq!(code().await.as_deref(), Some("AccessDenied"));
}

#[tokio::test]
async fn awss_own_policies_are_there_and_cannot_be_changed() {
    let account = Account::new().await;
    let policy = ("PolicyArn", ADMIN);
    let got = account.ok("GetPolicy", &[policy]).await;
    assert!(got.xml("PolicyId").unwrap().starts_with("ANPA"));
    assert_eq!((got.xml("IsAttachable"), got.xml("PolicyName")), (Some("true"), Some("AdministratorAccess")));
    // The administrator's own role has it.
    assert_eq!(got.xml("AttachmentCount"), Some("1"));
    let version = got.xml("DefaultVersionId").unwrap();
    let document = account.ok("GetPolicyVersion", &[policy, ("VersionId", version)]).await;
    let document: serde_json::Value =
        serde_json::from_str(&decoded(document.xml("Document").unwrap())).unwrap();
    assert_eq!(document["Statement"][0]["Action"], "*");
    assert_eq!(account.ok("ListPolicyVersions", &[policy]).await.xml_all("VersionId"), [version]);
    assert_eq!(account.ok("ListEntitiesForPolicy", &[policy]).await.xml_all("RoleName"), ["Administrator"]);
    assert!(account.ok("ListPolicyTags", &[policy]).await.xml_all("Key").is_empty());
    for (action, more) in [
        ("DeletePolicy", vec![]),
        ("DeletePolicyVersion", vec![("VersionId", "v1")]),
        ("SetDefaultPolicyVersion", vec![("VersionId", "v1")]),
        ("CreatePolicyVersion", vec![("PolicyDocument", DOCUMENT)]),
        ("TagPolicy", vec![("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
        ("UntagPolicy", vec![("TagKeys.member.1", "k")]),
    ] {
        let parameters = [&[policy], &more[..]].concat();
        let refused = account.refused(action, &parameters).await;
        assert_eq!((refused.0, refused.1.as_str()), (403, "AccessDenied"), "{action}");
    }
    let nothing = "arn:aws:iam::aws:policy/Nothing";
    let words = format!("Policy {nothing} was not found.");
    let refused = account.refused("GetPolicy", &[("PolicyArn", nothing)]).await;
    assert_eq!(refused, refusal(404, "NoSuchEntity", words));
}

#[tokio::test]
async fn another_accounts_policy_is_nobodys_to_see() {
    let account = Account::new().await;
    let foreign = "arn:aws:iam::999999999999:policy/p";
    let refused = account.refused("GetPolicy", &[("PolicyArn", foreign)]).await;
    assert_eq!((refused.0, refused.1.as_str()), (403, "AccessDenied"));
}

#[tokio::test]
async fn what_is_no_arn_of_a_policy_is_refused_as_such() {
    let account = Account::new().await;
    account.role("app").await;
    for (arn, code, words) in [
        ("longenough-name-of-a-policy", "ValidationError", "Invalid ARN:  Could not be parsed!"),
        (
            "arn:aws:iam::123456789012:role/app",
            "InvalidInput",
            "ARN arn:aws:iam::123456789012:role/app is not valid.",
        ),
    ] {
        let expected = refusal(400, code, words);
        assert_eq!(account.refused("GetPolicy", &[("PolicyArn", arn)]).await, expected);
        let attach = [("RoleName", "app"), ("PolicyArn", arn)];
        assert_eq!(account.refused("AttachRolePolicy", &attach).await, expected);
        let boundary = [("RoleName", "app"), ("PermissionsBoundary", arn)];
        assert_eq!(account.refused("PutRolePermissionsBoundary", &boundary).await, expected);
    }
}
