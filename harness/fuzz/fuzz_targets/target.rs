//! Every target: the binary's name says which.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::fuzz::one(env!("CARGO_BIN_NAME"), input));
