//! An instance as the API answers it.

use daypass_core::image;
use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::{
    self, ArchitectureValues, CapacityReservationPreference, CapacityReservationSpecificationResponse,
    CpuOptions, DeviceType, EbsInstanceBlockDevice, EnclaveOptions, GroupIdentifier, HibernationOptions,
    HostnameType, HttpTokensState, HypervisorType, IamInstanceProfile, InstanceAutoRecoveryState,
    InstanceBandwidthWeighting, InstanceBlockDeviceMapping, InstanceBootModeValues,
    InstanceMaintenanceOptions, InstanceMetadataEndpointState, InstanceMetadataOptionsResponse,
    InstanceMetadataOptionsState, InstanceMetadataProtocolState, InstanceMetadataTagsState,
    InstanceNetworkInterface, InstanceNetworkInterfaceAttachment, InstanceNetworkPerformanceOptions,
    InstancePrivateIpAddress, InstanceRebootMigrationState, Monitoring, MonitoringState,
    NetworkInterfaceStatus, OperatorResponse, Placement, PrivateDnsNameOptionsResponse, Tenancy,
    VirtualizationType,
};
use daypass_core::store::records::{Endpoint, HttpTokens, Instance, InstanceState, MetadataOptions, Tag};
use daypass_core::store::{Read, StoreError};

use super::state;
use crate::filter::Listed;
use crate::instance_type::InstanceType;
use crate::resource::Resource as _;
use crate::tag;
use crate::volume::Volume;

/// An instance with its volumes.
pub(crate) struct Shown {
    pub(crate) instance: Instance,
    pub(crate) volumes: Vec<Volume>,
}

/// An instance by itself, for lists that tell little of it.
pub(crate) struct Alone(pub(crate) Instance);

impl Listed for Alone {
    fn order(&self) -> String {
        self.0.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &self.0.tags
    }
}

impl Listed for Shown {
    /// Those of one reservation stand together.
    fn order(&self) -> String {
        format!("{}\0{:05}", self.instance.reservation_id, self.instance.launch_index)
    }

    fn tags(&self) -> &[Tag] {
        &self.instance.tags
    }
}

impl Shown {
    pub(crate) fn new(tx: &impl Read, instance: Instance) -> Result<Self, StoreError> {
        let (home, mut volumes) = (super::home(&instance), vec![]);
        for id in &instance.volumes {
            volumes.extend(Volume::find(tx, &home, id)?);
        }
        Ok(Self { instance, volumes })
    }

    /// Whether it still stands in its network: a terminated instance shows nothing of it.
    pub(super) fn is_on(&self) -> bool {
        super::is_on(&self.instance)
    }

    pub(super) fn image(&self) -> Option<image::PublicImage> {
        image::public_image(&self.instance.region, &self.instance.image_id)
    }

    pub(super) fn architecture(&self) -> Option<&'static str> {
        self.image().map(|image| image.architecture)
    }

    pub(super) fn root_device(&self) -> String {
        let attached = self.volumes.first().and_then(|v| v.attachment.as_ref());
        let device =
            attached.map(|a| a.device.clone()).or_else(|| Some(self.image()?.root_device.to_owned()));
        device.unwrap_or_else(|| "/dev/xvda".to_owned())
    }

    /// Its volumes, as the instance shows them.
    pub(crate) fn block_devices(&self) -> Vec<InstanceBlockDeviceMapping> {
        let device = |volume: &Volume| {
            let attachment = volume.attachment.as_ref()?;
            Some(InstanceBlockDeviceMapping {
                device_name: Some(attachment.device.clone()),
                ebs: Some(EbsInstanceBlockDevice {
                    attach_time: Some(attachment.since),
                    delete_on_termination: Some(attachment.delete_on_termination),
                    status: Some("attached".to_owned()),
                    volume_id: Some(volume.id.clone()),
                    ..EbsInstanceBlockDevice::default()
                }),
            })
        };
        self.volumes.iter().filter_map(device).collect()
    }

    /// The whole of it.
    pub(crate) fn describe(&self) -> ec2::Instance {
        let instance = &self.instance;
        let kind = InstanceType::named(&instance.instance_type);
        let on = self.is_on();
        let when_on = |text: &str| if on { text.to_owned() } else { String::new() };
        let options = |_| PrivateDnsNameOptionsResponse {
            hostname_type: Some(HostnameType::IpName),
            enable_resource_name_dns_a_record: Some(false),
            enable_resource_name_dns_aaaa_record: Some(false),
        };
        ec2::Instance {
            architecture: self.architecture().and_then(ArchitectureValues::parse),
            block_device_mappings: Some(self.block_devices()),
            client_token: Some(instance.client_token.clone().unwrap_or_default()),
            ebs_optimized: Some(instance.ebs_optimized),
            ena_support: Some(true),
            hypervisor: Some(HypervisorType::Xen),
            iam_instance_profile: instance.profile.as_ref().map(|p| IamInstanceProfile {
                arn: Some(p.profile_arn.clone()),
                id: Some(p.profile_id.clone()),
            }),
            network_interfaces: Some(on.then(|| self.network_interface()).into_iter().collect()),
            root_device_name: Some(self.root_device()),
            root_device_type: Some(DeviceType::Ebs),
            security_groups: Some(if on { groups(instance) } else { vec![] }),
            source_dest_check: on.then_some(instance.source_dest_check),
            state_reason: instance
                .state_reason
                .as_ref()
                .map(|r| ec2::StateReason { code: Some(r.code.clone()), message: Some(r.message.clone()) }),
            tags: tag::some(&instance.tags),
            virtualization_type: Some(VirtualizationType::Hvm),
            cpu_options: kind.map(|t| CpuOptions {
                core_count: Some(t.cores()),
                threads_per_core: Some(t.threads_per_core()),
                ..CpuOptions::default()
            }),
            capacity_reservation_specification: Some(CapacityReservationSpecificationResponse {
                capacity_reservation_preference: Some(CapacityReservationPreference::Open),
                capacity_reservation_target: None,
            }),
            hibernation_options: Some(HibernationOptions { configured: Some(false) }),
            metadata_options: Some(metadata(&instance.metadata, InstanceMetadataOptionsState::Applied)),
            enclave_options: Some(EnclaveOptions { enabled: Some(false) }),
            platform_details: Some("Linux/UNIX".to_owned()),
            usage_operation: Some("RunInstances".to_owned()),
            usage_operation_update_time: Some(instance.launched),
            private_dns_name_options: Some(()).filter(|()| on).map(options),
            maintenance_options: Some(InstanceMaintenanceOptions {
                auto_recovery: Some(InstanceAutoRecoveryState::Default_),
                reboot_migration: Some(InstanceRebootMigrationState::Default_),
            }),
            current_instance_boot_mode: Some(InstanceBootModeValues::LegacyBios),
            network_performance_options: Some(InstanceNetworkPerformanceOptions {
                bandwidth_weighting: Some(InstanceBandwidthWeighting::Default_),
            }),
            operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
            instance_id: Some(instance.id.clone()),
            image_id: Some(instance.image_id.clone()),
            state: Some(state(instance.state)),
            private_dns_name: Some(when_on(&instance.private_dns_name())),
            public_dns_name: Some(String::new()),
            state_transition_reason: Some(instance.transition_reason.clone()),
            key_name: instance.key_name.clone(),
            ami_launch_index: Some(instance.launch_index),
            product_codes: Some(vec![]),
            instance_type: Some(instance.instance_type.clone()),
            launch_time: Some(instance.launched),
            placement: Some(Placement {
                availability_zone_id: Some(instance.network.availability_zone_id.clone()),
                group_name: Some(String::new()),
                tenancy: Some(Tenancy::Default_),
                availability_zone: Some(instance.network.availability_zone.clone()),
                ..Placement::default()
            }),
            monitoring: Some(Monitoring {
                state: Some(if instance.monitoring {
                    MonitoringState::Enabled
                } else {
                    MonitoringState::Disabled
                }),
            }),
            subnet_id: on.then(|| instance.network.subnet_id.clone()),
            vpc_id: on.then(|| instance.network.vpc_id.clone()),
            private_ip_address: on.then(|| instance.network.private_ip.to_string()),
            ..ec2::Instance::default()
        }
    }

    fn network_interface(&self) -> InstanceNetworkInterface {
        let instance = &self.instance;
        let network = &instance.network;
        let (address, name) = (Some(network.private_ip.to_string()), Some(instance.private_dns_name()));
        InstanceNetworkInterface {
            attachment: Some(InstanceNetworkInterfaceAttachment {
                attach_time: Some(instance.launched),
                attachment_id: Some(network.attachment_id.clone()),
                delete_on_termination: Some(true),
                device_index: Some(0),
                status: Some("attached".to_owned()),
                network_card_index: Some(0),
                ..InstanceNetworkInterfaceAttachment::default()
            }),
            description: Some(network.description.clone()),
            groups: Some(groups(instance)),
            ipv6_addresses: Some(vec![]),
            mac_address: Some(network.mac.clone()),
            network_interface_id: Some(network.id.clone()),
            owner_id: Some(instance.account.to_string()),
            private_dns_name: name.clone(),
            private_ip_address: address.clone(),
            private_ip_addresses: Some(vec![InstancePrivateIpAddress {
                primary: Some(true),
                private_dns_name: name,
                private_ip_address: address,
                ..InstancePrivateIpAddress::default()
            }]),
            source_dest_check: Some(instance.source_dest_check),
            status: Some(NetworkInterfaceStatus::InUse),
            subnet_id: Some(network.subnet_id.clone()),
            vpc_id: Some(network.vpc_id.clone()),
            interface_type: Some("interface".to_owned()),
            operator: Some(OperatorResponse { managed: Some(false), ..OperatorResponse::default() }),
            ..InstanceNetworkInterface::default()
        }
    }
}

/// The security groups of an instance.
pub(crate) fn groups(instance: &Instance) -> Vec<GroupIdentifier> {
    let network = &instance.network;
    let group = |(id, name): (&String, &String)| GroupIdentifier {
        group_id: Some(id.clone()),
        group_name: Some(name.clone()),
    };
    network.security_groups.iter().zip(&network.security_group_names).map(group).collect()
}

/// How the metadata service of an instance behaves.
pub(crate) fn metadata(
    options: &MetadataOptions,
    state: InstanceMetadataOptionsState,
) -> InstanceMetadataOptionsResponse {
    let on = |endpoint| endpoint == Endpoint::Enabled;
    InstanceMetadataOptionsResponse {
        state: Some(state),
        http_tokens: Some(match options.http_tokens {
            HttpTokens::Optional => HttpTokensState::Optional,
            HttpTokens::Required => HttpTokensState::Required,
        }),
        http_put_response_hop_limit: Some(options.hop_limit.into()),
        http_endpoint: Some(if on(options.http_endpoint) {
            InstanceMetadataEndpointState::Enabled
        } else {
            InstanceMetadataEndpointState::Disabled
        }),
        http_protocol_ipv6: Some(if on(options.http_protocol_ipv6) {
            InstanceMetadataProtocolState::Enabled
        } else {
            InstanceMetadataProtocolState::Disabled
        }),
        instance_metadata_tags: Some(if on(options.instance_metadata_tags) {
            InstanceMetadataTagsState::Enabled
        } else {
            InstanceMetadataTagsState::Disabled
        }),
    }
}

/// The name of a state, as filters know it.
pub(super) fn state_name(instance: InstanceState) -> &'static str {
    state(instance).name.map_or("", ec2::InstanceStateName::as_str)
}

/// The code of a state.
pub(super) fn state_code(instance: InstanceState) -> String {
    state(instance).code.unwrap_or_default().to_string()
}
