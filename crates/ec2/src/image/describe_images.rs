//! `ec2:DescribeImages`.

use daypass_core::image::{PublicImage, public_images};
use daypass_core::model::Enumeration as _;
use daypass_core::model::ec2::{
    ArchitectureValues, BlockDeviceMapping, DescribeImagesRequest, DescribeImagesResult, DeviceType,
    EbsBlockDevice, HypervisorType, Image, ImageState, ImageTypeValues, ImdsSupportValues,
    VirtualizationType, VolumeType, errors, ops,
};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::KIND;
use crate::filter::{self, Field, Listed, one, some};
use crate::launch::ROOT_GIB;
use crate::page::Page;
use crate::resource::ask_all;

operation!(DESCRIBE_IMAGES, ops::DescribeImages, checks, run);

impl Listed for PublicImage {
    fn order(&self) -> String {
        self.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

const FILTERS: &[Field<PublicImage>] = &[
    ("architecture", |i| one(i.architecture)),
    ("block-device-mapping.delete-on-termination", |_| one(true)),
    ("block-device-mapping.device-name", |i| one(i.root_device)),
    ("block-device-mapping.encrypted", |_| one(false)),
    ("block-device-mapping.snapshot-id", |_| vec![]),
    ("block-device-mapping.volume-size", |_| one(ROOT_GIB)),
    ("block-device-mapping.volume-type", |_| one("gp3")),
    ("creation-date", |i| one(i.created)),
    ("description", |i| one(&i.description)),
    ("ena-support", |_| one(true)),
    ("free-tier-eligible", |_| one(true)),
    ("hypervisor", |_| one("xen")),
    ("image-allowed", |_| one(true)),
    ("image-id", |i| one(&i.id)),
    ("image-type", |_| one("machine")),
    ("is-public", |_| one(true)),
    ("kernel-id", |_| vec![]),
    ("manifest-location", |i| one(location(i))),
    ("name", |i| one(&i.name)),
    ("owner-alias", |i| some(i.owner_alias)),
    ("owner-id", |i| one(i.owner_id)),
    ("platform", |_| vec![]),
    ("product-code", |_| vec![]),
    ("product-code.type", |_| vec![]),
    ("ramdisk-id", |_| vec![]),
    ("root-device-name", |i| one(i.root_device)),
    ("root-device-type", |_| one("ebs")),
    ("source-image-id", |_| vec![]),
    ("source-image-region", |_| vec![]),
    ("source-instance-id", |_| vec![]),
    ("state", |_| one("available")),
    ("state-reason-code", |_| vec![]),
    ("state-reason-message", |_| vec![]),
    ("sriov-net-support", |_| one("simple")),
    ("virtualization-type", |_| one("hvm")),
];

fn location(image: &PublicImage) -> String {
    format!("{}/{}", image.owner_alias.unwrap_or(image.owner_id), image.name)
}

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeImagesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeImages").into())
}

fn run(cx: &Cx, _: &mut Tx<'_>, input: DescribeImagesRequest) -> Result<DescribeImagesResult, Error> {
    let mut images = public_images(cx.region());
    let mut missing = vec![];
    for id in &input.image_ids {
        let id = KIND.check(id)?;
        if !images.iter().any(|image| image.id == id) {
            missing.push(id);
        }
    }
    match missing.as_slice() {
        [] => {}
        [one] => return Err((KIND.not_found)(one).into()),
        several => {
            let words = format!("The image ids '[{}]' do not exist", several.join(", "));
            return Err(Fault::new(&errors::INVALID_AMIID_NOT_FOUND, words).into());
        }
    }
    images.retain(|image| {
        let chosen = input.image_ids.is_empty() || input.image_ids.contains(&image.id);
        let owner = |owner: &String| owner == image.owner_id || Some(owner.as_str()) == image.owner_alias;
        let owned = input.owners.is_empty() || input.owners.iter().any(owner);
        // Public images are launchable by all, and by nobody in particular.
        let launchable =
            input.executable_users.is_empty() || input.executable_users.iter().any(|u| u == "all");
        chosen && owned && launchable
    });
    let images = filter::select(images, &input.filters, FILTERS)?;
    let page = Page::new(input.max_results, input.next_token.as_ref()).within(1..=1000);
    let (images, next_token) = page.take(cx, images)?;
    Ok(DescribeImagesResult { next_token, images: Some(images.iter().map(describe).collect()) })
}

fn describe(image: &PublicImage) -> Image {
    Image {
        platform_details: Some("Linux/UNIX".to_owned()),
        usage_operation: Some("RunInstances".to_owned()),
        block_device_mappings: Some(vec![BlockDeviceMapping {
            ebs: Some(EbsBlockDevice {
                delete_on_termination: Some(true),
                volume_size: Some(ROOT_GIB),
                volume_type: Some(VolumeType::Gp3),
                encrypted: Some(false),
                ..EbsBlockDevice::default()
            }),
            device_name: Some(image.root_device.to_owned()),
            ..BlockDeviceMapping::default()
        }]),
        description: Some(image.description.clone()),
        ena_support: Some(true),
        hypervisor: Some(HypervisorType::Xen),
        image_owner_alias: image.owner_alias.map(str::to_owned),
        name: Some(image.name.clone()),
        root_device_name: Some(image.root_device.to_owned()),
        root_device_type: Some(DeviceType::Ebs),
        sriov_net_support: Some("simple".to_owned()),
        virtualization_type: Some(VirtualizationType::Hvm),
        imds_support: Some(ImdsSupportValues::V20),
        image_id: Some(image.id.clone()),
        image_location: Some(location(image)),
        state: Some(ImageState::Available),
        owner_id: Some(image.owner_id.to_owned()),
        creation_date: Some(image.created.to_owned()),
        public: Some(true),
        architecture: ArchitectureValues::parse(image.architecture),
        image_type: Some(ImageTypeValues::Machine),
        ..Image::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    async fn names(filters: &[(&str, &str)]) -> Vec<String> {
        let server = server().await;
        let admin = server.administrator().await;
        let read = ec2(&admin, "DescribeImages", filters).await.ok();
        read.xml_all("name").into_iter().map(str::to_owned).collect()
    }

    /// What configurations for AWS search for finds an image, and each says that it is the host's.
    #[tokio::test]
    async fn the_usual_searches_find_one() {
        let arch = std::env::consts::ARCH.replace("aarch64", "arm64");
        let deb = if arch == "arm64" { "arm64" } else { "amd64" };
        for (owner, pattern) in [
            ("amazon", format!("al2023-ami-*-{arch}")),
            ("amazon", format!("al2023-ami-2023*-kernel-6.1-{arch}")),
            ("amazon", format!("amzn2-ami-hvm-*-{arch}-gp2")),
            ("137112412989", format!("amzn2-ami-kernel-5.10-hvm-2.0.*-{arch}-gp2")),
            ("099720109477", format!("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{deb}-server-*")),
            ("099720109477", format!("ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-{deb}-server-*")),
            ("136693071363", format!("debian-12-{deb}-*")),
        ] {
            let found = names(&[
                ("Owner.1", owner),
                ("Filter.1.Name", "name"),
                ("Filter.1.Value.1", &pattern),
                ("Filter.2.Name", "virtualization-type"),
                ("Filter.2.Value.1", "hvm"),
                ("Filter.3.Name", "architecture"),
                ("Filter.3.Value.1", &arch),
            ])
            .await;
            assert!(
                !found.is_empty() && found.iter().all(|n| n.contains("daypass-host")),
                "{pattern}: {found:?}"
            );
        }
        assert_eq!(names(&[("Owner.1", "self")]).await, [""; 0]);
        assert_eq!(
            names(&[("Owner.1", "099720109477"), ("Filter.1.Name", "name"), ("Filter.1.Value.1", "al2023*")])
                .await,
            [""; 0]
        );
    }

    #[tokio::test]
    async fn an_image_that_is_not_there_is_refused_in_aws_words() {
        let server = server().await;
        let admin = server.administrator().await;
        let refused =
            ec2(&admin, "DescribeImages", &[("ImageId.1", "ami-0abcdef1234567890")]).await.refused();
        let words = "The image id '[ami-0abcdef1234567890]' does not exist";
        assert_eq!(refused, ("InvalidAMIID.NotFound".into(), words.into()));
        let refused = ec2(&admin, "DescribeImages", &[("ImageId.1", "x")]).await.refused();
        assert_eq!(
            refused,
            ("InvalidAMIID.Malformed".into(), "Invalid id: \"x\" (expecting \"ami-...\")".into())
        );
    }
}
