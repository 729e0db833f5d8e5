//! Configurations of which a bucket has one. Acceleration and who pays for requests are state, of which nothing comes on
//! one's own machines but that requesters who pay have to say so.

use daypass_core::model::s3::{
    BucketAccelerateStatus, GetBucketAccelerateConfigurationOutput, GetBucketAccelerateConfigurationRequest,
    GetBucketRequestPaymentOutput, GetBucketRequestPaymentRequest, Payer,
    PutBucketAccelerateConfigurationRequest, PutBucketRequestPaymentRequest, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::{invalid_request, malformed_xml};

bucket_operation!(
    GET_BUCKET_ACCELERATE_CONFIGURATION,
    ops::GetBucketAccelerateConfiguration,
    get_acceleration
);
bucket_operation!(
    PUT_BUCKET_ACCELERATE_CONFIGURATION,
    ops::PutBucketAccelerateConfiguration,
    put_acceleration
);
bucket_operation!(GET_BUCKET_REQUEST_PAYMENT, ops::GetBucketRequestPayment, get_request_payment);
bucket_operation!(PUT_BUCKET_REQUEST_PAYMENT, ops::PutBucketRequestPayment, put_request_payment);

/// Nothing until it was suspended for the first time.
fn get_acceleration(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketAccelerateConfigurationRequest,
) -> Result<GetBucketAccelerateConfigurationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let status = match (bucket.accelerated, bucket.acceleration_suspended) {
        (true, _) => Some(BucketAccelerateStatus::Enabled),
        (false, true) => Some(BucketAccelerateStatus::Suspended),
        (false, false) => None,
    };
    Ok(GetBucketAccelerateConfigurationOutput { status, request_charged: None })
}

fn put_acceleration(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: PutBucketAccelerateConfigurationRequest,
) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    match input.accelerate_configuration.status {
        Some(BucketAccelerateStatus::Suspended) => {
            (bucket.acceleration_suspended, bucket.accelerated) = (true, false);
        }
        Some(BucketAccelerateStatus::Enabled) if bucket.name.contains('.') => {
            let words =
                "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names";
            return Err(invalid_request(words).into());
        }
        Some(BucketAccelerateStatus::Enabled) => bucket.accelerated = true,
        None => return Err(malformed_xml().into()),
    }
    Ok(tx.put(&bucket)?)
}

fn get_request_payment(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketRequestPaymentRequest,
) -> Result<GetBucketRequestPaymentOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let payer = if bucket.requester_pays { Payer::Requester } else { Payer::BucketOwner };
    Ok(GetBucketRequestPaymentOutput { payer: Some(payer) })
}

fn put_request_payment(_: &Cx, tx: &mut Tx<'_>, input: PutBucketRequestPaymentRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.requester_pays = input.request_payment_configuration.payer == Payer::Requester;
    Ok(tx.put(&bucket)?)
}
