//! Any text as a request with its policies.
#![no_main]
#![expect(dead_code, reason = "each target uses one of the entry points")]

#[path = "../../tests/entry/mod.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|text: &str| entry::decision(text));
