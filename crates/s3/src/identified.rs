//! Configurations that a bucket has many of, each with an id: analytics, inventories, metrics, intelligent tiering. They are
//! kept and shown as they were put. Nothing comes of them here: there is one storage class, and no other service to report
//! to.

use daypass_core::model::s3::{
    AnalyticsConfiguration, DeleteBucketAnalyticsConfigurationRequest,
    DeleteBucketIntelligentTieringConfigurationRequest, DeleteBucketInventoryConfigurationRequest,
    DeleteBucketMetricsConfigurationRequest, GetBucketAnalyticsConfigurationOutput,
    GetBucketAnalyticsConfigurationRequest, GetBucketIntelligentTieringConfigurationOutput,
    GetBucketIntelligentTieringConfigurationRequest, GetBucketInventoryConfigurationOutput,
    GetBucketInventoryConfigurationRequest, GetBucketMetricsConfigurationOutput,
    GetBucketMetricsConfigurationRequest, IntelligentTieringConfiguration, InventoryConfiguration,
    ListBucketAnalyticsConfigurationsOutput, ListBucketAnalyticsConfigurationsRequest,
    ListBucketIntelligentTieringConfigurationsOutput, ListBucketIntelligentTieringConfigurationsRequest,
    ListBucketInventoryConfigurationsOutput, ListBucketInventoryConfigurationsRequest,
    ListBucketMetricsConfigurationsOutput, ListBucketMetricsConfigurationsRequest, MetricsConfiguration,
    PutBucketAnalyticsConfigurationRequest, PutBucketIntelligentTieringConfigurationRequest,
    PutBucketInventoryConfigurationRequest, PutBucketMetricsConfigurationRequest, errors, ops,
};
use daypass_core::model::{FromValue, IntoValue, TypedOperation};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::document;
use crate::fault::{invalid_argument, not_there};

/// Configurations of a kind that a bucket can have (S3 API reference, PutBucketInventoryConfiguration and its like).
const MAX: usize = 1000;
/// Those of a page (S3 API reference, ListBucketInventoryConfigurations).
const PAGE: usize = 100;
/// Characters of an id.
const MAX_ID: usize = 64;

/// Where one stands among a bucket's documents.
fn place(kind: &str, id: &str) -> String {
    format!("{kind}/{id}")
}

fn put<O: TypedOperation>(
    cx: &Cx,
    tx: &mut Tx<'_>,
    bucket: &str,
    (kind, id, inner): (&str, &str, &str),
    configuration: impl IntoValue,
) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, bucket)?;
    if id.is_empty() || id.chars().count() > MAX_ID || id != inner {
        return Err(invalid_argument("Invalid configuration ID", "id", id).into());
    }
    let place = place(kind, id);
    let known = bucket.documents.keys().filter(|known| known.starts_with(&format!("{kind}/"))).count();
    if known >= MAX && !bucket.documents.contains_key(&place) {
        let words = "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.";
        return Err(Fault::coded("TooManyConfigurations", 400, words).into());
    }
    document::keep(&mut bucket, place, document::write::<O>(cx, configuration)?)?;
    Ok(tx.put(&bucket)?)
}

fn get<O: TypedOperation, T: FromValue>(tx: &Tx<'_>, bucket: &str, kind: &str, id: &str) -> Result<T, Error> {
    let bucket = Bucket::load(tx, bucket)?;
    let kept = bucket.documents.get(&place(kind, id)).ok_or_else(|| absent(&bucket))?;
    document::read::<O, T>(kept)
}

fn delete(tx: &mut Tx<'_>, bucket: &str, kind: &str, id: &str) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, bucket)?;
    bucket.documents.remove(&place(kind, id)).ok_or_else(|| absent(&bucket))?;
    Ok(tx.put(&bucket)?)
}

/// A page of configurations by their ids, and after which the next goes on.
fn list<O: TypedOperation, T: FromValue>(
    tx: &Tx<'_>,
    bucket: &str,
    kind: &str,
    after: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let bucket = Bucket::load(tx, bucket)?;
    let prefix = place(kind, "");
    let ids = bucket.documents.iter().filter_map(|(place, kept)| Some((place.strip_prefix(&prefix)?, kept)));
    let mut rest = ids.filter(|(id, _)| after.is_none_or(|after| *id > after)).peekable();
    let (mut page, mut last) = (vec![], None);
    while let Some((id, kept)) = rest.next_if(|_| page.len() < PAGE) {
        page.push(document::read::<O, T>(kept)?);
        last = Some(id.to_owned());
    }
    Ok((page, last.filter(|_| rest.peek().is_some())))
}

fn absent(bucket: &Bucket) -> Fault {
    not_there(&errors::NO_SUCH_CONFIGURATION, "The specified configuration does not exist.", &bucket.name)
}

/// The four operations of a kind.
macro_rules! family {
    (
        $kind:literal, $configuration:ident, $field:ident, $listed:ident,
        $put:ident = $put_op:ident($put_in:ident),
        $get:ident = $get_op:ident($get_in:ident) -> $get_out:ident,
        $delete:ident = $delete_op:ident($delete_in:ident),
        $list:ident = $list_op:ident($list_in:ident) -> $list_out:ident
    ) => {
        bucket_operation!($put, ops::$put_op, |cx: &Cx, tx: &mut Tx<'_>, input: $put_in| {
            let named = ($kind, input.id.as_str(), &*input.$field.id.clone());
            put::<ops::$put_op>(cx, tx, &input.bucket, named, input.$field)
        });
        bucket_operation!($get, ops::$get_op, |_: &Cx, tx: &mut Tx<'_>, input: $get_in| {
            let found: $configuration = get::<ops::$put_op, _>(tx, &input.bucket, $kind, &input.id)?;
            Ok($get_out { $field: Some(found) })
        });
        bucket_operation!($delete, ops::$delete_op, |_: &Cx, tx: &mut Tx<'_>, input: $delete_in| {
            delete(tx, &input.bucket, $kind, &input.id)
        });
        bucket_operation!($list, ops::$list_op, |_: &Cx, tx: &mut Tx<'_>, input: $list_in| {
            let after = input.continuation_token.as_deref();
            let (page, next) = list::<ops::$put_op, $configuration>(tx, &input.bucket, $kind, after)?;
            Ok($list_out {
                is_truncated: Some(next.is_some()),
                next_continuation_token: next,
                continuation_token: input.continuation_token,
                $listed: Some(page),
            })
        });
    };
}

family!(
    "analytics", AnalyticsConfiguration, analytics_configuration, analytics_configuration_list,
    PUT_ANALYTICS = PutBucketAnalyticsConfiguration(PutBucketAnalyticsConfigurationRequest),
    GET_ANALYTICS = GetBucketAnalyticsConfiguration(GetBucketAnalyticsConfigurationRequest) -> GetBucketAnalyticsConfigurationOutput,
    DELETE_ANALYTICS = DeleteBucketAnalyticsConfiguration(DeleteBucketAnalyticsConfigurationRequest),
    LIST_ANALYTICS = ListBucketAnalyticsConfigurations(ListBucketAnalyticsConfigurationsRequest) -> ListBucketAnalyticsConfigurationsOutput
);
family!(
    "inventory", InventoryConfiguration, inventory_configuration, inventory_configuration_list,
    PUT_INVENTORY = PutBucketInventoryConfiguration(PutBucketInventoryConfigurationRequest),
    GET_INVENTORY = GetBucketInventoryConfiguration(GetBucketInventoryConfigurationRequest) -> GetBucketInventoryConfigurationOutput,
    DELETE_INVENTORY = DeleteBucketInventoryConfiguration(DeleteBucketInventoryConfigurationRequest),
    LIST_INVENTORIES = ListBucketInventoryConfigurations(ListBucketInventoryConfigurationsRequest) -> ListBucketInventoryConfigurationsOutput
);
family!(
    "metrics", MetricsConfiguration, metrics_configuration, metrics_configuration_list,
    PUT_METRICS = PutBucketMetricsConfiguration(PutBucketMetricsConfigurationRequest),
    GET_METRICS = GetBucketMetricsConfiguration(GetBucketMetricsConfigurationRequest) -> GetBucketMetricsConfigurationOutput,
    DELETE_METRICS = DeleteBucketMetricsConfiguration(DeleteBucketMetricsConfigurationRequest),
    LIST_METRICS = ListBucketMetricsConfigurations(ListBucketMetricsConfigurationsRequest) -> ListBucketMetricsConfigurationsOutput
);
family!(
    "intelligent-tiering", IntelligentTieringConfiguration, intelligent_tiering_configuration, intelligent_tiering_configuration_list,
    PUT_INTELLIGENT_TIERING = PutBucketIntelligentTieringConfiguration(PutBucketIntelligentTieringConfigurationRequest),
    GET_INTELLIGENT_TIERING = GetBucketIntelligentTieringConfiguration(GetBucketIntelligentTieringConfigurationRequest) -> GetBucketIntelligentTieringConfigurationOutput,
    DELETE_INTELLIGENT_TIERING = DeleteBucketIntelligentTieringConfiguration(DeleteBucketIntelligentTieringConfigurationRequest),
    LIST_INTELLIGENT_TIERING = ListBucketIntelligentTieringConfigurations(ListBucketIntelligentTieringConfigurationsRequest) -> ListBucketIntelligentTieringConfigurationsOutput
);
