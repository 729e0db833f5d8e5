//! The keys that services of AWS's make in an account for itself, each when it is first used (KMS developer guide, "AWS managed
//! keys"): `alias/aws/s3`.

use std::sync::Arc;

use daypass_store::{Read as _, StoreError, TransactError};
use serde_json::json;

use super::key::{Key, Manager};
use super::name::{Alias, Name};
use crate::surroundings::random;
use crate::{Cx, Error, Secret};

/// The key of a service in the caller's account and a region. Where it is not made yet, it is as it will be, without material:
/// whether it may be used is asked of that.
///
/// # Errors
/// If the store fails.
pub fn aws_managed(cx: &Cx, region: &str, service: &str) -> Result<Arc<Key>, StoreError> {
    let name = Name::within(cx.account(), region, &alias_of(service)).ok();
    match name.map(|name| name.kept(cx)).transpose()? {
        Some(Ok(key)) => Ok(key),
        _ => Ok(Arc::new(template(cx, region, service))),
    }
}

/// The same, made now if it was not.
///
/// # Errors
/// If the store or the key ring fails.
pub async fn made_aws_managed(cx: &Cx, region: &str, service: &str) -> Result<Arc<Key>, Error> {
    let known = aws_managed(cx, region, service)?;
    if !known.materials.is_empty() {
        return Ok(known);
    }
    let mut key = template(cx, region, service);
    let (material, id) = (Secret::new(random(&*cx.state.entropy)), random(&*cx.state.entropy));
    key.add_material(&cx.state.ring, &material, &id, cx.now(), false)?;
    key.rotation =
        Some(super::Rotation { period_days: 365, next: cx.now().plus_seconds(365 * 86_400).truncated() });
    let alias = Alias {
        account: key.account.clone(),
        region: key.region.clone(),
        name: alias_of(service),
        key_id: key.id.clone(),
        created: key.created,
        updated: key.created,
    };
    let place = Alias::key_of(&key.account, &key.region, &alias.name);
    let made = cx.state.store.transact(|tx| {
        if let Some(alias) = tx.get::<Alias>(&place)?
            && let Some(other) = tx.get::<Key>(&Key::key_of(&alias.account, &alias.region, &alias.key_id))?
        {
            // Another request was first.
            return Ok(other);
        }
        tx.put(&key)?;
        tx.put(&alias)?;
        Ok::<_, StoreError>(key.clone())
    });
    match made.await {
        Ok(key) => Ok(Arc::new(key)),
        Err(TransactError::Aborted(error) | TransactError::Store(error)) => Err(error.into()),
    }
}

fn alias_of(service: &str) -> String {
    format!("alias/aws/{service}")
}

fn template(cx: &Cx, region: &str, service: &str) -> Key {
    let bytes: [u8; 32] = random(&*cx.state.entropy);
    let id = crate::ids::Ids::new(bytes).uuid();
    let account = cx.account();
    let policy = json!({
        "Version": "2012-10-17",
        "Id": format!("auto-{service}-2"),
        "Statement": [
            {
                "Sid": format!("Allow access through {} for all principals in the account that are authorized to use {0}", service.to_uppercase()),
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": {"StringEquals": {
                    "kms:ViaService": format!("{service}.{region}.amazonaws.com"),
                    "kms:CallerAccount": account.as_str(),
                }},
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{account}:root")},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
        ],
    });
    let manager = Manager::Aws(service.to_owned());
    let mut key = Key::new((account, region), id, manager, policy.to_string(), cx.now().truncated());
    key.aliases = vec![alias_of(service)];
    key.description = match service {
        "s3" => "Default key that protects my S3 objects when no other key is defined".to_owned(),
        other => format!("Default key that protects my {other} data when no other key is defined"),
    };
    key
}
