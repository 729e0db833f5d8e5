//! Configurations that a bucket has one of, and it cannot be changed: what is asked for is shown as it is, what is put is
//! taken where it changes nothing, and everything else is refused by name rather than kept without effect.

use daypass_core::model::s3::{
    BucketAccelerateStatus, DeleteBucketCorsRequest, DeleteBucketWebsiteRequest,
    GetBucketAccelerateConfigurationOutput, GetBucketAccelerateConfigurationRequest, GetBucketCorsOutput,
    GetBucketCorsRequest, GetBucketLoggingOutput, GetBucketLoggingRequest,
    GetBucketNotificationConfigurationRequest, GetBucketReplicationOutput, GetBucketReplicationRequest,
    GetBucketRequestPaymentOutput, GetBucketRequestPaymentRequest, GetBucketWebsiteOutput,
    GetBucketWebsiteRequest, GetObjectLockConfigurationOutput, GetObjectLockConfigurationRequest,
    NotificationConfiguration, Payer, PutBucketAccelerateConfigurationRequest, PutBucketCorsRequest,
    PutBucketLoggingRequest, PutBucketRequestPaymentRequest, PutBucketWebsiteRequest, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::fault::{malformed_xml, not_implemented, not_there};

bucket_operation!(GET_BUCKET_CORS, ops::GetBucketCors, get_cors);
bucket_operation!(PUT_BUCKET_CORS, ops::PutBucketCors, put_cors);
bucket_operation!(DELETE_BUCKET_CORS, ops::DeleteBucketCors, delete_cors);
bucket_operation!(GET_BUCKET_WEBSITE, ops::GetBucketWebsite, get_website);
bucket_operation!(PUT_BUCKET_WEBSITE, ops::PutBucketWebsite, put_website);
bucket_operation!(DELETE_BUCKET_WEBSITE, ops::DeleteBucketWebsite, delete_website);
bucket_operation!(GET_BUCKET_LOGGING, ops::GetBucketLogging, get_logging);
bucket_operation!(PUT_BUCKET_LOGGING, ops::PutBucketLogging, put_logging);
bucket_operation!(
    GET_BUCKET_NOTIFICATION_CONFIGURATION,
    ops::GetBucketNotificationConfiguration,
    get_notification
);
bucket_operation!(GET_BUCKET_REPLICATION, ops::GetBucketReplication, get_replication);
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
bucket_operation!(GET_OBJECT_LOCK_CONFIGURATION, ops::GetObjectLockConfiguration, get_object_lock);

fn get_cors(_: &Cx, tx: &mut Tx<'_>, input: GetBucketCorsRequest) -> Result<GetBucketCorsOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let words = "The CORS configuration does not exist";
    Err(not_there(&errors::NO_SUCH_CORS_CONFIGURATION, words, &bucket.name).into())
}

fn put_cors(_: &Cx, _: &mut Tx<'_>, _: PutBucketCorsRequest) -> Result<(), Error> {
    Err(not_implemented("cross-origin resource sharing (CORS)").into())
}

fn delete_cors(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketCorsRequest) -> Result<(), Error> {
    Bucket::load(tx, &input.bucket).map(|_| ())
}

fn get_website(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketWebsiteRequest,
) -> Result<GetBucketWebsiteOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let words = "The specified bucket does not have a website configuration";
    Err(not_there(&errors::NO_SUCH_WEBSITE_CONFIGURATION, words, &bucket.name).into())
}

fn put_website(_: &Cx, _: &mut Tx<'_>, _: PutBucketWebsiteRequest) -> Result<(), Error> {
    Err(not_implemented("website hosting").into())
}

fn delete_website(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketWebsiteRequest) -> Result<(), Error> {
    Bucket::load(tx, &input.bucket).map(|_| ())
}

fn get_logging(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketLoggingRequest,
) -> Result<GetBucketLoggingOutput, Error> {
    Bucket::load(tx, &input.bucket)?;
    Ok(GetBucketLoggingOutput::default())
}

fn put_logging(_: &Cx, tx: &mut Tx<'_>, input: PutBucketLoggingRequest) -> Result<(), Error> {
    Bucket::load(tx, &input.bucket)?;
    match input.bucket_logging_status.logging_enabled {
        Some(_) => Err(not_implemented("server access logging").into()),
        None => Ok(()),
    }
}

fn get_notification(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketNotificationConfigurationRequest,
) -> Result<NotificationConfiguration, Error> {
    Bucket::load(tx, &input.bucket)?;
    Ok(NotificationConfiguration::default())
}

fn get_replication(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketReplicationRequest,
) -> Result<GetBucketReplicationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let words = "The replication configuration was not found";
    Err(not_there(&errors::REPLICATION_CONFIGURATION_NOT_FOUND_ERROR, words, &bucket.name).into())
}

/// Nothing until it was suspended for the first time.
fn get_acceleration(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketAccelerateConfigurationRequest,
) -> Result<GetBucketAccelerateConfigurationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let status = bucket.acceleration_suspended.then_some(BucketAccelerateStatus::Suspended);
    Ok(GetBucketAccelerateConfigurationOutput { status, request_charged: None })
}

fn put_acceleration(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: PutBucketAccelerateConfigurationRequest,
) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    match input.accelerate_configuration.status {
        Some(BucketAccelerateStatus::Suspended) => bucket.acceleration_suspended = true,
        Some(BucketAccelerateStatus::Enabled) => return Err(not_implemented("transfer acceleration").into()),
        None => return Err(malformed_xml().into()),
    }
    Ok(tx.put(&bucket)?)
}

fn get_request_payment(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketRequestPaymentRequest,
) -> Result<GetBucketRequestPaymentOutput, Error> {
    Bucket::load(tx, &input.bucket)?;
    Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::BucketOwner) })
}

fn put_request_payment(_: &Cx, tx: &mut Tx<'_>, input: PutBucketRequestPaymentRequest) -> Result<(), Error> {
    Bucket::load(tx, &input.bucket)?;
    match input.request_payment_configuration.payer {
        Payer::BucketOwner => Ok(()),
        Payer::Requester => Err(not_implemented("buckets whose requesters pay").into()),
    }
}

fn get_object_lock(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetObjectLockConfigurationRequest,
) -> Result<GetObjectLockConfigurationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let words = "Object Lock configuration does not exist for this bucket";
    Err(not_there(&errors::OBJECT_LOCK_CONFIGURATION_NOT_FOUND_ERROR, words, &bucket.name).into())
}
