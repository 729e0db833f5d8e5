//! What services share.
