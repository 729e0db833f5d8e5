//! JSON as policies need it: a reader that keeps the place of every element and every key as often as it was
//! written. A general parser loses both, and the grammar of policies forbids duplicate keys
//! (`reference_policies_grammar`).

mod reader;

pub(crate) use reader::{Json, JsonError, JsonErrorKind, Node, read};
