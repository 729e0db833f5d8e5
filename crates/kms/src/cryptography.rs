//! What keys seal and open: `kms:Encrypt`, `kms:Decrypt`, `kms:ReEncrypt`.

use daypass_core::kms::{Ciphertext, EncryptionContext, Key, MAX_CONTEXT_BYTES, is_too_long};
use daypass_core::model::Blob;
use daypass_core::model::kms::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, EncryptionAlgorithmSpec,
    ReEncryptRequest, ReEncryptResponse, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Secret, operation};

use crate::fault::{dry_run, invalid, unsupported};
use crate::subject::{self, Reach};

operation!(ENCRYPT, ops::Encrypt, may_refuse: encrypt_checks, encrypt);
operation!(DECRYPT, ops::Decrypt, may_refuse: decrypt_checks, decrypt);
operation!(RE_ENCRYPT, ops::ReEncrypt, may_refuse: re_encrypt_checks, re_encrypt);

fn encrypt_checks(cx: &Cx, tx: &Tx<'_>, input: &EncryptRequest) -> Result<Checks, Error> {
    under(cx, tx, &input.key_id, &input.encryption_context)
}

/// May the caller do the request's operation to the key of that name, under this context?
///
/// # Errors
/// A context that is too long, or a failure of the store.
pub(crate) fn under(
    cx: &Cx,
    tx: &Tx<'_>,
    key_id: &str,
    context: &EncryptionContext,
) -> Result<Checks, Error> {
    admit(context)?;
    Ok(subject::check(cx, tx, key_id, Reach::Under(context))?.into())
}

fn encrypt(cx: &Cx, tx: &mut Tx<'_>, input: EncryptRequest) -> Result<EncryptResponse, Error> {
    symmetric(input.encryption_algorithm)?;
    let key = subject::usable(cx, tx, &input.key_id)?;
    dry_run(input.dry_run)?;
    let sealed = seal(cx, &key, &input.encryption_context, &input.plaintext.0)?;
    Ok(EncryptResponse {
        ciphertext_blob: Some(sealed),
        key_id: Some(key.arn()),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SYMMETRICDEFAULT),
    })
}

/// The name of the key that a request says, or of the one that its ciphertext says.
fn key_of(cx: &Cx, blob: Option<&Blob>, said: Option<&str>) -> Option<String> {
    let sealed = blob.and_then(|blob| Ciphertext::parse(&blob.0).ok());
    let sealed = sealed.map(|c| format!("arn:aws:kms:{}:{}:key/{}", cx.region(), c.account, c.key_id));
    said.map(str::to_owned).or(sealed)
}

fn opening_check(
    cx: &Cx,
    tx: &Tx<'_>,
    action: &'static str,
    key: Option<&str>,
    context: &EncryptionContext,
) -> Result<Check, StoreError> {
    match key {
        Some(key) => subject::check_for(cx, tx, key, action, Reach::Under(context)),
        None => Ok(Check::on_all(action)),
    }
}

fn decrypt_checks(cx: &Cx, tx: &Tx<'_>, input: &DecryptRequest) -> Result<Checks, Error> {
    admit(&input.encryption_context)?;
    let key = key_of(cx, input.ciphertext_blob.as_ref(), input.key_id.as_deref());
    Ok(opening_check(cx, tx, cx.operation().action, key.as_deref(), &input.encryption_context)?.into())
}

fn decrypt(cx: &Cx, tx: &mut Tx<'_>, input: DecryptRequest) -> Result<DecryptResponse, Error> {
    if input.recipient.is_some() {
        return Err(unsupported("An answer that is sealed for an enclave").into());
    }
    symmetric(input.encryption_algorithm)?;
    let blob = blob(input.ciphertext_blob.as_ref())?;
    let opened = open(cx, tx, blob, input.key_id.as_deref(), &input.encryption_context)?;
    dry_run(input.dry_run)?;
    Ok(DecryptResponse {
        key_id: Some(opened.key.arn()),
        plaintext: Some(Blob(opened.plain.expose().clone())),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SYMMETRICDEFAULT),
        key_material_id: Some(opened.material),
        ciphertext_for_recipient: None,
    })
}

/// `kms:ReEncryptFrom` the one key, `kms:ReEncryptTo` the other.
fn re_encrypt_checks(cx: &Cx, tx: &Tx<'_>, input: &ReEncryptRequest) -> Result<Checks, Error> {
    admit(&input.source_encryption_context)?;
    admit(&input.destination_encryption_context)?;
    let from = key_of(cx, input.ciphertext_blob.as_ref(), input.source_key_id.as_deref());
    let context = &input.source_encryption_context;
    let check_from = opening_check(cx, tx, "kms:ReEncryptFrom", from.as_deref(), context)?;
    let context = Reach::Under(&input.destination_encryption_context);
    let to = subject::check_for(cx, tx, &input.destination_key_id, "kms:ReEncryptTo", context)?;
    let from = from.map(|from| subject::place(cx, tx, &from)).transpose()?.flatten();
    let same = from.is_some() && from == subject::place(cx, tx, &input.destination_key_id)?;
    let both = [check_from, to].map(|check| check.with_flag("kms:ReEncryptOnSameKey", same));
    Ok(Checks::authenticated_only("the questions follow").and_all(both))
}

fn re_encrypt(cx: &Cx, tx: &mut Tx<'_>, input: ReEncryptRequest) -> Result<ReEncryptResponse, Error> {
    symmetric(input.source_encryption_algorithm)?;
    symmetric(input.destination_encryption_algorithm)?;
    let blob = blob(input.ciphertext_blob.as_ref())?;
    let opened = open(cx, tx, blob, input.source_key_id.as_deref(), &input.source_encryption_context)?;
    let to = subject::usable(cx, tx, &input.destination_key_id)?;
    dry_run(input.dry_run)?;
    let sealed = seal(cx, &to, &input.destination_encryption_context, opened.plain.expose())?;
    Ok(ReEncryptResponse {
        ciphertext_blob: Some(sealed),
        source_key_id: Some(opened.key.arn()),
        key_id: Some(to.arn()),
        source_encryption_algorithm: Some(EncryptionAlgorithmSpec::SYMMETRICDEFAULT),
        destination_encryption_algorithm: Some(EncryptionAlgorithmSpec::SYMMETRICDEFAULT),
        source_key_material_id: Some(opened.material),
        destination_key_material_id: to.materials.last().map(|material| material.id.clone()),
    })
}

/// What a ciphertext was.
struct Opened {
    key: Key,
    plain: Secret<Vec<u8>>,
    material: String,
}

fn open(
    cx: &Cx,
    tx: &Tx<'_>,
    blob: &Blob,
    said: Option<&str>,
    context: &EncryptionContext,
) -> Result<Opened, Error> {
    let not_ours = || Error::from(Fault::new(&errors::INVALID_CIPHERTEXT_EXCEPTION, ""));
    let ciphertext = Ciphertext::parse(&blob.0).map_err(|_| not_ours())?;
    let name = key_of(cx, Some(blob), said).ok_or_else(not_ours)?;
    let key = subject::usable(cx, tx, &name)?;
    if key.id != ciphertext.key_id || key.account != ciphertext.account {
        let words = "The key ID in the request does not identify a CMK that can perform this operation.";
        return Err(Fault::new(&errors::INCORRECT_KEY_EXCEPTION, words).into());
    }
    let (plain, material) = ciphertext.open(&cx.state().ring, &key, context).map_err(|_| not_ours())?;
    let material = material.to_owned();
    Ok(Opened { plain, material, key })
}

fn seal(cx: &Cx, key: &Key, context: &EncryptionContext, plain: &[u8]) -> Result<Blob, Error> {
    let state = cx.state();
    Ok(Blob(key.seal((&state.ring, &*state.entropy), context, plain)?))
}

fn blob(blob: Option<&Blob>) -> Result<&Blob, Fault> {
    blob.ok_or_else(|| invalid("A ciphertext is needed; DryRunModifiers are not implemented by Daypass."))
}

/// Whether a context is one that KMS takes: before anything is asked about it.
///
/// # Errors
/// If it is too long.
fn admit(context: &EncryptionContext) -> Result<(), Fault> {
    if is_too_long(context) {
        return Err(invalid(format!("The encryption context is longer than {MAX_CONTEXT_BYTES} bytes.")));
    }
    Ok(())
}

fn symmetric(algorithm: Option<EncryptionAlgorithmSpec>) -> Result<(), Fault> {
    match algorithm {
        None | Some(EncryptionAlgorithmSpec::SYMMETRICDEFAULT) => Ok(()),
        Some(_) => {
            let words = "The algorithm is not one of this key's.";
            Err(Fault::new(&errors::INVALID_KEY_USAGE_EXCEPTION, words))
        }
    }
}
