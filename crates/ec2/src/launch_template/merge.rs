//! A launch from a template: what the template says, under what the request says (EC2 User Guide, "Launch instances from
//! a launch template": parameters of the request override those of the template).

use daypass_core::model::ec2::{RunInstancesRequest, ops};
use daypass_core::model::{FromValue as _, IntoValue as _, TypedOperation as _};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error};
use serde_json::{Map, Value as Json};

use super::Named;
use crate::resource::{Home, Resource as _};
use crate::{fault, json};

/// The template that a launch used.
pub(crate) struct Used {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) version: i64,
}

/// The request, with what its template adds.
pub(crate) fn merge(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &RunInstancesRequest,
) -> Result<(RunInstancesRequest, Option<Used>), Error> {
    let Some(specification) = &input.launch_template else { return Ok((input.clone(), None)) };
    let home = Home::of(cx);
    let named = Named {
        id: specification.launch_template_id.as_deref(),
        name: specification.launch_template_name.as_deref(),
    };
    let template = named.load(tx, &home)?;
    let version = template.version(tx, specification.version.as_deref().unwrap_or("$Default"))?;
    if version.data.contains_key("InstanceRequirements") {
        let words = "Daypass launches instances of one type: it does not choose one by requirements.";
        return Err(fault::unsupported(words).into());
    }
    let shape = ops::RunInstances::row().input;
    let merged = over(version.data, json::write(&input.clone().into_value(), shape));
    let merged =
        RunInstancesRequest::from_value(json::read(&merged, shape)).ok_or_else(|| cx.internal_failure())?;
    let used = Used {
        arn: home.arn(super::LaunchTemplate::KIND.name, &template.id),
        id: template.id,
        version: version.number,
    };
    Ok((merged, Some(used)))
}

/// What a request says, over what a template says.
fn over(mut template: Map<String, Json>, request: Map<String, Json>) -> Map<String, Json> {
    // The one member that the two call by different names.
    if let Some(ramdisk) = template.remove("RamDiskId") {
        template.insert("RamdiskId".to_owned(), ramdisk);
    }
    // Tags of requests that are not made here.
    if let Some(Json::Array(specifications)) = template.get_mut("TagSpecifications") {
        specifications
            .retain(|s| s.get("ResourceType").and_then(Json::as_str) != Some("spot-instances-request"));
    }
    for (name, value) in request {
        let value = match (template.remove(&name), value) {
            (Some(Json::Array(old)), Json::Array(new)) => match name.as_str() {
                "TagSpecifications" => Json::Array(by(old, new, "ResourceType", merge_tags)),
                "BlockDeviceMappings" => Json::Array(by(old, new, "DeviceName", merge_members)),
                "NetworkInterfaces" => Json::Array(by(old, new, "DeviceIndex", merge_members)),
                _ => Json::Array(new),
            },
            (Some(old), new) if name == "MetadataOptions" => merge_members(old, new),
            (_, new) => new,
        };
        template.insert(name, value);
    }
    template
}

/// Items of two lists: those that share a key are merged.
fn by(old: Vec<Json>, new: Vec<Json>, key: &str, merge: fn(Json, Json) -> Json) -> Vec<Json> {
    let mut merged = old;
    for item in new {
        let same = merged.iter().position(|o| o.get(key).is_some() && o.get(key) == item.get(key));
        match same {
            Some(at) => {
                let old = merged.remove(at);
                merged.insert(at, merge(old, item));
            }
            None => merged.push(item),
        }
    }
    merged
}

/// Members of two structures, all the way down.
fn merge_members(old: Json, new: Json) -> Json {
    match (old, new) {
        (Json::Object(mut old), Json::Object(new)) => {
            for (name, value) in new {
                let value = match old.remove(&name) {
                    Some(before) => merge_members(before, value),
                    None => value,
                };
                old.insert(name, value);
            }
            Json::Object(old)
        }
        (_, new) => new,
    }
}

/// The tags of two specifications of the same kind: by key.
fn merge_tags(old: Json, new: Json) -> Json {
    let tags = |json: &Json| json.get("Tags").and_then(Json::as_array).cloned().unwrap_or_default();
    let merged = by(tags(&old), tags(&new), "Key", |_, new| new);
    match new {
        Json::Object(mut new) => {
            new.insert("Tags".to_owned(), Json::Array(merged));
            Json::Object(new)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(template: Json, request: Json) -> Json {
        let (Json::Object(template), Json::Object(request)) = (template, request) else { panic!("objects") };
        Json::Object(over(template, request))
    }

    #[test]
    fn the_request_stands_over_the_template() {
        for (template, request, expected) in [
            (
                json!({"ImageId": "ami-1", "InstanceType": "t3.micro"}),
                json!({"InstanceType": "t3.large"}),
                json!({"ImageId": "ami-1", "InstanceType": "t3.large"}),
            ),
            (
                json!({"SecurityGroupIds": ["sg-1", "sg-2"]}),
                json!({"SecurityGroupIds": ["sg-3"]}),
                json!({"SecurityGroupIds": ["sg-3"]}),
            ),
            (
                json!({"MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}}),
                json!({"MetadataOptions": {"HttpPutResponseHopLimit": 2}}),
                json!({"MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}}),
            ),
            (
                json!({"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]},
                                             {"ResourceType": "spot-instances-request", "Tags": [{"Key": "a", "Value": "1"}]}]}),
                json!({"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "b", "Value": "2"}]}]}),
                json!({"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}]}),
            ),
            (
                json!({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp2"}}]}),
                json!({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}, {"DeviceName": "/dev/sdf"}]}),
                json!({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp2"}}, {"DeviceName": "/dev/sdf"}]}),
            ),
            (json!({"RamDiskId": "r"}), json!({}), json!({"RamdiskId": "r"})),
        ] {
            assert_eq!(merged(template, request), expected);
        }
    }
}
