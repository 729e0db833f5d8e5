//! What becomes of a key: `kms:EnableKey`, `kms:DisableKey`, `kms:ScheduleKeyDeletion`, `kms:CancelKeyDeletion`,
//! `kms:UpdateKeyDescription`.

use daypass_core::model::kms::{
    CancelKeyDeletionRequest, CancelKeyDeletionResponse, DisableKeyRequest, EnableKeyRequest,
    ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse, UpdateKeyDescriptionRequest, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use crate::describe;
use crate::fault::invalid;
use crate::subject::{self, Reach, own};

operation!(ENABLE_KEY, ops::EnableKey, |cx, tx, input| own(cx, tx, &input.key_id), enable);
operation!(DISABLE_KEY, ops::DisableKey, |cx, tx, input| own(cx, tx, &input.key_id), disable);
operation!(SCHEDULE_KEY_DELETION, ops::ScheduleKeyDeletion, schedule_checks, schedule);
operation!(CANCEL_KEY_DELETION, ops::CancelKeyDeletion, |cx, tx, input| own(cx, tx, &input.key_id), cancel);
operation!(
    UPDATE_KEY_DESCRIPTION,
    ops::UpdateKeyDescription,
    |cx, tx, input| own(cx, tx, &input.key_id),
    describe_anew
);

/// Days that a key waits to be deleted where the request does not say, and the least and most that it may say (KMS API
/// reference, ScheduleKeyDeletion).
const WINDOW: i32 = 30;
const WINDOWS: std::ops::RangeInclusive<i32> = 7..=30;
const DAY: i64 = 86_400;

fn enable(cx: &Cx, tx: &mut Tx<'_>, input: EnableKeyRequest) -> Result<(), Error> {
    switch(cx, tx, &input.key_id, true)
}

fn disable(cx: &Cx, tx: &mut Tx<'_>, input: DisableKeyRequest) -> Result<(), Error> {
    switch(cx, tx, &input.key_id, false)
}

fn switch(cx: &Cx, tx: &mut Tx<'_>, key_id: &str, enabled: bool) -> Result<(), Error> {
    let mut key = subject::staying(cx, tx, key_id)?;
    key.enabled = enabled;
    Ok(tx.put(&key)?)
}

fn schedule_checks(cx: &Cx, tx: &Tx<'_>, input: &ScheduleKeyDeletionRequest) -> Result<Checks, StoreError> {
    let check = subject::check(cx, tx, &input.key_id, Reach::Own)?;
    let days = input.pending_window_in_days.unwrap_or(WINDOW);
    Ok(check.with_number("kms:ScheduleKeyDeletionPendingWindowInDays", days.into()).into())
}

fn schedule(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ScheduleKeyDeletionRequest,
) -> Result<ScheduleKeyDeletionResponse, Error> {
    let days = input.pending_window_in_days.unwrap_or(WINDOW);
    if !WINDOWS.contains(&days) {
        return Err(invalid("The pending window must be between 7 and 30 days, inclusive.").into());
    }
    let mut key = subject::staying(cx, tx, &input.key_id)?;
    key.deletion = Some(cx.now().truncated().plus_seconds(i64::from(days) * DAY));
    tx.put(&key)?;
    Ok(ScheduleKeyDeletionResponse {
        key_id: Some(key.arn()),
        deletion_date: key.deletion,
        key_state: Some(describe::state(&key)),
        pending_window_in_days: Some(days),
    })
}

/// The key is there again, and switched off.
fn cancel(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CancelKeyDeletionRequest,
) -> Result<CancelKeyDeletionResponse, Error> {
    let mut key = subject::load_by_id(cx, tx, &input.key_id)?;
    if key.deletion.take().is_none() {
        let words = format!("{} is not pending deletion.", key.arn());
        return Err(Fault::new(&errors::KMS_INVALID_STATE_EXCEPTION, words).into());
    }
    key.enabled = false;
    tx.put(&key)?;
    Ok(CancelKeyDeletionResponse { key_id: Some(key.arn()) })
}

fn describe_anew(cx: &Cx, tx: &mut Tx<'_>, input: UpdateKeyDescriptionRequest) -> Result<(), Error> {
    let mut key = subject::staying(cx, tx, &input.key_id)?;
    key.description = input.description;
    Ok(tx.put(&key)?)
}
