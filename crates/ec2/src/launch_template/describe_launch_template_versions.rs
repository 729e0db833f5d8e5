//! `ec2:DescribeLaunchTemplateVersions`: of one template; or the latest or default version of each.

use daypass_core::model::ec2::{
    DescribeLaunchTemplateVersionsRequest, DescribeLaunchTemplateVersionsResult, ops,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};
use serde_json::Value as Json;

use super::{LaunchTemplate, Named, Version};
use crate::fault;
use crate::filter::{self, Field, Listed, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, ops::DescribeLaunchTemplateVersions, checks, run);

/// A version, and the template whose it is.
struct Kept {
    template: LaunchTemplate,
    version: Version,
}

impl Listed for Kept {
    /// The newest version of a template stands first.
    fn order(&self) -> String {
        format!("{}\0{:020}", self.template.id, i64::MAX - self.version.number)
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

const FILTERS: &[Field<Kept>] = &[
    ("create-time", |k| one(k.version.created)),
    ("ebs-optimized", |k| part(k, "/EbsOptimized")),
    ("http-endpoint", |k| part(k, "/MetadataOptions/HttpEndpoint")),
    ("http-protocol-ipv4", |_| vec![]),
    ("http-protocol-ipv6", |k| part(k, "/MetadataOptions/HttpProtocolIpv6")),
    ("http-tokens", |k| part(k, "/MetadataOptions/HttpTokens")),
    ("iam-instance-profile", |k| part(k, "/IamInstanceProfile/Arn")),
    ("image-id", |k| part(k, "/ImageId")),
    ("instance-type", |k| part(k, "/InstanceType")),
    ("is-default-version", |k| one(k.version.number == k.template.default_version)),
    ("kernel-id", |k| part(k, "/KernelId")),
    ("license-configuration-arn", |_| vec![]),
    ("network-card-index", |_| vec![]),
    ("ram-disk-id", |k| part(k, "/RamDiskId")),
];

fn part(kept: &Kept, path: &str) -> Vec<String> {
    let data = Json::Object(kept.version.data.clone());
    let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    data.pointer(path).map(text).into_iter().collect()
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeLaunchTemplateVersionsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeLaunchTemplateVersions").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeLaunchTemplateVersionsRequest,
) -> Result<DescribeLaunchTemplateVersionsResult, Error> {
    let home = Home::of(cx);
    let named =
        Named { id: input.launch_template_id.as_deref(), name: input.launch_template_name.as_deref() };
    let templates = if named.id.is_some() || named.name.is_some() {
        vec![named.load(tx, &home)?]
    } else {
        let floating = |v: &String| v == "$Latest" || v == "$Default";
        if input.versions.is_empty() || !input.versions.iter().all(floating) {
            return Err(fault::missing("LaunchTemplateId or LaunchTemplateName").into());
        }
        LaunchTemplate::list(tx, &home)?
    };
    let bound = |text: &Option<String>| text.as_deref().and_then(|v| v.parse::<i64>().ok());
    let (least, most) = (bound(&input.min_version), bound(&input.max_version));
    let mut kept = vec![];
    for template in templates {
        let versions = match input.versions.as_slice() {
            [] => tx.all(&Version::all(&home, &template.id))?,
            asked => {
                let mut versions = vec![];
                for version in asked {
                    versions.push(template.version(tx, version)?);
                }
                versions.sort_by_key(|v| v.number);
                versions.dedup_by_key(|v| v.number);
                versions
            }
        };
        let within = |v: &Version| least.is_none_or(|l| v.number >= l) && most.is_none_or(|m| v.number <= m);
        let versions = versions.into_iter().filter(within);
        kept.extend(versions.map(|version| Kept { template: template.clone(), version }));
    }
    let kept = filter::select(kept, &input.filters, FILTERS)?;
    let page = Page::new(input.max_results, input.next_token.as_ref()).within(1..=200);
    let (kept, next_token) = page.take(cx, kept)?;
    let versions = kept.iter().map(|k| k.version.describe_as(&k.template)).collect();
    Ok(DescribeLaunchTemplateVersionsResult { launch_template_versions: Some(versions), next_token })
}
