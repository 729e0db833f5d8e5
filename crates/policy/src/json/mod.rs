//! JSON as policies need it: a reader that keeps the place of every element and every key as often as it was
//! written, and a writer with one fixed form. A general parser loses both the places and the duplicate keys, and the
//! grammar of policies forbids the latter (`reference_policies_grammar`).

mod reader;
mod writer;

pub(crate) use reader::{Json, JsonError, JsonErrorKind, Member, Node, read};
pub use writer::Writer;
