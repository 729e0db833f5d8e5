//! `ec2:DescribeInstanceAttribute`.

use daypass_core::model::ec2::{
    AttributeBooleanValue, AttributeValue, DescribeInstanceAttributeRequest, EnclaveOptions,
    InstanceAttribute, InstanceAttributeName as Name, ops,
};
use daypass_core::store::records::Instance;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::instance::view::{Shown, groups};
use crate::instance::{is_on, load};
use crate::resource::{Home, Resource};

operation!(DESCRIBE_INSTANCE_ATTRIBUTE, ops::DescribeInstanceAttribute, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DescribeInstanceAttributeRequest) -> Result<Checks, StoreError> {
    Ok(Instance::ask(cx, tx, "ec2:DescribeInstanceAttribute", &input.instance_id)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeInstanceAttributeRequest,
) -> Result<InstanceAttribute, Error> {
    let instance = load(tx, &Home::of(cx), &input.instance_id)?;
    if !is_on(&instance) {
        return Err((Instance::KIND.not_found)(&instance.id).into());
    }
    let shown = Shown::new(tx, instance)?;
    let instance = &shown.instance;
    let flag = |value| Some(AttributeBooleanValue { value: Some(value) });
    let text = |value: &str| Some(AttributeValue { value: Some(value.to_owned()) });
    // An attribute that is not set is there, and empty.
    let unset = || Some(AttributeValue { value: None });
    let mut answer = InstanceAttribute { instance_id: Some(instance.id.clone()), ..Default::default() };
    match input.attribute {
        Name::InstanceType => answer.instance_type = text(&instance.instance_type),
        Name::Kernel => answer.kernel_id = unset(),
        Name::Ramdisk => answer.ramdisk_id = unset(),
        Name::UserData => {
            answer.user_data = Some(AttributeValue { value: instance.user_data.clone() });
        }
        Name::DisableApiTermination => {
            answer.disable_api_termination = flag(instance.disable_api_termination)
        }
        Name::InstanceInitiatedShutdownBehavior => {
            answer.instance_initiated_shutdown_behavior = text(&instance.shutdown_behavior);
        }
        Name::RootDeviceName => answer.root_device_name = text(&shown.root_device()),
        Name::BlockDeviceMapping => answer.block_device_mappings = Some(shown.block_devices()),
        Name::ProductCodes => answer.product_codes = Some(vec![]),
        Name::SourceDestCheck => answer.source_dest_check = flag(instance.source_dest_check),
        Name::GroupSet => answer.groups = Some(groups(instance)),
        Name::EbsOptimized => answer.ebs_optimized = flag(instance.ebs_optimized),
        Name::SriovNetSupport => answer.sriov_net_support = unset(),
        Name::EnaSupport => answer.ena_support = flag(true),
        Name::EnclaveOptions => answer.enclave_options = Some(EnclaveOptions { enabled: Some(false) }),
        Name::DisableApiStop => answer.disable_api_stop = flag(instance.disable_api_stop),
    }
    Ok(answer)
}
