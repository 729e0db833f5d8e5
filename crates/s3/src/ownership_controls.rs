//! Who owns the objects of a bucket: `s3:PutBucketOwnershipControls`, `s3:GetBucketOwnershipControls`,
//! `s3:DeleteBucketOwnershipControls`. Its owner does, in any case: there are no ACLs here.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    DeleteBucketOwnershipControlsRequest, GetBucketOwnershipControlsOutput,
    GetBucketOwnershipControlsRequest, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PutBucketOwnershipControlsRequest, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::{malformed_xml, not_implemented, not_there};

bucket_operation!(PUT_BUCKET_OWNERSHIP_CONTROLS, ops::PutBucketOwnershipControls, put);
bucket_operation!(GET_BUCKET_OWNERSHIP_CONTROLS, ops::GetBucketOwnershipControls, get);
bucket_operation!(DELETE_BUCKET_OWNERSHIP_CONTROLS, ops::DeleteBucketOwnershipControls, delete);

fn put(_: &Cx, tx: &mut Tx<'_>, input: PutBucketOwnershipControlsRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(malformed_xml().into()) };
    if rule.object_ownership != ObjectOwnership::BucketOwnerEnforced {
        let what = format!("objects with ACLs (ObjectOwnership {})", rule.object_ownership.as_str());
        return Err(not_implemented(&what).into());
    }
    bucket.owner_enforced = true;
    Ok(tx.put(&bucket)?)
}

fn get(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketOwnershipControlsRequest,
) -> Result<GetBucketOwnershipControlsOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    if !bucket.owner_enforced {
        let words = "The bucket ownership controls were not found";
        return Err(not_there(&errors::OWNERSHIP_CONTROLS_NOT_FOUND_ERROR, words, &bucket.name).into());
    }
    let rule = OwnershipControlsRule { object_ownership: ObjectOwnership::BucketOwnerEnforced };
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![rule] }) })
}

/// Takes away what is said of ownership. AWS's bucket would take ACLs from then on; here there are none still, which
/// lets in fewer, never more.
fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketOwnershipControlsRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.owner_enforced = false;
    Ok(tx.put(&bucket)?)
}
