//! New material for a key, the old kept for what it sealed: `kms:EnableKeyRotation`, `kms:DisableKeyRotation`,
//! `kms:GetKeyRotationStatus`, `kms:RotateKeyOnDemand`, `kms:ListKeyRotations`. What is due by itself, `upkeep` does.

use daypass_core::kms::{Key, Manager, Rotation};
use daypass_core::model::kms::{
    DisableKeyRotationRequest, EnableKeyRotationRequest, GetKeyRotationStatusRequest,
    GetKeyRotationStatusResponse, IncludeKeyMaterial, KeyMaterialState, ListKeyRotationsRequest,
    ListKeyRotationsResponse, RotateKeyOnDemandRequest, RotateKeyOnDemandResponse, RotationType,
    RotationsListEntry, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Secret, operation};

use crate::fault::{self, limit_exceeded};
use crate::paging::{Wanted, page};
use crate::subject::{self, Reach, own};

operation!(ENABLE_KEY_ROTATION, ops::EnableKeyRotation, enable_checks, enable);
operation!(
    DISABLE_KEY_ROTATION,
    ops::DisableKeyRotation,
    |cx, tx, input| own(cx, tx, &input.key_id),
    disable
);
operation!(
    GET_KEY_ROTATION_STATUS,
    ops::GetKeyRotationStatus,
    |cx, tx, input| Ok(subject::check(cx, tx, &input.key_id, Reach::Any)?.into()),
    status
);
operation!(ROTATE_KEY_ON_DEMAND, ops::RotateKeyOnDemand, |cx, tx, input| own(cx, tx, &input.key_id), rotate);
operation!(LIST_KEY_ROTATIONS, ops::ListKeyRotations, |cx, tx, input| own(cx, tx, &input.key_id), list);

/// Days between rotations where the request does not say (KMS API reference, EnableKeyRotation).
const PERIOD: u32 = 365;
/// Rotations on demand of a key (KMS developer guide, "Resource quotas").
const MAX_ON_DEMAND: usize = 25;
const DAY: i64 = 86_400;

fn enable_checks(cx: &Cx, tx: &Tx<'_>, input: &EnableKeyRotationRequest) -> Result<Checks, StoreError> {
    let check = subject::check(cx, tx, &input.key_id, Reach::Own)?;
    let days = input.rotation_period_in_days.map_or(i64::from(PERIOD), i64::from);
    Ok(check.with_number("kms:RotationPeriodInDays", days).into())
}

fn enable(cx: &Cx, tx: &mut Tx<'_>, input: EnableKeyRotationRequest) -> Result<(), Error> {
    let mut key = rotatable(cx, tx, &input.key_id)?;
    let asked = input.rotation_period_in_days.and_then(|days| u32::try_from(days).ok());
    let period_days = asked.unwrap_or(PERIOD);
    let next = cx.now().truncated().plus_seconds(i64::from(period_days) * DAY);
    key.rotation = Some(Rotation { period_days, next });
    Ok(tx.put(&key)?)
}

fn disable(cx: &Cx, tx: &mut Tx<'_>, input: DisableKeyRotationRequest) -> Result<(), Error> {
    let mut key = rotatable(cx, tx, &input.key_id)?;
    key.rotation = None;
    Ok(tx.put(&key)?)
}

/// A key whose rotation its account says: enabled, and not AWS's.
fn rotatable(cx: &Cx, tx: &Tx<'_>, key_id: &str) -> Result<Key, Error> {
    let key = subject::load_by_id(cx, tx, key_id)?;
    key.usable().map_err(|why| fault::unusable(&key.arn(), why))?;
    if key.manager != Manager::Customer {
        return Err(fault::unsupported("Changing the rotation of an AWS managed key").into());
    }
    Ok(key)
}

fn status(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetKeyRotationStatusRequest,
) -> Result<GetKeyRotationStatusResponse, Error> {
    let key = subject::load_by_id(cx, tx, &input.key_id)?;
    // What waits to be deleted does not rotate (the same page).
    let rotation = key.rotation.filter(|_| key.deletion.is_none());
    Ok(GetKeyRotationStatusResponse {
        key_rotation_enabled: Some(rotation.is_some()),
        key_id: Some(key.arn()),
        rotation_period_in_days: rotation.and_then(|rotation| i32::try_from(rotation.period_days).ok()),
        next_rotation_date: rotation.map(|rotation| rotation.next),
        on_demand_rotation_start_date: None,
    })
}

fn rotate(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: RotateKeyOnDemandRequest,
) -> Result<RotateKeyOnDemandResponse, Error> {
    let mut key = rotatable(cx, tx, &input.key_id)?;
    if key.materials.iter().filter(|material| material.on_demand).count() >= MAX_ON_DEMAND {
        let words = format!("{} was rotated on demand {MAX_ON_DEMAND} times.", key.arn());
        return Err(limit_exceeded(words).into());
    }
    let (secret, id) = (Secret::new(cx.ids().secret_bytes()), cx.ids().id_bytes());
    key.add_material(&cx.state().ring, &secret, &id, cx.now().truncated(), true)?;
    tx.put(&key)?;
    Ok(RotateKeyOnDemandResponse { key_id: Some(key.arn()) })
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListKeyRotationsRequest) -> Result<ListKeyRotationsResponse, Error> {
    let key = subject::load_by_id(cx, tx, &input.key_id)?;
    let all = input.include_key_material == Some(IncludeKeyMaterial::ALLKEYMATERIAL);
    let last = key.materials.len().saturating_sub(1);
    let shown = key.materials.iter().enumerate().skip(usize::from(!all)).map(|(at, material)| {
        let entry = RotationsListEntry {
            key_id: Some(key.arn()),
            key_material_id: Some(material.id.clone()),
            key_material_state: Some(if at == last {
                KeyMaterialState::CURRENT
            } else {
                KeyMaterialState::NONCURRENT
            }),
            rotation_date: (at > 0).then_some(material.created),
            rotation_type: (at > 0).then_some(if material.on_demand {
                RotationType::ONDEMAND
            } else {
                RotationType::AUTOMATIC
            }),
            ..RotationsListEntry::default()
        };
        (format!("{at:08}"), entry)
    });
    let wanted = Wanted { marker: input.marker.as_deref(), limit: input.limit, default: 100 };
    let page = page(cx, shown.collect(), &wanted)?;
    Ok(ListKeyRotationsResponse {
        truncated: page.is_truncated(),
        next_marker: page.next,
        rotations: Some(page.items),
    })
}
