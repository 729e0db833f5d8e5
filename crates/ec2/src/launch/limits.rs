//! What a launch cannot ask for, because Daypass does not have it: told before anything is made.

use daypass_core::Fault;
use daypass_core::model::ec2::{
    CapacityReservationPreference, HostnameType, InstanceAutoRecoveryState, RunInstancesRequest, Tenancy,
};

use crate::fault;

/// The most instances of one request.
const MAX_COUNT: i32 = 1000;

/// Refuses what is not built.
pub(super) fn refuse_what_is_not_built(input: &RunInstancesRequest) -> Result<(), Fault> {
    let placement = input.placement.as_ref();
    let dns = input.private_dns_name_options.as_ref();
    let cpu = input.cpu_options.as_ref();
    let capacity = input.capacity_reservation_specification.as_ref();
    let reserves = |c: &daypass_core::model::ec2::CapacityReservationSpecification| {
        c.capacity_reservation_target.is_some()
            || c.capacity_reservation_preference
                == Some(CapacityReservationPreference::CapacityReservationsOnly)
    };
    for (asked, words) in [
        (
            input.instance_market_options.is_some(),
            "Instances of Daypass are on demand: there is no spot market.",
        ),
        (
            input.hibernation_options.as_ref().is_some_and(|h| h.configured == Some(true)),
            "Instances of Daypass do not hibernate.",
        ),
        (
            input.enclave_options.as_ref().is_some_and(|e| e.enabled == Some(true)),
            "Instances of Daypass have no enclaves.",
        ),
        (
            placement
                .is_some_and(|p| p.tenancy.is_some_and(|t| t != Tenancy::Default_) || p.host_id.is_some()),
            "Daypass has no dedicated hosts: the tenancy is default.",
        ),
        (
            placement.is_some_and(|p| {
                p.group_name.as_deref().is_some_and(|n| !n.is_empty()) || p.group_id.is_some()
            }),
            "Daypass has no placement groups.",
        ),
        (
            input.ipv6_address_count.is_some_and(|n| n > 0)
                || !input.ipv6_addresses.is_empty()
                || input.enable_primary_ipv6 == Some(true),
            "Instances of Daypass have no IPv6 addresses.",
        ),
        (
            input.kernel_id.is_some() || input.ramdisk_id.is_some(),
            "Instances of Daypass run on the kernel of their host.",
        ),
        (
            !input.elastic_gpu_specification.is_empty() || !input.elastic_inference_accelerators.is_empty(),
            "Daypass has no accelerators.",
        ),
        (!input.license_specifications.is_empty(), "Daypass has no license configurations."),
        (!input.secondary_interfaces.is_empty(), "Instances of Daypass have one network interface."),
        (capacity.is_some_and(reserves), "Daypass has no capacity reservations."),
        (
            cpu.is_some_and(|c| c.amd_sev_snp.is_some() || c.nested_virtualization.is_some()),
            "Daypass does not support these CPU options.",
        ),
        (
            dns.is_some_and(|d| {
                d.hostname_type == Some(HostnameType::ResourceName)
                    || d.enable_resource_name_dns_a_record == Some(true)
                    || d.enable_resource_name_dns_aaaa_record == Some(true)
            }),
            "Instances of Daypass are named by their addresses.",
        ),
        (
            input
                .maintenance_options
                .as_ref()
                .is_some_and(|m| m.auto_recovery == Some(InstanceAutoRecoveryState::Disabled)),
            "Daypass does not support this maintenance option.",
        ),
        (
            input
                .network_performance_options
                .as_ref()
                .and_then(|n| n.bandwidth_weighting)
                .is_some_and(|w| w != daypass_core::model::ec2::InstanceBandwidthWeighting::Default_),
            "Daypass does not weigh bandwidth.",
        ),
        (input.operator.is_some(), "Daypass has no managed instances."),
    ] {
        if asked {
            return Err(fault::unsupported(words));
        }
    }
    Ok(())
}

/// How many instances are asked for: at least, and at most.
pub(super) fn count(input: &RunInstancesRequest) -> Result<(i32, i32), Fault> {
    let (least, most) = (input.min_count, input.max_count);
    if least < 1 {
        return Err(fault::invalid_parameter(least, "minCount", "Minimum count must be at least 1."));
    }
    if most < least {
        let why = "Maximum count must not be less than minimum count.";
        return Err(fault::invalid_parameter(most, "maxCount", why));
    }
    if most > MAX_COUNT {
        let why = format!("At most {MAX_COUNT} instances are launched at a time.");
        return Err(fault::invalid_parameter(most, "maxCount", &why));
    }
    Ok((least, most))
}
