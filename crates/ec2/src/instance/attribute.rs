//! The attributes of an instance, one at a time.

pub(super) mod describe;
pub(super) mod modify;
