//! `sts:GetSessionToken`: temporary credentials of the user who asks.

use daypass_core::model::sts::{Credentials, GetSessionTokenRequest, GetSessionTokenResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{
    CallerKind, Checks, Cx, Error, Fault, NotIssued, Session, SessionPrincipal, Who, operation,
};

use crate::{mfa, session_policy};

operation!(GET_SESSION_TOKEN, ops::GetSessionToken, checks, run);

/// Twelve hours (STS API reference, GetSessionToken).
const DEFAULT_SECONDS: i32 = 43_200;

fn checks(_: &Cx, _: &Tx<'_>, _: &GetSessionTokenRequest) -> Result<Checks, StoreError> {
    Ok(Checks::authenticated_only(
        "no permissions are required: policies cannot control authentication (IAM guide, permissions for GetSessionToken)",
    ))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetSessionTokenRequest) -> Result<GetSessionTokenResponse, Error> {
    let CallerKind::User(identity, None) = cx.caller().kind() else {
        return Err(denied("Cannot call GetSessionToken with session credentials").into());
    };
    let Who::User(user) = &identity.who else {
        return Err(denied("Cannot call GetSessionToken with session credentials").into());
    };
    let proof = mfa::proof(cx, tx, input.serial_number.as_deref(), input.token_code.as_deref())?;
    if let Some(proof) = &proof {
        proof.consume(tx)?;
    }
    let issued = cx.now().truncated();
    let principal = SessionPrincipal::User { name: user.name.clone(), id: user.id.clone() };
    let expires = issued.plus_seconds(i64::from(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)));
    let session = Session {
        mfa: proof.map(|_| issued),
        ..Session::plain(user.account.clone(), principal, issued, expires)
    };
    Ok(GetSessionTokenResponse { credentials: Some(issue(cx, &session)?) })
}

fn denied(words: &str) -> Fault {
    Fault::new(&daypass_core::model::sts::errors::ACCESS_DENIED, words)
}

/// A session as the API answers it; `PackedPolicyTooLarge` if there is more in it than a token has room for.
pub(crate) fn issue(cx: &Cx, session: &Session) -> Result<Credentials, Error> {
    let id = cx.ids().access_key_id("ASIA", &session.account);
    let issued = session.issue(&cx.state().ring, id).map_err(|error| match error {
        NotIssued::TooLong(percent) => Error::from(session_policy::too_large(percent)),
        NotIssued::KeyRing(error) => error.into(),
    })?;
    Ok(Credentials {
        access_key_id: issued.access_key_id,
        secret_access_key: issued.secret_access_key.expose().clone(),
        session_token: issued.session_token,
        expiration: issued.expires,
    })
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::{Client, TestServer};

    async fn token(client: &Client, parameters: &[(&str, &str)]) -> daypass_core::testing::TestAnswer {
        client.query("sts", "GetSessionToken", parameters).await
    }

    #[tokio::test]
    async fn gives_a_user_a_session_that_is_the_user() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let alice = server.user("alice", &[]).await;
        let answer = token(&alice, &[("DurationSeconds", "900")]).await.ok();
        assert_eq!(answer.xml("Expiration"), Some("2026-11-22T02:29:00Z"));
        let session = server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        );
        let who = session.query("sts", "GetCallerIdentity", &[]).await.ok();
        assert_eq!(who.xml("Arn"), Some("arn:aws:iam::123456789012:user/alice"));
        // A session cannot ask for another.
        assert_eq!(token(&session, &[]).await.refused().0, "AccessDenied");
        assert_eq!(token(&server.administrator().await, &[]).await.refused().0, "AccessDenied");
    }

    #[tokio::test]
    async fn refuses_odd_durations() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let alice = server.user("alice", &[]).await;
        assert_eq!(token(&alice, &[("DurationSeconds", "899")]).await.refused().0, "ValidationError");
        assert_eq!(token(&alice, &[("DurationSeconds", "129601")]).await.refused().0, "ValidationError");
    }
}
