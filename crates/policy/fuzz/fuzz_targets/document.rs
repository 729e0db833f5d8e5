//! Any text as a policy document of every kind.
#![no_main]
#![expect(dead_code, reason = "each target uses one of the entry points")]

#[path = "../../tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|text: &str| entry::document(text));
