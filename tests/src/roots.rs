//! One trace root, however it is computed.

use rebut_engine::exec::{Isa, Options};
use rebut_engine::hash::Hash;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace, TraceError, TraceView};
use std::sync::Arc;

/// The instruction sets; on a CPU without AVX-512 two of them are the same.
const ISAS: [Isa; 3] = [Isa::Auto, Isa::Avx2, Isa::Portable];
const THREADS: [usize; 4] = [1, 2, 3, 8];

/// Ways to compute a trace.
pub const WAYS: usize = ISAS.len() * THREADS.len();

/// The trace root by each instruction set and number of threads.
///
/// # Errors
/// When the inputs do not fit, or a value has another root on one of the ways: its number and the way.
pub fn one_root(package: &Arc<Package>, inputs: &Arc<Vec<Tensor>>) -> Result<Hash, String> {
    let storage = Storage { memory: 0, cache: None };
    let trace = |options| Trace::stored(package, inputs, &options, &storage).map_err(|e: TraceError| e.to_string());
    let first = trace(Options { threads: 1, isa: Isa::Portable })?;
    for options in ISAS.into_iter().flat_map(|isa| THREADS.map(|threads| Options { threads, isa })) {
        let other = trace(options)?;
        if let Some(v) = (0..first.len() as u64).find(|&v| first.tensor_root(v) != other.tensor_root(v)) {
            return Err(format!("value {v} has another root with {options:?}"));
        }
        if other.root() != first.root() {
            return Err(format!("the trace has another root with {options:?}"));
        }
    }
    Ok(first.root())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{digits, scans, squares};

    #[test]
    fn small_models_have_one_root() {
        for subject in [digits(), scans(), squares(3, 70_000)] {
            let expected = Trace::new(&subject.package, &subject.inputs, &Options::default()).unwrap().root();
            assert_eq!(one_root(&subject.package, &Arc::new(subject.inputs)), Ok(expected));
        }
    }
}
