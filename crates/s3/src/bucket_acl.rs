//! The access control list of a bucket: `s3:GetBucketAcl`, `s3:PutBucketAcl`. Its owner has it all, and nobody changes that
//! (S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket").

use daypass_core::model::s3::{
    GetBucketAclOutput, GetBucketAclRequest, Grant, Grantee, Owner, Permission, PutBucketAclRequest, Type,
    ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::no_acls;

bucket_operation!(GET_BUCKET_ACL, ops::GetBucketAcl, get);
bucket_operation!(PUT_BUCKET_ACL, ops::PutBucketAcl, put);

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetBucketAclRequest) -> Result<GetBucketAclOutput, Error> {
    let owner = Bucket::load(tx, &input.bucket)?.owner_id(cx)?;
    Ok(GetBucketAclOutput { grants: Some(full_control(&owner)), owner: Some(named(&owner)) })
}

/// The owner, as answers name it.
pub(crate) fn named(canonical_id: &str) -> Owner {
    Owner { display_name: None, id: Some(canonical_id.to_owned()) }
}

/// The one grant that there is.
pub(crate) fn full_control(canonical_id: &str) -> Vec<Grant> {
    let grantee =
        Grantee { id: Some(canonical_id.to_owned()), type_: Type::CanonicalUser, ..Grantee::default() };
    vec![Grant { grantee: Some(grantee), permission: Some(Permission::FULLCONTROL) }]
}

fn put(_: &Cx, _: &mut Tx<'_>, _: PutBucketAclRequest) -> Result<(), Error> {
    Err(no_acls().into())
}
