//! Any bytes as an upload in chunks.
#![no_main]
#![expect(dead_code, reason = "each target uses one of the entry points")]

#[path = "../sigv4.rs"]
mod sigv4;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sigv4::chunks(bytes);
});
