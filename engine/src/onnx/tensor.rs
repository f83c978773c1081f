//! `TensorProto` to [`Tensor`] and back.

use super::error::OnnxError;
use super::external;
use super::proto::TensorProto;
use crate::program::limits::MAX_RANK;
use crate::program::{DType, TensorType, bounded};
use crate::tensor::Tensor;
use bytes::Bytes;
use prost::Message;
use std::path::Path;

const EXTERNAL: i32 = 1;

/// Reads a file that holds one `TensorProto`, as ONNX test data sets do.
///
/// # Errors
/// When the file cannot be read, is no tensor, or holds a type or data that is not supported.
pub fn read_tensor_pb(path: &Path) -> Result<Tensor, OnnxError> {
    let bytes = std::fs::read(path).map_err(|source| OnnxError::Io { path: path.to_path_buf(), source })?;
    tensor_from_pb(bytes)
}

/// A tensor from the bytes of one `TensorProto`; data outside the message is refused.
///
/// # Errors
/// As [`read_tensor_pb`].
pub fn tensor_from_pb(bytes: impl Into<Bytes>) -> Result<Tensor, OnnxError> {
    read(&TensorProto::decode(bytes.into())?, None)
}

/// Writes a tensor as a `TensorProto` file, which [`read_tensor_pb`] reads back.
///
/// # Errors
/// When the file cannot be written.
pub fn write_tensor_pb(path: &Path, name: &str, tensor: &Tensor) -> Result<(), OnnxError> {
    std::fs::write(path, tensor_to_pb(name, tensor))
        .map_err(|source| OnnxError::Io { path: path.to_path_buf(), source })
}

/// The bytes of a `TensorProto` with raw data.
pub fn tensor_to_pb(name: &str, tensor: &Tensor) -> Vec<u8> {
    let ty = tensor.ty();
    let mut raw = tensor.to_be_bytes();
    raw.chunks_exact_mut(ty.dtype.width()).for_each(<[u8]>::reverse);
    let proto = TensorProto {
        // Dimensions of a tensor in memory are far below 2^63.
        dims: ty.dims.iter().map(|&d| d as i64).collect(),
        data_type: ty.dtype.code().into(),
        name: name.to_string(),
        raw_data: Some(raw.into()),
        ..TensorProto::default()
    };
    proto.encode_to_vec()
}

/// The tensor of a message; external data is looked for in `folder` and nowhere else.
pub(super) fn read(proto: &TensorProto, folder: Option<&Path>) -> Result<Tensor, OnnxError> {
    contents(proto, folder).map_err(|reason| OnnxError::Tensor { name: proto.name.clone(), reason })
}

fn contents(proto: &TensorProto, folder: Option<&Path>) -> Result<Tensor, String> {
    let ty = TensorType { dtype: element_type(proto.data_type)?, dims: dims(&proto.dims)? };
    if proto.segment.is_some() {
        return Err("it is stored in segments; save the model again without them".into());
    }
    if proto.data_location == EXTERNAL {
        return external::read(&proto.external_data, folder, &ty);
    }
    match &proto.raw_data {
        Some(raw) => Tensor::from_le_bytes(&ty, raw).map_err(|e| e.to_string()),
        None => typed_fields(&ty, proto),
    }
}

/// The element type with an ONNX code.
pub(crate) fn element_type(code: i32) -> Result<DType, String> {
    u8::try_from(code).ok().and_then(DType::from_code).ok_or_else(|| {
        let name = match code {
            0 => "undefined",
            8 => "string",
            11 => "float64",
            12 => "uint32",
            13 => "uint64",
            14 | 15 => "complex",
            _ => "unknown",
        };
        let known: Vec<String> = DType::ALL.iter().map(DType::to_string).collect();
        format!("element type {code} ({name}) is not supported; convert the model to one of {}", known.join(", "))
    })
}

fn dims(dims: &[i64]) -> Result<Vec<u64>, String> {
    let bad = || format!("shape {dims:?} is negative, has more than {MAX_RANK} dimensions or 2^40 elements");
    let dims = dims.iter().map(|&d| u64::try_from(d)).collect::<Result<Vec<u64>, _>>().map_err(|_| bad())?;
    if dims.len() <= MAX_RANK && bounded(&dims) { Ok(dims) } else { Err(bad()) }
}

fn typed_fields(ty: &TensorType, proto: &TensorProto) -> Result<Tensor, String> {
    let present = match ty.dtype {
        DType::F32 => proto.float_data.len(),
        DType::I64 => proto.int64_data.len(),
        _ => proto.int32_data.len(),
    };
    if present as u64 != ty.elements() {
        return Err(format!("shape {:?} takes {} elements, the file has {present}", ty.dims, ty.elements()));
    }
    let bytes: Vec<u8> = match ty.dtype {
        DType::F32 => proto.float_data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        DType::I64 => proto.int64_data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        DType::I32 => proto.int32_data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        // Each narrower element takes one int32, the 16-bit floats as their bits.
        DType::U8 | DType::I8 | DType::U16 | DType::I16 | DType::Bool | DType::F16 | DType::BF16 => {
            let elements = proto.int32_data.iter().map(|&x| narrow(ty.dtype, x)).collect::<Result<Vec<_>, _>>()?;
            elements.iter().flat_map(|x| x[..ty.dtype.width()].to_vec()).collect()
        }
    };
    Tensor::from_le_bytes(ty, &bytes).map_err(|e| e.to_string())
}

fn narrow(dtype: DType, x: i32) -> Result<[u8; 4], String> {
    let (lo, hi) = dtype.range();
    if (lo..=hi).contains(&x.into()) { Ok(x.to_le_bytes()) } else { Err(format!("{x} is no {dtype}")) }
}
