//! Names of resources, as EC2 gives them.

use crate::Invalid;
use serde::{Deserialize, Serialize};

/// A resource id: a prefix and 8 or 17 hexadecimal digits in lower case.
/// (EC2 user guide, "Resource IDs": 17 characters since 2018, 8 before.)
macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                let digits = text.strip_prefix($prefix).unwrap_or_default();
                let hexadecimal = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if matches!(digits.len(), 8 | 17) && hexadecimal {
                    Ok(Self(text))
                } else {
                    let reason = concat!("expected `", $prefix, "` and 8 or 17 hexadecimal digits");
                    Err(Invalid::new(stringify!($name), text, reason))
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

resource_id! {
    /// The id of an instance, such as `i-0123456789abcdef0`.
    InstanceId, "i-"
}
resource_id! {
    /// The id of a VPC, such as `vpc-0123456789abcdef0`.
    VpcId, "vpc-"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_lengths_are_read() {
        for text in ["i-01234567", "i-0123456789abcdef0"] {
            assert_eq!(text.parse::<InstanceId>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_that_could_leave_a_directory_or_another_kind_is_refused() {
        for text in [
            "",
            "i-",
            "i-../../../../../..",
            "i-0123456",
            "i-0123456789ABCDEF0",
            "vpc-01234567",
            "i-0123456/",
        ] {
            assert!(text.parse::<InstanceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_is_checked_again_when_it_is_read_from_a_message() {
        assert!(serde_json::from_str::<InstanceId>("\"i-01234567\"").is_ok());
        assert!(serde_json::from_str::<InstanceId>("\"../01234567\"").is_err());
    }
}
