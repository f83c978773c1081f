//! Running what has been read, where that is little work.

use super::cache;
use rebut_engine::dispute::evaluate;
use rebut_engine::exec::Options;
use rebut_engine::hash::{Hash, keccak};
use rebut_engine::package::Package;
use rebut_engine::program::limits::CHUNK;
use rebut_engine::program::{Core, Expr, Program, Source, TensorType, Value, ValueId};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Trace, TraceView};
use std::sync::Arc;

/// Greatest number of elements of all values together.
const ELEMENTS: u64 = 1 << 18;
/// Greatest number of nodes and accesses that all elements together take.
const WORK: u64 = 1 << 20;
/// Elements of each value that the reference interpreter computes again.
const SAMPLES: u64 = 4;

/// A run gives what the reference interpreter gives, and its trace survives its file.
pub(super) fn agrees(package: &Package, hash: &Hash) {
    let program = package.program();
    let elements = program.values.iter().map(|v| v.ty.elements()).fold(0, u64::saturating_add);
    if elements > ELEMENTS || work(program) > WORK {
        return;
    }
    let kind = hash.0[0] % 3;
    let inputs: Vec<Tensor> = program
        .input_types()
        .map(|ty| match kind {
            0 => Tensor::zeros(ty).expect("few elements"),
            1 => small_numbers(ty, hash),
            _ => any_bits(ty, hash),
        })
        .collect();
    let trace = Trace::new(package, &inputs, &Options { threads: 1, ..Options::default() }).expect("it runs");
    for (value, id) in program.values.iter().zip(0..) {
        let n = value.ty.elements();
        if matches!(value.source, Source::Instruction(_)) {
            (0..SAMPLES.min(n)).for_each(|s| same(package, &trace, id, s * (n - 1) / (SAMPLES - 1)));
        }
    }
    let (package, inputs) = (Arc::new(package.clone()), Arc::new(inputs));
    let file = tempfile::NamedTempFile::new().expect("a file");
    for _ in 0..2 {
        let again = cache::stored(&package, &inputs, Some(file.path())).expect("its file is a trace");
        assert_eq!(again.root(), trace.root());
    }
}

fn same(package: &Package, trace: &Trace, value: ValueId, element: u64) {
    let (register, _) = evaluate(package, trace, value, element).expect("an instruction's element");
    let native = trace.tensor(value).and_then(|t| t.register(element as usize));
    assert_eq!(native, Some(register), "value {value} element {element}");
}

/// About how many nodes and accesses a run evaluates.
fn work(program: &Program) -> u64 {
    program.values.iter().map(of_value).fold(0, u64::saturating_add)
}

fn of_value(value: &Value) -> u64 {
    let Source::Instruction(i) = &value.source else { return 0 };
    let size = |e: &Expr| e.nodes.len() as u64;
    let accesses = |access: u64| i.views.iter().map(|v| access * v.accesses.len() as u64).sum::<u64>();
    let k = if i.reduction.contains(&0) { 0 } else { i.reduction.iter().fold(1, |n: u64, &x| n.saturating_mul(x)) };
    let body = match &i.core {
        Core::Fold { body, .. } => size(body),
        _ => 1,
    };
    let one = size(&i.epilogue) + accesses(5) + k.min(CHUNK) * (body + accesses(5));
    value.ty.elements().saturating_mul(one)
}

/// Numbers near zero of both signs.
pub(super) fn small_numbers(ty: &TensorType, hash: &Hash) -> Tensor {
    let width = ty.dtype.width();
    let number = |i: u64| {
        let small = i64::from(hash.0[(i % 32) as usize] % 8) - 2;
        let small = if ty.dtype.range().0 == 0 { small.abs() } else { small };
        if ty.dtype.is_float() { i64::from((small as f32).to_bits()) >> (8 * (4 - width)) } else { small }
    };
    let bytes: Vec<u8> = (0..ty.elements()).flat_map(|i| number(i).to_be_bytes()[8 - width..].to_vec()).collect();
    Tensor::from_be_bytes(ty, &bytes).expect("as many bytes as the shape says")
}

/// Bits of no meaning: NaNs, infinities and subnormal numbers are among them.
fn any_bits(ty: &TensorType, hash: &Hash) -> Tensor {
    let size = ty.elements() as usize * ty.dtype.width();
    let mut bytes = Vec::with_capacity(size);
    let mut block = *hash;
    while bytes.len() < size {
        block = keccak(&block.0);
        bytes.extend(block.0);
    }
    bytes.truncate(size);
    Tensor::from_be_bytes(ty, &bytes).expect("as many bytes as the shape says")
}
