//! Session policies: the inline document and the managed ones that narrow a session.

use daypass_core::model::AccountId;
use daypass_core::model::sts::PolicyDescriptorType;
use daypass_core::policy::{Document, DocumentKind};
use daypass_core::{Error, Fault};

/// Inline document and ARNs together: at most this many characters (STS API reference, AssumeRole).
const MAX_PLAIN_CHARACTERS: usize = 2048;
/// What a packed policy may be, in bytes; AWS does not say how it packs, so this is a share of plain text.
const MAX_PACKED_BYTES: usize = 2048;

/// The session policies of a request, checked, and how much of the packed size they take, in percent.
pub(crate) struct SessionPolicy {
    pub(crate) inline: Option<String>,
    pub(crate) arns: Vec<String>,
    pub(crate) packed_percent: Option<i32>,
}

/// Checks what a request gives for a session of this account: its managed policies are AWS's and that account's own.
pub(crate) fn read(
    account: &AccountId,
    inline: Option<String>,
    arns: Vec<PolicyDescriptorType>,
    tags: &[(String, String)],
) -> Result<SessionPolicy, Error> {
    let arns: Vec<String> = arns.into_iter().filter_map(|p| p.arn).collect();
    if arns.len() > 10 {
        return Err(malformed("The number of managed policies is above the limit of 10.").into());
    }
    for arn in &arns {
        let own = daypass_core::customer_managed_name(arn, account).is_some();
        if !own && daypass_core::AwsManagedPolicy::find(arn).is_none() {
            return Err(Fault::coded("ValidationError", 400, format!("Policy {arn} does not exist.")).into());
        }
    }
    if let Some(document) = &inline {
        Document::parse(DocumentKind::Session, document).map_err(|error| malformed(&error.aws_message()))?;
    }
    let plain =
        inline.as_ref().map_or(0, |d| d.chars().count()) + arns.iter().map(String::len).sum::<usize>();
    if plain > MAX_PLAIN_CHARACTERS {
        return Err(too_large(plain * 100 / MAX_PLAIN_CHARACTERS).into());
    }
    let packed = plain + tags.iter().map(|(k, v)| k.len() + v.len() + 2).sum::<usize>();
    let percent = packed * 100 / (MAX_PACKED_BYTES * 4);
    if packed > MAX_PACKED_BYTES * 4 {
        return Err(too_large(percent).into());
    }
    let percent = (plain > 0 || !tags.is_empty()).then(|| i32::try_from(percent).unwrap_or(i32::MAX).max(1));
    Ok(SessionPolicy { inline, arns, packed_percent: percent })
}

fn malformed(words: &str) -> Fault {
    Fault::new(&daypass_core::model::sts::errors::MALFORMED_POLICY_DOCUMENT, words)
}

/// What is packed takes more than there is room for: so many percent.
pub(crate) fn too_large(percent: usize) -> Fault {
    let words =
        format!("Packed policy consumes {}% of allotted space, please use smaller policy.", percent.max(101));
    Fault::new(&daypass_core::model::sts::errors::PACKED_POLICY_TOO_LARGE, words)
}
