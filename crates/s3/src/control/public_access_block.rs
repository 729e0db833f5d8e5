//! What of public access an account blocks: `s3:PutAccountPublicAccessBlock`, `s3:GetAccountPublicAccessBlock`.

use daypass_core::model::s3control::{
    DeletePublicAccessBlockRequest, GetPublicAccessBlockOutput, GetPublicAccessBlockRequest,
    PublicAccessBlockConfiguration, PutPublicAccessBlockRequest, errors, ops,
};
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use super::own_account;
use crate::account_block::AccountBlock;
use crate::authorize;
use crate::bucket::PublicAccessBlock;

operation!(
    PUT_PUBLIC_ACCESS_BLOCK,
    ops::PutPublicAccessBlock,
    may_refuse: |cx, _, input| check(cx, &input.account_id),
    put
);
operation!(
    GET_PUBLIC_ACCESS_BLOCK,
    ops::GetPublicAccessBlock,
    may_refuse: |cx, _, input| check(cx, &input.account_id),
    get
);
operation!(
    DELETE_PUBLIC_ACCESS_BLOCK,
    ops::DeletePublicAccessBlock,
    may_refuse: |cx, _, input| check(cx, &input.account_id),
    delete
);

fn check(cx: &Cx, account: &str) -> Result<Checks, Error> {
    let account = own_account(cx, account)?;
    let check = authorize::common(cx, Check::on_all(cx.operation().action));
    Ok(check.with("s3:ResourceAccount", account.as_str()).of_account(account).into())
}

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutPublicAccessBlockRequest) -> Result<(), Error> {
    let account = own_account(cx, &input.account_id)?;
    // What is not said is not blocked (S3 API reference, PublicAccessBlockConfiguration).
    let block = block_of(&input.public_access_block_configuration, false);
    Ok(tx.put(&AccountBlock { account, block })?)
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetPublicAccessBlockRequest,
) -> Result<GetPublicAccessBlockOutput, Error> {
    let account = own_account(cx, &input.account_id)?;
    let Some(found) = tx.get::<AccountBlock>(&AccountBlock::key_of(&account))? else {
        let words = "The public access block configuration was not found";
        let fault = Fault::new(&errors::NO_SUCH_PUBLIC_ACCESS_BLOCK_CONFIGURATION, words);
        return Err(fault.with("AccountId", account.as_str()).into());
    };
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(shown(found.block)) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeletePublicAccessBlockRequest) -> Result<(), Error> {
    tx.delete(&AccountBlock::key_of(&own_account(cx, &input.account_id)?));
    Ok(())
}

/// What a configuration blocks, where `unsaid` is what it leaves out.
pub(super) fn block_of(configuration: &PublicAccessBlockConfiguration, unsaid: bool) -> PublicAccessBlock {
    PublicAccessBlock {
        block_public_acls: configuration.block_public_acls.unwrap_or(unsaid),
        ignore_public_acls: configuration.ignore_public_acls.unwrap_or(unsaid),
        block_public_policy: configuration.block_public_policy.unwrap_or(unsaid),
        restrict_public_buckets: configuration.restrict_public_buckets.unwrap_or(unsaid),
    }
}

/// A block, as answers have it.
pub(super) fn shown(block: PublicAccessBlock) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_public_acls),
        ignore_public_acls: Some(block.ignore_public_acls),
        block_public_policy: Some(block.block_public_policy),
        restrict_public_buckets: Some(block.restrict_public_buckets),
    }
}
