//! `ec2:DescribeInstanceTypes`.

use daypass_core::model::Enumeration;
use daypass_core::model::ec2::{
    ArchitectureType, AttachmentLimitType, BootModeType, DefaultConnectionTrackingConfiguration,
    DescribeInstanceTypesRequest, DescribeInstanceTypesResult, EbsEncryptionSupport, EbsInfo, EbsNvmeSupport,
    EbsOptimizedInfo, EbsOptimizedSupport, EnaSupport, FlexibleEnaQueuesSupport, InstanceTypeHypervisor,
    InstanceTypeInfo, MemoryInfo, NetworkCardInfo, NetworkInfo, NitroEnclavesSupport, NitroTpmInfo,
    NitroTpmSupport, PhcSupport, PlacementGroupInfo, PlacementGroupStrategy, ProcessorInfo,
    RebootMigrationSupport, RootDeviceType, UsageClassType, VCpuInfo, VirtualizationType, errors, ops,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::InstanceType;
use crate::fault;
use crate::filter::{self, Field, Listed, one};
use crate::page::Page;
use crate::resource::ask_all;

operation!(DESCRIBE_INSTANCE_TYPES, ops::DescribeInstanceTypes, checks, run);

/// So many are answered at a time where nobody says how many.
const PAGE: i32 = 100;

impl Listed for InstanceType {
    fn order(&self) -> String {
        self.name().to_owned()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

macro_rules! columns {
    ($($filter:literal => $column:literal),* $(,)?) => { &[$(($filter, |t| t.list($column).map(str::to_owned).collect())),*] };
}

/// Filters that are a column of the table, text or list.
const COLUMNS: &[Field<InstanceType>] = columns![
    "ebs-info.attachment-limit-type" => "attachment_limit",
    "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps" => "baseline_mbps",
    "ebs-info.ebs-optimized-info.baseline-iops" => "baseline_iops",
    "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps" => "baseline_mb_s",
    "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps" => "maximum_mbps",
    "ebs-info.ebs-optimized-info.maximum-iops" => "maximum_iops",
    "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps" => "maximum_mb_s",
    "ebs-info.ebs-optimized-support" => "ebs_optimized",
    "ebs-info.maximum-ebs-attachments" => "attachments",
    "ebs-info.nvme-support" => "nvme",
    "hypervisor" => "hypervisor",
    "instance-type" => "type",
    "memory-info.size-in-mib" => "memory_mib",
    "network-info.ena-support" => "ena",
    "network-info.ipv4-addresses-per-interface" => "addresses",
    "network-info.ipv6-addresses-per-interface" => "addresses",
    "network-info.maximum-network-interfaces" => "interfaces",
    "network-info.network-performance" => "network",
    "processor-info.supported-architecture" => "architectures",
    "processor-info.sustained-clock-speed-in-ghz" => "ghz",
    "supported-boot-mode" => "boot_modes",
    "vcpu-info.default-cores" => "cores",
    "vcpu-info.default-threads-per-core" => "threads",
    "vcpu-info.default-vcpus" => "vcpus",
    "vcpu-info.valid-cores" => "valid_cores",
];

/// The others.
const FILTERS: &[Field<InstanceType>] = &[
    ("auto-recovery-supported", |_| one(true)),
    ("bare-metal", |_| one(false)),
    ("burstable-performance-supported", |t| one(t.is_burstable())),
    ("current-generation", |t| one(t.flag("current"))),
    ("dedicated-hosts-supported", |t| one(t.flag("dedicated_hosts"))),
    ("ebs-info.encryption-support", |_| one("supported")),
    ("free-tier-eligible", |t| one(t.flag("free_tier"))),
    ("hibernation-supported", |t| one(t.flag("hibernation"))),
    ("instance-storage-info.disk.count", |_| vec![]),
    ("instance-storage-info.disk.size-in-gb", |_| vec![]),
    ("instance-storage-info.disk.type", |_| vec![]),
    ("instance-storage-info.encryption-support", |_| vec![]),
    ("instance-storage-info.nvme-support", |_| vec![]),
    ("instance-storage-info.total-size-in-gb", |_| vec![]),
    ("instance-storage-supported", |_| one(false)),
    ("network-info.bandwidth-weightings", |_| vec![]),
    ("network-info.efa-info.maximum-efa-interfaces", |_| vec![]),
    ("network-info.efa-supported", |t| one(t.flag("efa"))),
    ("network-info.encryption-in-transit-supported", |t| one(t.flag("encryption_in_transit"))),
    ("network-info.flexible-ena-queues-support", |t| one(supported(t.flag("flexible_queues")))),
    ("network-info.ipv6-supported", |_| one(true)),
    ("network-info.maximum-network-cards", |_| one(1)),
    ("nitro-enclaves-support", |t| one(supported(t.flag("enclaves")))),
    ("nitro-tpm-info.supported-versions", |t| t.flag("tpm").then(|| "2.0".to_owned()).into_iter().collect()),
    ("nitro-tpm-support", |t| one(supported(t.flag("tpm")))),
    ("processor-info.supported-features", |_| vec![]),
    ("reboot-migration-support", |_| one("supported")),
    ("supported-root-device-type", |_| one("ebs")),
    ("supported-usage-class", |t| {
        let spot = t.flag("spot").then(|| "spot".to_owned());
        std::iter::once("on-demand".to_owned()).chain(spot).collect()
    }),
    ("supported-virtualization-type", |_| one("hvm")),
    ("vcpu-info.valid-threads-per-core", |t| (1..=t.threads_per_core()).map(|n| n.to_string()).collect()),
];

fn supported(yes: bool) -> &'static str {
    if yes { "supported" } else { "unsupported" }
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeInstanceTypesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeInstanceTypes").into())
}

fn run(
    cx: &Cx,
    _: &mut Tx<'_>,
    input: DescribeInstanceTypesRequest,
) -> Result<DescribeInstanceTypesResult, Error> {
    let unknown: Vec<&str> = input
        .instance_types
        .iter()
        .map(String::as_str)
        .filter(|name| InstanceType::named(name).is_none())
        .collect();
    if !unknown.is_empty() {
        let words = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
        return Err(Fault::new(&errors::INVALID_INSTANCE_TYPE, words).into());
    }
    if input.max_results.is_some() && !input.instance_types.is_empty() {
        let words = "The parameter InstanceTypes cannot be used with the parameter MaxResults";
        return Err(fault::invalid_combination(words).into());
    }
    let chosen = |t: &InstanceType| {
        input.instance_types.is_empty() || input.instance_types.iter().any(|name| name == t.name())
    };
    let types: Vec<InstanceType> = InstanceType::all().filter(chosen).collect();
    let types = filter::select(types, &input.filters, &[COLUMNS, FILTERS].concat())?;
    let most = input.max_results.or(input.instance_types.is_empty().then_some(PAGE));
    let page = Page::new(most, input.next_token.as_ref()).within(5..=PAGE);
    let (types, next_token) = page.take(cx, types)?;
    Ok(DescribeInstanceTypesResult {
        instance_types: Some(types.into_iter().map(describe).collect()),
        next_token,
    })
}

/// A cell as the enumeration of a member.
fn one_of<E: Enumeration>(text: &str) -> Option<E> {
    E::parse(text)
}

fn describe(t: InstanceType) -> InstanceTypeInfo {
    let mut classes = vec![UsageClassType::OnDemand];
    classes.extend(t.flag("spot").then_some(UsageClassType::Spot));
    InstanceTypeInfo {
        instance_type: Some(t.name().to_owned()),
        current_generation: Some(t.flag("current")),
        free_tier_eligible: Some(t.flag("free_tier")),
        supported_usage_classes: Some(classes),
        supported_root_device_types: Some(vec![RootDeviceType::Ebs]),
        supported_virtualization_types: Some(vec![VirtualizationType::Hvm]),
        bare_metal: Some(false),
        hypervisor: one_of::<InstanceTypeHypervisor>(t.text("hypervisor")),
        processor_info: Some(ProcessorInfo {
            supported_architectures: Some(
                t.list("architectures").filter_map(one_of::<ArchitectureType>).collect(),
            ),
            sustained_clock_speed_in_ghz: t.number("ghz"),
            manufacturer: Some(t.text("manufacturer").to_owned()),
            ..ProcessorInfo::default()
        }),
        v_cpu_info: Some(processors(t)),
        memory_info: Some(MemoryInfo { size_in_mi_b: Some(t.memory_mib()) }),
        instance_storage_supported: Some(false),
        ebs_info: Some(ebs(t)),
        network_info: Some(network(t)),
        placement_group_info: Some(PlacementGroupInfo {
            supported_strategies: Some(
                t.list("strategies").filter_map(one_of::<PlacementGroupStrategy>).collect(),
            ),
        }),
        hibernation_supported: Some(t.flag("hibernation")),
        burstable_performance_supported: Some(t.is_burstable()),
        dedicated_hosts_supported: Some(t.flag("dedicated_hosts")),
        auto_recovery_supported: Some(true),
        supported_boot_modes: Some(t.list("boot_modes").filter_map(one_of::<BootModeType>).collect()),
        nitro_enclaves_support: one_of::<NitroEnclavesSupport>(supported(t.flag("enclaves"))),
        nitro_tpm_support: one_of::<NitroTpmSupport>(supported(t.flag("tpm"))),
        nitro_tpm_info: t
            .flag("tpm")
            .then(|| NitroTpmInfo { supported_versions: Some(vec!["2.0".to_owned()]) }),
        phc_support: one_of::<PhcSupport>(supported(t.flag("phc"))),
        reboot_migration_support: Some(RebootMigrationSupport::Supported),
        supported_in_region: Some(true),
        ..InstanceTypeInfo::default()
    }
}

fn processors(t: InstanceType) -> VCpuInfo {
    let valid: Vec<i32> = t.list("valid_cores").filter_map(|n| n.parse().ok()).collect();
    let choosable = !valid.is_empty();
    VCpuInfo {
        default_v_cpus: Some(t.vcpus()),
        default_cores: Some(t.cores()),
        default_threads_per_core: Some(t.threads_per_core()),
        valid_cores: Some(valid).filter(|_| choosable),
        valid_threads_per_core: choosable.then(|| (1..=t.threads_per_core()).collect()),
    }
}

fn ebs(t: InstanceType) -> EbsInfo {
    EbsInfo {
        ebs_optimized_support: one_of::<EbsOptimizedSupport>(t.text("ebs_optimized")),
        encryption_support: Some(EbsEncryptionSupport::Supported),
        ebs_optimized_info: t.number::<i32>("baseline_mbps").map(|baseline| EbsOptimizedInfo {
            baseline_bandwidth_in_mbps: Some(baseline),
            baseline_throughput_in_m_bps: t.number("baseline_mb_s"),
            baseline_iops: t.number("baseline_iops"),
            maximum_bandwidth_in_mbps: t.number("maximum_mbps"),
            maximum_throughput_in_m_bps: t.number("maximum_mb_s"),
            maximum_iops: t.number("maximum_iops"),
        }),
        nvme_support: one_of::<EbsNvmeSupport>(t.text("nvme")),
        maximum_ebs_attachments: t.number("attachments"),
        attachment_limit_type: one_of::<AttachmentLimitType>(t.text("attachment_limit")),
        ..EbsInfo::default()
    }
}

fn network(t: InstanceType) -> NetworkInfo {
    let performance = Some(t.text("network").to_owned());
    NetworkInfo {
        network_performance: performance.clone(),
        maximum_network_interfaces: t.number("interfaces"),
        maximum_network_cards: Some(1),
        default_network_card_index: Some(0),
        network_cards: Some(vec![NetworkCardInfo {
            network_card_index: Some(0),
            network_performance: performance,
            maximum_network_interfaces: t.number("interfaces"),
            baseline_bandwidth_in_gbps: t.number("baseline_gbps"),
            peak_bandwidth_in_gbps: t.number("peak_gbps"),
            default_ena_queue_count_per_interface: t.number("ena_queues"),
            ..NetworkCardInfo::default()
        }]),
        ipv4_addresses_per_interface: t.number("addresses"),
        ipv6_addresses_per_interface: t.number("addresses"),
        ipv6_supported: Some(true),
        ena_support: one_of::<EnaSupport>(t.text("ena")),
        efa_supported: Some(t.flag("efa")),
        encryption_in_transit_supported: Some(t.flag("encryption_in_transit")),
        ena_srd_supported: Some(t.flag("ena_srd")),
        flexible_ena_queues_support: one_of::<FlexibleEnaQueuesSupport>(supported(t.flag("flexible_queues"))),
        connection_tracking_configuration: Some(DefaultConnectionTrackingConfiguration {
            default_tcp_established_timeout: Some(432_000),
            default_udp_timeout: Some(30),
            default_udp_stream_timeout: Some(180),
        }),
        ..NetworkInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn a_type_is_described_as_aws_does() {
        let server = server().await;
        let admin = server.administrator().await;
        let read = ec2(&admin, "DescribeInstanceTypes", &[("InstanceType.1", "t3.micro")]).await.ok();
        for (element, expected) in [
            ("instanceType", "t3.micro"),
            ("currentGeneration", "true"),
            ("defaultVCpus", "2"),
            ("sizeInMiB", "1024"),
            ("burstablePerformanceSupported", "true"),
            ("networkPerformance", "Up to 5 Gigabit"),
            ("maximumNetworkInterfaces", "2"),
            ("sustainedClockSpeedInGhz", "2.5"),
            ("ebsOptimizedSupport", "default"),
        ] {
            assert_eq!(read.xml(element), Some(expected), "{element}");
        }
        let refused = ec2(&admin, "DescribeInstanceTypes", &[("InstanceType.1", "t9.big")]).await.refused();
        let words = "The following supplied instance types do not exist: [t9.big]";
        assert_eq!(refused, ("InvalidInstanceType".into(), words.into()));
    }

    #[tokio::test]
    async fn all_types_come_page_by_page() {
        let server = server().await;
        let admin = server.administrator().await;
        let (mut seen, mut token) = (0, String::new());
        loop {
            let ask = [("NextToken", token.as_str())];
            let page = ec2(&admin, "DescribeInstanceTypes", &ask).await.ok();
            let count = page.xml_all("instanceType").len();
            assert!(count <= 100);
            seen += count;
            match page.xml("nextToken") {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, super::InstanceType::all().count());
        let by = [
            ("Filter.1.Name", "vcpu-info.default-vcpus"),
            ("Filter.1.Value.1", "2"),
            ("Filter.2.Name", "instance-type"),
            ("Filter.2.Value.1", "t3.*"),
        ];
        let read = ec2(&admin, "DescribeInstanceTypes", &by).await.ok();
        assert_eq!(read.xml_all("instanceType").len(), 5);
    }
}
