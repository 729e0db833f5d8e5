//! `kms:CreateKey`

use daypass_core::kms::{Key, Manager};
use daypass_core::model::kms::{
    CreateKeyRequest, CreateKeyResponse, CustomerMasterKeySpec, KeySpec, KeyUsageType, OriginType, ops,
};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Secret, operation};

use crate::describe::metadata;
use crate::fault::{limit_exceeded, unsupported};
use crate::{key_policy, tag};

operation!(CREATE_KEY, ops::CreateKey, checks, run);

/// Keys of an account in a region. (AWS's quota is 100,000; here they are listed as a whole.)
const MAX_KEYS: usize = 10_000;

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateKeyRequest) -> Result<Checks, StoreError> {
    let tags = || input.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str()));
    let check = |action| {
        Check::on_all(action)
            .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
            .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
            .with("kms:KeyOrigin", "AWS_KMS")
            .with_flag("kms:MultiRegion", input.multi_region.unwrap_or(false))
            .with_flag(
                "kms:BypassPolicyLockoutSafetyCheck",
                input.bypass_policy_lockout_safety_check.unwrap_or(false),
            )
            .with("kms:CallerAccount", cx.account().as_str())
            .request_tags(tags())
    };
    let checks = Checks::from(check(cx.operation().action));
    Ok(if input.tags.is_empty() { checks } else { checks.and(check("kms:TagResource")) })
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreateKeyRequest) -> Result<CreateKeyResponse, Error> {
    only_what_is_built(&input)?;
    let (account, region) = (cx.account(), cx.region());
    if tx.keys(&Key::all(&account, region), None, MAX_KEYS)?.len() >= MAX_KEYS {
        return Err(limit_exceeded(format!("The account has {MAX_KEYS} keys in {region}.")).into());
    }
    let policy = match &input.policy {
        Some(text) => key_policy::read(tx, text)?,
        None => key_policy::default(&account),
    };
    let mut key =
        Key::new((account, region), cx.ids().uuid(), Manager::Customer, policy, cx.now().truncated());
    key.description = input.description.unwrap_or_default();
    key.tags = tag::of_new(&input.tags)?;
    if input.policy.is_some() && input.bypass_policy_lockout_safety_check != Some(true) {
        key_policy::keep_open(cx, &key)?;
    }
    let (secret, id) = (Secret::new(cx.ids().secret_bytes()), cx.ids().id_bytes());
    key.add_material(&cx.state().ring, &secret, &id, cx.now(), false)?;
    tx.put(&key)?;
    Ok(CreateKeyResponse { key_metadata: Some(metadata(&key)) })
}

fn only_what_is_built(input: &CreateKeyRequest) -> Result<(), Fault> {
    let spec = input.key_spec.is_none_or(|spec| spec == KeySpec::SYMMETRICDEFAULT);
    let former =
        input.customer_master_key_spec.is_none_or(|spec| spec == CustomerMasterKeySpec::SYMMETRICDEFAULT);
    if !spec || !former || input.key_usage.is_some_and(|usage| usage != KeyUsageType::ENCRYPTDECRYPT) {
        return Err(unsupported("A key that is not symmetric, or not for encryption,"));
    }
    if input.origin.is_some_and(|origin| origin != OriginType::AWSKMS) || input.xks_key_id.is_some() {
        return Err(unsupported("A key whose material comes from elsewhere"));
    }
    if input.custom_key_store_id.is_some() {
        return Err(unsupported("A custom key store"));
    }
    if input.multi_region == Some(true) {
        return Err(unsupported("A key of several regions"));
    }
    Ok(())
}
