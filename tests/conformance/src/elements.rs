//! Sampled elements of every instruction of a trace, by the reference interpreter and by the contract.

use crate::reached::Reached;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::dispute;
use rebut_engine::package::Package;
use rebut_engine::program::{Source, ValueId, encode_descriptor};
use rebut_engine::trace::Trace;
use rebut_tests::judge::{Judge, lane};
use std::collections::BTreeSet;

/// What was compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) elements: u64,
    pub(crate) reached: Reached,
}

/// Compares up to `samples` elements of every instruction, the first and the last among them.
///
/// # Errors
/// With the first element at which two implementations differ.
pub(crate) fn compare(judge: &mut Judge, package: &Package, trace: &Trace, samples: u64) -> Result<Compared, String> {
    let mut compared = Compared::default();
    for (number, value) in package.program().values.iter().enumerate() {
        let Source::Instruction(instruction) = &value.source else { continue };
        let id = number as ValueId; // a program has fewer than 2^40 values
        let tensor = trace.tensor(id).ok_or("a value that is not in the trace")?;
        let descriptor = encode_descriptor(value).map_err(|e| e.to_string())?;
        for element in sample(id, tensor.len() as u64, samples) {
            let what = |e: String| format!("value {id}, element {element}: {e}");
            let native = tensor.register(element as usize).ok_or("an element outside its tensor")?;
            let (reference, _) = dispute::evaluate(package, trace, id, element).map_err(|e| what(e.to_string()))?;
            if reference != native {
                return Err(what(format!("the kernels give {native:#x}, the reference interpreter {reference:#x}")));
            }
            let witness = dispute::witness(package, trace, id, element).map_err(|e| what(e.to_string()))?;
            let judged = judge.evaluate(descriptor.clone(), id, element, trace, witness).map_err(what)?;
            if judged != lane(value.ty.dtype, native) {
                return Err(what(format!("the kernels give {native:#x}, the contract {judged:#x}")));
            }
            compared.elements += 1;
            compared.reached.add(instruction);
        }
    }
    Ok(compared)
}

/// The first, the last, and seeded random ones in between.
fn sample(seed: u64, elements: u64, samples: u64) -> BTreeSet<u64> {
    if elements <= samples {
        return (0..elements).collect();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let ends = [0, elements - 1].into_iter().take(samples as usize);
    ends.chain((2..samples).map(|_| rng.random_range(0..elements))).collect()
}
