//! Memory of values that are not needed any more, for values to come: what a system takes back it gives again as zeros, page by page.

use super::lifetimes::at_once;
use crate::program::{DType, Program, TensorType};
use crate::tensor::{Tensor, TensorError};

/// Such memory, the last given last: no more than some times what a run needs at once.
pub(super) struct Spare {
    memory: Vec<Vec<f32>>,
    /// Floats that it has, and may have.
    floats: u64,
    most: u64,
}

/// How many times: values of other sizes come between those that a memory fits.
const TIMES: u64 = 2;

impl Spare {
    pub(super) fn new(program: &Program) -> Self {
        Self { memory: Vec::new(), floats: 0, most: at_once(program).saturating_mul(TIMES) }
    }

    /// A tensor of a type whose elements may be anything.
    pub(super) fn take(&mut self, ty: &TensorType) -> Result<Tensor, TensorError> {
        if ty.dtype != DType::F32 {
            return Tensor::zeros(ty);
        }
        let room = Tensor::room(ty.elements());
        // What was used last is in a cache still.
        let same = |memory: &Vec<f32>| memory.len() as u64 == room;
        let fits = |memory: &Vec<f32>| {
            let own = memory.len() as u64;
            (own / 4..=own).contains(&room)
        };
        let memory = || self.memory.iter();
        let found = memory().rposition(same).or_else(|| memory().rposition(fits));
        Tensor::aligned(ty, found.map_or(Vec::new(), |n| self.remove(n)))
    }

    /// The memory of a value that nothing reads any more. What was given first goes if there is too much.
    pub(super) fn give(&mut self, tensor: Tensor) {
        let Tensor::F32(array) = tensor else { return };
        let memory = array.into_raw_vec_and_offset().0;
        self.floats += memory.len() as u64;
        self.memory.push(memory);
        while self.floats > self.most && !self.memory.is_empty() {
            drop(self.remove(0));
        }
    }

    fn remove(&mut self, n: usize) -> Vec<f32> {
        let memory = self.memory.remove(n);
        self.floats -= memory.len() as u64;
        memory
    }
}
