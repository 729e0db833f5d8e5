//! `ec2:ModifyInstanceAttribute`: one attribute at a time, some only while the instance is stopped.

use base64::Engine as _;
use daypass_core::model::ec2::{
    AttributeBooleanValue, AttributeValue, InstanceAttributeName as Name, ModifyInstanceAttributeRequest, ops,
};
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::instance::{incorrect_state, is_on, load};
use crate::instance_type::InstanceType;
use crate::resource::{Home, Resource};
use crate::security_group::SecurityGroup;
use crate::volume::Volume;
use crate::{attribute, fault, launch};

operation!(MODIFY_INSTANCE_ATTRIBUTE, ops::ModifyInstanceAttribute, checks, run);

/// What a request sets: the one attribute, and its value as a policy sees it.
enum Change<'a> {
    InstanceType(&'a str),
    UserData(Vec<u8>),
    DisableApiTermination(bool),
    DisableApiStop(bool),
    ShutdownBehavior(&'a str),
    SourceDestCheck(bool),
    EbsOptimized(bool),
    EnaSupport(bool),
    Groups(&'a [String]),
    /// Devices, and whether each goes with the instance.
    BlockDevices(Vec<(&'a str, bool)>),
    /// What no instance here has.
    Unsupported(&'static str),
}

impl Change<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::InstanceType(_) => "InstanceType",
            Self::UserData(_) => "UserData",
            Self::DisableApiTermination(_) => "DisableApiTermination",
            Self::DisableApiStop(_) => "DisableApiStop",
            Self::ShutdownBehavior(_) => "InstanceInitiatedShutdownBehavior",
            Self::SourceDestCheck(_) => "SourceDestCheck",
            Self::EbsOptimized(_) => "EbsOptimized",
            Self::EnaSupport(_) => "EnaSupport",
            Self::Groups(_) => "GroupId",
            Self::BlockDevices(_) => "BlockDeviceMapping",
            Self::Unsupported(name) => name,
        }
    }

    fn value(&self) -> String {
        match self {
            Self::InstanceType(text) | Self::ShutdownBehavior(text) => (*text).to_owned(),
            Self::DisableApiTermination(flag)
            | Self::DisableApiStop(flag)
            | Self::SourceDestCheck(flag)
            | Self::EbsOptimized(flag)
            | Self::EnaSupport(flag) => flag.to_string(),
            Self::Groups(ids) => ids.join(","),
            Self::UserData(_) | Self::BlockDevices(_) | Self::Unsupported(_) => String::new(),
        }
    }
}

/// Every attribute that a request sets, by whichever of its two ways.
fn given(input: &ModifyInstanceAttributeRequest) -> Vec<Change<'_>> {
    fn text(value: &Option<AttributeValue>) -> Option<&str> {
        value.as_ref().map(|v| v.value.as_deref().unwrap_or(""))
    }
    let flag = |value: &Option<AttributeBooleanValue>| value.as_ref().and_then(|v| v.value);
    let mut changes = vec![];
    changes.extend(text(&input.instance_type).map(Change::InstanceType));
    changes.extend(
        input
            .user_data
            .as_ref()
            .map(|v| Change::UserData(v.value.as_ref().map(|b| b.0.clone()).unwrap_or_default())),
    );
    changes.extend(flag(&input.disable_api_termination).map(Change::DisableApiTermination));
    changes.extend(flag(&input.disable_api_stop).map(Change::DisableApiStop));
    changes.extend(text(&input.instance_initiated_shutdown_behavior).map(Change::ShutdownBehavior));
    changes.extend(flag(&input.source_dest_check).map(Change::SourceDestCheck));
    changes.extend(flag(&input.ebs_optimized).map(Change::EbsOptimized));
    changes.extend(flag(&input.ena_support).map(Change::EnaSupport));
    if !input.groups.is_empty() {
        changes.push(Change::Groups(&input.groups));
    }
    if !input.block_device_mappings.is_empty() {
        let device = |m: &'_ daypass_core::model::ec2::InstanceBlockDeviceMappingSpecification| {
            m.ebs.as_ref().and_then(|e| e.delete_on_termination).unwrap_or(true)
        };
        let devices = input.block_device_mappings.iter();
        let devices = devices.map(|m| (m.device_name.as_deref().unwrap_or(""), device(m)));
        changes.push(Change::BlockDevices(devices.collect()));
    }
    changes.extend(text(&input.kernel).map(|_| Change::Unsupported("Kernel")));
    changes.extend(text(&input.ramdisk).map(|_| Change::Unsupported("Ramdisk")));
    changes.extend(text(&input.sriov_net_support).map(|_| Change::Unsupported("SriovNetSupport")));
    if let (Some(name), Some(value)) = (input.attribute, &input.value) {
        changes.push(by_name(name, value));
    }
    changes
}

/// `Attribute=instanceType&Value=t3.large`, the other way to say it.
fn by_name(name: Name, value: &str) -> Change<'_> {
    let flag = value == "true";
    match name {
        Name::InstanceType => Change::InstanceType(value),
        Name::UserData => Change::UserData(
            base64::engine::general_purpose::STANDARD
                .decode(value)
                .unwrap_or_else(|_| value.as_bytes().to_vec()),
        ),
        Name::DisableApiTermination => Change::DisableApiTermination(flag),
        Name::DisableApiStop => Change::DisableApiStop(flag),
        Name::InstanceInitiatedShutdownBehavior => Change::ShutdownBehavior(value),
        Name::SourceDestCheck => Change::SourceDestCheck(flag),
        Name::EbsOptimized => Change::EbsOptimized(flag),
        Name::EnaSupport => Change::EnaSupport(flag),
        Name::Kernel => Change::Unsupported("Kernel"),
        Name::Ramdisk => Change::Unsupported("Ramdisk"),
        Name::SriovNetSupport => Change::Unsupported("SriovNetSupport"),
        Name::RootDeviceName => Change::Unsupported("RootDeviceName"),
        Name::BlockDeviceMapping => Change::Unsupported("BlockDeviceMapping by Attribute"),
        Name::ProductCodes => Change::Unsupported("ProductCodes"),
        Name::GroupSet => Change::Unsupported("GroupSet by Attribute"),
        Name::EnclaveOptions => Change::Unsupported("EnclaveOptions"),
    }
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifyInstanceAttributeRequest) -> Result<Checks, StoreError> {
    let action = "ec2:ModifyInstanceAttribute";
    let check = Instance::ask(cx, tx, action, &input.instance_id)?;
    let told: Vec<(&str, String)> = given(input).iter().map(|c| (c.name(), c.value())).collect();
    let groups: Result<Vec<Check>, StoreError> =
        input.groups.iter().map(|id| SecurityGroup::ask(cx, tx, action, id)).collect();
    Ok(attribute::ask_about(check, &told).and_all(groups?))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ModifyInstanceAttributeRequest) -> Result<(), Error> {
    let home = Home::of(cx);
    let mut instance = load(tx, &home, &input.instance_id)?;
    if !is_on(&instance) {
        return Err((Instance::KIND.not_found)(&instance.id).into());
    }
    let changes = given(&input);
    let [change] = changes.as_slice() else {
        let words = match changes.len() {
            0 => "No attributes specified.",
            _ => "Fields for multiple attribute types specified",
        };
        return Err(fault::invalid_combination(words).into());
    };
    match change {
        Change::InstanceType(name) => {
            stopped(&instance)?;
            set_type(&mut instance, name)?;
        }
        Change::UserData(bytes) => {
            stopped(&instance)?;
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            instance.user_data = launch::user_data(Some(&text))?.filter(|_| !bytes.is_empty());
        }
        Change::DisableApiTermination(on) => instance.disable_api_termination = *on,
        Change::DisableApiStop(on) => instance.disable_api_stop = *on,
        Change::ShutdownBehavior(text @ ("stop" | "terminate")) => {
            (*text).clone_into(&mut instance.shutdown_behavior)
        }
        Change::ShutdownBehavior(text) => {
            let why = "Valid values are stop and terminate.";
            return Err(fault::invalid_parameter(text, "instanceInitiatedShutdownBehavior", why).into());
        }
        Change::SourceDestCheck(on) => instance.source_dest_check = *on,
        Change::EbsOptimized(on) => {
            stopped(&instance)?;
            let always =
                InstanceType::named(&instance.instance_type).is_some_and(InstanceType::is_ebs_optimized);
            instance.ebs_optimized = *on || always;
        }
        Change::EnaSupport(true) => {}
        Change::EnaSupport(false) => {
            return Err(fault::unsupported("Instances of Daypass always support ENA.").into());
        }
        Change::Groups(ids) => set_groups(tx, &home, &mut instance, ids)?,
        Change::BlockDevices(devices) => set_devices(tx, &home, &instance, devices)?,
        Change::Unsupported(name) => {
            return Err(fault::unsupported(format!("Daypass does not support {name}.")).into());
        }
    }
    tx.put(&instance)?;
    Ok(())
}

/// Some attributes change only while the instance is stopped.
fn stopped(instance: &Instance) -> Result<(), Fault> {
    if instance.state == InstanceState::Stopped {
        return Ok(());
    }
    Err(incorrect_state(format!("The instance '{}' is not in the 'stopped' state.", instance.id)))
}

fn set_type(instance: &mut Instance, name: &str) -> Result<(), Fault> {
    let kind = launch::instance_type(name)?;
    if let Some(image) = daypass_core::image::public_image(&instance.region, &instance.image_id) {
        launch::check_architecture(kind, &image)?;
    }
    instance.instance_type = kind.name().to_owned();
    instance.ebs_optimized |= kind.is_ebs_optimized();
    let credits = instance.cpu_credits.take();
    instance.cpu_credits =
        kind.default_credits().map(|default| credits.unwrap_or_else(|| default.to_owned()));
    Ok(())
}

fn set_groups(tx: &Tx<'_>, home: &Home, instance: &mut Instance, ids: &[String]) -> Result<(), Error> {
    let groups = SecurityGroup::choose(tx, home, ids)?;
    if let Some(group) = groups.iter().find(|g| g.vpc_id != instance.network.vpc_id) {
        return Err(launch::different_networks(&group.id, &instance.network.subnet_id).into());
    }
    instance.network.security_groups = groups.iter().map(|g| g.id.clone()).collect();
    instance.network.security_group_names = groups.into_iter().map(|g| g.name).collect();
    Ok(())
}

fn set_devices(
    tx: &mut Tx<'_>,
    home: &Home,
    instance: &Instance,
    devices: &[(&str, bool)],
) -> Result<(), Error> {
    for (device, delete) in devices {
        let mut found = false;
        for id in &instance.volumes {
            let Some(mut volume) = Volume::find(tx, home, id)? else { continue };
            if let Some(attachment) = volume.attachment.as_mut().filter(|a| a.device == *device) {
                attachment.delete_on_termination = *delete;
                found = true;
                tx.put(&volume)?;
            }
        }
        if !found {
            let words = format!("No device is currently mapped at {device}");
            return Err(fault::coded("InvalidInstanceAttributeValue", words).into());
        }
    }
    Ok(())
}
