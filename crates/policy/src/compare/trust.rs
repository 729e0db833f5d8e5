//! Which condition keys tie access to someone in particular, for the meaning of *public*.
//!
//! The list, the widths of addresses and the exception for access points are those of the S3 User Guide
//! (`access-control-block-public-access`, the meaning of "public"): a policy is public unless it grants only to fixed
//! values, which hold neither wildcard nor variable, of a principal or one of these keys.

use super::template::Style;
use crate::context::{Key, keys};
use crate::value::Network;
use std::net::IpAddr;

const S3_DATA_ACCESS_POINT_ARN: Key<'static> = Key::from_static("s3:DataAccessPointArn");

/// The keys of the guide's list; what it calls "an AWS principal, user, role, or service principal" are the keys that AWS
/// sets from who asks.
const TRUSTED: [Key<'static>; 19] = [
    keys::SOURCE_IP,
    keys::SOURCE_ARN,
    keys::SOURCE_VPC,
    keys::SOURCE_VPCE,
    Key::from_static("aws:SourceOwner"),
    keys::SOURCE_ACCOUNT,
    keys::SOURCE_ORG_ID,
    keys::SOURCE_ORG_PATHS,
    keys::USER_ID,
    keys::PRINCIPAL_ARN,
    keys::PRINCIPAL_ACCOUNT,
    keys::PRINCIPAL_ORG_ID,
    keys::PRINCIPAL_ORG_PATHS,
    keys::PRINCIPAL_SERVICE_NAME,
    keys::PRINCIPAL_IS_AWS_SERVICE,
    keys::PRINCIPAL_SERVICE_NAMES_LIST,
    keys::USERNAME,
    S3_DATA_ACCESS_POINT_ARN,
    Key::from_static("s3:DataAccessPointAccount"),
];

/// Providers of identities that everyone can have (older texts of the same page show one as public).
pub(super) const PUBLIC_PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// Whether a stranger cannot choose the key's value.
pub(super) fn is_trusted(key: &Key<'_>) -> bool {
    let provider =
        |name: &&str| key.as_str().get(..name.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(name));
    TRUSTED.contains(key) || PUBLIC_PROVIDERS.iter().any(provider)
}

/// Whether a text without variables stands for a fixed value of the key.
pub(super) fn is_fixed(key: &Key<'_>, text: &str, style: Style) -> bool {
    let wild = |text: &str| text.contains(['*', '?']);
    if !matches!(style, Style::Wildcards | Style::Arn) || !wild(text) {
        return true;
    }
    if *key == S3_DATA_ACCESS_POINT_ARN {
        // All but the account may vary. The ARN of an access point has five colons; so has the text, and none of its wildcards
        // stands for one.
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split(':').collect();
        return matches!(parts.as_slice(), [_, _, _, _, account, _] if is_account(account));
    }
    let of_organization = *key == keys::PRINCIPAL_ORG_PATHS || *key == keys::SOURCE_ORG_PATHS;
    of_organization && text.split_once('/').is_some_and(|(organization, _)| !wild(organization))
}

/// Whether an address lies in a range of the policies that is not too broad to mean someone.
pub(super) fn is_narrow(key: &Key<'_>, networks: &[Network], text: &str) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    let narrow = |network: &&Network| match network {
        Network::V4 { mask, .. } => mask.count_ones() >= 8,
        Network::V6 { mask, .. } => mask.count_ones() >= 32,
    };
    is_trusted(key) && networks.iter().filter(narrow).any(|network| network.contains(address))
}
