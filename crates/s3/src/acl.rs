//! Access control lists: what they may say, how requests write them and answers show them, and what they let in (S3 user
//! guide, "Access control list (ACL) overview").
//!
//! Buckets whose owner owns every object have none (`BucketOwnerEnforced`, which is how every bucket begins).

use daypass_core::model::s3::{
    AccessControlPolicy, BucketCannedACL, Grant as ApiGrant, Grantee as ApiGrantee, ObjectCannedACL, Owner,
    Permission as ApiPermission, Type, errors,
};
use daypass_core::model::{AccountId, Enumeration as _};
use daypass_core::policy::{Document, DocumentKind, Policy, PolicySource};
use daypass_core::store::records::Account;
use daypass_core::store::{Read as _, StoreError};
use daypass_core::{ACL_NAMES, Cx, Error, Fault};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::bucket::{Bucket, canonical_id};
use crate::bucket_acl::named;
use crate::fault::{access_denied, invalid_argument, invalid_request, no_acls, not_implemented};

/// Grants of a list (S3 user guide, "Access control list (ACL) overview").
const MAX_GRANTS: usize = 100;
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// Whom a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Grantee {
    Account(AccountId),
    AllUsers,
    AuthenticatedUsers,
    LogDelivery,
}

/// What a grant lets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Permission {
    Read,
    Write,
    ReadAcp,
    WriteAcp,
    FullControl,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    pub(crate) grantee: Grantee,
    pub(crate) permission: Permission,
}

/// A list.
pub(crate) type Acl = Vec<Grant>;

/// What a request sets, as it wrote it.
#[derive(Default)]
pub(crate) struct Written<'a> {
    pub(crate) canned: Option<&'static str>,
    /// `x-amz-grant-…`
    pub(crate) headers: Vec<(Permission, &'a str)>,
    pub(crate) document: Option<&'a AccessControlPolicy>,
}

impl Permission {
    fn api(self) -> ApiPermission {
        match self {
            Self::Read => ApiPermission::READ,
            Self::Write => ApiPermission::WRITE,
            Self::ReadAcp => ApiPermission::READACP,
            Self::WriteAcp => ApiPermission::WRITEACP,
            Self::FullControl => ApiPermission::FULLCONTROL,
        }
    }

    fn of_api(permission: ApiPermission) -> Self {
        match permission {
            ApiPermission::READ => Self::Read,
            ApiPermission::WRITE => Self::Write,
            ApiPermission::READACP => Self::ReadAcp,
            ApiPermission::WRITEACP => Self::WriteAcp,
            ApiPermission::FULLCONTROL => Self::FullControl,
        }
    }

    /// Whether it stands for the action (S3 user guide, "Mapping of ACL permissions and access policy permissions").
    fn covers(self, action: &str, of_object: bool) -> bool {
        let actions: &[&str] = match (self, of_object) {
            (Self::Read, false) => {
                &["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
            }
            (Self::Write, false) => &["s3:PutObject"],
            (Self::ReadAcp, false) => &["s3:GetBucketAcl"],
            (Self::WriteAcp, false) => &["s3:PutBucketAcl"],
            (Self::Read, true) => &[
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectTorrent",
            ],
            (Self::Write, true) => &[],
            (Self::ReadAcp, true) => &["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
            (Self::WriteAcp, true) => &["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
            (Self::FullControl, _) => {
                let each = [Self::Read, Self::Write, Self::ReadAcp, Self::WriteAcp];
                return each.iter().any(|permission| permission.covers(action, of_object));
            }
        };
        actions.contains(&action)
    }
}

/// Whether a list lets in everybody, or everybody who is somebody.
pub(crate) fn is_public(acl: &[Grant]) -> bool {
    acl.iter().any(|grant| matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers))
}

/// What of a list counts: where public ones are ignored, answers show no more than what is in force (S3 user guide, "Blocking
/// public access", `IgnorePublicAcls`).
pub(crate) fn in_force(cx: &Cx, bucket: &Bucket, acl: &[Grant]) -> Acl {
    let ignores_public = is_public(acl) && bucket.blocks(cx).ignore_public_acls;
    let public = |grant: &Grant| matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers);
    acl.iter().filter(|grant| !(ignores_public && public(grant))).cloned().collect()
}

/// What a list that nobody wrote says.
pub(crate) fn private(owner: &AccountId) -> Acl {
    vec![Grant { grantee: Grantee::Account(owner.clone()), permission: Permission::FullControl }]
}

/// The statements that a list comes to for this caller and this action, as a policy of the resource; `None` if it grants
/// nothing.
pub(crate) fn policy(
    cx: &Cx,
    bucket: &Bucket,
    acl: &[Grant],
    action: &str,
    of_object: bool,
) -> Option<Arc<Policy>> {
    let caller = cx.caller().account();
    let ignores_public = is_public(acl) && bucket.blocks(cx).ignore_public_acls;
    let grants = || acl.iter().filter(|grant| grant.permission.covers(action, of_object));
    let everybody = grants().any(|grant| match &grant.grantee {
        Grantee::AllUsers => !ignores_public,
        Grantee::AuthenticatedUsers => !ignores_public && caller.is_some(),
        _ => false,
    });
    // What everybody may, a user of the owner's account may too, who by the account's grant alone needs a policy besides.
    let principal = if everybody {
        "\"*\"".to_owned()
    } else {
        let account = caller.as_ref()?;
        grants().find(|grant| matches!(&grant.grantee, Grantee::Account(named) if named == account))?;
        format!("{{\"AWS\":\"{account}\"}}")
    };
    let what = if of_object { "an object in" } else { "bucket" };
    Some(grant(&principal, action, &format!("{ACL_NAMES}{what}"), &bucket.name))
}

/// A grant of one action to whom it names, as a policy of the resource.
pub(crate) fn grant(principal: &str, action: &str, what: &str, bucket: &str) -> Arc<Policy> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"*"}}]}}"#
    );
    let document = Document::load(DocumentKind::Bucket, &text);
    Policy::compile(PolicySource::named(format!("{what} {bucket}")), document)
}

/// What the bucket's list lets its readers read where there is no object: who may list it may learn that (S3 API reference,
/// GetObject, "Permissions"), and there is no list of an object to ask.
pub(crate) fn of_missing(bucket: &Bucket) -> Acl {
    let reads = |grant: &&Grant| matches!(grant.permission, Permission::Read | Permission::FullControl);
    let read = |grant: &Grant| Grant { permission: Permission::Read, ..grant.clone() };
    bucket.acl().iter().filter(reads).map(read).collect()
}

/// A list as answers show it.
///
/// # Errors
/// If the store fails.
pub(crate) fn shown(cx: &Cx, acl: &[Grant]) -> Result<Vec<ApiGrant>, StoreError> {
    let group =
        |uri: &str| ApiGrantee { uri: Some(uri.to_owned()), type_: Type::Group, ..ApiGrantee::default() };
    acl.iter()
        .map(|grant| {
            let grantee = match &grant.grantee {
                Grantee::Account(account) => ApiGrantee {
                    id: Some(canonical_id(cx, account)?),
                    type_: Type::CanonicalUser,
                    ..ApiGrantee::default()
                },
                Grantee::AllUsers => group(ALL_USERS),
                Grantee::AuthenticatedUsers => group(AUTHENTICATED_USERS),
                Grantee::LogDelivery => group(LOG_DELIVERY),
            };
            Ok(ApiGrant { grantee: Some(grantee), permission: Some(grant.permission.api()) })
        })
        .collect()
}

/// The owner as answers name it.
///
/// # Errors
/// If the store fails.
pub(crate) fn owner(cx: &Cx, account: &AccountId) -> Result<Owner, StoreError> {
    Ok(named(&canonical_id(cx, account)?))
}

impl Written<'_> {
    /// Whether the request says anything of a list.
    pub(crate) fn is_there(&self) -> bool {
        self.canned.is_some() || !self.headers.is_empty() || self.document.is_some()
    }

    /// The list, of something that `owner` owns in a bucket; refused where the bucket blocks what is public.
    ///
    /// # Errors
    /// As [`list`](Self::list), and `AccessDenied`.
    pub(crate) fn read(&self, cx: &Cx, bucket: &Bucket, owner: &AccountId) -> Result<Acl, Error> {
        let acl = self.list(cx, bucket, owner)?;
        if bucket.blocks(cx).block_public_acls && is_public(&acl) {
            return Err(access_denied().into());
        }
        Ok(acl)
    }

    /// The list, whatever the bucket blocks.
    ///
    /// # Errors
    /// What is malformed, contradicts itself, or names nobody.
    pub(crate) fn list(&self, cx: &Cx, bucket: &Bucket, owner: &AccountId) -> Result<Acl, Error> {
        Ok(match (self.canned, self.headers.as_slice(), self.document) {
            (Some(_), [_, ..], _) => {
                let words = "Specifying both Canned ACLs and Header Grants is not allowed";
                return Err(invalid_request(words).into());
            }
            (Some(_), _, Some(_)) | (None, [_, ..], Some(_)) => {
                let words = "This request does not support content";
                return Err(Fault::new(&errors::UNEXPECTED_CONTENT, words).into());
            }
            (Some(name), ..) => canned(name, owner, bucket)?,
            (None, [], Some(document)) => of_document(cx, document, owner)?,
            (None, [], None) => {
                let words = "Your request was missing a required header";
                let fault = Fault::new(&errors::MISSING_SECURITY_HEADER, words);
                return Err(fault.with("MissingHeaderName", "x-amz-acl").into());
            }
            (None, headers, None) => of_headers(cx, headers)?,
        })
    }

    /// Whether it gives the bucket's owner everything, which is all that a bucket without lists takes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn only_of_the_owner(&self, cx: &Cx, bucket: &Bucket) -> Result<(), Error> {
        if !self.is_there() || self.canned == Some(ObjectCannedACL::BucketOwnerFullControl.as_str()) {
            return Ok(());
        }
        match self.read(cx, bucket, &bucket.account) {
            Ok(acl) if self.canned.is_none() && acl == private(&bucket.account) => Ok(()),
            _ => Err(no_acls().into()),
        }
    }
}

/// A list by its name (S3 user guide, "Canned ACL").
fn canned(name: &str, owner: &AccountId, bucket: &Bucket) -> Result<Acl, Fault> {
    let grant = |grantee, permission| Grant { grantee, permission };
    let mut acl = private(owner);
    match name {
        "private" => {}
        "public-read" => acl.push(grant(Grantee::AllUsers, Permission::Read)),
        "public-read-write" => {
            acl.push(grant(Grantee::AllUsers, Permission::Read));
            acl.push(grant(Grantee::AllUsers, Permission::Write));
        }
        "log-delivery-write" => {
            acl.push(grant(Grantee::LogDelivery, Permission::Write));
            acl.push(grant(Grantee::LogDelivery, Permission::ReadAcp));
        }
        "authenticated-read" => acl.push(grant(Grantee::AuthenticatedUsers, Permission::Read)),
        "bucket-owner-read" | "bucket-owner-full-control" if *owner == bucket.account => {}
        "bucket-owner-read" => acl.push(grant(Grantee::Account(bucket.account.clone()), Permission::Read)),
        "bucket-owner-full-control" => {
            acl.push(grant(Grantee::Account(bucket.account.clone()), Permission::FullControl));
        }
        other => return Err(not_implemented(&format!("the canned ACL {other}"))),
    }
    Ok(acl)
}

fn of_document(cx: &Cx, document: &AccessControlPolicy, owner: &AccountId) -> Result<Acl, Error> {
    let malformed = || {
        let words =
            "The XML you provided was not well-formed or did not validate against our published schema";
        Fault::new(&errors::MALFORMED_ACL_ERROR, words)
    };
    let named = document.owner.as_ref().and_then(|owner| owner.id.as_deref()).ok_or_else(malformed)?;
    if named != canonical_id(cx, owner)? {
        return Err(access_denied().into());
    }
    // Counted before anybody is looked for.
    if document.grants.len() > MAX_GRANTS {
        return Err(too_many_grants().into());
    }
    document
        .grants
        .iter()
        .map(|grant| {
            let (Some(grantee), Some(permission)) = (&grant.grantee, grant.permission) else {
                return Err(malformed().into());
            };
            let grantee = match grantee.type_ {
                Type::CanonicalUser => of_id(cx, grantee.id.as_deref().ok_or_else(malformed)?)?,
                Type::Group => group(grantee.uri.as_deref().ok_or_else(malformed)?)?,
                Type::AmazonCustomerByEmail => return Err(no_such_mail().into()),
            };
            Ok(Grant { grantee, permission: Permission::of_api(permission) })
        })
        .collect()
}

/// `id="…", uri="…"` of several headers.
fn of_headers(cx: &Cx, headers: &[(Permission, &str)]) -> Result<Acl, Error> {
    if headers.iter().map(|(_, text)| text.split(',').count()).sum::<usize>() > MAX_GRANTS {
        return Err(too_many_grants().into());
    }
    let mut acl = vec![];
    for (permission, text) in headers {
        for one in text.split(',') {
            let (kind, value) = one.split_once('=').ok_or_else(|| {
                invalid_argument("Argument format not recognized", "x-amz-grant", (*text).to_owned())
            })?;
            let value = value.trim().trim_matches('"');
            let grantee = match kind.trim().to_lowercase().as_str() {
                "id" => of_id(cx, value)?,
                "uri" => group(value)?,
                "emailaddress" => return Err(no_such_mail().into()),
                _ => {
                    let words = "Argument format not recognized";
                    return Err(invalid_argument(words, "x-amz-grant", (*text).to_owned()).into());
                }
            };
            acl.push(Grant { grantee, permission: *permission });
        }
    }
    Ok(acl)
}

fn too_many_grants() -> Fault {
    let words = "The request contained more grants than the limit of 100";
    Fault::new(&errors::MALFORMED_ACL_ERROR, words)
}

fn group(uri: &str) -> Result<Grantee, Fault> {
    match uri {
        ALL_USERS => Ok(Grantee::AllUsers),
        AUTHENTICATED_USERS => Ok(Grantee::AuthenticatedUsers),
        LOG_DELIVERY => Ok(Grantee::LogDelivery),
        uri => Err(invalid_argument("Invalid group uri", "Group/URI", uri)),
    }
}

/// The account of that canonical id.
fn of_id(cx: &Cx, id: &str) -> Result<Grantee, Error> {
    let state = cx.state();
    let keys = state.store.read(|tx| tx.keys(&Account::all(), None, usize::MAX))?;
    for key in keys {
        if let Some(account) = state.kept.get::<Account>(&key)?
            && account.canonical_user_id == id
        {
            return Ok(Grantee::Account(account.id.clone()));
        }
    }
    Err(invalid_argument("Invalid id", "CanonicalUser/ID", id).into())
}

/// Accounts are not found by mail (S3 user guide, "Access control list (ACL) overview": since October 2025 on AWS neither).
fn no_such_mail() -> Fault {
    let words = "The e-mail address you provided does not match any account on record.";
    Fault::coded("UnresolvableGrantByEmailAddress", 400, words)
}

/// The grants in a request's headers; `grants!(input)` collects those that are there.
macro_rules! grants {
    ($input:expr $(, $write:ident)?) => {{
        use $crate::acl::Permission;
        let headers = [
            (Permission::Read, $input.grant_read.as_deref()),
            $((Permission::Write, $input.$write.as_deref()),)?
            (Permission::ReadAcp, $input.grant_read_acp.as_deref()),
            (Permission::WriteAcp, $input.grant_write_acp.as_deref()),
            (Permission::FullControl, $input.grant_full_control.as_deref()),
        ];
        headers.into_iter().filter_map(|(permission, text)| Some((permission, text?))).collect::<Vec<_>>()
    }};
}
pub(crate) use grants;

/// The name of a canned list of a bucket.
pub(crate) fn of_bucket(acl: Option<BucketCannedACL>) -> Option<&'static str> {
    acl.map(|acl| acl.as_str())
}

/// The name of a canned list of an object.
pub(crate) fn of_object(acl: Option<ObjectCannedACL>) -> Option<&'static str> {
    acl.map(|acl| acl.as_str())
}
