//! Keys that others seal with, and bytes that nobody can guess: `kms:GenerateDataKey`, `kms:GenerateDataKeyWithoutPlaintext`,
//! `kms:GenerateRandom`.

use daypass_core::model::Blob;
use daypass_core::model::kms::{
    DataKeySpec, GenerateDataKeyRequest, GenerateDataKeyResponse, GenerateDataKeyWithoutPlaintextRequest,
    GenerateDataKeyWithoutPlaintextResponse, GenerateRandomRequest, GenerateRandomResponse, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::cryptography::under;
use crate::fault::{dry_run, invalid, unsupported};
use crate::subject;

operation!(
    GENERATE_DATA_KEY,
    ops::GenerateDataKey,
    may_refuse: |cx, tx, input| under(cx, tx, &input.key_id, &input.encryption_context),
    generate
);
operation!(
    GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,
    ops::GenerateDataKeyWithoutPlaintext,
    may_refuse: |cx, tx, input| under(cx, tx, &input.key_id, &input.encryption_context),
    generate_sealed
);
operation!(GENERATE_RANDOM, ops::GenerateRandom, random_checks, random);

fn generate(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GenerateDataKeyRequest,
) -> Result<GenerateDataKeyResponse, Error> {
    if input.recipient.is_some() {
        return Err(unsupported("An answer that is sealed for an enclave").into());
    }
    let length = length(input.key_spec, input.number_of_bytes)?;
    let key = subject::usable(cx, tx, &input.key_id)?;
    dry_run(input.dry_run)?;
    let state = cx.state();
    let (plain, sealed) = key.data_key((&state.ring, &*state.entropy), &input.encryption_context, length)?;
    Ok(GenerateDataKeyResponse {
        ciphertext_blob: Some(Blob(sealed)),
        plaintext: Some(Blob(plain.expose().clone())),
        key_id: Some(key.arn()),
        ciphertext_for_recipient: None,
        key_material_id: key.materials.last().map(|material| material.id.clone()),
    })
}

fn generate_sealed(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GenerateDataKeyWithoutPlaintextRequest,
) -> Result<GenerateDataKeyWithoutPlaintextResponse, Error> {
    let length = length(input.key_spec, input.number_of_bytes)?;
    let key = subject::usable(cx, tx, &input.key_id)?;
    dry_run(input.dry_run)?;
    let state = cx.state();
    let (_, sealed) = key.data_key((&state.ring, &*state.entropy), &input.encryption_context, length)?;
    Ok(GenerateDataKeyWithoutPlaintextResponse {
        ciphertext_blob: Some(Blob(sealed)),
        key_id: Some(key.arn()),
        key_material_id: key.materials.last().map(|material| material.id.clone()),
    })
}

/// By what it is for, or by a number, and not by both (KMS API reference, GenerateDataKey).
fn length(spec: Option<DataKeySpec>, bytes: Option<i32>) -> Result<usize, Fault> {
    match (spec, bytes) {
        (Some(DataKeySpec::AES256), None) => Ok(32),
        (Some(DataKeySpec::AES128), None) => Ok(16),
        (None, Some(bytes)) => Ok(usize::try_from(bytes).unwrap_or(1)),
        _ => Err(invalid("Please specify either number of bytes or key spec.")),
    }
}

fn random_checks(cx: &Cx, _: &Tx<'_>, _: &GenerateRandomRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

fn random(cx: &Cx, _: &mut Tx<'_>, input: GenerateRandomRequest) -> Result<GenerateRandomResponse, Error> {
    if input.recipient.is_some() || input.custom_key_store_id.is_some() {
        return Err(unsupported("Randomness for an enclave or of a custom key store").into());
    }
    let length = usize::try_from(input.number_of_bytes.unwrap_or(32)).unwrap_or(1);
    let mut bytes = vec![0; length];
    cx.state().entropy.fill(&mut bytes);
    Ok(GenerateRandomResponse { plaintext: Some(Blob(bytes)), ciphertext_for_recipient: None })
}
