use crate::identity_providers::{METADATA, THUMBPRINT};
use crate::support::{Account, refusal};

/// Kind in operations, member that names one, and what it is called here.
async fn tagged(account: &Account) -> [(&'static str, &'static str, String); 8] {
    account.user("x").await;
    account.role("x").await;
    account.ok("CreateInstanceProfile", &[("InstanceProfileName", "x")]).await;
    let policy = account.policy("x").await;
    account.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "x")]).await;
    account.server_certificate("x").await;
    let url = [("Url", "https://x.example"), ("ThumbprintList.member.1", THUMBPRINT)];
    let oidc = account.ok("CreateOpenIDConnectProvider", &url).await;
    let oidc = oidc.xml("OpenIDConnectProviderArn").unwrap().to_owned();
    let metadata = [("Name", "x"), ("SAMLMetadataDocument", METADATA)];
    let saml = account.ok("CreateSAMLProvider", &metadata).await;
    let saml = saml.xml("SAMLProviderArn").unwrap().to_owned();
    [
        ("OpenIDConnectProvider", "OpenIDConnectProviderArn", oidc),
        ("SAMLProvider", "SAMLProviderArn", saml),
        ("User", "UserName", "x".to_owned()),
        ("Role", "RoleName", "x".to_owned()),
        ("Policy", "PolicyArn", policy),
        ("InstanceProfile", "InstanceProfileName", "x".to_owned()),
        ("MFADevice", "SerialNumber", "arn:aws:iam::123456789012:mfa/x".to_owned()),
        ("ServerCertificate", "ServerCertificateName", "x".to_owned()),
    ]
}

#[tokio::test]
async fn tags_are_set_replaced_listed_and_removed_without_regard_to_case() {
    let account = Account::new().await;
    for (kind, handle, name) in tagged(&account).await {
        let entity = (handle, name.as_str());
        let (tag, untag, list) = (format!("Tag{kind}"), format!("Untag{kind}"), format!("List{kind}Tags"));
        let set = [
            entity,
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
            ("Tags.member.2.Key", "Cost"),
            ("Tags.member.2.Value", ""),
        ];
        account.ok(&tag, &set).await;
        let listed = account.ok(&list, &[entity]).await;
        assert_eq!((listed.xml_all("Key"), listed.xml_all("Value")), (vec!["Cost", "team"], vec!["", "red"]));
        account.ok(&tag, &[entity, ("Tags.member.1.Key", "TEAM"), ("Tags.member.1.Value", "blue")]).await;
        let listed = account.ok(&list, &[entity]).await;
        assert_eq!(
            (listed.xml_all("Key"), listed.xml_all("Value")),
            (vec!["Cost", "TEAM"], vec!["", "blue"])
        );
        let first = account.ok(&list, &[entity, ("MaxItems", "1")]).await;
        assert_eq!((first.xml_all("Key"), first.xml("IsTruncated")), (vec!["Cost"], Some("true")));
        let rest = account.ok(&list, &[entity, ("Marker", first.xml("Marker").unwrap())]).await;
        assert_eq!((rest.xml_all("Key"), rest.xml("IsTruncated")), (vec!["TEAM"], Some("false")));
        account.ok(&untag, &[entity, ("TagKeys.member.1", "cost"), ("TagKeys.member.2", "never")]).await;
        assert_eq!(account.ok(&list, &[entity]).await.xml_all("Key"), ["TEAM"]);
    }
}

#[tokio::test]
async fn tags_that_aws_refuses_are_refused() {
    let account = Account::new().await;
    for (kind, handle, name) in tagged(&account).await {
        let (entity, tag) = ((handle, name.as_str()), format!("Tag{kind}"));
        let twice = [
            entity,
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "1"),
            ("Tags.member.2.Key", "A"),
            ("Tags.member.2.Value", "2"),
        ];
        let words = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        assert_eq!(account.refused(&tag, &twice).await, refusal(400, "InvalidInput", words));
        for key in ["aws:x", "AWS:x"] {
            let own = [entity, ("Tags.member.1.Key", key), ("Tags.member.1.Value", "1")];
            assert_eq!(account.refused(&tag, &own).await.1, "InvalidInput", "{key}");
        }
        let sign = [entity, ("Tags.member.1.Key", "a*"), ("Tags.member.1.Value", "1")];
        assert_eq!(account.refused(&tag, &sign).await.1, "ValidationError");
    }
}

#[tokio::test]
async fn fifty_tags_are_the_most() {
    let account = Account::new().await;
    for (kind, handle, name) in tagged(&account).await {
        let (entity, tag) = ((handle, name.as_str()), format!("Tag{kind}"));
        let fifty: Vec<(String, String)> = (1..=50)
            .flat_map(|n| {
                [
                    (format!("Tags.member.{n}.Key"), format!("k{n}")),
                    (format!("Tags.member.{n}.Value"), "v".to_owned()),
                ]
            })
            .collect();
        let mut parameters = vec![entity];
        parameters.extend(fifty.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        account.ok(&tag, &parameters).await;
        account.ok(&tag, &[entity, ("Tags.member.1.Key", "K1"), ("Tags.member.1.Value", "w")]).await;
        let more = [entity, ("Tags.member.1.Key", "k51"), ("Tags.member.1.Value", "v")];
        let words = "The number of tags has reached the maximum limit.";
        assert_eq!(account.refused(&tag, &more).await, refusal(409, "LimitExceeded", words));
    }
}

#[tokio::test]
async fn what_is_not_there_has_no_tags() {
    let account = Account::new().await;
    for (kind, handle, words) in [
        ("User", "UserName", "The user with name y cannot be found."),
        ("Role", "RoleName", "The role with name y cannot be found."),
        ("InstanceProfile", "InstanceProfileName", "Instance Profile y cannot be found."),
    ] {
        let (entity, gone) = ((handle, "y"), refusal(404, "NoSuchEntity", words));
        let tag = [entity, ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
        assert_eq!(account.refused(&format!("Tag{kind}"), &tag).await, gone);
        assert_eq!(
            account.refused(&format!("Untag{kind}"), &[entity, ("TagKeys.member.1", "k")]).await,
            gone
        );
        assert_eq!(account.refused(&format!("List{kind}Tags"), &[entity]).await, gone);
    }
}
