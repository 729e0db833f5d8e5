//! OpenID Connect providers: what is taken, what is shown, what is refused.

use crate::support::{Account, refusal, refused};

/// What describes a SAML identity provider; made by another implementation.
pub(crate) const METADATA: &str = include_str!("../../../sts/tests/sts/saml/metadata-rsa.xml");
pub(crate) const THUMBPRINT: &str = "990f4193972f2becf12ddeda5237f9c952f20d9e";
const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/token.example.com/tenant";
const URL: &str = "https://token.example.com/tenant";

async fn create(account: &Account, more: &[(&str, &str)]) {
    let all = [&[("Url", URL), ("ThumbprintList.member.1", THUMBPRINT)][..], more].concat();
    let answer = account.ok("CreateOpenIDConnectProvider", &all).await;
    assert_eq!(answer.xml("OpenIDConnectProviderArn"), Some(ARN));
}

#[tokio::test]
async fn an_openid_connect_provider_is_shown_as_it_was_made() {
    let account = Account::new().await;
    let more = [
        ("ClientIDList.member.1", "sts.amazonaws.com"),
        ("ClientIDList.member.2", "app"),
        ("ClientIDList.member.3", "app"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
    ];
    create(&account, &more).await;
    let shown = account.ok("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", ARN)]).await;
    // Without its scheme, as AWS shows it.
    assert_eq!(shown.xml("Url"), Some("token.example.com/tenant"));
    assert_eq!(shown.xml("CreateDate"), Some("2026-11-22T02:14:00Z"));
    assert_eq!(shown.xml_all("member")[..2], ["sts.amazonaws.com", "app"]);
    assert!(shown.body.contains(THUMBPRINT));
    assert_eq!((shown.xml("Key"), shown.xml("Value")), (Some("team"), Some("red")));
    let list = account.ok("ListOpenIDConnectProviders", &[]).await;
    assert_eq!(list.xml_all("Arn"), [ARN]);
    let summary = account.ok("GetAccountSummary", &[]).await.body;
    let providers = summary.split("<key>Providers</key>").nth(1).unwrap().trim_start();
    assert!(providers.starts_with("<value>1</value>"), "{providers}");
    account.ok("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", ARN)]).await;
    assert_eq!(account.ok("ListOpenIDConnectProviders", &[]).await.xml_all("Arn"), [""; 0]);
    // What is gone is gone.
    account.ok("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", ARN)]).await;
}

#[tokio::test]
async fn client_ids_and_thumbprints_change() {
    let account = Account::new().await;
    create(&account, &[]).await;
    let provider = ("OpenIDConnectProviderArn", ARN);
    for _ in 0..2 {
        account.ok("AddClientIDToOpenIDConnectProvider", &[provider, ("ClientID", "app")]).await;
    }
    let shown = account.ok("GetOpenIDConnectProvider", &[provider]).await;
    assert_eq!(shown.body.matches("<member>app</member>").count(), 1);
    for _ in 0..2 {
        account.ok("RemoveClientIDFromOpenIDConnectProvider", &[provider, ("ClientID", "app")]).await;
    }
    let other = "A031C46782E6E6C662C2C87C76DA9AA62CCABD8E";
    account
        .ok("UpdateOpenIDConnectProviderThumbprint", &[provider, ("ThumbprintList.member.1", other)])
        .await;
    let shown = account.ok("GetOpenIDConnectProvider", &[provider]).await.body;
    assert!(shown.contains(other) && !shown.contains(THUMBPRINT) && !shown.contains("app"), "{shown}");
}

#[tokio::test]
async fn a_thumbprint_that_is_not_given_is_fetched_by_who_may_create_a_provider_alone() {
    let account = Account::new().await;
    let url = [("Url", URL)];
    let nobody = account.server.user("nobody", &[]).await;
    assert_eq!(refused(&nobody, "CreateOpenIDConnectProvider", &url).await.1, "AccessDenied");
    assert_eq!(account.server.web.fetched(), [""; 0]);
    let words = format!("Unable to retrieve the thumbprint of the identity provider {URL}");
    assert_eq!(
        account.refused("CreateOpenIDConnectProvider", &url).await,
        refusal(400, "OpenIdIdpCommunicationError", words)
    );
    account.server.web.publish(URL, THUMBPRINT);
    account.ok("CreateOpenIDConnectProvider", &url).await;
    let shown = account.ok("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", ARN)]).await;
    assert!(shown.body.contains(THUMBPRINT));
}

#[tokio::test]
async fn what_aws_refuses_of_providers_is_refused() {
    let account = Account::new().await;
    create(&account, &[]).await;
    let thumbprint = ("ThumbprintList.member.1", THUMBPRINT);
    for url in ["http://a.example", "a.example", "https://a.example?x=1", "https://", "https://a.example/%2e"]
    {
        let words = "Invalid Open ID Connect Provider URL";
        assert_eq!(
            account.refused("CreateOpenIDConnectProvider", &[("Url", url), thumbprint]).await,
            refusal(400, "ValidationError", words),
            "{url}"
        );
    }
    for url in [URL, "https://TOKEN.example.com/tenant"] {
        assert_eq!(
            account.refused("CreateOpenIDConnectProvider", &[("Url", url), thumbprint]).await,
            refusal(409, "EntityAlreadyExists", format!("Provider with url {url} already exists."))
        );
    }
    let names: Vec<String> = (1..=6).map(|n| format!("ThumbprintList.member.{n}")).collect();
    let six: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), THUMBPRINT)).collect();
    let six = [&[("Url", "https://b.example")][..], &six].concat();
    let words = "Thumbprint list must contain fewer than 5 entries.";
    assert_eq!(
        account.refused("CreateOpenIDConnectProvider", &six).await,
        refusal(400, "InvalidInput", words)
    );
    let hex = [
        ("Url", "https://b.example"),
        ("ThumbprintList.member.1", "z90f4193972f2becf12ddeda5237f9c952f20d9e"),
    ];
    assert_eq!(account.refused("CreateOpenIDConnectProvider", &hex).await.1, "InvalidInput");
    let short = [("Url", "https://b.example"), ("ThumbprintList.member.1", "990f")];
    assert_eq!(account.refused("CreateOpenIDConnectProvider", &short).await.1, "ValidationError");
    let ids: Vec<(String, String)> =
        (1..=101).map(|n| (format!("ClientIDList.member.{n}"), format!("c{n}"))).collect();
    let mut many = vec![("Url", "https://b.example"), thumbprint];
    many.extend(ids.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    let words = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100";
    assert_eq!(
        account.refused("CreateOpenIDConnectProvider", &many).await,
        refusal(409, "LimitExceeded", words)
    );
    many.pop();
    account.ok("CreateOpenIDConnectProvider", &many).await;
    let one_more = [
        ("OpenIDConnectProviderArn", "arn:aws:iam::123456789012:oidc-provider/b.example"),
        ("ClientID", "x"),
    ];
    assert_eq!(
        account.refused("AddClientIDToOpenIDConnectProvider", &one_more).await,
        refusal(409, "LimitExceeded", words)
    );
}

#[tokio::test]
async fn a_provider_is_found_by_its_own_arn_alone() {
    let account = Account::new().await;
    create(&account, &[]).await;
    for arn in [
        "arn:aws:iam::123456789012:oidc-provider/token.example.com",
        "arn:aws:iam::123456789012:oidc-provider/TOKEN.example.com/tenant",
        "arn:aws:iam::210987654321:oidc-provider/token.example.com/tenant",
        "arn:aws:iam::123456789012:saml-provider/token.example.com/tenant",
        "https://token.example.com/tenant",
    ] {
        for (action, more) in [
            ("GetOpenIDConnectProvider", None),
            ("AddClientIDToOpenIDConnectProvider", Some(("ClientID", "x"))),
            ("RemoveClientIDFromOpenIDConnectProvider", Some(("ClientID", "x"))),
            ("UpdateOpenIDConnectProviderThumbprint", Some(("ThumbprintList.member.1", THUMBPRINT))),
        ] {
            let all: Vec<_> = [("OpenIDConnectProviderArn", arn)].into_iter().chain(more).collect();
            let words = format!("OpenIDConnect Provider not found for arn {arn}");
            assert_eq!(
                account.refused(action, &all).await,
                refusal(404, "NoSuchEntity", words),
                "{action} {arn}"
            );
        }
        account.ok("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", arn)]).await;
    }
    account.ok("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", ARN)]).await;
}

#[tokio::test]
async fn an_account_has_a_hundred_providers_at_most() {
    let account = Account::new().await;
    for number in 0..100 {
        let url = format!("https://p{number}.example");
        let all = [("Url", url.as_str()), ("ThumbprintList.member.1", THUMBPRINT)];
        account.ok("CreateOpenIDConnectProvider", &all).await;
    }
    let words = "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100";
    let one_more = [("Url", URL), ("ThumbprintList.member.1", THUMBPRINT)];
    assert_eq!(
        account.refused("CreateOpenIDConnectProvider", &one_more).await,
        refusal(409, "LimitExceeded", words)
    );
    assert_eq!(account.ok("ListOpenIDConnectProviders", &[]).await.xml_all("Arn").len(), 100);
}

#[tokio::test]
async fn an_account_starts_and_stops_to_issue_tokens_of_its_own() {
    let account = Account::new().await;
    let (info, enable, disable) = (
        "GetOutboundWebIdentityFederationInfo",
        "EnableOutboundWebIdentityFederation",
        "DisableOutboundWebIdentityFederation",
    );
    for action in [info, disable] {
        let (status, code, _) = account.refused(action, &[]).await;
        assert_eq!((status, code.as_str()), (404, "FeatureDisabled"), "{action}");
    }
    let enabled = account.ok(enable, &[]).await;
    let issuer = enabled.xml("IssuerIdentifier").unwrap();
    assert!(issuer.starts_with("https://daypass.example/_daypass/oidc/"), "{issuer}");
    let (status, code, _) = account.refused(enable, &[]).await;
    assert_eq!((status, code.as_str()), (409, "FeatureEnabled"));
    let shown = account.ok(info, &[]).await;
    assert_eq!((shown.xml("IssuerIdentifier"), shown.xml("JwtVendingEnabled")), (Some(issuer), Some("true")));
    account.ok(disable, &[]).await;
    assert_eq!(account.refused(info, &[]).await.1, "FeatureDisabled");
    // It is the same issuer again.
    assert_eq!(account.ok(enable, &[]).await.xml("IssuerIdentifier"), Some(issuer));
}

const SAML: &str = "arn:aws:iam::123456789012:saml-provider/corp";

#[tokio::test]
async fn a_saml_provider_is_shown_as_it_was_made_and_replaced() {
    let account = Account::new().await;
    let all = [
        ("Name", "corp"),
        ("SAMLMetadataDocument", METADATA),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
    ];
    let made = account.ok("CreateSAMLProvider", &all).await;
    assert_eq!((made.xml("SAMLProviderArn"), made.xml("Key")), (Some(SAML), Some("team")));
    let shown = account.ok("GetSAMLProvider", &[("SAMLProviderArn", SAML)]).await;
    let unescaped = shown.xml("SAMLMetadataDocument").unwrap().replace("&lt;", "<").replace("&gt;", ">");
    assert_eq!(unescaped.replace("&quot;", "\"").trim(), METADATA.trim());
    assert_eq!(shown.xml("CreateDate"), Some("2026-11-22T02:14:00Z"));
    assert_eq!(shown.xml("ValidUntil"), Some("2036-01-01T00:00:00Z"));
    let id = shown.xml("SAMLProviderUUID").unwrap();
    assert!(id.len() >= 21 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
    let list = account.ok("ListSAMLProviders", &[]).await;
    assert_eq!((list.xml_all("Arn"), list.xml_all("ValidUntil")), (vec![SAML], vec!["2036-01-01T00:00:00Z"]));
    let later = METADATA.replace("2036-01-01", "2046-01-01");
    let update = [("SAMLProviderArn", SAML), ("SAMLMetadataDocument", later.as_str())];
    assert_eq!(account.ok("UpdateSAMLProvider", &update).await.xml("SAMLProviderArn"), Some(SAML));
    let shown = account.ok("GetSAMLProvider", &[("SAMLProviderArn", SAML)]).await;
    assert_eq!(shown.xml("ValidUntil"), Some("2046-01-01T00:00:00Z"));
    let summary = account.ok("GetAccountSummary", &[]).await.body;
    let providers = summary.split("<key>Providers</key>").nth(1).unwrap().trim_start();
    assert!(providers.starts_with("<value>1</value>"), "{providers}");
    account.ok("DeleteSAMLProvider", &[("SAMLProviderArn", SAML)]).await;
    assert_eq!(account.ok("ListSAMLProviders", &[]).await.xml_all("Arn"), [""; 0]);
}

#[tokio::test]
async fn what_aws_refuses_of_saml_providers_is_refused() {
    let account = Account::new().await;
    let metadata = ("SAMLMetadataDocument", METADATA);
    account.ok("CreateSAMLProvider", &[("Name", "corp"), metadata]).await;
    assert_eq!(
        account.refused("CreateSAMLProvider", &[("Name", "CORP"), metadata]).await,
        refusal(409, "EntityAlreadyExists", "SAMLProvider CORP already exists.")
    );
    let no_key = METADATA.replace("use=\"signing\"", "use=\"encryption\"");
    let comment = METADATA.replace("<md:IDPSSODescriptor", "<!-- --><md:IDPSSODescriptor");
    let entity =
        METADATA.replacen("<md:EntityDescriptor", "<!DOCTYPE x [<!ENTITY e \"x\">]><md:EntityDescriptor", 1);
    let nothing = "x".repeat(1000);
    for wrong in [&no_key, &comment, &entity, &nothing] {
        let all = [("Name", "other"), ("SAMLMetadataDocument", wrong.as_str())];
        let unparsable = refusal(400, "InvalidInput", "Could not parse metadata");
        assert_eq!(account.refused("CreateSAMLProvider", &all).await, unparsable, "{wrong}");
    }
    let short = [("Name", "other"), ("SAMLMetadataDocument", "<a/>")];
    assert_eq!(account.refused("CreateSAMLProvider", &short).await.1, "ValidationError");
    let words =
        "Unable to update identity provider. No updates are defined for metadata or encryption assertion.";
    assert_eq!(
        account.refused("UpdateSAMLProvider", &[("SAMLProviderArn", SAML)]).await,
        refusal(400, "InvalidInput", words)
    );
    for arn in [
        "arn:aws:iam::123456789012:saml-provider/other",
        "arn:aws:iam::123456789012:saml-provider/CORP",
        "arn:aws:iam::210987654321:saml-provider/corp",
    ] {
        let missing = refusal(404, "NoSuchEntity", format!("SAMLProvider {arn} not found"));
        for action in ["GetSAMLProvider", "DeleteSAMLProvider", "UpdateSAMLProvider"] {
            assert_eq!(account.refused(action, &[("SAMLProviderArn", arn)]).await, missing, "{action}");
        }
    }
}

/// Of RSA, 2048 bits.
const PRIVATE_KEY: &str = include_str!("../data/server.key");

#[tokio::test]
async fn private_keys_of_a_saml_provider_replace_each_other_and_are_never_shown() {
    let account = Account::new().await;
    let all = [("Name", "corp"), ("SAMLMetadataDocument", METADATA), ("AddPrivateKey", PRIVATE_KEY)];
    account.ok("CreateSAMLProvider", &all).await;
    let arn = ("SAMLProviderArn", SAML);
    let shown = account.ok("GetSAMLProvider", &[arn]).await;
    assert_eq!(shown.xml("AssertionEncryptionMode"), Some("Allowed"));
    assert_eq!(shown.xml("Timestamp"), Some("2026-11-22T02:14:00Z"));
    let first = shown.xml("KeyId").unwrap().to_owned();
    assert!(
        first.len() >= 22 && first.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
        "{first}"
    );
    let update = "UpdateSAMLProvider";
    account.ok(update, &[arn, ("AssertionEncryptionMode", "Required")]).await;
    account.ok(update, &[arn, ("AddPrivateKey", PRIVATE_KEY)]).await;
    let shown = account.ok("GetSAMLProvider", &[arn]).await;
    assert_eq!(shown.xml("AssertionEncryptionMode"), Some("Required"));
    let ids: Vec<String> = shown.xml_all("KeyId").into_iter().map(str::to_owned).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &first));
    let third = account.refused(update, &[arn, ("AddPrivateKey", PRIVATE_KEY)]).await;
    assert_eq!(third, refusal(409, "LimitExceeded", "Private key limit of 2 is reached."));
    account.ok(update, &[arn, ("RemovePrivateKey", &first)]).await;
    let invalid = |words: &str| refusal(400, "InvalidInput", words);
    assert_eq!(
        account.refused(update, &[arn, ("RemovePrivateKey", &first)]).await,
        invalid("Failed to remove private key because the Key ID does not match a private key.")
    );
    let last = ("RemovePrivateKey", ids[1].as_str());
    assert_eq!(account.refused(update, &[arn, last]).await, invalid("Failed to remove private key."));
    account.ok(update, &[arn, last, ("AssertionEncryptionMode", "Allowed")]).await;
    assert_eq!(account.ok("GetSAMLProvider", &[arn]).await.xml("KeyId"), None);
    assert_eq!(
        account.refused(update, &[arn, ("AssertionEncryptionMode", "Required")]).await,
        invalid("Unable to set assertion encryption mode to Required because no private key is provided.")
    );
    let secret = PRIVATE_KEY.lines().nth(5).unwrap();
    assert!(account.server.audit().iter().all(|record| !record.event.contains(secret)));
}

#[tokio::test]
async fn what_is_no_private_key_is_not_taken_for_one() {
    let account = Account::new().await;
    let metadata = ("SAMLMetadataDocument", METADATA);
    let encrypted = PRIVATE_KEY.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cut = PRIVATE_KEY.lines().filter(|line| !line.starts_with("MII")).collect::<Vec<_>>().join("\n");
    let twice = PRIVATE_KEY.repeat(2);
    let certificate = include_str!("../data/server.pem");
    for wrong in ["words", &encrypted, &cut, &twice, certificate] {
        let all = [("Name", "corp"), metadata, ("AddPrivateKey", wrong)];
        let invalid = refusal(400, "InvalidInput", "Invalid private key.");
        assert_eq!(account.refused("CreateSAMLProvider", &all).await, invalid, "{wrong}");
    }
    let all = [("Name", "corp"), metadata, ("AssertionEncryptionMode", "Required")];
    let words = "Unable to set assertion encryption mode to Required because no private key is provided.";
    assert_eq!(account.refused("CreateSAMLProvider", &all).await, refusal(400, "InvalidInput", words));
    account.ok("CreateSAMLProvider", &[("Name", "corp"), metadata]).await;
    let arn = ("SAMLProviderArn", SAML);
    let both = [arn, ("AddPrivateKey", PRIVATE_KEY), ("RemovePrivateKey", "ASAMKEXAMPLEQQQQQQQQQQ")];
    let words = "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.";
    assert_eq!(account.refused("UpdateSAMLProvider", &both).await, refusal(400, "InvalidInput", words));
    assert_eq!(account.ok("GetSAMLProvider", &[arn]).await.xml("AssertionEncryptionMode"), None);
}
