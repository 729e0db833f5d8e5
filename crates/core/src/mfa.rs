//! Codes of virtual MFA devices: TOTP as RFC 6238 has it, with HMAC-SHA-1, six digits and steps of 30 seconds.
//!
//! A code is good once. A device's clock may be wrong: the steps that it is ahead or behind are learnt when it is enabled
//! or synchronised, and followed with every code.

use aws_lc_rs::{constant_time, hmac};
use daypass_model::{AccountId, Timestamp};
use daypass_store::records::{MfaAssignment, MfaDevice, MfaProgress, Sealed};
use daypass_store::{Read as _, StoreError, Tx};

use crate::Secret;
use crate::cx::Cx;
use crate::key_ring::{KeyRingError, Purpose};
use crate::state::State;

/// Bytes of a seed: 64 letters of base32, as AWS's are.
pub const SEED_BYTES: usize = 40;
/// How long a code stands.
const STEP_SECONDS: i64 = 30;
/// A code may be this many steps away from where its device's clock should be.
const TOLERANCE: i64 = 1;
/// When a device is enabled, its clock may be wrong by this many steps: five minutes.
pub const ENABLE_WINDOW: i64 = 10;
/// When a device is synchronised, its clock may be wrong by this many steps: an hour. A wider window would let codes in
/// that somebody saw earlier in the day.
pub const RESYNC_WINDOW: i64 = 120;

/// Why a code was not taken.
#[derive(Debug)]
pub enum Unproved {
    /// The user has no such device.
    NotAssociated,
    /// The code is wrong, was used before, or comes too soon after wrong ones.
    WrongCode,
    /// The store failed.
    Failed(StoreError),
}

impl From<StoreError> for Unproved {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// A code that was right; it is used up with [`Proof::consume`].
#[must_use]
pub struct Proof {
    progress: MfaProgress,
}

impl Proof {
    /// Uses the code up: it, and every earlier one, is not taken again.
    ///
    /// # Errors
    /// If the record cannot be encoded.
    pub fn consume(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.put(&self.progress)
    }
}

/// Whether a code is the one of the user's device at this moment.
///
/// # Errors
/// Why not; or if the store fails.
pub fn prove(
    cx: &Cx,
    tx: &Tx<'_>,
    account: &AccountId,
    user_id: &str,
    serial: &str,
    code: &str,
) -> Result<Proof, Unproved> {
    let device = assigned(tx, account, user_id, serial)?.ok_or(Unproved::NotAssociated)?;
    let known = tx.get::<MfaProgress>(&MfaProgress::key_of(serial))?;
    let known = known.unwrap_or(MfaProgress { serial: serial.to_owned(), step: i64::MIN, drift: 0 });
    if !cx.state().attempts.may_guess(&guessed(serial), cx.now(), cx.request_id()) {
        return Err(Unproved::WrongCode);
    }
    let seed = open(cx, &device).ok_or(Unproved::WrongCode)?;
    let expected = step_of(cx.now()) + known.drift;
    let steps = (expected - TOLERANCE)..=(expected + TOLERANCE);
    // All of them are looked at, whichever is right.
    let found: Vec<i64> = steps.filter(|step| is_code(&seed, *step, code)).collect();
    let step = found.into_iter().find(|step| *step > known.step).ok_or(Unproved::WrongCode)?;
    Ok(proved(cx, known.serial, step))
}

fn proved(cx: &Cx, serial: String, step: i64) -> Proof {
    cx.state().attempts.right(&guessed(&serial));
    Proof { progress: MfaProgress { serial, step, drift: step - step_of(cx.now()) } }
}

/// Whether two codes follow each other on a device whose clock is at most `window` steps wrong, and come after the last
/// one that was taken. The device need not be anybody's yet.
///
/// # Errors
/// If they do not, or if the store fails.
pub fn prove_consecutive(
    cx: &Cx,
    tx: &Tx<'_>,
    device: &MfaDevice,
    codes: [&str; 2],
    window: i64,
) -> Result<Proof, Unproved> {
    let serial = device.serial();
    let known = tx.get::<MfaProgress>(&MfaProgress::key_of(&serial))?.map_or(i64::MIN, |known| known.step);
    if !cx.state().attempts.may_guess(&guessed(&serial), cx.now(), cx.request_id()) {
        return Err(Unproved::WrongCode);
    }
    let seed = open(cx, device).ok_or(Unproved::WrongCode)?;
    let (now, [first, second]) = (step_of(cx.now()), codes);
    // The nearest first. The second code is the later one, and is the one that counts as used.
    let distances = (0..=window).flat_map(|d| [d, -d]).map(|distance| now + distance);
    let step = distances
        .into_iter()
        .find(|step| *step > known && is_code(&seed, step - 1, first) && is_code(&seed, *step, second));
    Ok(proved(cx, serial, step.ok_or(Unproved::WrongCode)?))
}

/// The device of that serial number, if it is that user's.
///
/// # Errors
/// If the store fails.
pub fn assigned(
    tx: &Tx<'_>,
    account: &AccountId,
    user_id: &str,
    serial: &str,
) -> Result<Option<MfaDevice>, StoreError> {
    if tx.get::<MfaAssignment>(&MfaAssignment::key_of(account, user_id, serial))?.is_none() {
        return Ok(None);
    }
    let Some(key) = MfaDevice::key_of_serial(account, serial) else { return Ok(None) };
    let device = tx.get::<MfaDevice>(&key)?;
    Ok(device.filter(|d| d.serial() == serial && d.user.as_ref().is_some_and(|user| user.id == user_id)))
}

/// A seed, as it is kept.
///
/// # Errors
/// If encryption fails.
pub fn seal(state: &State, serial: &str, seed: &Secret<Vec<u8>>) -> Result<Sealed, KeyRingError> {
    let context = MfaDevice::seal_context(serial);
    Ok(Sealed(state.ring.seal(Purpose::Record, context.as_bytes(), seed.expose())?))
}

/// What guesses of a device's codes are counted as.
fn guessed(serial: &str) -> String {
    format!("mfa {serial}")
}

fn open(cx: &Cx, device: &MfaDevice) -> Option<Secret<Vec<u8>>> {
    let (serial, sealed) = (device.serial(), &device.seed.0);
    let opened = cx.state().ring.open(Purpose::Record, MfaDevice::seal_context(&serial).as_bytes(), sealed);
    if opened.is_err() {
        tracing::error!(%serial, "the seed of an MFA device does not open");
    }
    opened.ok()
}

fn step_of(time: Timestamp) -> i64 {
    time.seconds().div_euclid(STEP_SECONDS)
}

fn is_code(seed: &Secret<Vec<u8>>, step: i64, code: &str) -> bool {
    constant_time::verify_slices_are_equal(code_at(seed.expose(), step).as_bytes(), code.as_bytes()).is_ok()
}

/// The code of a step (RFC 4226, section 5.3).
fn code_at(seed: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or(0) & 15);
    let chosen = bytes.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    format!("{:06}", (u32::from_be_bytes(chosen) & 0x7fff_ffff) % 1_000_000)
}

/// The code of a seed at a time: what an app shows.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn shown_code(seed: &[u8], time: Timestamp) -> String {
    code_at(seed, step_of(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let time = Timestamp::from_millis(seconds * 1000);
            assert_eq!(shown_code(b"12345678901234567890", time), code, "{seconds}");
        }
    }
}
