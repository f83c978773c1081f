//! Memory of values that are not needed any more, for values to come: what a system takes back it gives again as zeros, page by page.

use crate::program::{DType, TensorType};
use crate::tensor::{Tensor, TensorError};

/// Such memory, the last given last.
#[derive(Default)]
pub(super) struct Spare(Vec<Vec<f32>>);

impl Spare {
    /// A tensor of a type whose elements may be anything.
    pub(super) fn take(&mut self, ty: &TensorType) -> Result<Tensor, TensorError> {
        // What was used last is in a cache still.
        let fits = |memory: &Vec<f32>| {
            let room = memory.capacity() as u64;
            (room / 4..=room).contains(&ty.elements())
        };
        match self.0.iter().rposition(fits) {
            Some(n) if ty.dtype == DType::F32 => Tensor::reusing(ty, self.0.remove(n)),
            _ => Tensor::zeros(ty),
        }
    }

    /// The memory of a value that nothing reads any more.
    pub(super) fn give(&mut self, tensor: Tensor) {
        if let Tensor::F32(array) = tensor {
            self.0.push(array.into_raw_vec_and_offset().0);
        }
    }
}
