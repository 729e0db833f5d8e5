//! Signing certificates of users: `UploadSigningCertificate`, `ListSigningCertificates`, `UpdateSigningCertificate` and
//! `DeleteSigningCertificate`.

use daypass_core::model::iam::{
    DeleteSigningCertificateRequest, ListSigningCertificatesRequest, ListSigningCertificatesResponse,
    SigningCertificate as ApiCertificate, UpdateSigningCertificateRequest, UploadSigningCertificateRequest,
    UploadSigningCertificateResponse, errors, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::User;
use daypass_core::store::{Key, Record, Tx};
use daypass_core::{Cx, Error, Fault, operation};
use serde::{Deserialize, Serialize};

use crate::fault::no_such_entity;
use crate::paging::{Page, Paging};
use crate::user_credential::{self, Status, UserCredential, all_of, key_of, load, room_for};
use crate::{certificate, quota, user};

operation!(
    UPLOAD_SIGNING_CERTIFICATE,
    ops::UploadSigningCertificate,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    upload
);
operation!(
    LIST_SIGNING_CERTIFICATES,
    ops::ListSigningCertificates,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    list
);
operation!(
    UPDATE_SIGNING_CERTIFICATE,
    ops::UpdateSigningCertificate,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    update
);
operation!(
    DELETE_SIGNING_CERTIFICATE,
    ops::DeleteSigningCertificate,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    delete
);

/// A certificate of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningCertificate {
    account: AccountId,
    user_id: String,
    /// 32 letters and digits.
    id: String,
    /// As it was uploaded.
    body: String,
    pub(crate) status: Status,
    pub(crate) uploaded: Timestamp,
}

impl Record for SigningCertificate {
    fn key(&self) -> Key {
        key_of::<Self>(&self.account, &self.user_id, &self.id)
    }
}

impl UserCredential for SigningCertificate {
    const KIND: &'static str = "signing-certificate";

    fn missing(id: &str) -> Fault {
        no_such_entity(format!("The Certificate with id {id} cannot be found."))
    }
}

fn upload(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UploadSigningCertificateRequest,
) -> Result<UploadSigningCertificateResponse, Error> {
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let new = certificate::read(&input.certificate_body)?;
    let known: Vec<SigningCertificate> = all_of(tx, &user)?;
    if known.iter().any(|known| certificate::read(&known.body).is_ok_and(|known| known == new)) {
        let words = "The same certificate is associated with an IAM user in the account.";
        return Err(Fault::new(&errors::DUPLICATE_CERTIFICATE, words).into());
    }
    room_for(known.len(), "CertificatesPerUser", quota::SIGNING_CERTIFICATES_PER_USER)?;
    let certificate = SigningCertificate {
        account: user.account.clone(),
        user_id: user.id.clone(),
        id: cx.ids().unique_id(&cx.ids().unique_id("").chars().take(15).collect::<String>()),
        body: input.certificate_body,
        status: Status::Active,
        uploaded: cx.now().truncated(),
    };
    tx.put(&certificate)?;
    Ok(UploadSigningCertificateResponse { certificate: shown(&user, certificate) })
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListSigningCertificatesRequest,
) -> Result<ListSigningCertificatesResponse, Error> {
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    if user::is_root(cx, input.user_name.as_deref()) {
        let Page { items, is_truncated, marker } = paging.list(vec![])?;
        return Ok(ListSigningCertificatesResponse { certificates: items, is_truncated, marker });
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let page = paging.list(all_of::<SigningCertificate>(tx, &user)?)?;
    let Page { items, is_truncated, marker } = page.map(|certificate| shown(&user, certificate));
    Ok(ListSigningCertificatesResponse { certificates: items, is_truncated, marker })
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateSigningCertificateRequest) -> Result<(), Error> {
    let status = Status::read(input.status)?;
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let certificate: SigningCertificate = load(tx, &user, &input.certificate_id)?;
    Ok(tx.put(&SigningCertificate { status, ..certificate })?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteSigningCertificateRequest) -> Result<(), Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        return Err(SigningCertificate::missing(&input.certificate_id).into());
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    user_credential::remove::<SigningCertificate>(tx, &user, &input.certificate_id)
}

fn shown(user: &User, certificate: SigningCertificate) -> ApiCertificate {
    ApiCertificate {
        user_name: user.name.clone(),
        certificate_id: certificate.id,
        certificate_body: certificate.body,
        status: certificate.status.shown(),
        upload_date: Some(certificate.uploaded),
    }
}
