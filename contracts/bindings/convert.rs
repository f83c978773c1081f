//! Between engine types and ABI types.

use crate::abi::Rebut::{ClaimData, TensorData};
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::{SolType, SolValue};
use rebut_engine::hash::Hash;
use rebut_engine::program::DType;
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::tensor_root;

/// A hash as the chain's word.
pub const fn b256(hash: Hash) -> B256 {
    B256::new(hash.0)
}

/// A chain's word as a hash.
pub const fn hash(word: B256) -> Hash {
    Hash(word.0)
}

/// A claim's id, as the contract computes it (`docs/protocol.md`, "Content, not indices").
pub fn claim_id(chain: u64, rebut: Address, claim: &ClaimData) -> B256 {
    let all = |roots: &[B256]| keccak256(roots.concat());
    let (inputs, outputs) = (all(&claim.inputRoots), all(&claim.outputRoots));
    let content = (U256::from(chain), rebut, claim.executor, keccak256(&claim.header), inputs, outputs, claim.nonce);
    keccak256(content.abi_encode())
}

/// A tensor for calldata: its bytes where they are at most `limit`, else its root.
pub fn tensor_data(tensor: &Tensor, limit: usize) -> TensorData {
    let bytes = tensor.len().saturating_mul(tensor.dtype().width());
    if bytes <= limit {
        TensorData { data: Bytes::from(tensor.to_be_bytes()), root: B256::ZERO }
    } else {
        TensorData { data: Bytes::new(), root: b256(tensor_root(tensor)) }
    }
}

/// The same ABI bytes as another type: the artifacts know enums only as numbers, [`crate::types`] knows their names.
///
/// # Errors
/// When a number is no variant.
pub fn typed<T: SolValue + From<<T::SolType as SolType>::RustType>>(
    value: &impl SolValue,
) -> Result<T, alloy::sol_types::Error> {
    T::abi_decode(&value.abi_encode())
}

/// The register in a lane of this width, as the contract reports lanes.
pub fn lane_to_register(dtype: DType, lane: u64) -> i64 {
    match dtype {
        DType::F32 => (lane & 0xffff_ffff) as i64,
        DType::U16 | DType::F16 | DType::BF16 => (lane & 0xffff) as i64,
        DType::U8 | DType::Bool => (lane & 0xff) as i64,
        DType::I8 => i64::from(lane as u8 as i8),
        DType::I16 => i64::from(lane as u16 as i16),
        DType::I32 => i64::from(lane as u32 as i32),
        DType::I64 => lane as i64,
    }
}
