//! Computing at compile time: with the reference interpreter, so that the result is what a run would give.

use super::lazy::Lazy;
use super::{Lowering, mul};
use crate::program::{DType, Source, TensorType, Value};
use crate::reference::{Memory, evaluate};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};

/// The elements of a lazy tensor over `tensor`, in its logical order.
pub(super) fn gather(tensor: &Tensor, lazy: &Lazy) -> Lowering<Tensor> {
    fn take<T: Copy>(a: &ArrayD<T>, lazy: &Lazy, dims: &[usize]) -> Lowering<ArrayD<T>> {
        let standard = a.as_standard_layout();
        let from = standard.as_slice().ok_or("a constant in no order")?;
        let one = |address: i64| usize::try_from(address).ok().and_then(|i| from.get(i).copied());
        let elements: Option<Vec<T>> = lazy.addresses().map(one).collect();
        ArrayD::from_shape_vec(IxDyn(dims), elements.ok_or("a view outside its constant")?).map_err(|e| e.to_string())
    }
    mul(&lazy.dims())?;
    let dims =
        lazy.dims().iter().map(|&d| usize::try_from(d).map_err(|e| e.to_string())).collect::<Lowering<Vec<_>>>()?;
    Ok(match tensor {
        Tensor::F32(a) => Tensor::F32(take(a, lazy, &dims)?),
        Tensor::U8(a) => Tensor::U8(take(a, lazy, &dims)?),
        Tensor::I8(a) => Tensor::I8(take(a, lazy, &dims)?),
        Tensor::U16(a) => Tensor::U16(take(a, lazy, &dims)?),
        Tensor::I16(a) => Tensor::I16(take(a, lazy, &dims)?),
        Tensor::I32(a) => Tensor::I32(take(a, lazy, &dims)?),
        Tensor::I64(a) => Tensor::I64(take(a, lazy, &dims)?),
        Tensor::Bool(a) => Tensor::Bool(take(a, lazy, &dims)?),
        Tensor::F16(a) => Tensor::F16(take(a, lazy, &dims)?),
        Tensor::BF16(a) => Tensor::BF16(take(a, lazy, &dims)?),
    })
}

/// A tensor from its elements' registers.
pub(super) fn from_registers(ty: &TensorType, registers: impl Iterator<Item = i64>) -> Lowering<Tensor> {
    let mut bytes = Vec::new();
    registers.for_each(|r| bytes.extend_from_slice(&r.to_le_bytes()[..ty.dtype.width()]));
    Tensor::from_le_bytes(ty, &bytes).map_err(|e| e.to_string())
}

/// The result of an instruction whose operands are all constants, named by definition.
pub(super) fn run<'t>(value: &Value, constant: impl Fn(usize) -> Option<&'t Tensor>) -> Lowering<Tensor> {
    struct Constants<'t> {
        operands: Vec<&'t Tensor>,
        /// The elements so far, which a scan reads.
        results: Vec<i64>,
    }
    impl Memory for Constants<'_> {
        fn load(&mut self, operand: u8, index: u64) -> i64 {
            let Ok(index) = usize::try_from(index) else { return 0 };
            let register = match self.operands.get(usize::from(operand)) {
                Some(tensor) => tensor.register(index),
                None => self.results.get(index).copied(),
            };
            register.unwrap_or(0)
        }
    }
    let Source::Instruction(instruction) = &value.source else { return Err("no instruction".into()) };
    let operands = instruction.operands.iter().map(|o| constant(usize::try_from(o.value).ok()?));
    let operands = operands.collect::<Option<_>>().ok_or("an operand that is no constant")?;
    let mut memory = Constants { operands, results: Vec::new() };
    let dtype: DType = value.ty.dtype;
    for i in 0..value.ty.elements() {
        let register = evaluate(instruction, dtype, i, &mut memory);
        memory.results.push(register);
    }
    from_registers(&value.ty, memory.results.into_iter())
}
