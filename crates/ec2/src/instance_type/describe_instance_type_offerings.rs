//! `ec2:DescribeInstanceTypeOfferings`: every type, everywhere.

use daypass_core::model::ec2::{
    DescribeInstanceTypeOfferingsRequest, DescribeInstanceTypeOfferingsResult, InstanceTypeOffering,
    LocationType, ops,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::InstanceType;
use crate::filter::{self, Field, Listed, one};
use crate::page::Page;
use crate::region;
use crate::resource::ask_all;

operation!(DESCRIBE_INSTANCE_TYPE_OFFERINGS, ops::DescribeInstanceTypeOfferings, checks, run);

/// A type somewhere.
struct Offering {
    name: &'static str,
    location: String,
}

impl Listed for Offering {
    fn order(&self) -> String {
        format!("{}\0{}", self.name, self.location)
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

const FILTERS: &[Field<Offering>] = &[("instance-type", |o| one(o.name)), ("location", |o| one(&o.location))];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeInstanceTypeOfferingsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeInstanceTypeOfferings").into())
}

fn run(
    cx: &Cx,
    _: &mut Tx<'_>,
    input: DescribeInstanceTypeOfferingsRequest,
) -> Result<DescribeInstanceTypeOfferingsResult, Error> {
    let kind = input.location_type.unwrap_or(LocationType::Region);
    let zones = region::zones(cx.region());
    let locations: Vec<String> = match kind {
        LocationType::Region => vec![cx.region().to_owned()],
        LocationType::AvailabilityZone => zones.into_iter().map(|z| z.name).collect(),
        LocationType::AvailabilityZoneId => zones.into_iter().map(|z| z.id).collect(),
        LocationType::Outpost => vec![],
    };
    let everywhere = |t: InstanceType| {
        locations.iter().map(move |location| Offering { name: t.name(), location: location.clone() })
    };
    let offerings: Vec<Offering> = InstanceType::all().flat_map(everywhere).collect();
    let offerings = filter::select(offerings, &input.filters, FILTERS)?;
    let most = input.max_results.or(Some(1000));
    let (offerings, next_token) = Page::new(most, input.next_token.as_ref()).take(cx, offerings)?;
    let describe = |offering: Offering| InstanceTypeOffering {
        instance_type: Some(offering.name.to_owned()),
        location_type: Some(kind),
        location: Some(offering.location),
    };
    let offerings = offerings.into_iter().map(describe).collect();
    Ok(DescribeInstanceTypeOfferingsResult { instance_type_offerings: Some(offerings), next_token })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn a_type_is_offered_in_every_zone() {
        let server = server().await;
        let admin = server.administrator().await;
        let by = [
            ("LocationType", "availability-zone"),
            ("Filter.1.Name", "instance-type"),
            ("Filter.1.Value.1", "t3.micro"),
        ];
        let read = ec2(&admin, "DescribeInstanceTypeOfferings", &by).await.ok();
        assert_eq!(read.xml_all("location").len(), 6);
        let here = ec2(&admin, "DescribeInstanceTypeOfferings", &by[1..]).await.ok();
        assert_eq!(here.xml_all("location"), ["us-east-1"]);
    }
}
