//! Source of every fuzz target: the binary's name selects the target.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::fuzz::one(env!("CARGO_BIN_NAME"), input));
