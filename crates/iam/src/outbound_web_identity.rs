//! Tokens of the account's own: whether its principals may have web identity tokens that others verify
//! (`sts:GetWebIdentityToken`).

use daypass_core::federation::Algorithm;
use daypass_core::model::iam::{
    EnableOutboundWebIdentityFederationResponse, GetOutboundWebIdentityFederationInfoResponse, errors, ops,
};
use daypass_core::store::records::{TokenIssuer, TokenIssuerId, TokenKey};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation, prepared_operation, token_issuer};

prepared_operation!(
    ENABLE_OUTBOUND_WEB_IDENTITY_FEDERATION,
    ops::EnableOutboundWebIdentityFederation,
    prepare,
    checks,
    enable
);
operation!(
    DISABLE_OUTBOUND_WEB_IDENTITY_FEDERATION,
    ops::DisableOutboundWebIdentityFederation,
    ask,
    |cx, tx, ()| disable(cx, tx)
);
operation!(
    GET_OUTBOUND_WEB_IDENTITY_FEDERATION_INFO,
    ops::GetOutboundWebIdentityFederationInfo,
    ask,
    |cx, tx, ()| info(cx, tx)
);

fn ask(cx: &Cx, _: &Tx<'_>, (): &()) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

/// The keys that the issuer begins with: making them takes its time.
async fn prepare(cx: &Cx, (): &()) -> Result<Vec<TokenKey>, Error> {
    cx.authorize(&Check::on_all(cx.operation().action).into())?;
    let (account, now) = (cx.account(), cx.now().truncated());
    let make = |algorithm| token_issuer::new_key(cx.state(), &account, algorithm, now);
    let mut keys = vec![];
    for algorithm in [Algorithm::Rs256, Algorithm::Es384] {
        keys.push(make(algorithm).await.map_err(|error| Error::Internal(Box::new(error)))?);
    }
    Ok(keys)
}

fn checks(cx: &Cx, tx: &Tx<'_>, (): &(), _: &[TokenKey]) -> Result<Checks, StoreError> {
    ask(cx, tx, &())
}

/// An account that issued tokens before is the same issuer again, with the keys that it had.
fn enable(
    cx: &Cx,
    tx: &mut Tx<'_>,
    (): (),
    keys: &[TokenKey],
) -> Result<EnableOutboundWebIdentityFederationResponse, Error> {
    let account = cx.account();
    let known = tx.get::<TokenIssuer>(&TokenIssuer::key_of(&account))?;
    if known.as_ref().is_some_and(|issuer| issuer.enabled) {
        // Not seen recorded.
        let words = "Outbound web identity federation is already enabled for this account.";
        return Err(Fault::new(&errors::FEATURE_ENABLED, words).into());
    }
    let id = cx.ids().uuid();
    let mut issuer =
        known.unwrap_or(TokenIssuer { account: account.clone(), id, enabled: true, keys: vec![] });
    issuer.enabled = true;
    if issuer.keys.is_empty() {
        issuer.keys = keys.to_vec();
    }
    tx.put(&TokenIssuerId { id: issuer.id.clone(), account })?;
    tx.put(&issuer)?;
    let url = token_issuer::url(cx.state(), &issuer.id);
    Ok(EnableOutboundWebIdentityFederationResponse { issuer_identifier: Some(url) })
}

fn enabled(cx: &Cx, tx: &Tx<'_>) -> Result<TokenIssuer, Error> {
    let known = tx.get::<TokenIssuer>(&TokenIssuer::key_of(&cx.account()))?;
    known.filter(|issuer| issuer.enabled).ok_or_else(|| {
        // Not seen recorded.
        let words = "Outbound web identity federation is not enabled for this account.";
        Fault::new(&errors::FEATURE_DISABLED, words).into()
    })
}

fn disable(cx: &Cx, tx: &mut Tx<'_>) -> Result<(), Error> {
    let mut issuer = enabled(cx, tx)?;
    issuer.enabled = false;
    Ok(tx.put(&issuer)?)
}

fn info(cx: &Cx, tx: &mut Tx<'_>) -> Result<GetOutboundWebIdentityFederationInfoResponse, Error> {
    let issuer = enabled(cx, tx)?;
    Ok(GetOutboundWebIdentityFederationInfoResponse {
        issuer_identifier: Some(token_issuer::url(cx.state(), &issuer.id)),
        jwt_vending_enabled: Some(true),
    })
}
