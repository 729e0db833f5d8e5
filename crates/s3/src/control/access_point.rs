//! Access points as such: `s3:CreateAccessPoint`, `s3:GetAccessPoint`, `s3:ListAccessPoints`, `s3:DeleteAccessPoint`.

use daypass_core::model::AccountId;
use daypass_core::model::s3control::{
    AccessPoint as ApiAccessPoint, CreateAccessPointRequest, CreateAccessPointResult,
    DeleteAccessPointRequest, GetAccessPointRequest, GetAccessPointResult, ListAccessPointsRequest,
    ListAccessPointsResult, NetworkOrigin, VpcConfiguration, errors, ops,
};
use daypass_core::store::{Key, Prefix, Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Purpose, operation};

use super::public_access_block::{block_of, shown};
use super::{check, load, own_account, tagging};
use crate::access_point::{self, ALIAS_SUFFIX, AccessPoint, Alias, AtBucket, Made};
use crate::authorize;
use crate::bucket::{Bucket, PublicAccessBlock};
use crate::delete_bucket;
use crate::fault::{access_denied, invalid_argument, invalid_request, not_implemented};

operation!(CREATE_ACCESS_POINT, ops::CreateAccessPoint, may_refuse: create_checks, create);
operation!(GET_ACCESS_POINT, ops::GetAccessPoint, may_refuse: get_checks, get);
operation!(LIST_ACCESS_POINTS, ops::ListAccessPoints, may_refuse: list_checks, list);
operation!(
    DELETE_ACCESS_POINT,
    ops::DeleteAccessPoint,
    may_refuse: |cx, tx, input| {
        Ok(check(cx, tx, &input.account_id, &input.name, "s3:DeleteAccessPoint")?.into())
    },
    delete
);

/// Access points of an account in a region (S3 user guide, "Access points restrictions and limitations").
const MAX_ACCESS_POINTS: usize = 10_000;
/// The most that a page of a list holds (S3 API reference, ListAccessPoints).
const MAX_PAGE: usize = 1_000;
/// How much of its access point's name an alias begins with; with the rest it is as long as a bucket's name may be.
const ALIAS_NAME: usize = 20;
/// The letters of an alias that tell it from others.
const ALIAS_LETTERS: usize = 34;

fn create_checks(cx: &Cx, _: &Tx<'_>, input: &CreateAccessPointRequest) -> Result<Checks, Error> {
    let account = own_account(cx, &input.account_id)?;
    let arn = access_point::arn(cx.region(), &account, &input.name);
    let origin = if input.vpc_configuration.is_some() { "VPC" } else { "Internet" };
    let tags = || input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let about = |action| {
        authorize::common(cx, Check::new(action, arn.clone()))
            .of_account(account.clone())
            .with("s3:ResourceAccount", account.as_str())
            .with("s3:DataAccessPointArn", arn.clone())
            .with("s3:DataAccessPointAccount", account.as_str())
            .with("s3:AccessPointNetworkOrigin", origin)
            .request_tags(tags())
    };
    let asked = Checks::from(about("s3:CreateAccessPoint"));
    Ok(if input.tags.is_empty() { asked } else { asked.and(about("s3:TagResource")) })
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateAccessPointRequest,
) -> Result<CreateAccessPointResult, Error> {
    let account = own_account(cx, &input.account_id)?;
    may_be_named(&input.name)?;
    if input.scope.is_some() {
        return Err(not_implemented("scopes of access points, which are for directory buckets").into());
    }
    let bucket = bucket_of(cx, tx, &input, &account)?;
    let key = AccessPoint::key_of(&account, cx.region(), &input.name);
    if tx.get::<AccessPoint>(&key)?.is_some() {
        let words = "Your previous request to create the named accesspoint succeeded and you already own it.";
        return Err(Fault::new(&errors::ACCESS_POINT_ALREADY_OWNED_BY_YOU, words).into());
    }
    // Both would be reached by one host name.
    let host = format!("{}-{account}", input.name);
    if tx.get::<Bucket>(&Bucket::key_of(&host))?.is_some() {
        let words =
            format!("The access point's host name would be that of the bucket {host}. Choose another name.");
        return Err(invalid_request(words).into());
    }
    let here = tx.keys(&AccessPoint::all(&account, cx.region()), None, MAX_ACCESS_POINTS)?.len();
    let is_too_far = here == 0 && access_point::regions(tx, &account)?.len() >= access_point::MAX_REGIONS;
    if is_too_far || here >= MAX_ACCESS_POINTS {
        let words = "You have attempted to create more access points than allowed";
        return Err(Fault::new(&errors::TOO_MANY_ACCESS_POINTS, words).into());
    }
    let block = input.public_access_block_configuration.as_ref();
    let made = AccessPoint::new(
        &bucket,
        Made {
            account,
            region: cx.region().to_owned(),
            alias: alias(cx, &input.name),
            created: cx.now().truncated(),
            // All is blocked that is not said to be open (S3 user guide, "Managing public access to access points").
            block: block.map_or(PublicAccessBlock::ALL, |block| block_of(block, true)),
            vpc_id: input.vpc_configuration.map(|vpc| vpc.vpc_id),
            tags: tagging::read(&input.tags)?,
            name: input.name,
        },
    );
    tx.put(&made)?;
    tx.put(&Alias::of(&made))?;
    if made.account == made.bucket_account {
        tx.put(&AtBucket::of(&made))?;
    }
    Ok(CreateAccessPointResult { access_point_arn: Some(made.arn()), alias: Some(made.alias) })
}

/// The bucket of a new access point: the caller's own unless it names another owner, in the region of the request. An access
/// point to another's bucket is of no use until that bucket's policy says so (S3 user guide, "Creating a cross-account access
/// point").
fn bucket_of(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &CreateAccessPointRequest,
    account: &AccountId,
) -> Result<Bucket, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let expected = input.bucket_account_id.as_deref().unwrap_or(account.as_str());
    if bucket.account.as_str() != expected {
        return Err(access_denied().into());
    }
    if bucket.region != cx.region() {
        let words = format!("The bucket is in the region {}, and so are its access points.", bucket.region);
        return Err(invalid_request(words).into());
    }
    delete_bucket::may_be_attached_to(cx, tx, &bucket)?;
    Ok(bucket)
}

/// S3 user guide, "Naming rules for Amazon S3 access points".
fn may_be_named(name: &str) -> Result<(), Fault> {
    let bytes = name.as_bytes();
    let letter = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let good = (3..=50).contains(&bytes.len())
        && bytes.iter().all(|b| letter(b) || *b == b'-')
        && [bytes.first(), bytes.last()].into_iter().all(|b| b.is_some_and(letter))
        && !name.ends_with(ALIAS_SUFFIX);
    if good {
        return Ok(());
    }
    Err(invalid_argument("The specified access point name is not valid", "name", name))
}

fn alias(cx: &Cx, name: &str) -> String {
    let name: String = name.chars().take(ALIAS_NAME).collect();
    let letter = |byte: u8| char::from_digit(u32::from(byte) % 36, 36).unwrap_or('0');
    let random = cx.ids().id_bytes().into_iter().chain(cx.ids().id_bytes());
    let random: String = random.map(letter).take(ALIAS_LETTERS).collect();
    format!("{}-{random}{ALIAS_SUFFIX}", name.trim_end_matches('-'))
}

fn get_checks(cx: &Cx, tx: &Tx<'_>, input: &GetAccessPointRequest) -> Result<Checks, Error> {
    let asked = check(cx, tx, &input.account_id, &input.name, "s3:GetAccessPoint")?;
    Ok(asked.into())
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetAccessPointRequest) -> Result<GetAccessPointResult, Error> {
    let found = load(cx, tx, &input.account_id, &input.name)?;
    Ok(GetAccessPointResult {
        network_origin: Some(origin(&found)),
        public_access_block_configuration: Some(shown(found.block)),
        creation_date: Some(found.created),
        access_point_arn: Some(found.arn()),
        bucket_account_id: Some(found.bucket_account.to_string()),
        vpc_configuration: found.vpc_id.map(|vpc_id| VpcConfiguration { vpc_id }),
        name: Some(found.name),
        bucket: Some(found.bucket),
        alias: Some(found.alias),
        // The hosts that AWS names here are not ours.
        endpoints: None,
        data_source_id: None,
        data_source_type: None,
    })
}

fn origin(access_point: &AccessPoint) -> NetworkOrigin {
    if access_point.vpc_id.is_some() { NetworkOrigin::VPC } else { NetworkOrigin::Internet }
}

fn list_checks(cx: &Cx, _: &Tx<'_>, input: &ListAccessPointsRequest) -> Result<Checks, Error> {
    let account = own_account(cx, &input.account_id)?;
    let check = authorize::common(cx, Check::on_all("s3:ListAccessPoints"));
    Ok(check.with("s3:ResourceAccount", account.as_str()).of_account(account).into())
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListAccessPointsRequest) -> Result<ListAccessPointsResult, Error> {
    let account = own_account(cx, &input.account_id)?;
    if input.data_source_id.is_some() || input.data_source_type.is_some() {
        return Err(not_implemented("access points of file systems").into());
    }
    // None asked for is as many as there may be.
    let asked = input.max_results.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let limit = asked.unwrap_or(MAX_PAGE).min(MAX_PAGE);
    let context = format!("s3:ListAccessPoints {account} {}", cx.region());
    let after = match &input.next_token {
        None => None,
        Some(token) => {
            Some(open(cx, &context, token).map(|n| AccessPoint::key_of(&account, cx.region(), &n))?)
        }
    };
    let is_wanted = |found: &AccessPoint| input.bucket.as_ref().is_none_or(|bucket| found.bucket == *bucket);
    let (page, last) = page(tx, &AccessPoint::all(&account, cx.region()), after.as_ref(), is_wanted, limit)?;
    let seal = |last: String| cx.state().ring.seal(Purpose::Pagination, context.as_bytes(), last.as_bytes());
    let access_point_list = Some(page.into_iter().map(listed).collect());
    Ok(ListAccessPointsResult { access_point_list, next_token: last.map(seal).transpose()? })
}

/// As many of those that are wanted as are found in a page's reading, and the name that the next page is behind. One of them may
/// hold fewer than it could, or none, where others stand between those that are wanted.
fn page(
    tx: &Tx<'_>,
    all: &Prefix,
    after: Option<&Key>,
    is_wanted: impl Fn(&AccessPoint) -> bool,
    limit: usize,
) -> Result<(Vec<AccessPoint>, Option<String>), StoreError> {
    let read: Vec<AccessPoint> = tx.list(all, after, MAX_PAGE + 1)?;
    let is_more = read.len() > MAX_PAGE;
    let (mut found, mut last) = (vec![], None);
    for access_point in read.into_iter().take(MAX_PAGE) {
        let wanted = is_wanted(&access_point);
        if wanted && found.len() == limit {
            return Ok((found, last));
        }
        last = Some(access_point.name.clone());
        if wanted {
            found.push(access_point);
        }
    }
    Ok((found, last.filter(|_| is_more)))
}

fn open(cx: &Cx, context: &str, token: &str) -> Result<String, Error> {
    let opened = cx.state().ring.open(Purpose::Pagination, context.as_bytes(), token);
    let name = opened.ok().and_then(|name| String::from_utf8(name.expose().clone()).ok());
    let invalid = || Fault::new(&errors::INVALID_TOKEN, "The continuation token is not valid");
    name.ok_or_else(|| invalid().into())
}

fn listed(found: AccessPoint) -> ApiAccessPoint {
    ApiAccessPoint {
        network_origin: origin(&found),
        access_point_arn: Some(found.arn()),
        vpc_configuration: found.vpc_id.map(|vpc_id| VpcConfiguration { vpc_id }),
        bucket_account_id: Some(found.bucket_account.to_string()),
        name: found.name,
        bucket: found.bucket,
        alias: Some(found.alias),
        data_source_id: None,
        data_source_type: None,
    }
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteAccessPointRequest) -> Result<(), Error> {
    use daypass_core::store::Record as _;
    let found = load(cx, tx, &input.account_id, &input.name)?;
    tx.delete(&found.key());
    tx.delete(&Alias::of(&found).key());
    tx.delete(&AtBucket::of(&found).key());
    Ok(())
}

#[cfg(test)]
mod tests {
    use daypass_core::model::Timestamp;
    use daypass_core::testing::{ACCOUNT, Client, TestServer};

    use super::*;
    use crate::access_point::tests::door;

    /// A server with as many access points as are asked for, of which the last alone is to another bucket.
    async fn with_doors(count: usize) -> (TestServer, Client) {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let bucket = |name| Bucket::new(name, ACCOUNT.parse().unwrap(), "us-east-1", Timestamp::default(), 1);
        let put = server.gate.state().store.transact(|tx| {
            (0..count).try_for_each(|number| {
                let name = if number + 1 == count { "last" } else { "behind" };
                tx.put(&door(&bucket(name), &format!("door-{number:05}")))
            })
        });
        let done: Result<(), daypass_core::store::TransactError<StoreError>> = put.await;
        done.unwrap();
        let administrator = server.administrator().await;
        (server, administrator)
    }

    /// The names on each page.
    async fn pages(client: &Client, query: &str) -> Vec<Vec<String>> {
        let (mut pages, mut token) = (vec![], String::new());
        loop {
            let headers = [("x-amz-account-id", ACCOUNT)];
            let query = format!("{query}{token}");
            let page = client.s3("GET", "/v20180820/accesspoint", &query, &headers, b"").await.ok();
            pages.push(page.xml_all("Name").into_iter().map(str::to_owned).collect());
            let Some(next) = page.xml("NextToken") else { return pages };
            token =
                format!("&nextToken={}", next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
        }
    }

    #[tokio::test]
    async fn a_page_reads_no_more_than_a_page() {
        let (_server, administrator) = with_doors(2 * MAX_PAGE + 2).await;
        let counts = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
        let all = pages(&administrator, "maxResults=1000").await;
        assert_eq!(counts(&all), [1000, 1000, 2]);
        assert!(all.concat().is_sorted());
        let last = pages(&administrator, "bucket=last").await;
        assert_eq!(counts(&last), [0, 0, 1]);
        assert_eq!(last.concat(), ["door-02001"]);
    }

    #[tokio::test]
    async fn a_page_says_that_there_is_another_only_if_there_is() {
        let (_server, administrator) = with_doors(4).await;
        for (query, expected) in [
            ("maxResults=3", &[3, 1][..]),
            ("maxResults=4", &[4]),
            ("bucket=behind&maxResults=3", &[3]),
            ("bucket=behind&maxResults=2", &[2, 1]),
            ("bucket=none", &[0]),
        ] {
            let found: Vec<usize> = pages(&administrator, query).await.iter().map(Vec::len).collect();
            assert_eq!(found, expected, "{query}");
        }
    }
}
