//! `sts:GetCallerIdentity`: who the caller is. Nobody can be denied it.

use daypass_core::model::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

operation!(GET_CALLER_IDENTITY, ops::GetCallerIdentity, checks, run);

fn checks(_: &Cx, _: &Tx<'_>, _: &GetCallerIdentityRequest) -> Result<Checks, StoreError> {
    Ok(Checks::authenticated_only(
        "no permissions are required, even with an explicit denial (STS API reference, GetCallerIdentity)",
    ))
}

fn run(cx: &Cx, _: &mut Tx<'_>, _: GetCallerIdentityRequest) -> Result<GetCallerIdentityResponse, Error> {
    let caller = cx.caller();
    Ok(GetCallerIdentityResponse {
        user_id: Some(caller.user_id().to_owned()),
        account: Some(cx.account().to_string()),
        arn: Some(caller.arn().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::TestServer;

    #[tokio::test]
    async fn tells_users_and_sessions_who_they_are_whatever_their_policies() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
        let alice = server.user("alice", &[("deny", deny)]).await;
        let answer = alice.query("sts", "GetCallerIdentity", &[]).await.ok();
        assert_eq!(answer.xml("Arn"), Some("arn:aws:iam::123456789012:user/alice"));
        assert_eq!(answer.xml("Account"), Some("123456789012"));
        assert_eq!(answer.xml("UserId"), Some("AIDAALICEQQQQQQQQQQQQ"));
        let answer = server.administrator().await.query("sts", "GetCallerIdentity", &[]).await.ok();
        assert_eq!(answer.xml("Arn"), Some("arn:aws:sts::123456789012:assumed-role/Administrator/tester"));
        let events: Vec<_> = server.audit().into_iter().map(|r| (r.event_name, r.username)).collect();
        let expected = |user: &str| ("GetCallerIdentity".to_owned(), user.to_owned());
        assert_eq!(events, [expected("alice"), expected("tester")]);
    }

    #[tokio::test]
    async fn a_session_that_is_over_is_nobody() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let administrator = server.administrator().await;
        server.clock.advance(3601);
        let (code, message) = administrator.query("sts", "GetCallerIdentity", &[]).await.refused();
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("ExpiredToken", "The security token included in the request is expired")
        );
    }
}
