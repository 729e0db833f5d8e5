//! Machine images: the public ones of [`daypass_core::image`], and no others.

mod describe_images;

use daypass_core::image::PublicImage;
use daypass_core::model::ec2::errors;
use daypass_core::{Check, Entry, Fault};

use crate::resource::Kind;

pub(crate) const OPERATIONS: &[&Entry] = &[&describe_images::DESCRIBE_IMAGES];

/// The kind that images are. They belong to other accounts, and are tagged by those.
pub(crate) static KIND: Kind = Kind {
    name: "image",
    prefix: "ami",
    malformed: "InvalidAMIID.Malformed",
    not_found: |id| {
        Fault::new(&errors::INVALID_AMIID_NOT_FOUND, format!("The image id '[{id}]' does not exist"))
    },
};

/// `arn:aws:ec2:us-east-1::image/ami-…`: images have no account in their ARNs.
pub(crate) fn arn(region: &str, id: &str) -> String {
    format!("arn:aws:ec2:{region}::image/{}", if KIND.may_be(id) { id } else { "*" })
}

/// The condition keys of an image.
pub(crate) fn describe(image: &PublicImage, check: Check) -> Check {
    check
        .with("ec2:ImageID", image.id.clone())
        .with("ec2:ImageType", "machine")
        .with("ec2:Owner", image.owner_alias.unwrap_or(image.owner_id))
        .with_flag("ec2:Public", true)
        .with("ec2:RootDeviceType", "ebs")
}
