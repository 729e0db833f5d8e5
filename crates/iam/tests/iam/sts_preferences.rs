use crate::support::Account;

#[tokio::test]
async fn the_version_of_tokens_is_told_as_it_was_set() {
    let account = Account::new().await;
    let told = async || {
        let summary = account.ok("GetAccountSummary", &[]).await.body;
        let (_, rest) = summary.split_once("<key>GlobalEndpointTokenVersion</key><value>").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    assert_eq!(told().await, "1");
    let set = "SetSecurityTokenServicePreferences";
    account.ok(set, &[("GlobalEndpointTokenVersion", "v2Token")]).await;
    assert_eq!(told().await, "2");
    account.ok(set, &[("GlobalEndpointTokenVersion", "v1Token")]).await;
    assert_eq!(told().await, "1");
    assert_eq!(account.refused(set, &[("GlobalEndpointTokenVersion", "v3Token")]).await.1, "ValidationError");
}
