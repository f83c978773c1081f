//! An instruction with operands' contents, and where it stands.

use crate::inputs::specials;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::lower::Around;
use rebut_engine::program::limits::LEAF;
use rebut_engine::program::{DType, Instruction, Operand, Program, ProgramError, Source, TensorType, Value, validate};
use rebut_engine::reference;
use rebut_engine::tensor::Tensor;
use std::collections::BTreeMap;

/// What operands hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// Any bits.
    Bits,
    /// Floats of ordinary size.
    Ordinary,
    /// Subnormal floats.
    Subnormal,
    /// Floats whose products are near the least one.
    Small,
    /// Floats of every exponent below those that overflow.
    Wide,
    /// Few significant bits of few exponents, so that sums cancel.
    Cancelling,
    /// The special values of the arithmetic.
    Special,
    /// Ordinary floats, one in eight of them subnormal.
    Odd,
    /// Ones, some of their neighbours and few subnormal numbers: products stay subnormal.
    Ones,
}

impl Contents {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Bits,
        Self::Ordinary,
        Self::Subnormal,
        Self::Small,
        Self::Wide,
        Self::Cancelling,
        Self::Special,
        Self::Odd,
        Self::Ones,
    ];

    fn float(self, rng: &mut impl Rng) -> u32 {
        let bits: u32 = rng.random();
        match self {
            Self::Bits => bits,
            Self::Ordinary => rng.random_range(-2.0f32..2.0).to_bits(),
            Self::Subnormal => bits & 0x807f_ffff,
            Self::Small => bits & 0x807f_ffff | rng.random_range(30..70u32) << 23,
            Self::Wide => bits & 0xbfff_ffff,
            Self::Cancelling => bits & 0x80c0_0000 | 0x1f80_0000,
            Self::Special => *specials().collect::<Vec<_>>().choose(rng).expect("not empty"),
            Self::Odd if bits.is_multiple_of(8) => bits >> 9 | 1,
            Self::Odd => rng.random_range(-2.0f32..2.0).to_bits(),
            Self::Ones if bits.is_multiple_of(64) => bits >> 9,
            Self::Ones => 0x3f80_0000 | bits >> 31,
        }
    }
}

/// An instruction in a program that nobody needs to hold.
#[derive(Clone, Debug)]
pub struct Case {
    /// The instruction as validated, over values `0..`.
    pub instruction: Instruction,
    /// The result's type.
    pub ty: TensorType,
    /// The operands' values in the program; its own is the last.
    pub ids: Vec<u64>,
    /// Number of values of the program.
    pub values: u64,
    /// The rest of the program.
    pub around: Around,
    /// What the operands hold.
    pub contents: Contents,
    /// The seed of what they hold.
    pub seed: u64,
}

impl Case {
    /// An instruction over its operands as inputs.
    ///
    /// # Errors
    /// When that is no program.
    pub fn check(instruction: &Instruction, ty: &TensorType) -> Result<(), ProgramError> {
        let input = |(dtype, elements)| Value { ty: TensorType::new(dtype, vec![elements]), source: Source::Input };
        let mut values: Vec<Value> = instruction.operands.iter().map(|o| input((o.dtype, o.elements))).collect();
        let inputs = values.len() as u8; // at most 6 validate
        let mut instruction = instruction.clone();
        instruction.operands.iter_mut().zip(0..).for_each(|(o, id)| o.value = id);
        values.push(Value { ty: ty.clone(), source: Source::Instruction(instruction) });
        validate(&Program { inputs, outputs: 1, values })
    }

    /// What an element may be read from: the operands and, for a scan, the result itself.
    pub fn operands(&self) -> Vec<Operand> {
        self.instruction.read_operands(self.values - 1, &self.ty)
    }

    /// The instruction over the operands' values in the program.
    pub fn placed(&self) -> Source {
        let mut instruction = self.instruction.clone();
        instruction.operands.iter_mut().zip(&self.ids).for_each(|(o, &id)| o.value = id);
        Source::Instruction(instruction)
    }
}

/// The operands' contents, made leaf by leaf where they are read.
pub struct Memory<'c> {
    case: &'c Case,
    operands: Vec<Operand>,
    /// The leaves that were read, by operand.
    pub leaves: Vec<BTreeMap<u64, [u8; LEAF]>>,
    decoded: BTreeMap<(u8, u64), Tensor>,
}

impl<'c> Memory<'c> {
    /// Nothing read yet.
    pub fn new(case: &'c Case) -> Self {
        let operands = case.operands();
        Self { case, leaves: vec![BTreeMap::new(); operands.len()], operands, decoded: BTreeMap::new() }
    }

    fn leaf(&self, operand: u8, dtype: DType, leaf: u64) -> [u8; LEAF] {
        let mut bytes = [0; LEAF];
        let mut rng = ChaCha8Rng::seed_from_u64(self.case.seed ^ leaf ^ u64::from(operand) << 56);
        if dtype == DType::F32 {
            let lanes = bytes.as_chunks_mut::<4>().0;
            lanes.iter_mut().for_each(|lane| *lane = self.case.contents.float(&mut rng).to_be_bytes());
        } else {
            rng.fill(&mut bytes[..]);
            if dtype.is_integer() && self.case.seed % 2 == 1 {
                // Small numbers, as indices are.
                let width = dtype.width();
                bytes.iter_mut().enumerate().filter(|(n, _)| n % width != width - 1).for_each(|(_, b)| *b = 0);
            }
        }
        bytes
    }
}

impl reference::Memory for Memory<'_> {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        let dtype = self.operands[usize::from(operand)].dtype;
        let lanes = (LEAF / dtype.width()) as u64;
        let leaf = index / lanes;
        let key = (operand, leaf);
        if !self.decoded.contains_key(&key) {
            let bytes = self.leaf(operand, dtype, leaf);
            self.leaves[usize::from(operand)].insert(leaf, bytes);
            let ty = TensorType::new(dtype, vec![lanes]);
            self.decoded.insert(key, Tensor::from_be_bytes(&ty, &bytes).expect("a leaf of lanes"));
        }
        self.decoded[&key].register((index % lanes) as usize).expect("a lane")
    }
}
