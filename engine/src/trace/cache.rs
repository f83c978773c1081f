//! Traces on disk: the inputs and every instruction's result, so that a dispute need not run the program again.
//!
//! A cache is a convenience of the machine that wrote it. Damage is found by its digest, a cache of another program or of other inputs by
//! comparison, and a few elements of every value are computed again; but only a new run proves a trace. Do not take caches from others.

use super::{Part, Trace};
use crate::arith::Isa;
use crate::dispute::evaluate;
use crate::hash::keccak;
use crate::package::Package;
use crate::program::{Source, ValueId};
use crate::stored::List;
use crate::tensor::{Tensor, TensorError};
use bincode::{BorrowDecode, Encode};
use std::sync::Arc;

/// First bytes of a trace file.
const MAGIC: [u8; 8] = *b"rbtrace\x01";
/// Elements of each value that are computed again.
const SAMPLES: u64 = 8;

/// Why a trace file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Not a trace file.
    #[error("this is not a rebut trace (delete the file to compute the trace again)")]
    Magic,
    /// A file that was cut or changed.
    #[error("the trace file is damaged: {0} (delete it to compute the trace again)")]
    Damaged(String),
    /// A trace of something else.
    #[error("the trace file is of another {0} (delete it to compute the trace again)")]
    Other(&'static str),
    /// A value that the program does not compute.
    #[error("the trace file is wrong about value {value} element {element}: it was not made by this program")]
    Wrong {
        /// The value.
        value: ValueId,
        /// The element.
        element: u64,
    },
    /// A value of the wrong size.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

#[derive(Encode, BorrowDecode)]
struct Stored<'a> {
    program: [u8; 32],
    /// Big-endian lanes of every value that is no constant, in order.
    values: List<&'a [u8]>,
}

impl Trace {
    /// The trace as a file.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn to_bytes(&self, package: &Package) -> Result<Vec<u8>, CacheError> {
        let values = package.program().values.iter().zip(&self.values);
        let values = values.filter(|(v, _)| !matches!(v.source, Source::Constant { .. }));
        let values: Vec<Vec<u8>> = values.map(|(_, tensor)| tensor.to_be_bytes()).collect();
        let stored = Stored {
            program: package.identity().program_id.0,
            values: List(values.iter().map(Vec::as_slice).collect()),
        };
        let body = bincode::encode_to_vec(&stored, bincode::config::standard());
        let body = body.map_err(|e| CacheError::Damaged(e.to_string()))?;
        Ok([&MAGIC[..], &keccak(&body).0, &body].concat())
    }

    /// Reads a trace of `package` on `inputs`.
    ///
    /// # Errors
    /// When the bytes are no trace of this program on these inputs.
    pub fn from_bytes(package: &Package, inputs: &[Tensor], bytes: &[u8]) -> Result<Self, CacheError> {
        let body = bytes.strip_prefix(&MAGIC).ok_or(CacheError::Magic)?;
        let (digest, body) =
            body.split_first_chunk::<32>().ok_or_else(|| CacheError::Damaged("it is too short".into()))?;
        if keccak(body).0 != *digest {
            return Err(CacheError::Damaged("its digest is another".into()));
        }
        let (stored, used): (Stored<'_>, usize) = bincode::borrow_decode_from_slice(body, bincode::config::standard())
            .map_err(|e| CacheError::Damaged(e.to_string()))?;
        if used != body.len() {
            return Err(CacheError::Damaged("it is too long".into()));
        }
        if stored.program != package.identity().program_id.0 {
            return Err(CacheError::Other("program"));
        }
        let mut stored = stored.values.0.iter();
        let mut values = Vec::with_capacity(package.program().values.len());
        for (id, value) in package.program().values.iter().enumerate() {
            values.push(match value.source {
                Source::Constant { .. } => package.constant(id as u64).clone(),
                _ => {
                    let bytes = stored.next().ok_or_else(|| CacheError::Damaged("values are missing".into()))?;
                    Tensor::from_be_bytes(&value.ty, bytes)?
                }
            });
        }
        if stored.next().is_some() {
            return Err(CacheError::Damaged("there are too many values".into()));
        }
        let same = |(given, cached): (&Tensor, &Tensor)| {
            given.ty() == cached.ty() && given.to_be_bytes() == cached.to_be_bytes()
        };
        if inputs.len() != usize::from(package.program().inputs) || !inputs.iter().zip(&values).all(same) {
            return Err(CacheError::Other("input"));
        }
        let parts = values.into_iter().map(|tensor| Part::New(Arc::new(tensor))).collect();
        let trace = Self::from_parts(parts, Isa::Auto);
        trace.check_samples(package)?;
        Ok(trace)
    }

    fn check_samples(&self, package: &Package) -> Result<(), CacheError> {
        for (id, tensor) in self.values.iter().enumerate() {
            let (value, elements) = (id as u64, tensor.len() as u64);
            for sample in 0..SAMPLES.min(elements) {
                // Spread over the value, both ends included.
                let element = u128::from(sample) * u128::from(elements - 1) / u128::from(SAMPLES - 1).max(1);
                let element = u64::try_from(element).unwrap_or(0).min(elements - 1);
                let Ok((register, _)) = evaluate(package, self, value, element) else { continue };
                if tensor.register(element as usize) != Some(register) {
                    return Err(CacheError::Wrong { value, element });
                }
            }
        }
        Ok(())
    }
}
