//! SSH public keys of users: `UploadSSHPublicKey`, `GetSSHPublicKey`, `ListSSHPublicKeys`, `UpdateSSHPublicKey` and
//! `DeleteSSHPublicKey`.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use daypass_core::model::iam::{
    DeleteSSHPublicKeyRequest, EncodingType, GetSSHPublicKeyRequest, GetSSHPublicKeyResponse,
    ListSSHPublicKeysRequest, ListSSHPublicKeysResponse, SSHPublicKey as ApiKey, SSHPublicKeyMetadata,
    UpdateSSHPublicKeyRequest, UploadSSHPublicKeyRequest, UploadSSHPublicKeyResponse, errors, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::User;
use daypass_core::store::{Key, Record, Tx};
use daypass_core::{Cx, Error, Fault, operation};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use ssh_key::public::{KeyData, RsaPublicKey};
use ssh_key::{Mpint, PublicKey};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::entity::Entity as _;
use crate::fault::no_such_entity;
use crate::paging::{Page, Paging};
use crate::user_credential::{self, Status, UserCredential, all_of, key_of, load, room_for};
use crate::{pem, quota, user};

operation!(
    UPLOAD_SSH_PUBLIC_KEY,
    ops::UploadSSHPublicKey,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    upload
);
operation!(
    GET_SSH_PUBLIC_KEY,
    ops::GetSSHPublicKey,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    get
);
operation!(
    LIST_SSH_PUBLIC_KEYS,
    ops::ListSSHPublicKeys,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    list
);
operation!(
    UPDATE_SSH_PUBLIC_KEY,
    ops::UpdateSSHPublicKey,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    update
);
operation!(
    DELETE_SSH_PUBLIC_KEY,
    ops::DeleteSSHPublicKey,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    delete
);

/// Bits that an RSA key has at least and at most (CodeCommit user guide, "SSH key pair": 2048 and more).
const BITS: std::ops::RangeInclusive<usize> = 2048..=16_384;

/// A key of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SshPublicKey {
    account: AccountId,
    user_id: String,
    /// `APKA…`.
    id: String,
    /// As it was uploaded.
    body: String,
    status: Status,
    uploaded: Timestamp,
}

impl Record for SshPublicKey {
    fn key(&self) -> Key {
        key_of::<Self>(&self.account, &self.user_id, &self.id)
    }
}

impl UserCredential for SshPublicKey {
    const KIND: &'static str = "ssh-public-key";

    fn missing(id: &str) -> Fault {
        no_such_entity(format!("The SSH Public Key with id {id} cannot be found"))
    }
}

fn upload(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UploadSSHPublicKeyRequest,
) -> Result<UploadSSHPublicKeyResponse, Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let new = read(&input.ssh_public_key_body)?;
    let known: Vec<SshPublicKey> = all_of(tx, &user)?;
    if known.iter().any(|key| read(&key.body).is_ok_and(|key| key == new)) {
        let words = "The SSH public key is already associated with the specified IAM user.";
        return Err(Fault::new(&errors::DUPLICATE_SSH_PUBLIC_KEY, words).into());
    }
    room_for(known.len(), "SSHPublicKeysPerUser", quota::SSH_PUBLIC_KEYS_PER_USER)?;
    let key = SshPublicKey {
        account: user.account.clone(),
        user_id: user.id.clone(),
        id: cx.ids().unique_id("APKA"),
        body: input.ssh_public_key_body.trim().to_owned(),
        status: Status::Active,
        uploaded: cx.now().truncated(),
    };
    tx.put(&key)?;
    Ok(UploadSSHPublicKeyResponse { ssh_public_key: Some(shown(&user, &key, &new, key.body.clone())) })
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetSSHPublicKeyRequest) -> Result<GetSSHPublicKeyResponse, Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let key: SshPublicKey = load(tx, &user, &input.ssh_public_key_id)?;
    let public = read(&key.body)?;
    let body = match input.encoding {
        EncodingType::SSH => as_ssh(&key.body, &public),
        EncodingType::PEM => as_pem(&public),
    };
    let body = body.ok_or_else(|| cx.internal_failure())?;
    Ok(GetSSHPublicKeyResponse { ssh_public_key: Some(shown(&user, &key, &public, body)) })
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListSSHPublicKeysRequest,
) -> Result<ListSSHPublicKeysResponse, Error> {
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let page = paging.list(all_of::<SshPublicKey>(tx, &user)?)?;
    let Page { items, is_truncated, marker } = page.map(|key| SSHPublicKeyMetadata {
        user_name: user.name.clone(),
        ssh_public_key_id: key.id,
        status: key.status.shown(),
        upload_date: key.uploaded,
    });
    Ok(ListSSHPublicKeysResponse { ssh_public_keys: Some(items), is_truncated, marker })
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateSSHPublicKeyRequest) -> Result<(), Error> {
    let status = Status::read(input.status)?;
    let user = User::load(cx, tx, &input.user_name)?;
    let key: SshPublicKey = load(tx, &user, &input.ssh_public_key_id)?;
    Ok(tx.put(&SshPublicKey { status, ..key })?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteSSHPublicKeyRequest) -> Result<(), Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    user_credential::remove::<SshPublicKey>(tx, &user, &input.ssh_public_key_id)
}

fn shown(user: &User, key: &SshPublicKey, public: &RsaPublicKey, body: String) -> ApiKey {
    let bytes = PublicKey::new(KeyData::Rsa(public.clone()), "").to_bytes().unwrap_or_default();
    let fingerprint: Vec<String> = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ApiKey {
        user_name: user.name.clone(),
        ssh_public_key_id: key.id.clone(),
        fingerprint: fingerprint.join(":"),
        ssh_public_key_body: body,
        status: key.status.shown(),
        upload_date: Some(key.uploaded),
    }
}

/// An RSA key in OpenSSH's form or in PEM (IAM API reference, UploadSSHPublicKey).
fn read(text: &str) -> Result<RsaPublicKey, Fault> {
    let text = text.trim();
    let key = if text.starts_with("-----BEGIN") {
        from_pem(text).ok_or_else(unrecognized)?
    } else {
        match PublicKey::from_openssh(text).map_err(|_| unrecognized())?.key_data() {
            KeyData::Rsa(key) => key.clone(),
            _ => return Err(invalid()),
        }
    };
    let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
        let leading = bytes.first().map_or(0, |byte| byte.leading_zeros());
        bytes.len() * 8 - usize::try_from(leading).unwrap_or(0)
    });
    if BITS.contains(&bits) { Ok(key) } else { Err(invalid()) }
}

fn from_pem(text: &str) -> Option<RsaPublicKey> {
    let block = pem::single(text, "PUBLIC KEY")?;
    let (rest, info) = SubjectPublicKeyInfo::from_der(&block).ok()?;
    let ParsedKey::RSA(key) = info.parsed().ok().filter(|_| rest.is_empty())? else { return None };
    Some(RsaPublicKey {
        e: Mpint::from_positive_bytes(key.exponent).ok()?,
        n: Mpint::from_positive_bytes(key.modulus).ok()?,
    })
}

/// As it was uploaded, if it was in this form.
fn as_ssh(body: &str, key: &RsaPublicKey) -> Option<String> {
    if !body.starts_with("-----BEGIN") {
        return Some(body.to_owned());
    }
    PublicKey::new(KeyData::Rsa(key.clone()), "").to_openssh().ok()
}

fn as_pem(key: &RsaPublicKey) -> Option<String> {
    let components = PublicKeyComponents { n: key.n.as_positive_bytes()?, e: key.e.as_positive_bytes()? };
    let der: PublicKeyX509Der<'_> = components.as_der().ok()?;
    Some(pem::write("PUBLIC KEY", der.as_ref()))
}

fn invalid() -> Fault {
    let words = "The public key is malformed or otherwise invalid.";
    Fault::new(&errors::INVALID_PUBLIC_KEY, words)
}

fn unrecognized() -> Fault {
    let words = "The public key encoding format is unsupported or unrecognized.";
    Fault::new(&errors::UNRECOGNIZED_PUBLIC_KEY_ENCODING, words)
}
