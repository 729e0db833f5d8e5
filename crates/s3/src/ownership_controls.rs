//! Who owns the objects of a bucket: `s3:PutBucketOwnershipControls`, `s3:GetBucketOwnershipControls`,
//! `s3:DeleteBucketOwnershipControls` (S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket").

use daypass_core::model::s3::{
    DeleteBucketOwnershipControlsRequest, GetBucketOwnershipControlsOutput,
    GetBucketOwnershipControlsRequest, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PutBucketOwnershipControlsRequest, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault};

use crate::acl;
use crate::authorize::bucket_operation;
use crate::bucket::{Bucket, Ownership};
use crate::fault::{malformed_xml, not_there};

bucket_operation!(PUT_BUCKET_OWNERSHIP_CONTROLS, ops::PutBucketOwnershipControls, put);
bucket_operation!(GET_BUCKET_OWNERSHIP_CONTROLS, ops::GetBucketOwnershipControls, get);
bucket_operation!(DELETE_BUCKET_OWNERSHIP_CONTROLS, ops::DeleteBucketOwnershipControls, delete);

fn put(_: &Cx, tx: &mut Tx<'_>, input: PutBucketOwnershipControlsRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(malformed_xml().into()) };
    own(&mut bucket, rule.object_ownership)?;
    Ok(tx.put(&bucket)?)
}

/// Says whose a bucket's objects are.
///
/// # Errors
/// `InvalidBucketAclWithObjectOwnership` where ACLs would go that let somebody in.
pub(crate) fn own(bucket: &mut Bucket, ownership: ObjectOwnership) -> Result<(), Fault> {
    bucket.ownership = match ownership {
        ObjectOwnership::BucketOwnerEnforced => None,
        ObjectOwnership::BucketOwnerPreferred => Some(Ownership::BucketOwnerPreferred),
        ObjectOwnership::ObjectWriter => Some(Ownership::ObjectWriter),
    };
    let enforced = ownership == ObjectOwnership::BucketOwnerEnforced;
    if enforced && *bucket.acl() != *acl::private(&bucket.account) {
        let words = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(Fault::coded("InvalidBucketAclWithObjectOwnership", 400, words));
    }
    bucket.owner_enforced = enforced;
    Ok(())
}

fn get(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketOwnershipControlsRequest,
) -> Result<GetBucketOwnershipControlsOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let object_ownership = match (bucket.owner_enforced, bucket.ownership) {
        (true, _) => ObjectOwnership::BucketOwnerEnforced,
        (false, Some(Ownership::BucketOwnerPreferred)) => ObjectOwnership::BucketOwnerPreferred,
        (false, Some(Ownership::ObjectWriter)) => ObjectOwnership::ObjectWriter,
        (false, None) => {
            let words = "The bucket ownership controls were not found";
            return Err(not_there(&errors::OWNERSHIP_CONTROLS_NOT_FOUND_ERROR, words, &bucket.name).into());
        }
    };
    let rule = OwnershipControlsRule { object_ownership };
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![rule] }) })
}

/// Takes away what is said of ownership: objects are their writers' from then on, and the bucket takes ACLs.
fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketOwnershipControlsRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    (bucket.owner_enforced, bucket.ownership) = (false, None);
    Ok(tx.put(&bucket)?)
}
