//! `sts:GetAccessKeyInfo`: the account of an access key, which the key's id holds.

use daypass_core::model::sts::{GetAccessKeyInfoRequest, GetAccessKeyInfoResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, account_of_access_key, operation};

operation!(GET_ACCESS_KEY_INFO, ops::GetAccessKeyInfo, checks, run);

fn checks(_: &Cx, _: &Tx<'_>, _: &GetAccessKeyInfoRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("sts:GetAccessKeyInfo").into())
}

fn run(_: &Cx, _: &mut Tx<'_>, input: GetAccessKeyInfoRequest) -> Result<GetAccessKeyInfoResponse, Error> {
    let account = account_of_access_key(&input.access_key_id)
        .ok_or_else(|| Fault::coded("ValidationError", 400, "Invalid Access Key ID specified.".to_owned()))?;
    Ok(GetAccessKeyInfoResponse { account: Some(account.to_string()) })
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::TestServer;

    #[tokio::test]
    async fn reads_the_account_from_the_id_and_asks_for_permission() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        let known = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
        let answer = administrator.query("sts", "GetAccessKeyInfo", &known).await.ok();
        assert!(answer.xml("Account").is_some_and(|a| a.len() == 12));
        let none = [("AccessKeyId", "AKIA0000000000000000")];
        let refused = administrator.query("sts", "GetAccessKeyInfo", &none).await.refused();
        assert_eq!(refused.0, "ValidationError");
        let nobody = server.user("nobody", &[]).await;
        let refused = nobody.query("sts", "GetAccessKeyInfo", &known).await.refused();
        assert_eq!(refused.0, "AccessDenied");
    }
}
