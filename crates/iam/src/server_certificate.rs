//! Server certificates of an account: `UploadServerCertificate`, `GetServerCertificate`, `ListServerCertificates`,
//! `UpdateServerCertificate` and `DeleteServerCertificate`.

use daypass_core::model::iam::{
    DeleteServerCertificateRequest, GetServerCertificateRequest, GetServerCertificateResponse,
    ListServerCertificatesResponse, ServerCertificate as ApiCertificate, ServerCertificateMetadata,
    UpdateServerCertificateRequest, UploadServerCertificateRequest, UploadServerCertificateResponse, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::{Counted, Index, Indexed, Sealed, Tag, Tally};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Purpose, Quota, operation};
use serde::{Deserialize, Serialize};

use crate::entity::{self, Entity, Tagged};
use crate::fault::{already_exists, no_such_entity};
use crate::paging::{Page, Paging};
use crate::{certificate, list_entities, quota, tag};

operation!(UPLOAD_SERVER_CERTIFICATE, ops::UploadServerCertificate, upload_checks, upload);
operation!(
    GET_SERVER_CERTIFICATE,
    ops::GetServerCertificate,
    |cx, tx, input| Ok(ServerCertificate::check(cx, tx, &input.server_certificate_name)?.into()),
    get
);
operation!(
    LIST_SERVER_CERTIFICATES,
    ops::ListServerCertificates,
    |cx, _, input| Ok(list_entities::checks(cx, KIND, input.path_prefix.as_deref())),
    |cx, tx, input| {
        let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
        list(cx, tx, &paging, input.path_prefix.as_deref().unwrap_or("/"))
    }
);
operation!(UPDATE_SERVER_CERTIFICATE, ops::UpdateServerCertificate, update_checks, update);
operation!(
    DELETE_SERVER_CERTIFICATE,
    ops::DeleteServerCertificate,
    |cx, tx, input| Ok(ServerCertificate::check(cx, tx, &input.server_certificate_name)?.into()),
    delete
);

/// As ARNs have it.
const KIND: &str = "server-certificate";

/// A certificate with its private key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerCertificate {
    account: AccountId,
    path: String,
    name: String,
    /// `ASCA…`.
    id: String,
    /// As it was uploaded.
    body: String,
    #[serde(default)]
    chain: Option<String>,
    private_key: Sealed,
    uploaded: Timestamp,
    #[serde(default)]
    expires: Option<Timestamp>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl ServerCertificate {
    fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), KIND, &name.to_lowercase()])
    }

    fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), KIND])
    }
}

impl Record for ServerCertificate {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for ServerCertificate {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        Index { counts: vec![(Counted::ServerCertificates, 1)], ..Index::default() }
    }
}

impl Entity for ServerCertificate {
    fn find(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Option<Self>, StoreError> {
        tx.get(&Self::key_of(&cx.account(), handle))
    }

    fn missing(handle: &str) -> Fault {
        no_such_entity(format!("The Server Certificate with name {handle} cannot be found."))
    }

    fn arn(&self) -> String {
        format!("arn:aws:iam::{}:{KIND}{}{}", self.account, self.path, self.name)
    }

    fn arn_of(cx: &Cx, handle: &str) -> String {
        entity::arn(cx, KIND, "/", handle)
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

impl Tagged for ServerCertificate {
    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

fn upload_checks(cx: &Cx, _: &Tx<'_>, input: &UploadServerCertificateRequest) -> Result<Checks, StoreError> {
    let path = input.path.as_deref().unwrap_or("/");
    let arn = entity::arn(cx, KIND, path, &input.server_certificate_name);
    let check = Check::new(cx.operation().action, arn.clone());
    Ok(tag::creating(check, "iam:TagServerCertificate", &arn, &input.tags))
}

fn upload(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UploadServerCertificateRequest,
) -> Result<UploadServerCertificateResponse, Error> {
    let tags = tag::read(input.tags)?;
    let leaf = certificate::read(&input.certificate_body)?;
    certificate::check_key(&leaf, &input.private_key)?;
    if let Some(chain) = &input.certificate_chain {
        certificate::check_chain(&leaf, chain)?;
    }
    let name = input.server_certificate_name;
    if ServerCertificate::find(cx, tx, &name)?.is_some() {
        return Err(taken(&name).into());
    }
    let account = cx.account();
    let known =
        usize::try_from(Tally::total(tx, &account, &Counted::ServerCertificates)?).unwrap_or(usize::MAX);
    quota::within(cx, Quota::ServerCertificatesPerAccount, known.saturating_add(1))?;
    let id = cx.ids().unique_id("ASCA");
    let context = format!("server certificate {id}");
    let sealed = cx.state().ring.seal(Purpose::Record, context.as_bytes(), input.private_key.as_bytes())?;
    let certificate = ServerCertificate {
        account,
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name,
        id,
        // White space around them is not given back (the Terraform provider expects so).
        body: input.certificate_body.trim().to_owned(),
        chain: input.certificate_chain.map(|chain| chain.trim().to_owned()),
        private_key: Sealed(sealed),
        uploaded: cx.now().truncated(),
        expires: certificate::expiration(&leaf),
        tags,
    };
    certificate.save(tx)?;
    Ok(UploadServerCertificateResponse {
        server_certificate_metadata: Some(metadata(&certificate)),
        tags: tag::shown_if_any(&certificate.tags),
    })
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetServerCertificateRequest,
) -> Result<GetServerCertificateResponse, Error> {
    let certificate = ServerCertificate::load(cx, tx, &input.server_certificate_name)?;
    Ok(GetServerCertificateResponse {
        server_certificate: ApiCertificate {
            server_certificate_metadata: metadata(&certificate),
            tags: tag::shown_if_any(&certificate.tags),
            certificate_body: certificate.body,
            certificate_chain: certificate.chain,
        },
    })
}

fn list(
    cx: &Cx,
    tx: &Tx<'_>,
    paging: &Paging<'_>,
    prefix: &str,
) -> Result<ListServerCertificatesResponse, Error> {
    let account = cx.account();
    let key_of = |name: &str| ServerCertificate::key_of(&account, name);
    let wanted = |certificate: &ServerCertificate| certificate.path.starts_with(prefix);
    let page = paging.records(tx, &ServerCertificate::all(&account), key_of, wanted)?;
    let Page { items, is_truncated, marker } = page.map(|certificate| metadata(&certificate));
    Ok(ListServerCertificatesResponse { server_certificate_metadata_list: items, is_truncated, marker })
}

/// The caller must be allowed to update the certificate as it is and as it will be (IAM API reference,
/// UpdateServerCertificate).
fn update_checks(cx: &Cx, tx: &Tx<'_>, input: &UpdateServerCertificateRequest) -> Result<Checks, StoreError> {
    let found = ServerCertificate::find(cx, tx, &input.server_certificate_name)?;
    let old_path = found.as_ref().map_or("/", |certificate| certificate.path.as_str());
    let path = input.new_path.as_deref().unwrap_or(old_path);
    let name = input.new_server_certificate_name.as_deref().unwrap_or(&input.server_certificate_name);
    let after = Check::new(cx.operation().action, entity::arn(cx, KIND, path, name));
    let before = ServerCertificate::question(cx, &input.server_certificate_name, found.as_ref());
    Ok(Checks::from(before).and(after))
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateServerCertificateRequest) -> Result<(), Error> {
    let old = ServerCertificate::load(cx, tx, &input.server_certificate_name)?;
    let mut certificate = old.clone();
    if let Some(path) = input.new_path {
        certificate.path = path;
    }
    if let Some(name) = input.new_server_certificate_name {
        if ServerCertificate::find(cx, tx, &name)?.is_some_and(|other| other.id != certificate.id) {
            return Err(taken(&name).into());
        }
        certificate.name = name;
    }
    old.remove(tx)?;
    Ok(certificate.save(tx)?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteServerCertificateRequest) -> Result<(), Error> {
    Ok(ServerCertificate::load(cx, tx, &input.server_certificate_name)?.remove(tx)?)
}

fn taken(name: &str) -> Fault {
    already_exists(format!("The Server Certificate with name {name} already exists."))
}

fn metadata(certificate: &ServerCertificate) -> ServerCertificateMetadata {
    ServerCertificateMetadata {
        path: certificate.path.clone(),
        server_certificate_name: certificate.name.clone(),
        server_certificate_id: certificate.id.clone(),
        arn: certificate.arn(),
        upload_date: Some(certificate.uploaded),
        expiration: certificate.expires,
    }
}
