//! Names and passwords that users have for one service: `CreateServiceSpecificCredential`,
//! `ResetServiceSpecificCredential`, `ListServiceSpecificCredentials`, `UpdateServiceSpecificCredential` and
//! `DeleteServiceSpecificCredential`. The services themselves are not here; the secret is kept as a digest of its 256 bits.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::model::iam::{
    CreateServiceSpecificCredentialRequest, CreateServiceSpecificCredentialResponse,
    DeleteServiceSpecificCredentialRequest, ListServiceSpecificCredentialsRequest,
    ListServiceSpecificCredentialsResponse, ResetServiceSpecificCredentialRequest,
    ResetServiceSpecificCredentialResponse, ServiceSpecificCredential as ApiCredential,
    ServiceSpecificCredentialMetadata, StatusType, UpdateServiceSpecificCredentialRequest, errors, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::{UniqueId, User};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};
use serde::{Deserialize, Serialize};

use crate::entity::Entity as _;
use crate::fault::{no_such_entity, validation};
use crate::paging::{Page, Paging};
use crate::user_credential::{self, Status, UserCredential, all_of, key_of, load, room_for};
use crate::{quota, user};

operation!(CREATE_SERVICE_SPECIFIC_CREDENTIAL, ops::CreateServiceSpecificCredential, create_checks, create);
operation!(
    RESET_SERVICE_SPECIFIC_CREDENTIAL,
    ops::ResetServiceSpecificCredential,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    reset
);
operation!(LIST_SERVICE_SPECIFIC_CREDENTIALS, ops::ListServiceSpecificCredentials, list_checks, list);
operation!(
    UPDATE_SERVICE_SPECIFIC_CREDENTIAL,
    ops::UpdateServiceSpecificCredential,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    update
);
operation!(
    DELETE_SERVICE_SPECIFIC_CREDENTIAL,
    ops::DeleteServiceSpecificCredential,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    delete
);

fn create_checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &CreateServiceSpecificCredentialRequest,
) -> Result<Checks, StoreError> {
    let check = User::check(cx, tx, &input.user_name)?
        .with("iam:ServiceSpecificCredentialServiceName", input.service_name.clone());
    let check = match input.credential_age_days {
        Some(days) => check.with_number("iam:ServiceSpecificCredentialAgeDays", i64::from(days)),
        None => check,
    };
    Ok(check.into())
}

/// The services that have such credentials, and whether theirs are API keys: with an alias, a secret, and an end if one is
/// asked for (IAM API reference, CreateServiceSpecificCredential).
const SERVICES: [(&str, bool); 3] = [
    ("bedrock.amazonaws.com", true),
    ("cassandra.amazonaws.com", false),
    ("codecommit.amazonaws.com", false),
];
const DAY_SECONDS: i64 = 86_400;

/// A credential of a user for one service.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceCredential {
    account: AccountId,
    user_id: String,
    /// `ACCA…`.
    id: String,
    service: String,
    /// The name that signs in to the service.
    name: String,
    /// SHA-256 of the secret, in hexadecimal digits.
    secret: String,
    status: Status,
    created: Timestamp,
    #[serde(default)]
    expires: Option<Timestamp>,
}

impl Record for ServiceCredential {
    fn key(&self) -> Key {
        key_of::<Self>(&self.account, &self.user_id, &self.id)
    }
}

impl UserCredential for ServiceCredential {
    const KIND: &'static str = "service-credential";

    fn missing(id: &str) -> Fault {
        // AWS's words were not seen recorded: after those for other entities.
        no_such_entity(format!("No such credential {id} exists"))
    }
}

impl ServiceCredential {
    fn is_api_key(&self) -> bool {
        SERVICES.contains(&(self.service.as_str(), true))
    }

    fn status(&self, now: Timestamp) -> StatusType {
        match self.expires {
            Some(end) if end <= now => StatusType::Expired,
            _ => self.status.shown(),
        }
    }
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateServiceSpecificCredentialRequest,
) -> Result<CreateServiceSpecificCredentialResponse, Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let service = SERVICES.iter().find(|(name, _)| *name == input.service_name);
    let (service, is_api_key) = *service.ok_or_else(not_supported)?;
    if input.credential_age_days.is_some() && !is_api_key {
        return Err(validation("CredentialAgeDays is not supported for the specified service.").into());
    }
    let known: Vec<ServiceCredential> = all_of(tx, &user)?;
    let known: Vec<_> = known.into_iter().filter(|credential| credential.service == service).collect();
    let limit = quota::SERVICE_CREDENTIALS_PER_SERVICE;
    room_for(known.len(), "ServiceSpecificCredentialsPerUser", limit)?;
    let secret = secret(cx);
    let now = cx.now().truncated();
    let credential = ServiceCredential {
        account: user.account.clone(),
        user_id: user.id.clone(),
        id: cx.ids().unique_id("ACCA"),
        service: service.to_owned(),
        name: free_name(&user, &known),
        secret: digest_of(&secret),
        status: Status::Active,
        created: now,
        expires: input.credential_age_days.map(|days| now.plus_seconds(i64::from(days) * DAY_SECONDS)),
    };
    tx.put(&credential)?;
    let shown = with_secret(cx, &user, &credential, secret);
    Ok(CreateServiceSpecificCredentialResponse { service_specific_credential: Some(shown) })
}

/// `alice-at-123456789012`, and for the second `alice+1-at-123456789012`.
fn free_name(user: &User, known: &[ServiceCredential]) -> String {
    let name = |number: usize| match number {
        0 => format!("{}-at-{}", user.name, user.account),
        _ => format!("{}+{number}-at-{}", user.name, user.account),
    };
    let is_free = |wanted: &String| known.iter().all(|credential| credential.name != *wanted);
    (0..=known.len()).map(name).find(is_free).unwrap_or_else(|| name(known.len()))
}

fn reset(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ResetServiceSpecificCredentialRequest,
) -> Result<ResetServiceSpecificCredentialResponse, Error> {
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let mut credential: ServiceCredential = load(tx, &user, &input.service_specific_credential_id)?;
    let secret = secret(cx);
    credential.secret = digest_of(&secret);
    tx.put(&credential)?;
    let shown = with_secret(cx, &user, &credential, secret);
    Ok(ResetServiceSpecificCredentialResponse { service_specific_credential: Some(shown) })
}

fn list_checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &ListServiceSpecificCredentialsRequest,
) -> Result<Checks, StoreError> {
    if input.all_users.unwrap_or(false) {
        return Ok(Check::on_all(cx.operation().action).into());
    }
    Ok(user::check(cx, tx, input.user_name.as_deref())?.into())
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListServiceSpecificCredentialsRequest,
) -> Result<ListServiceSpecificCredentialsResponse, Error> {
    let everybody = input.all_users.unwrap_or(false);
    if everybody && input.user_name.is_some() {
        return Err(validation("UserName and AllUsers cannot be specified together.").into());
    }
    if let Some(service) = &input.service_name
        && !SERVICES.iter().any(|(name, _)| name == service)
    {
        return Err(not_supported().into());
    }
    let found: Vec<ServiceCredential> = if everybody {
        tx.all(&Prefix::new(&["iam", cx.account().as_str(), ServiceCredential::KIND]))?
    } else {
        all_of(tx, &user::load(cx, tx, input.user_name.as_deref())?)?
    };
    let wanted = |credential: &ServiceCredential| {
        input.service_name.as_ref().is_none_or(|service| *service == credential.service)
    };
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let page = paging.list(found.into_iter().filter(wanted).collect())?;
    let Page { items, is_truncated, marker } = page.try_map(|credential| metadata(cx, tx, credential))?;
    Ok(ListServiceSpecificCredentialsResponse {
        service_specific_credentials: Some(items),
        marker,
        is_truncated,
    })
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateServiceSpecificCredentialRequest) -> Result<(), Error> {
    let status = Status::read(input.status)?;
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let credential: ServiceCredential = load(tx, &user, &input.service_specific_credential_id)?;
    Ok(tx.put(&ServiceCredential { status, ..credential })?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteServiceSpecificCredentialRequest) -> Result<(), Error> {
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    user_credential::remove::<ServiceCredential>(tx, &user, &input.service_specific_credential_id)
}

fn metadata(
    cx: &Cx,
    tx: &Tx<'_>,
    credential: ServiceCredential,
) -> Result<ServiceSpecificCredentialMetadata, StoreError> {
    let owner = tx.get::<UniqueId>(&UniqueId::key_of(&credential.user_id))?;
    let (status, is_api_key) = (credential.status(cx.now()), credential.is_api_key());
    let (name, alias) =
        if is_api_key { (None, Some(credential.name)) } else { (Some(credential.name), None) };
    Ok(ServiceSpecificCredentialMetadata {
        user_name: owner.map(|owner| owner.name).unwrap_or_default(),
        status,
        service_user_name: name,
        service_credential_alias: alias,
        create_date: credential.created,
        expiration_date: credential.expires,
        service_specific_credential_id: credential.id,
        service_name: credential.service,
    })
}

/// The credential with its secret: the only time that it is told.
fn with_secret(cx: &Cx, user: &User, credential: &ServiceCredential, secret: String) -> ApiCredential {
    let shown = ApiCredential {
        create_date: credential.created,
        expiration_date: credential.expires,
        service_name: credential.service.clone(),
        service_specific_credential_id: credential.id.clone(),
        user_name: user.name.clone(),
        status: credential.status(cx.now()),
        ..ApiCredential::default()
    };
    let (name, secret) = (Some(credential.name.clone()), Some(secret));
    if credential.is_api_key() {
        ApiCredential { service_credential_alias: name, service_credential_secret: secret, ..shown }
    } else {
        ApiCredential { service_user_name: name, service_password: secret, ..shown }
    }
}

fn secret(cx: &Cx) -> String {
    STANDARD.encode(cx.ids().secret_bytes())
}

fn digest_of(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}

fn not_supported() -> Fault {
    let words = "The specified service does not support service-specific credentials.";
    Fault::new(&errors::NOT_SUPPORTED_SERVICE, words)
}
