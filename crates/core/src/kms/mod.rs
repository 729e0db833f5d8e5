//! Keys of AWS KMS, for the service itself and for those that seal with them (S3): the records, whom their policies let use
//! them, and what they seal. Key material is opened here and nowhere else.
//!
//! A key policy is the root of trust: without it nobody may use the key, not even with a policy of IAM that allows everything
//! (KMS developer guide, "Key policies in AWS KMS").

mod aws_managed;
mod ciphertext;
mod grant;
mod key;
mod name;

pub use aws_managed::{aws_managed, made_aws_managed};
pub use ciphertext::{
    Ciphertext, DATA_KEY_BYTES, EncryptionContext, MAX_CONTEXT_BYTES, NotCiphertext, is_too_long,
};
pub use grant::{Constraint, Grant};
pub use key::{Key, Manager, Material, Rotation, Unusable};
pub use name::{Alias, Missing, Name};
