//! Native runs in which the reference interpreter agrees on every bit of every value, and the plain run on every output.

use super::package;
use rebut_engine::arith::soft::NAN;
use rebut_engine::exec::{Keep, Options, execute, run};
use rebut_engine::lower::Lowered;
use rebut_engine::package::Package;
use rebut_engine::program::Source;
use rebut_engine::reference::{Memory, evaluate};
use rebut_engine::tensor::Tensor;
use std::borrow::Cow;

/// What an instruction reads.
struct Operands<'a> {
    operands: Vec<&'a Tensor>,
    /// The elements so far, which a scan reads.
    own: Vec<i64>,
}

impl Memory for Operands<'_> {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        let index = usize::try_from(index).expect("in memory");
        let operand = self.operands.get(usize::from(operand));
        operand.map_or_else(|| self.own[index], |t| t.register(index).expect("inside"))
    }
}

/// All values of a run, inputs and constants with them; the reference gives each element of an instruction from the same operands.
pub fn values(package: &Package, inputs: &[Tensor], options: &Options, what: &str) -> Vec<Tensor> {
    let values = execute(package, inputs, options, Keep::All, &mut |_, _| {}).expect("a lowered program runs");
    let values: Vec<Cow<'_, Tensor>> = values.into_iter().map(|v| v.expect("kept")).collect();
    for (id, value) in package.program().values.iter().enumerate() {
        assert_eq!(values[id].ty(), value.ty, "{what}: value {id}");
        let Source::Instruction(i) = &value.source else { continue };
        if let Tensor::F32(floats) = values[id].as_ref() {
            // Registers do not tell: a trace has the bits.
            let canonical = floats.iter().all(|x| !x.is_nan() || x.to_bits() == NAN);
            assert!(canonical, "{what}: {options:?}, value {id} ({}) has a NaN of other bits", value.ty);
        }
        let operands = i.operands.iter().map(|o| values[usize::try_from(o.value).expect("in memory")].as_ref());
        let mut memory = Operands { operands: operands.collect(), own: Vec::new() };
        for element in 0..values[id].len() {
            let register = evaluate(i, value.ty.dtype, element as u64, &mut memory);
            let native = values[id].register(element);
            assert_eq!(native, Some(register), "{what}: {options:?}, value {id} ({}), element {element}", value.ty);
            memory.own.push(register);
        }
    }
    let values: Vec<Tensor> = values.into_iter().map(Cow::into_owned).collect();
    let outputs = run(package, inputs, options).expect("a lowered program runs");
    for (n, (output, value)) in outputs.iter().zip(&values[values.len() - outputs.len()..]).enumerate() {
        let same = output.ty() == value.ty() && output.to_be_bytes() == value.to_be_bytes();
        assert!(same, "{what}: {options:?}, the plain run gives another output {n}");
    }
    values
}

/// The outputs of a program.
pub fn outputs(lowered: &Lowered, inputs: &[Tensor], what: &str) -> Vec<Tensor> {
    let mut values = values(&package(lowered), inputs, &Options::default(), what);
    values.split_off(values.len() - lowered.outputs.len())
}
