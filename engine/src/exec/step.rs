//! One instruction, ready to run.

use super::across::Across;
use super::block::Scope;
use super::matrix::{Chunked, Matrix, Operands};
use super::out::Out;
use super::tiles::Tiles;
use super::{elements, scan};
use crate::arith::Isa;
use crate::program::{Core, Instruction};
use crate::tensor::Tensor;

/// How an instruction is computed.
pub(super) enum Step<'p> {
    /// By a kernel for reductions.
    Reduction(Reduction<'p>),
    /// In order along an axis.
    Scan(&'p Instruction, u8, u8),
    /// Element by element.
    Elements(&'p Instruction, Tiles),
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
            _ => Reduction::new(instruction)
                .map_or_else(|| Self::Elements(instruction, Tiles::new(instruction)), Self::Reduction),
        }
    }

    /// Computes all elements into `out`, which is not empty.
    pub(super) fn run(&self, operands: &[&Tensor], isa: Isa, out: &mut Tensor) {
        let dtype = out.dtype();
        let out = Out::new(out, isa.level());
        match self {
            Self::Reduction(reduction) => reduction.run(Operands { dot: operands, finish: operands }, isa, &out),
            Self::Scan(instruction, axis, initial) => {
                scan::run(&Scope { instruction, operands, isa }, *axis, *initial, dtype, &out);
            }
            Self::Elements(instruction, tiles) => elements::run(&Scope { instruction, operands, isa }, tiles, &out),
        }
    }
}

impl<'p> Reduction<'p> {
    /// An instruction by itself, where a kernel pays.
    fn new(instruction: &'p Instruction) -> Option<Self> {
        let across = Across::new(instruction).map(|across| Self::Across(Box::new(across)));
        across.or_else(|| Some(Self::Matrix(Box::new(Matrix::new(instruction)?))))
    }

    /// A dot with the fold over its chunks, where a kernel pays.
    pub(super) fn chunked(chunked: Chunked) -> Option<Self> {
        let across = Across::chunked(chunked.clone()).map(|across| Self::Across(Box::new(across)));
        across.or_else(|| Some(Self::Matrix(Box::new(Matrix::chunked(chunked)?))))
    }

    /// Packs once and for all what is constant, if it takes no more than `left` bytes.
    pub(super) fn pack(&mut self, operands: &[&Tensor], constant: impl Fn(usize) -> bool, left: &mut u64) {
        match self {
            Self::Matrix(matrix) => matrix.pack(operands, constant, left),
            Self::Across(_) => {}
        }
    }

    /// Computes all elements into `out`, which is not empty.
    pub(super) fn run(&self, operands: Operands<'_>, isa: Isa, out: &Out<'_>) {
        match self {
            Self::Matrix(matrix) => matrix.run(operands, isa, out),
            Self::Across(across) => across.run([operands.dot, operands.finish], isa, out),
        }
    }
}
