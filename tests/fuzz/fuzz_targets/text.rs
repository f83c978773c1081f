//! Texts of programs: parsed, written, parsed again, run.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use rebut_fuzz::{checks, mutators, seeds};

fuzz_target!(init: seeds::write_if_asked("text"), |bytes: &[u8]| checks::text::check(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutators::mutate(data, size, max_size, seed, mutators::text)
});
