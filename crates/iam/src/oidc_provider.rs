//! OpenID Connect providers: whose web identity tokens the account takes.

use daypass_core::federation::Issuer;
use daypass_core::model::iam::{
    AddClientIDToOpenIDConnectProviderRequest, CreateOpenIDConnectProviderRequest,
    CreateOpenIDConnectProviderResponse, DeleteOpenIDConnectProviderRequest, GetOpenIDConnectProviderRequest,
    GetOpenIDConnectProviderResponse, ListOpenIDConnectProvidersRequest, ListOpenIDConnectProvidersResponse,
    OpenIDConnectProviderListEntry, RemoveClientIDFromOpenIDConnectProviderRequest,
    UpdateOpenIDConnectProviderThumbprintRequest, errors, ops,
};
use daypass_core::store::records::{Counted, Indexed as _, OidcProvider};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Quota, Unreachable, operation, prepared_operation};

use crate::entity::{self, Entity as _};
use crate::fault::{already_exists, invalid_input, over_quota, validation};
use crate::{quota, tag};

prepared_operation!(
    CREATE_OPEN_ID_CONNECT_PROVIDER,
    ops::CreateOpenIDConnectProvider,
    prepare,
    checks,
    create
);
operation!(GET_OPEN_ID_CONNECT_PROVIDER, ops::GetOpenIDConnectProvider, check_arn, get);
operation!(LIST_OPEN_ID_CONNECT_PROVIDERS, ops::ListOpenIDConnectProviders, check_list, list);
operation!(DELETE_OPEN_ID_CONNECT_PROVIDER, ops::DeleteOpenIDConnectProvider, check_arn, delete);
operation!(
    ADD_CLIENT_ID_TO_OPEN_ID_CONNECT_PROVIDER,
    ops::AddClientIDToOpenIDConnectProvider,
    check_arn,
    add_client_id
);
operation!(
    REMOVE_CLIENT_ID_FROM_OPEN_ID_CONNECT_PROVIDER,
    ops::RemoveClientIDFromOpenIDConnectProvider,
    check_arn,
    remove_client_id
);
operation!(
    UPDATE_OPEN_ID_CONNECT_PROVIDER_THUMBPRINT,
    ops::UpdateOpenIDConnectProviderThumbprint,
    check_arn,
    update_thumbprint
);

/// What names the provider that a request is about.
trait Named {
    fn arn(&self) -> &str;
}

macro_rules! named {
    ($($request:ty),* $(,)?) => {
        $(impl Named for $request {
            fn arn(&self) -> &str {
                &self.open_id_connect_provider_arn
            }
        })*
    };
}

named!(
    GetOpenIDConnectProviderRequest,
    DeleteOpenIDConnectProviderRequest,
    AddClientIDToOpenIDConnectProviderRequest,
    RemoveClientIDFromOpenIDConnectProviderRequest,
    UpdateOpenIDConnectProviderThumbprintRequest,
);

fn check_arn(cx: &Cx, tx: &Tx<'_>, input: &impl Named) -> Result<Checks, StoreError> {
    Ok(OidcProvider::check(cx, tx, input.arn())?.into())
}

fn creation(cx: &Cx, input: &CreateOpenIDConnectProviderRequest) -> Checks {
    let Ok(issuer) = Issuer::parse(&input.url) else {
        return Check::on_all("iam:CreateOpenIDConnectProvider").into();
    };
    let arn = entity::arn(cx, "oidc-provider", "/", issuer.name());
    let check = Check::new("iam:CreateOpenIDConnectProvider", arn.clone());
    tag::creating(check, "iam:TagOpenIDConnectProvider", &arn, &input.tags)
}

/// The thumbprints: where none is given, that of the certificate on top of what the issuer's server shows (IAM API
/// reference, CreateOpenIDConnectProvider).
async fn prepare(cx: &Cx, input: &CreateOpenIDConnectProviderRequest) -> Result<Vec<String>, Error> {
    cx.authorize(&creation(cx, input))?;
    let issuer = issuer(&input.url)?;
    if !input.thumbprint_list.is_empty() {
        return Ok(thumbprints(input.thumbprint_list.clone())?);
    }
    let web = cx.state().provider_keys.web();
    let found = async {
        match web.offline_keys(&issuer).await? {
            Some(_) => Ok(vec![]),
            None => Ok(vec![web.thumbprint(&issuer).await?]),
        }
    };
    match found.await {
        Ok(thumbprints) => Ok(thumbprints),
        Err::<_, Unreachable>(error) => {
            tracing::warn!(%error, %issuer, "the thumbprint of an issuer could not be fetched");
            // Not seen recorded.
            let words = format!("Unable to retrieve the thumbprint of the identity provider {issuer}");
            Err(Fault::new(&errors::OPEN_ID_IDP_COMMUNICATION_ERROR, words).into())
        }
    }
}

fn checks(
    cx: &Cx,
    _: &Tx<'_>,
    input: &CreateOpenIDConnectProviderRequest,
    _: &[String],
) -> Result<Checks, StoreError> {
    Ok(creation(cx, input))
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateOpenIDConnectProviderRequest,
    thumbprints: &[String],
) -> Result<CreateOpenIDConnectProviderResponse, Error> {
    let (issuer, account) = (issuer(&input.url)?, cx.account());
    let tags = tag::read(input.tags)?;
    let mut client_ids: Vec<String> = vec![];
    for id in input.client_id_list {
        if !client_ids.contains(&id) {
            client_ids.push(id);
        }
    }
    if client_ids.len() > quota::CLIENT_IDS {
        return Err(too_many_client_ids().into());
    }
    if tx.get::<OidcProvider>(&OidcProvider::key_of(&account, issuer.name()))?.is_some() {
        return Err(already_exists(format!("Provider with url {issuer} already exists.")).into());
    }
    quota::room_for(cx, &Counted::OidcProviders, Quota::OpenIdConnectProvidersPerAccount)?;
    let provider = OidcProvider {
        account,
        name: issuer.name().to_owned(),
        client_ids,
        thumbprints: thumbprints.to_vec(),
        created: cx.now().truncated(),
        tags,
    };
    provider.save(tx)?;
    Ok(CreateOpenIDConnectProviderResponse {
        open_id_connect_provider_arn: Some(provider.arn()),
        tags: tag::shown_if_any(&provider.tags),
    })
}

fn issuer(url: &str) -> Result<Issuer, Fault> {
    Issuer::parse(url).map_err(|_| validation("Invalid Open ID Connect Provider URL"))
}

/// Thumbprints as they are given. Their length is the model's to check.
fn thumbprints(given: Vec<String>) -> Result<Vec<String>, Fault> {
    if given.len() > quota::THUMBPRINTS {
        return Err(invalid_input("Thumbprint list must contain fewer than 5 entries."));
    }
    if let Some(wrong) = given.iter().find(|t| !t.bytes().all(|b| b.is_ascii_hexdigit())) {
        // Not seen recorded.
        return Err(invalid_input(format!("Thumbprint {wrong} is not hexadecimal.")));
    }
    Ok(given)
}

fn too_many_client_ids() -> Fault {
    over_quota("ClientIdsPerOpenIdConnectProvider", quota::CLIENT_IDS)
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetOpenIDConnectProviderRequest,
) -> Result<GetOpenIDConnectProviderResponse, Error> {
    let provider = OidcProvider::load(cx, tx, input.arn())?;
    Ok(GetOpenIDConnectProviderResponse {
        tags: Some(tag::shown(&provider.tags)),
        url: Some(provider.name),
        client_id_list: Some(provider.client_ids),
        thumbprint_list: Some(provider.thumbprints),
        create_date: Some(provider.created),
    })
}

fn check_list(cx: &Cx, _: &Tx<'_>, _: &ListOpenIDConnectProvidersRequest) -> Result<Checks, StoreError> {
    let all = entity::arn(cx, "oidc-provider", "/", "*");
    Ok(Check::new("iam:ListOpenIDConnectProviders", all).into())
}

/// All of them: AWS does not give this list in pages.
fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    _: ListOpenIDConnectProvidersRequest,
) -> Result<ListOpenIDConnectProvidersResponse, Error> {
    let all = tx.all::<OidcProvider>(&OidcProvider::all(&cx.account()))?;
    let entry = |provider: &OidcProvider| OpenIDConnectProviderListEntry { arn: Some(provider.arn()) };
    Ok(ListOpenIDConnectProvidersResponse {
        open_id_connect_provider_list: Some(all.iter().map(entry).collect()),
    })
}

/// One that is not there is gone already (IAM API reference, DeleteOpenIDConnectProvider).
fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteOpenIDConnectProviderRequest) -> Result<(), Error> {
    match OidcProvider::find(cx, tx, input.arn())? {
        Some(provider) => Ok(provider.remove(tx)?),
        None => Ok(()),
    }
}

/// A client id that is there already stays (IAM API reference, AddClientIDToOpenIDConnectProvider).
fn add_client_id(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: AddClientIDToOpenIDConnectProviderRequest,
) -> Result<(), Error> {
    let mut provider = OidcProvider::load(cx, tx, input.arn())?;
    if provider.client_ids.contains(&input.client_id) {
        return Ok(());
    }
    if provider.client_ids.len() >= quota::CLIENT_IDS {
        return Err(too_many_client_ids().into());
    }
    provider.client_ids.push(input.client_id);
    Ok(provider.save(tx)?)
}

/// A client id that is not there is gone already (IAM API reference, RemoveClientIDFromOpenIDConnectProvider).
fn remove_client_id(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: RemoveClientIDFromOpenIDConnectProviderRequest,
) -> Result<(), Error> {
    let mut provider = OidcProvider::load(cx, tx, input.arn())?;
    provider.client_ids.retain(|id| *id != input.client_id);
    Ok(provider.save(tx)?)
}

fn update_thumbprint(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UpdateOpenIDConnectProviderThumbprintRequest,
) -> Result<(), Error> {
    let mut provider = OidcProvider::load(cx, tx, input.arn())?;
    provider.thumbprints = thumbprints(input.thumbprint_list)?;
    Ok(provider.save(tx)?)
}
