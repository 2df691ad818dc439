//! See `lattice_sim::fuzz::bodies`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| lattice_sim::fuzz::bodies(input));
