//! SAML providers: whose assertions the account takes.

use daypass_core::federation::saml::Metadata;
use daypass_core::model::Timestamp;
use daypass_core::model::iam::{
    CreateSAMLProviderRequest, CreateSAMLProviderResponse, DeleteSAMLProviderRequest, GetSAMLProviderRequest,
    GetSAMLProviderResponse, ListSAMLProvidersRequest, ListSAMLProvidersResponse, SAMLProviderListEntry,
    UpdateSAMLProviderRequest, UpdateSAMLProviderResponse, ops,
};
use daypass_core::store::records::{Counted, Indexed as _, SamlProvider};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Quota, Secret, operation};

use crate::entity::{self, Entity as _};
use crate::fault::{already_exists, invalid_input};
use crate::{quota, saml_encryption, tag};

operation!(CREATE_SAML_PROVIDER, ops::CreateSAMLProvider, check_create, create);
operation!(
    GET_SAML_PROVIDER,
    ops::GetSAMLProvider,
    |cx, tx, input: &GetSAMLProviderRequest| check(cx, tx, &input.saml_provider_arn),
    get
);
operation!(LIST_SAML_PROVIDERS, ops::ListSAMLProviders, check_list, list);
operation!(
    UPDATE_SAML_PROVIDER,
    ops::UpdateSAMLProvider,
    |cx, tx, input: &UpdateSAMLProviderRequest| check(cx, tx, &input.saml_provider_arn),
    update
);
operation!(
    DELETE_SAML_PROVIDER,
    ops::DeleteSAMLProvider,
    |cx, tx, input: &DeleteSAMLProviderRequest| check(cx, tx, &input.saml_provider_arn),
    delete
);

fn check(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<Checks, StoreError> {
    Ok(SamlProvider::check(cx, tx, arn)?.into())
}

fn check_create(cx: &Cx, _: &Tx<'_>, input: &CreateSAMLProviderRequest) -> Result<Checks, StoreError> {
    let arn = entity::arn(cx, "saml-provider", "/", &input.name);
    let check = Check::new("iam:CreateSAMLProvider", arn.clone());
    Ok(tag::creating(check, "iam:TagSAMLProvider", &arn, &input.tags))
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateSAMLProviderRequest,
) -> Result<CreateSAMLProviderResponse, Error> {
    let changes = saml_encryption::Changes {
        mode: input.assertion_encryption_mode,
        add: input.add_private_key.map(Secret::new),
        remove: None,
    };
    let tags = tag::read(input.tags)?;
    let valid_until = checked(&input.saml_metadata_document)?;
    let (account, name) = (cx.account(), input.name);
    if tx.get::<SamlProvider>(&SamlProvider::key_of(&account, &name))?.is_some() {
        return Err(already_exists(format!("SAMLProvider {name} already exists.")).into());
    }
    quota::room_for(cx, &Counted::SamlProviders, Quota::SAMLProvidersPerAccount)?;
    let mut provider = SamlProvider {
        account,
        name,
        id: cx.ids().unique_id("ASAML"),
        metadata: input.saml_metadata_document,
        valid_until,
        created: cx.now().truncated(),
        tags,
        encryption: None,
        private_keys: vec![],
    };
    changes.make(cx, &mut provider)?;
    provider.save(tx)?;
    Ok(CreateSAMLProviderResponse {
        saml_provider_arn: Some(provider.arn()),
        tags: tag::shown_if_any(&provider.tags),
    })
}

/// Until when a description is good.
fn checked(metadata: &str) -> Result<Option<Timestamp>, Fault> {
    let read = Metadata::parse(metadata).map_err(|_| invalid_input("Could not parse metadata"))?;
    Ok(read.valid_until.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000))))
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetSAMLProviderRequest) -> Result<GetSAMLProviderResponse, Error> {
    let provider = SamlProvider::load(cx, tx, &input.saml_provider_arn)?;
    Ok(GetSAMLProviderResponse {
        assertion_encryption_mode: saml_encryption::shown_mode(&provider),
        private_key_list: saml_encryption::shown_keys(&provider),
        saml_provider_uuid: Some(provider.id),
        saml_metadata_document: Some(provider.metadata),
        create_date: Some(provider.created),
        valid_until: provider.valid_until,
        tags: Some(tag::shown(&provider.tags)),
    })
}

fn check_list(cx: &Cx, _: &Tx<'_>, _: &ListSAMLProvidersRequest) -> Result<Checks, StoreError> {
    let all = entity::arn(cx, "saml-provider", "/", "*");
    Ok(Check::new("iam:ListSAMLProviders", all).into())
}

/// All of them: AWS does not give this list in pages.
fn list(cx: &Cx, tx: &mut Tx<'_>, _: ListSAMLProvidersRequest) -> Result<ListSAMLProvidersResponse, Error> {
    let all = tx.all::<SamlProvider>(&SamlProvider::all(&cx.account()))?;
    let entry = |provider: &SamlProvider| SAMLProviderListEntry {
        arn: Some(provider.arn()),
        valid_until: provider.valid_until,
        create_date: Some(provider.created),
    };
    Ok(ListSAMLProvidersResponse { saml_provider_list: Some(all.iter().map(entry).collect()) })
}

fn update(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UpdateSAMLProviderRequest,
) -> Result<UpdateSAMLProviderResponse, Error> {
    let mut provider = SamlProvider::load(cx, tx, &input.saml_provider_arn)?;
    let changes = saml_encryption::Changes {
        mode: input.assertion_encryption_mode,
        add: input.add_private_key.map(Secret::new),
        remove: input.remove_private_key,
    };
    if input.saml_metadata_document.is_none() && changes.is_empty() {
        // IAM user guide, `troubleshoot_saml`.
        let words = "Unable to update identity provider. No updates are defined for metadata or encryption assertion.";
        return Err(invalid_input(words).into());
    }
    if let Some(metadata) = input.saml_metadata_document {
        provider.valid_until = checked(&metadata)?;
        provider.metadata = metadata;
    }
    changes.make(cx, &mut provider)?;
    provider.save(tx)?;
    Ok(UpdateSAMLProviderResponse { saml_provider_arn: Some(provider.arn()) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteSAMLProviderRequest) -> Result<(), Error> {
    Ok(SamlProvider::load(cx, tx, &input.saml_provider_arn)?.remove(tx)?)
}
