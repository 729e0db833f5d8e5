//! `kms:DescribeKey`, and how every answer tells of a key.

use daypass_core::kms::{self, Key, Manager, Name};
use daypass_core::model::kms::{
    CustomerMasterKeySpec, DescribeKeyRequest, DescribeKeyResponse, EncryptionAlgorithmSpec, KeyManagerType,
    KeyMetadata, KeySpec, KeyState, KeyUsageType, OriginType, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, prepared_operation};

use crate::subject::{self, Reach};

prepared_operation!(DESCRIBE_KEY, ops::DescribeKey, prepare, checks, run);

/// Services whose key is made when it is first asked for.
pub(crate) const MANAGED: &[&str] = &["s3"];

/// A key that AWS looks after comes to be when its alias is described (KMS API reference, DescribeKey), by whom may.
async fn prepare(cx: &Cx, input: &DescribeKeyRequest) -> Result<(), Error> {
    let name = Name::parse(cx, &input.key_id).ok().filter(|name| *name.account() == cx.account());
    let service = name.as_ref().and_then(Name::alias).and_then(|alias| alias.strip_prefix("alias/aws/"));
    if let Some(service) = service.filter(|service| MANAGED.contains(service))
        && cx.may(&kms::aws_managed(cx, cx.region(), service)?.check(cx, "kms:DescribeKey"))
    {
        kms::made_aws_managed(cx, cx.region(), service).await?;
    }
    Ok(())
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DescribeKeyRequest, (): &()) -> Result<Checks, StoreError> {
    Ok(subject::check(cx, tx, &input.key_id, Reach::Any)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeKeyRequest, (): &()) -> Result<DescribeKeyResponse, Error> {
    Ok(DescribeKeyResponse { key_metadata: Some(metadata(&subject::load(cx, tx, &input.key_id)?)) })
}

/// A key, as answers tell of it.
pub(crate) fn metadata(key: &Key) -> KeyMetadata {
    KeyMetadata {
        aws_account_id: Some(key.account.to_string()),
        key_id: key.id.clone(),
        arn: Some(key.arn()),
        creation_date: Some(key.created),
        enabled: Some(key.usable().is_ok()),
        description: Some(key.description.clone()),
        key_usage: Some(KeyUsageType::ENCRYPTDECRYPT),
        key_state: Some(state(key)),
        deletion_date: key.deletion,
        origin: Some(OriginType::AWSKMS),
        key_manager: Some(match key.manager {
            Manager::Customer => KeyManagerType::CUSTOMER,
            Manager::Aws(_) => KeyManagerType::AWS,
        }),
        customer_master_key_spec: Some(CustomerMasterKeySpec::SYMMETRICDEFAULT),
        key_spec: Some(KeySpec::SYMMETRICDEFAULT),
        encryption_algorithms: Some(vec![EncryptionAlgorithmSpec::SYMMETRICDEFAULT]),
        multi_region: Some(false),
        current_key_material_id: key.materials.last().map(|material| material.id.clone()),
        ..KeyMetadata::default()
    }
}

/// The state of a key (KMS developer guide, "Key states of AWS KMS keys").
pub(crate) fn state(key: &Key) -> KeyState {
    match (key.deletion, key.enabled) {
        (Some(_), _) => KeyState::PendingDeletion,
        (None, true) => KeyState::Enabled,
        (None, false) => KeyState::Disabled,
    }
}
