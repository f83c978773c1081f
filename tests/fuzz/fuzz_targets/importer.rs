//! ONNX files: read, lowered, packed, run.
#![no_main]

use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target};
use rebut_fuzz::{checks, mutators, seeds};

fuzz_target!(init: seeds::write_if_asked("importer"), |bytes: &[u8]| checks::importer::check(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutators::mutate(data, size, max_size, seed, mutators::onnx)
});

fuzz_crossover!(|a: &[u8], b: &[u8], out: &mut [u8], seed: u32| { mutators::onnx_crossover(a, b, out, seed) });
