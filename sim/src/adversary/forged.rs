//! Traces that lie: one corrupted element with everything downstream computed from it (in a scan, what follows it too), or garbage in a tree's padding.

use rebut_engine::exec::{ExecError, Options};
use rebut_engine::hash::{Hash, node};
use rebut_engine::package::Package;
use rebut_engine::program::limits::LEAF;
use rebut_engine::program::{Core, Instruction, Source, ValueId};
use rebut_engine::reference::{Memory, evaluate};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Trace, TraceView, Unavailable};
use rebut_engine::tree::{Leaf, depth, leaf_count, leaf_hash, leaf_of};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

/// Where an adversary departs from the truth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// Element `element` of a value (an input's and a constant's too); everything after it is computed from the lie.
    Element {
        /// The value.
        value: ValueId,
        /// Row-major index of the element.
        element: u64,
    },
    /// A lane beyond the last element, in the value's last leaf.
    PaddingLane {
        /// The value.
        value: ValueId,
    },
    /// The first leaf beyond the last one.
    PaddingLeaf {
        /// The value.
        value: ValueId,
    },
    /// The first tensor root beyond the last value.
    PaddingRoot,
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let help = || format!("a lie is VALUE:ELEMENT, two numbers; {s:?} is not");
        let (value, element) = s.split_once(':').ok_or_else(help)?;
        Ok(Self::Element { value: value.parse().map_err(|_| help())?, element: element.parse().map_err(|_| help())? })
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element { value, element } => write!(f, "{value}:{element}"),
            Self::PaddingLane { value } => write!(f, "a padding lane of value {value}"),
            Self::PaddingLeaf { value } => write!(f, "a padding leaf of value {value}"),
            Self::PaddingRoot => f.write_str("a padding root of the trace"),
        }
    }
}

/// Why a lie cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum LieError {
    /// The program could not be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A part of the honest trace is lost.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The place does not exist.
    #[error("there is no {0} to lie about: the program has {1} values, see `rebut inspect`")]
    NoSuchPlace(Lie, usize),
}

/// A trace that is wrong somewhere, consistent after it, and ends in wrong outputs.
#[derive(Clone, Debug)]
pub struct ForgedTrace {
    trace: Trace,
    leaves: HashMap<(ValueId, u64), Leaf>,
    tensor_nodes: HashMap<(ValueId, u32, u64), Hash>,
    trace_nodes: HashMap<(u32, u64), Hash>,
}

impl ForgedTrace {
    /// The best trace an adversary can have around `lie`. Where the lie would not reach the outputs (they are what an adversary
    /// wants wrong), the first element of the first output is corrupted too.
    ///
    /// # Errors
    /// When the program cannot be run, or the lie's place does not exist.
    pub fn new(package: &Package, inputs: &[Tensor], options: &Options, lie: Lie) -> Result<Self, LieError> {
        Self::departing(&Trace::new(package, inputs, options)?, package, inputs, options, lie)
    }

    /// The same from the honest trace, of which it shares what is true.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn departing(
        honest: &Trace,
        package: &Package,
        inputs: &[Tensor],
        options: &Options,
        lie: Lie,
    ) -> Result<Self, LieError> {
        let outputs = package.program().output_ids();
        let missing = || LieError::NoSuchPlace(lie, honest.len());
        let first_output = Lie::Element { value: outputs.start, element: 0 };
        let mut forged = Self::corrupt(honest, package, inputs, options, &[lie])?;
        if let Lie::Element { value, element } = lie
            && honest.tensor(value).is_none_or(|t| element >= t.len() as u64)
        {
            return Err(missing());
        }
        if outputs.clone().all(|v| forged.trace.tensor_root(v) == honest.tensor_root(v)) {
            forged = Self::corrupt(honest, package, inputs, options, &[lie, first_output])?;
        }
        match lie {
            Lie::Element { .. } => {}
            Lie::PaddingLane { value } => {
                let tensor = forged.trace.tensor(value).ok_or_else(missing)?;
                let lanes = (LEAF / tensor.dtype().width()) as u64;
                if (tensor.len() as u64).is_multiple_of(lanes) && !tensor.is_empty() {
                    return Err(missing());
                }
                let last = leaf_count(tensor.dtype(), tensor.len() as u64) - 1;
                let mut leaf = leaf_of(tensor, last);
                leaf[LEAF - 1] = 1;
                forged.replace_leaf(value, last, leaf)?;
            }
            Lie::PaddingLeaf { value } => {
                let tensor = forged.trace.tensor(value).ok_or_else(missing)?;
                let leaves = leaf_count(tensor.dtype(), tensor.len() as u64);
                if leaves == 1 << depth(leaves) {
                    return Err(missing());
                }
                forged.replace_leaf(value, leaves, [1; LEAF])?;
            }
            Lie::PaddingRoot => {
                let values = forged.trace.len() as u64;
                if values == 1 << depth(values) {
                    return Err(missing());
                }
                forged.replace_root(values, Hash([1; 32]));
            }
        }
        Ok(forged)
    }

    fn corrupt(
        honest: &Trace,
        package: &Package,
        inputs: &[Tensor],
        options: &Options,
        lies: &[Lie],
    ) -> Result<Self, ExecError> {
        let scan = |id: ValueId| match package.program().values.get(usize::try_from(id).ok()?).map(|v| &v.source) {
            Some(Source::Instruction(i)) if matches!(i.core, Core::Scan { .. }) => Some(i),
            _ => None,
        };
        let lied_about = |lie: &Lie| if let Lie::Element { value, .. } = lie { scan(*value) } else { None };
        let read: HashSet<ValueId> =
            lies.iter().filter_map(lied_about).flat_map(|i| &i.operands).map(|o| o.value).collect();
        let place = |lie: &Lie| if let Lie::Element { value, .. } = lie { Some(*value) } else { None };
        let changed = lies.iter().filter_map(place).collect();
        let mut kept: HashMap<ValueId, Tensor> = HashMap::new();
        let trace = honest.departing(package, inputs, options, &changed, &mut |id, tensor| {
            for lie in lies {
                if let Lie::Element { value, element } = *lie
                    && value == id
                {
                    if let Ok(element) = usize::try_from(element) {
                        corrupt_element(tensor.to_mut(), element);
                    }
                    if let Some(i) = scan(id) {
                        go_on(i, tensor.to_mut(), element, &kept);
                    }
                }
            }
            if read.contains(&id) {
                kept.insert(id, tensor.clone().into_owned());
            }
        })?;
        Ok(Self { trace, leaves: HashMap::new(), tensor_nodes: HashMap::new(), trace_nodes: HashMap::new() })
    }

    /// The adversary's values.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// One of the adversary's values.
    pub fn tensor(&self, value: ValueId) -> Option<&Tensor> {
        self.trace.tensor(value)
    }

    fn replace_leaf(&mut self, value: ValueId, index: u64, leaf: Leaf) -> Result<(), Unavailable> {
        self.leaves.insert((value, index), leaf);
        let tensor = self.trace.tensor(value);
        let height = tensor.map_or(0, |t| depth(leaf_count(t.dtype(), t.len() as u64)));
        let mut hash = leaf_hash(&leaf);
        for level in 0..height {
            self.tensor_nodes.insert((value, level, index >> level), hash);
            let sibling = self.tensor_node(value, level, (index >> level) ^ 1)?;
            hash = if (index >> level) & 1 == 0 { node(hash, sibling) } else { node(sibling, hash) };
        }
        self.tensor_nodes.insert((value, height, 0), hash);
        self.replace_root(value, hash);
        Ok(())
    }

    fn replace_root(&mut self, index: u64, mut hash: Hash) {
        for level in 0..self.trace.trace_depth() {
            self.trace_nodes.insert((level, index >> level), hash);
            let sibling = self.trace_node(level, (index >> level) ^ 1);
            hash = if (index >> level) & 1 == 0 { node(hash, sibling) } else { node(sibling, hash) };
        }
        self.trace_nodes.insert((self.trace.trace_depth(), 0), hash);
    }
}

/// Computes what follows `element` in a scan again, from the element as it is now.
fn go_on(i: &Instruction, tensor: &mut Tensor, element: u64, values: &HashMap<ValueId, Tensor>) {
    struct Values<'a> {
        operands: Vec<Option<&'a Tensor>>,
        result: Vec<i64>,
    }
    impl Memory for Values<'_> {
        fn load(&mut self, operand: u8, index: u64) -> i64 {
            let Ok(index) = usize::try_from(index) else { return 0 };
            let register = match self.operands.get(usize::from(operand)) {
                Some(tensor) => tensor.and_then(|t| t.register(index)),
                None => self.result.get(index).copied(),
            };
            register.unwrap_or(0)
        }
    }
    let (ty, width) = (tensor.ty(), tensor.dtype().width());
    let operands = i.operands.iter().map(|o| values.get(&o.value)).collect();
    let mut values = Values { operands, result: (0..tensor.len()).filter_map(|i| tensor.register(i)).collect() };
    let mut last = element;
    for next in element + 1..ty.elements() {
        if i.predecessor(next) == Some(last) {
            values.result[next as usize] = evaluate(i, ty.dtype, next, &mut values); // it is in memory
            last = next;
        }
    }
    let bytes: Vec<u8> = values.result.iter().flat_map(|r| r.to_be_bytes()[8 - width..].to_vec()).collect();
    if let Ok(changed) = Tensor::from_be_bytes(&ty, &bytes) {
        *tensor = changed;
    }
}

/// A wrong element that is neither lost in a rectifier or a maximum nor looks absurd.
fn corrupt_element(tensor: &mut Tensor, element: usize) {
    fn at<T>(a: &mut ndarray::ArrayD<T>, i: usize) -> Option<&mut T> {
        a.as_slice_mut()?.get_mut(i)
    }
    match tensor {
        Tensor::F32(a) => at(a, element).map(|x| {
            let wrong = x.abs() + 1.0;
            *x = if wrong.to_bits() == x.to_bits() || wrong.is_nan() { 0.0 } else { wrong };
        }),
        Tensor::U8(a) => at(a, element).map(|x| *x = x.wrapping_add(1)),
        Tensor::Bool(a) => at(a, element).map(|x| *x = u8::from(*x == 0)),
        Tensor::I8(a) => at(a, element).map(|x| *x = x.wrapping_add(1)),
        Tensor::U16(a) => at(a, element).map(|x| *x = x.wrapping_add(1)),
        Tensor::I16(a) => at(a, element).map(|x| *x = x.wrapping_add(1)),
        // The next number, and from infinity back to the last one before: never a NaN.
        Tensor::F16(a) => at(a, element).map(|x| *x = if *x & 0x7fff >= 0x7c00 { 0x7bff } else { *x + 1 }),
        Tensor::BF16(a) => at(a, element).map(|x| *x = if *x & 0x7fff >= 0x7f80 { 0x7f7f } else { *x + 1 }),
        Tensor::I32(a) => at(a, element).map(|x| *x = x.wrapping_add(1)),
        Tensor::I64(a) => at(a, element).map(|x| *x = x.wrapping_add(1)),
    };
}

impl TraceView for ForgedTrace {
    fn trace_node(&self, level: u32, index: u64) -> Hash {
        self.trace_nodes.get(&(level, index)).copied().unwrap_or_else(|| self.trace.trace_node(level, index))
    }

    fn trace_depth(&self) -> u32 {
        self.trace.trace_depth()
    }

    fn tensor_node(&self, value: ValueId, level: u32, index: u64) -> Result<Hash, Unavailable> {
        let forged = self.tensor_nodes.get(&(value, level, index)).copied();
        forged.map_or_else(|| self.trace.tensor_node(value, level, index), Ok)
    }

    fn leaf(&self, value: ValueId, index: u64) -> Result<Leaf, Unavailable> {
        let forged = self.leaves.get(&(value, index)).copied();
        forged.map_or_else(|| self.trace.leaf(value, index), Ok)
    }
}
