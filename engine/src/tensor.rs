//! Tensors: ndarray arrays of one of the element types, always in row-major order.

use crate::program::{DType, TensorType};
use ndarray::{Array1, ArrayD, IxDyn, s};
use std::io::{self, Read, Write};
use std::sync::LazyLock;

/// Floats of a cache line.
const LINE: usize = 16;

/// Canonical bits of an f32 NaN.
pub const NAN: u32 = 0x7fc0_0000;

/// A tensor of any element type.
#[derive(Clone, PartialEq, Debug)]
pub enum Tensor {
    /// f32 elements.
    F32(ArrayD<f32>),
    /// u8 elements.
    U8(ArrayD<u8>),
    /// i8 elements.
    I8(ArrayD<i8>),
    /// u16 elements.
    U16(ArrayD<u16>),
    /// i16 elements.
    I16(ArrayD<i16>),
    /// i32 elements.
    I32(ArrayD<i32>),
    /// i64 elements.
    I64(ArrayD<i64>),
    /// Booleans as bytes: any non-zero byte is true.
    Bool(ArrayD<u8>),
    /// The bits of binary16 elements.
    F16(ArrayD<u16>),
    /// The bits of bfloat16 elements.
    BF16(ArrayD<u16>),
}

/// Runs `$body` with `$a` bound to the tensor's array, whatever its element type.
macro_rules! each {
    ($tensor:expr, $a:ident => $body:expr) => {
        match $tensor {
            Tensor::F32($a) => $body,
            Tensor::U8($a) | Tensor::Bool($a) => $body,
            Tensor::I8($a) => $body,
            Tensor::U16($a) | Tensor::F16($a) | Tensor::BF16($a) => $body,
            Tensor::I16($a) => $body,
            Tensor::I32($a) => $body,
            Tensor::I64($a) => $body,
        }
    };
}

/// Order of the bytes of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// As ONNX and packages store elements.
    Little,
    /// As leaves do.
    Big,
}

/// Why bytes or elements do not make a tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    /// The number of bytes does not fit the shape.
    #[error("a {dtype} tensor of shape {dims:?} takes {expected} bytes, {got} were given")]
    Size {
        /// Element type.
        dtype: DType,
        /// Shape.
        dims: Vec<u64>,
        /// Bytes the shape takes.
        expected: u64,
        /// Bytes given.
        got: u64,
    },
    /// The shape does not fit this machine's memory.
    #[error("a {dtype} tensor of shape {dims:?} does not fit in memory")]
    TooLarge {
        /// Element type.
        dtype: DType,
        /// Shape.
        dims: Vec<u64>,
    },
}

impl Tensor {
    /// The element type.
    pub fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::U8(_) => DType::U8,
            Self::I8(_) => DType::I8,
            Self::U16(_) => DType::U16,
            Self::I16(_) => DType::I16,
            Self::I32(_) => DType::I32,
            Self::I64(_) => DType::I64,
            Self::Bool(_) => DType::Bool,
            Self::F16(_) => DType::F16,
            Self::BF16(_) => DType::BF16,
        }
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        each!(self, a => a.shape())
    }

    /// Element type and shape.
    pub fn ty(&self) -> TensorType {
        TensorType::new(self.dtype(), self.shape().iter().map(|&d| d as u64).collect::<Vec<_>>())
    }

    /// Whether its elements lie in row-major order, without gaps.
    pub fn is_row_major(&self) -> bool {
        each!(self, a => a.is_standard_layout())
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        each!(self, a => a.len())
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Floats of memory for that many elements in [`aligned`](Self::aligned).
    pub(crate) fn room(elements: u64) -> u64 {
        elements.saturating_add(LINE as u64 - 1)
    }

    /// A tensor of a type; its elements may be anything. One of f32 takes memory that was another's, all of it, or none, and begins at a cache
    /// line, as vectors that cross lines cost twice.
    ///
    /// # Errors
    /// When the shape does not fit in memory.
    pub(crate) fn aligned(ty: &TensorType, mut memory: Vec<f32>) -> Result<Self, TensorError> {
        if ty.dtype != DType::F32 {
            return Self::zeros(ty);
        }
        let too_large = || TensorError::TooLarge { dtype: ty.dtype, dims: ty.dims.clone() };
        let dims: Option<Vec<usize>> = ty.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let most = isize::MAX as u64 / size_of::<f32>() as u64;
        let room = Some(Self::room(ty.elements())).filter(|&room| room <= most).ok_or_else(too_large)? as usize; // checked
        if memory.is_empty() {
            memory = vec![0.0; room];
        } else if memory.len() < room {
            memory.resize(room, 0.0);
        }
        let start = memory.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE - 1);
        let array = Array1::from_vec(memory).slice_move(s![start..start + room - (LINE - 1)]);
        let array = array.into_shape_with_order(IxDyn(&dims.ok_or_else(too_large)?));
        array.map(Self::F32).map_err(|_| too_large())
    }

    /// A tensor without elements, in place of one that nothing reads.
    pub(crate) fn none() -> &'static Self {
        static NONE: LazyLock<Tensor> = LazyLock::new(|| Tensor::F32(ArrayD::zeros(vec![0])));
        &NONE
    }

    /// A tensor of zeros (false for bool).
    ///
    /// # Errors
    /// When the shape does not fit in memory.
    pub fn zeros(ty: &TensorType) -> Result<Self, TensorError> {
        let too_large = || TensorError::TooLarge { dtype: ty.dtype, dims: ty.dims.clone() };
        let dims =
            ty.dims.iter().map(|&d| usize::try_from(d)).collect::<Result<Vec<_>, _>>().map_err(|_| too_large())?;
        // ndarray panics where the product of the non-zero dimensions exceeds isize.
        let nonzero = dims.iter().filter(|&&d| d != 0).try_fold(ty.dtype.width(), |n, &d| n.checked_mul(d));
        if nonzero.is_none_or(|n| n > isize::MAX as usize) {
            return Err(too_large());
        }
        let dims = IxDyn(&dims);
        Ok(match ty.dtype {
            DType::F32 => Self::F32(ArrayD::zeros(dims)),
            DType::U8 => Self::U8(ArrayD::zeros(dims)),
            DType::I8 => Self::I8(ArrayD::zeros(dims)),
            DType::U16 => Self::U16(ArrayD::zeros(dims)),
            DType::I16 => Self::I16(ArrayD::zeros(dims)),
            DType::I32 => Self::I32(ArrayD::zeros(dims)),
            DType::I64 => Self::I64(ArrayD::zeros(dims)),
            DType::Bool => Self::Bool(ArrayD::zeros(dims)),
            DType::F16 => Self::F16(ArrayD::zeros(dims)),
            DType::BF16 => Self::BF16(ArrayD::zeros(dims)),
        })
    }

    /// A tensor from little-endian element bytes in row-major order.
    ///
    /// # Errors
    /// When the number of bytes does not fit the shape.
    pub fn from_le_bytes(ty: &TensorType, bytes: &[u8]) -> Result<Self, TensorError> {
        Self::from_bytes(ty, bytes, Order::Little)
    }

    fn from_bytes(ty: &TensorType, bytes: &[u8], order: Order) -> Result<Self, TensorError> {
        let expected = ty.bytes();
        if expected != bytes.len() as u64 {
            return Err(TensorError::Size {
                dtype: ty.dtype,
                dims: ty.dims.clone(),
                expected,
                got: bytes.len() as u64,
            });
        }
        let mut tensor = Self::zeros(ty)?;
        // As many as the elements take, so reading them cannot fail.
        let _ = tensor.fill(&mut &*bytes, order);
        Ok(tensor)
    }

    /// Reads elements in row-major order straight into their places.
    ///
    /// Memory is taken before the first byte is read: the caller makes sure that the bytes are there.
    pub(crate) fn read(ty: &TensorType, from: &mut impl Read, order: Order) -> io::Result<Self> {
        let mut tensor = Self::zeros(ty).map_err(io::Error::other)?;
        tensor.fill(from, order).map(|()| tensor)
    }

    fn fill(&mut self, from: &mut impl Read, order: Order) -> io::Result<()> {
        /// Bytes that are converted at once.
        const PIECE: usize = 1 << 13;
        let mut piece = [0; PIECE];
        macro_rules! fill {
            ($a:expr, $t:ty) => {
                // A new tensor is in standard layout.
                for elements in $a.as_slice_mut().unwrap_or_default().chunks_mut(PIECE / size_of::<$t>()) {
                    let bytes = &mut piece[..size_of_val(elements)];
                    from.read_exact(bytes)?;
                    for (to, from) in elements.iter_mut().zip(bytes.as_chunks::<{ size_of::<$t>() }>().0) {
                        *to = match order {
                            Order::Little => <$t>::from_le_bytes(*from),
                            Order::Big => <$t>::from_be_bytes(*from),
                        };
                    }
                }
            };
        }
        match self {
            Self::F32(a) => fill!(a, f32),
            Self::U8(a) | Self::Bool(a) => fill!(a, u8),
            Self::I8(a) => fill!(a, i8),
            Self::U16(a) | Self::F16(a) | Self::BF16(a) => fill!(a, u16),
            Self::I16(a) => fill!(a, i16),
            Self::I32(a) => fill!(a, i32),
            Self::I64(a) => fill!(a, i64),
        }
        Ok(())
    }

    /// Writes the elements in row-major order as little-endian bytes.
    pub(crate) fn write_le(&self, to: &mut impl Write) -> io::Result<()> {
        each!(self, a => a.iter().try_for_each(|x| to.write_all(&x.to_le_bytes())))
    }

    /// The elements as big-endian lanes in row-major order: the bytes of leaves and of calldata.
    pub fn to_be_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len() * self.dtype().width());
        each!(self, a => for x in a { out.extend_from_slice(&x.to_be_bytes()) });
        out
    }

    /// A tensor from big-endian lanes, the inverse of [`to_be_bytes`](Self::to_be_bytes).
    ///
    /// # Errors
    /// When the number of bytes does not fit the shape.
    pub fn from_be_bytes(ty: &TensorType, bytes: &[u8]) -> Result<Self, TensorError> {
        Self::from_bytes(ty, bytes, Order::Big)
    }

    /// The register of element `index` in row-major order (canonical: see `docs/program.md`), or `None` outside the tensor.
    pub fn register(&self, index: usize) -> Option<i64> {
        fn at<T: Copy>(a: &ArrayD<T>, index: usize) -> Option<T> {
            match a.as_slice() {
                Some(s) => s.get(index).copied(),
                None => a.iter().nth(index).copied(),
            }
        }
        Some(match self {
            Self::F32(a) => DType::F32.canonical(at(a, index)?.to_bits().into()),
            Self::U8(a) => at(a, index)?.into(),
            Self::I8(a) => at(a, index)?.into(),
            Self::U16(a) => at(a, index)?.into(),
            Self::I16(a) => at(a, index)?.into(),
            Self::I32(a) => at(a, index)?.into(),
            Self::I64(a) => at(a, index)?,
            Self::Bool(a) => (at(a, index)? != 0).into(),
            Self::F16(a) => DType::F16.canonical(at(a, index)?.into()),
            Self::BF16(a) => DType::BF16.canonical(at(a, index)?.into()),
        })
    }

    /// The elements in row-major order as a contiguous array, whatever layout the caller's array had.
    pub fn into_standard_layout(self) -> Self {
        fn fix<T: Clone>(a: ArrayD<T>) -> ArrayD<T> {
            if a.is_standard_layout() { a } else { a.as_standard_layout().into_owned() }
        }
        match self {
            Self::F32(a) => Self::F32(fix(a)),
            Self::U8(a) => Self::U8(fix(a)),
            Self::I8(a) => Self::I8(fix(a)),
            Self::U16(a) => Self::U16(fix(a)),
            Self::I16(a) => Self::I16(fix(a)),
            Self::I32(a) => Self::I32(fix(a)),
            Self::I64(a) => Self::I64(fix(a)),
            Self::Bool(a) => Self::Bool(fix(a)),
            Self::F16(a) => Self::F16(fix(a)),
            Self::BF16(a) => Self::BF16(fix(a)),
        }
    }
}
