//! The machine images that everybody can launch: AWS's well-known names, each of which is the host's own system here.
//! EC2 describes and launches them, SSM tells their ids by AWS's public parameters.
//!
//! Nobody is told that it is what it is not: every name and description says `daypass-host`. The names still fit the
//! patterns that people look for (`al2023-ami-2023.*-x86_64`), so that a configuration for AWS finds one. Only images
//! of the host's own architecture are there: it can run no other.

use aws_lc_rs::digest;

/// A machine image that everybody can launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicImage {
    /// `ami-…`, another in each region.
    pub id: String,
    /// Its name, as a search finds it.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// The account that AWS's image of the kind belongs to.
    pub owner_id: &'static str,
    /// `amazon`, for AWS's own.
    pub owner_alias: Option<&'static str>,
    /// `x86_64` or `arm64`.
    pub architecture: &'static str,
    /// Where its root volume is, as `/dev/xvda`.
    pub root_device: &'static str,
    /// When it was made: of several that fit, `most_recent` takes the newest.
    pub created: &'static str,
    /// The names of the SSM parameters that hold its id.
    pub parameters: Vec<String>,
}

/// A distribution whose images people launch by name. `{arch}` is `x86_64` or `arm64`, `{deb}` is `amd64` or `arm64`.
struct Family {
    name: &'static str,
    instead_of: &'static str,
    owner_id: &'static str,
    owner_alias: Option<&'static str>,
    root_device: &'static str,
    created: &'static str,
    parameters: &'static [&'static str],
}

const AMAZON: &str = "137112412989";
const CANONICAL: &str = "099720109477";
const DEBIAN: &str = "136693071363";

static FAMILIES: &[Family] = &[
    Family {
        name: "al2023-ami-2023.0.0-daypass-host-kernel-6.1-{arch}",
        instead_of: "Amazon Linux 2023",
        owner_id: AMAZON,
        owner_alias: Some("amazon"),
        root_device: "/dev/xvda",
        created: "2026-11-02T00:00:00.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{arch}",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-{arch}",
        ],
    },
    Family {
        name: "al2023-ami-minimal-2023.0.0-daypass-host-kernel-6.1-{arch}",
        instead_of: "Amazon Linux 2023, minimal",
        owner_id: AMAZON,
        owner_alias: Some("amazon"),
        root_device: "/dev/xvda",
        created: "2026-11-01T00:00:00.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-{arch}",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-6.1-{arch}",
        ],
    },
    Family {
        name: "amzn2-ami-hvm-2.0.0-daypass-host-{arch}-gp2",
        instead_of: "Amazon Linux 2",
        owner_id: AMAZON,
        owner_alias: Some("amazon"),
        root_device: "/dev/xvda",
        created: "2026-11-01T00:00:00.000Z",
        parameters: &["/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-{arch}-gp2"],
    },
    Family {
        name: "amzn2-ami-kernel-5.10-hvm-2.0.0-daypass-host-{arch}-gp2",
        instead_of: "Amazon Linux 2",
        owner_id: AMAZON,
        owner_alias: Some("amazon"),
        root_device: "/dev/xvda",
        created: "2026-11-02T00:00:00.000Z",
        parameters: &["/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-{arch}-gp2"],
    },
    Family {
        name: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{deb}-server-daypass-host",
        instead_of: "Ubuntu 22.04",
        owner_id: CANONICAL,
        owner_alias: None,
        root_device: "/dev/sda1",
        created: "2026-11-01T00:00:00.000Z",
        parameters: &[
            "/aws/service/canonical/ubuntu/server/22.04/stable/current/{deb}/hvm/ebs-gp2/ami-id",
            "/aws/service/canonical/ubuntu/server/jammy/stable/current/{deb}/hvm/ebs-gp2/ami-id",
        ],
    },
    Family {
        name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{deb}-server-daypass-host",
        instead_of: "Ubuntu 24.04",
        owner_id: CANONICAL,
        owner_alias: None,
        root_device: "/dev/sda1",
        created: "2026-11-02T00:00:00.000Z",
        parameters: &[
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/{deb}/hvm/ebs-gp3/ami-id",
            "/aws/service/canonical/ubuntu/server/noble/stable/current/{deb}/hvm/ebs-gp3/ami-id",
        ],
    },
    Family {
        name: "debian-12-{deb}-daypass-host",
        instead_of: "Debian 12",
        owner_id: DEBIAN,
        owner_alias: None,
        root_device: "/dev/xvda",
        created: "2026-11-01T00:00:00.000Z",
        parameters: &["/aws/service/debian/release/12/latest/{deb}"],
    },
];

/// The host's architecture as EC2 and as Debian name it.
fn architecture() -> (&'static str, &'static str) {
    match std::env::consts::ARCH {
        "aarch64" => ("arm64", "arm64"),
        _ => ("x86_64", "amd64"),
    }
}

/// The public images of a region.
#[must_use]
pub fn public_images(region: &str) -> Vec<PublicImage> {
    let (arch, deb) = architecture();
    let fill = |text: &str| text.replace("{arch}", arch).replace("{deb}", deb);
    let image = |family: &Family| PublicImage {
        id: id_of(family.name, arch, region),
        name: fill(family.name),
        description: format!(
            "Daypass host image: the system of the machine that Daypass runs on, in place of {}",
            family.instead_of
        ),
        owner_id: family.owner_id,
        owner_alias: family.owner_alias,
        architecture: arch,
        root_device: family.root_device,
        created: family.created,
        parameters: family.parameters.iter().map(|p| fill(p)).collect(),
    };
    FAMILIES.iter().map(image).collect()
}

/// The public image of that id.
#[must_use]
pub fn public_image(region: &str, id: &str) -> Option<PublicImage> {
    public_images(region).into_iter().find(|image| image.id == id)
}

/// An id that is always the same for the same image, architecture and region.
fn id_of(name: &str, arch: &str, region: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("daypass image\0{name}\0{arch}\0{region}").as_bytes());
    let digits: String = hash.as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("ami-0{digits}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_image_says_what_it_is_and_has_ids_and_parameters_of_its_own() {
        let images = public_images("us-east-1");
        assert!(
            images
                .iter()
                .all(|i| i.name.contains("daypass-host") && i.description.contains("Daypass host image"))
        );
        assert!(images.iter().all(|i| i.id.len() == 21 && !i.name.contains('{')));
        let ids: BTreeSet<_> = images.iter().map(|i| &i.id).collect();
        let parameters: BTreeSet<_> = images.iter().flat_map(|i| &i.parameters).collect();
        assert_eq!(ids.len(), images.len());
        assert_eq!(parameters.len(), images.iter().map(|i| i.parameters.len()).sum::<usize>());
    }

    #[test]
    fn an_id_is_of_its_region_alone_and_stays() {
        let here = public_images("us-east-1");
        assert_eq!(here, public_images("us-east-1"));
        for image in &here {
            assert_eq!(public_image("us-east-1", &image.id).as_ref(), Some(image));
            assert_eq!(public_image("eu-west-1", &image.id), None);
        }
    }
}
