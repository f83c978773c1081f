//! One instruction, ready to run.

use super::across::Across;
use super::block::Scope;
use super::elements::Elements;
use super::matrix::{Chunked, Matrix, Operands, Results};
use super::out::Out;
use super::padding::Padding;
use super::points::strides;
use super::transposed::Transposed;
use super::{elements, scan};
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{Core, Instruction, Source, ValueId};
use crate::tensor::Tensor;

/// What the plans of a program may take.
pub(super) struct Budget {
    /// Bytes of constants that are packed beforehand; those of larger models are packed when they are read.
    pub(super) packed: u64,
    /// Bytes of where rows lie; for others it is found when they are read.
    pub(super) found: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { packed: 1 << 29, found: 1 << 28 }
    }
}

/// How an instruction is computed.
pub(super) enum Step<'p> {
    /// By a kernel for reductions.
    Reduction(Reduction<'p>),
    /// In order along an axis.
    Scan(&'p Instruction, u8, u8),
    /// Run after run of floats.
    Transposed(Transposed),
    /// Row after row of a copy with borders.
    Bordered(Padding),
    /// Element by element.
    Elements(&'p Instruction, Elements),
}

/// A kernel for reductions, with what follows them.
pub(super) enum Reduction<'p> {
    Across(Box<Across<'p>>),
    Matrix(Box<Matrix<'p>>),
}

impl<'p> Step<'p> {
    pub(super) fn new(instruction: &'p Instruction) -> Self {
        match instruction.core {
            Core::Scan { axis, initial } => Self::Scan(instruction, axis, initial),
            _ => {
                let reduction = || Some(Self::Reduction(Reduction::new(instruction)?));
                let transposed = || Some(Self::Transposed(Transposed::new(instruction)?));
                let bordered = || Some(Self::Bordered(Padding::whole(instruction)?));
                let elements = || Self::Elements(instruction, Elements::new(instruction));
                reduction().or_else(transposed).or_else(bordered).unwrap_or_else(elements)
            }
        }
    }

    /// Computes all elements into `out`, which is not empty.
    pub(super) fn run(&self, operands: &[&Tensor], isa: Isa, out: &mut Tensor) {
        let dtype = out.dtype();
        let out = Out::new(out, isa.level());
        match self {
            Self::Reduction(reduction) => {
                let results = Results { finished: &out, parts: None };
                reduction.run(Operands { dot: operands, finish: operands }, isa, results);
            }
            Self::Scan(instruction, axis, initial) => {
                scan::run(&Scope { instruction, operands, isa }, *axis, *initial, dtype, &out);
            }
            Self::Transposed(transposed) => transposed.run(operands, isa, &out),
            Self::Bordered(padding) => padding.store(operands, isa.level(), &out),
            Self::Elements(instruction, ready) => elements::run(&Scope { instruction, operands, isa }, ready, &out),
        }
    }
}

impl<'p> Reduction<'p> {
    /// An instruction by itself, where a kernel pays.
    fn new(instruction: &'p Instruction) -> Option<Self> {
        if instruction.extents.contains(&0) {
            return None;
        }
        let across = Across::new(instruction).map(|across| Self::Across(Box::new(across)));
        across.or_else(|| Some(Self::Matrix(Box::new(Matrix::new(instruction)?))))
    }

    /// A dot with the fold over its chunks, where a kernel pays.
    pub(super) fn chunked(chunked: Chunked) -> Option<Self> {
        let strides = strides(&chunked.fold);
        Self::placed(chunked, &strides)
    }

    /// The same where the fold's e axes have these strides in the result.
    pub(super) fn placed(chunked: Chunked, strides: &[usize]) -> Option<Self> {
        // Nothing is planned for nothing: an axis beside one of no extent may be as long as it likes.
        if chunked.dot.extents.contains(&0) || chunked.fold.extents.contains(&0) {
            return None;
        }
        let across = Across::chunked(chunked.clone(), strides).map(|across| Self::Across(Box::new(across)));
        across.or_else(|| Some(Self::Matrix(Box::new(Matrix::chunked(chunked, strides)?))))
    }

    /// Packs once and for all what is constant, if it takes no more than `left` bytes.
    pub(super) fn pack(&mut self, operands: &[&Tensor], constant: impl Fn(usize) -> bool, left: &mut u64) {
        match self {
            Self::Matrix(matrix) => matrix.pack(operands, constant, left),
            Self::Across(across) => across.pack(operands, constant, left),
        }
    }

    /// Forgets of what it found beforehand what takes more than the budget has left.
    pub(super) fn keep(&mut self, budget: &mut Budget) {
        match self {
            Self::Across(across) => across.keep(&mut budget.found),
            Self::Matrix(matrix) => matrix.keep(&mut budget.found),
        }
    }

    /// A dot with the fold over its chunks, which can also give the chunks' results.
    pub(super) fn in_parts(chunked: Chunked) -> Option<Self> {
        Self::chunked(chunked).filter(|reduction| matches!(reduction, Self::Matrix(_)))
    }

    /// Computes all elements, of which there are some.
    pub(super) fn run(&self, operands: Operands<'_>, isa: Isa, results: Results<'_>) {
        match self {
            Self::Matrix(matrix) => matrix.run(operands, isa, results),
            Self::Across(across) => across.run([operands.dot, operands.finish], isa, results.finished),
        }
    }
}

/// Packs what a reduction reads of the constants once and for all, within the budget.
pub(super) fn pack(package: &Package, reads: &[ValueId], reduction: &mut Reduction<'_>, budget: &mut Budget) {
    let constant = |o: usize| {
        reads.get(o).is_some_and(|&id| matches!(package.program().values[id as usize].source, Source::Constant { .. }))
    };
    let operands: Vec<&Tensor> =
        (0..reads.len()).map(|o| if constant(o) { package.constant(reads[o]) } else { Tensor::none() }).collect();
    reduction.pack(&operands, constant, &mut budget.packed);
}
