//! `sts:GetDelegatedAccessToken`: what a customer's token is good for to the partner that it was sent to.

use daypass_core::delegation::{self, MAX_RENDERED, NotRedeemed};
use daypass_core::model::sts::{
    GetDelegatedAccessTokenRequest, GetDelegatedAccessTokenResponse, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::get_session_token::issue;

operation!(GET_DELEGATED_ACCESS_TOKEN, ops::GetDelegatedAccessToken, checks, run);

fn checks(_: &Cx, _: &Tx<'_>, _: &GetDelegatedAccessTokenRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("sts:GetDelegatedAccessToken").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetDelegatedAccessTokenRequest,
) -> Result<GetDelegatedAccessTokenResponse, Error> {
    let redeemed = delegation::redeem(cx, tx, &input.trade_in_token).map_err(|why| match why {
        // What AWS answers to a token that is none, or another account's, is not documented; both are told the same.
        NotRedeemed::Invalid => {
            let words = "The trade-in token is not valid for the account of the caller.";
            Error::from(Fault::new(&errors::ACCESS_DENIED, words))
        }
        NotRedeemed::Expired => {
            let words = "The trade-in token has expired and can no longer be exchanged for credentials.";
            Fault::new(&errors::EXPIRED_TRADE_IN_TOKEN_EXCEPTION, words).into()
        }
        NotRedeemed::Store(error) => error.into(),
    })?;
    let percent = (redeemed.policy_size * 100 / MAX_RENDERED).max(1);
    Ok(GetDelegatedAccessTokenResponse {
        credentials: Some(issue(cx, &redeemed.session)?),
        packed_policy_size: i32::try_from(percent).ok(),
        assumed_principal: Some(redeemed.principal),
    })
}
