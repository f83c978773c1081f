//! Lists in files: a count says how many items there should be, and memory is taken for those that are there.

use bincode::BorrowDecode;
use bincode::de::BorrowDecoder;
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};

/// A list that is stored as bincode stores a `Vec`, and read item by item.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Encode> Encode for List<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<'de, C, T: BorrowDecode<'de, C>> BorrowDecode<'de, C> for List<T> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let count = u64::borrow_decode(decoder)?;
        (0..count).map(|_| T::borrow_decode(decoder)).collect::<Result<_, _>>().map(Self)
    }
}
