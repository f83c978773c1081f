//! Values of command-line options.

use crate::files::{FileError, read_tensor};
use rebut_engine::arith::native;
use rebut_engine::lower::LowerOptions;
use rebut_engine::onnx::{Dim, ValueInfo};
use rebut_engine::program::TensorType;
use rebut_engine::tensor::Tensor;
use std::path::Path;
use std::str::FromStr;

/// `NAME=1,3,224,224`, or with `x` for the commas
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) dims: Vec<u64>,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let help = || format!("{s:?} is not NAME=1,3,224,224");
        let (name, dims) = s.rsplit_once('=').ok_or_else(help)?;
        let dims = if dims.is_empty() { Ok(vec![]) } else { dims.split([',', 'x']).map(str::parse).collect() };
        Ok(Self { name: name.to_string(), dims: dims.map_err(|_| help())? })
    }
}

/// `NAME=1`: a named dimension.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) size: u64,
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let help = || format!("{s:?} is not NAME=1");
        let (name, size) = s.rsplit_once('=').ok_or_else(help)?;
        Ok(Self { name: name.to_string(), size: size.parse().map_err(|_| help())? })
    }
}

/// `NAME=value` or `NAME=file`: a graph input bound to a constant.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    value: String,
}

impl FromStr for Binding {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let (name, value) = s.split_once('=').ok_or_else(|| format!("{s:?} is not NAME=value or NAME=file"))?;
        Ok(Self { name: name.to_string(), value: value.to_string() })
    }
}

impl Binding {
    /// The type of the input that is bound: as `--shape` or the model says, or as long as the list of values.
    pub(super) fn shape(&self, input: &ValueInfo, options: &LowerOptions) -> Option<TensorType> {
        let dims = match (options.shapes.get(&self.name), input.dims.as_deref()?) {
            (Some(dims), _) => dims.clone(),
            (None, [_]) => vec![self.values().count() as u64],
            (None, dims) => {
                let size = |d: &Dim| match d {
                    Dim::Fixed(n) => Some(*n),
                    Dim::Named(name) => options.dims.get(name).copied(),
                    Dim::Unknown => None,
                };
                dims.iter().map(size).collect::<Option<_>>()?
            }
        };
        Some(TensorType::new(input.dtype?, dims))
    }

    /// The numbers of a list; nothing is none.
    fn values(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').filter(|_| !self.value.is_empty())
    }

    /// The constant: a tensor file, or numbers separated by commas of the input's own type.
    pub(super) fn tensor(&self, ty: Option<&TensorType>) -> Result<Tensor, FileError> {
        let path = Path::new(&self.value);
        if path.extension().is_some_and(|e| e == "pb" || e == "npy") {
            return read_tensor(path);
        }
        let bad = |why: &str| FileError(format!("--bind {}={}: {why}", self.name, self.value));
        let ty =
            ty.ok_or_else(|| bad("the model has no such input, or its shape is unknown: give a .pb or .npy file"))?;
        let mut bytes = Vec::new();
        for text in self.values() {
            use rebut_engine::program::DType;
            let not = |_| bad(&format!("{text:?} is no {}", ty.dtype));
            match ty.dtype {
                DType::F32 => bytes.extend(text.parse::<f32>().map_err(|_| bad("not a number"))?.to_le_bytes()),
                DType::F16 | DType::BF16 => {
                    let x = text.parse::<f32>().map_err(|_| bad("not a number"))?;
                    let bits = if ty.dtype == DType::F16 { native::half::to_f16(x) } else { native::half::to_bf16(x) };
                    bytes.extend(bits.to_le_bytes());
                }
                DType::U8 => bytes.extend(text.parse::<u8>().map_err(not)?.to_le_bytes()),
                DType::I8 => bytes.extend(text.parse::<i8>().map_err(not)?.to_le_bytes()),
                DType::U16 => bytes.extend(text.parse::<u16>().map_err(not)?.to_le_bytes()),
                DType::I16 => bytes.extend(text.parse::<i16>().map_err(not)?.to_le_bytes()),
                DType::I32 => bytes.extend(text.parse::<i32>().map_err(not)?.to_le_bytes()),
                DType::I64 => bytes.extend(text.parse::<i64>().map_err(not)?.to_le_bytes()),
                DType::Bool => bytes.push(u8::from(text.parse::<bool>().map_err(|_| bad("true or false"))?)),
            }
        }
        Tensor::from_le_bytes(ty, &bytes).map_err(|e| bad(&e.to_string()))
    }
}
