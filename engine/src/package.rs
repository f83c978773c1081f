//! A program with everything needed to run it: constants and the names that people know its parts by.

use crate::lower::{Lowered, bill, gas::STEP_GAS_CEILING};
use crate::program::{
    Identity, Program, ProgramError, Source, ValueId, decode_descriptor, encode_descriptor, validate,
};
use crate::stored::List;
use crate::tensor::{Order, Tensor, TensorError};
use crate::tree::TensorTree;
use bincode::{BorrowDecode, Encode};
use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::sync::Arc;

/// First bytes of a package file. There follow the length of the head (u64), the head, and each constant's elements in row-major order,
/// all little-endian; a constant begins at the next multiple of 64 bytes, zeros are between.
const MAGIC: [u8; 8] = *b"rebut\0\0\x02";
/// Where constants begin: at multiples of this.
const ALIGNMENT: u64 = 64;
/// Bytes that are read at once.
const READ: usize = 1 << 20;

/// Where a value came from, for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// Name of the ONNX tensor or node.
    pub name: String,
    /// ONNX operator; empty for inputs and constants.
    pub operator: String,
}

/// A validated program, its constants and its labels.
#[derive(Clone, Debug)]
pub struct Package {
    program: Program,
    identity: Identity,
    constants: Vec<Constant>,
    labels: Vec<Label>,
    outputs: Vec<String>,
}

/// A constant and its tree. Whoever holds a package, or a trace of it, shares them: weights may be most of the memory.
#[derive(Clone, Debug)]
struct Constant {
    tensor: Arc<Tensor>,
    tree: Arc<TensorTree>,
}

/// Why something is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The program is malformed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A constant does not fit its shape.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// Not a package file.
    #[error("this is not a rebut program package (compile the model again with `rebut compile`)")]
    Magic,
    /// A package that cannot be decoded.
    #[error("the program package is damaged: {0}")]
    Damaged(String),
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A step that costs more than any step may.
    #[error("a step of value {value} (`{name}`) would cost up to {gas} gas, above the ceiling of {STEP_GAS_CEILING}")]
    Step {
        /// The instruction's value.
        value: ValueId,
        /// Its label's name.
        name: String,
        /// Its bill.
        gas: u64,
    },
    /// The constants are not those that the program commits to.
    #[error("constant {value} is not the one that the program commits to")]
    Constant {
        /// The constant's value number.
        value: ValueId,
    },
    /// The numbers of constants, labels or outputs do not fit the program.
    #[error("the package has {got} {what}, the program has {expected}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many the program has.
        expected: usize,
        /// How many were given.
        got: usize,
    },
}

/// The head of a package file, as bincode: what is read, ...
#[derive(BorrowDecode)]
struct Head<'a> {
    inputs: u8,
    outputs: u8,
    descriptors: List<&'a [u8]>,
    /// Names and operators.
    labels: List<(&'a str, &'a str)>,
    output_names: List<&'a str>,
}

/// ... and what is written: the same.
#[derive(Encode)]
struct Writing<'a> {
    inputs: u8,
    outputs: u8,
    descriptors: Vec<Vec<u8>>,
    labels: Vec<(&'a str, &'a str)>,
    output_names: &'a [String],
}

/// A lowered model, with the names of its nodes as labels.
impl TryFrom<Lowered> for Package {
    type Error = PackageError;

    fn try_from(lowered: Lowered) -> Result<Self, PackageError> {
        let Lowered { program, constants, names, operators, outputs, .. } = lowered;
        let labels = names.into_iter().zip(operators).map(|(name, operator)| Label { name, operator }).collect();
        Self::new(program, constants, labels, outputs.into_iter().map(|(name, _)| name).collect())
    }
}

impl Package {
    /// Puts a package together; `labels` has one entry a value, `outputs` one name an output.
    ///
    /// # Errors
    /// When the program is malformed or the parts do not belong together.
    pub fn new(
        program: Program,
        constants: Vec<Tensor>,
        labels: Vec<Label>,
        outputs: Vec<String>,
    ) -> Result<Self, PackageError> {
        validate(&program)?;
        if let Some(bill) = bill(&program).into_iter().find(|b| b.gas_worst > STEP_GAS_CEILING) {
            let label = usize::try_from(bill.value).ok().and_then(|v| labels.get(v));
            let name = label.map_or_else(String::new, |l| l.name.clone());
            return Err(PackageError::Step { value: bill.value, name, gas: bill.gas_worst });
        }
        let roots: Vec<_> = program
            .values
            .iter()
            .enumerate()
            .filter_map(|(id, v)| match v.source {
                Source::Constant { root } => Some((id as u64, root, &v.ty)),
                _ => None,
            })
            .collect();
        let counts = [
            ("constants", roots.len(), constants.len()),
            ("labels", program.values.len(), labels.len()),
            ("output names", usize::from(program.outputs), outputs.len()),
        ];
        if let Some(&(what, expected, got)) = counts.iter().find(|c| c.1 != c.2) {
            return Err(PackageError::Count { what, expected, got });
        }
        let constants = roots.into_iter().zip(constants).map(|((value, root, ty), constant)| {
            let tensor = constant.into_standard_layout();
            let tree = if tensor.ty() == *ty { Some(TensorTree::new(&tensor)) } else { None };
            let tree = tree.filter(|tree| tree.root() == root).ok_or(PackageError::Constant { value })?;
            Ok(Constant { tensor: Arc::new(tensor), tree: Arc::new(tree) })
        });
        let constants = constants.collect::<Result<_, PackageError>>()?;
        let identity = Identity::of(&program)?;
        Ok(Self { program, identity, constants, labels, outputs })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Header, id and descriptor tree of the program.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The constant with this value number.
    ///
    /// # Panics
    /// When the value is no constant.
    pub fn constant(&self, value: ValueId) -> &Tensor {
        &self.constants[value as usize - usize::from(self.program.inputs)].tensor
    }

    /// All constants in the order of their values.
    pub fn constants(&self) -> impl ExactSizeIterator<Item = &Tensor> {
        self.constants.iter().map(|constant| &*constant.tensor)
    }

    /// The constant with this value number and its tree, if the value is one.
    pub(crate) fn committed(&self, value: ValueId) -> Option<(&Arc<Tensor>, &Arc<TensorTree>)> {
        let index = usize::try_from(value).ok()?.checked_sub(self.program.inputs.into())?;
        self.constants.get(index).map(|constant| (&constant.tensor, &constant.tree))
    }

    /// Where a value came from.
    pub fn label(&self, value: ValueId) -> Option<&Label> {
        self.labels.get(usize::try_from(value).ok()?)
    }

    /// Name of an input in the model.
    pub fn input_name(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |l| &l.name)
    }

    /// Names of the outputs in the model.
    pub fn output_names(&self) -> &[String] {
        &self.outputs
    }

    /// The package as a file.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackageError> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes the package file.
    ///
    /// # Errors
    /// When it cannot be encoded or written.
    pub fn write(&self, to: &mut impl Write) -> Result<(), PackageError> {
        let head = Writing {
            inputs: self.program.inputs,
            outputs: self.program.outputs,
            descriptors: self.program.values.iter().map(encode_descriptor).collect::<Result<_, _>>()?,
            labels: self.labels.iter().map(|l| (&*l.name, &*l.operator)).collect(),
            output_names: &self.outputs,
        };
        let head = bincode::encode_to_vec(&head, bincode::config::standard());
        let head = head.map_err(|e| PackageError::Damaged(e.to_string()))?;
        let length = head.len() as u64;
        to.write_all(&MAGIC)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&head)?;
        let mut at = FIXED + length;
        for constant in self.constants() {
            to.write_all(&[0; ALIGNMENT as usize][..padding(at)])?;
            constant.write_le(to)?;
            at = at.next_multiple_of(ALIGNMENT) + constant.ty().bytes();
        }
        Ok(())
    }

    /// Reads a package from memory; see [`read`](Self::read).
    ///
    /// # Errors
    /// When the bytes are no package or its parts do not belong together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackageError> {
        Self::read(Cursor::new(bytes))
    }

    /// Reads a package file. Everything in it is checked again: it may come from anybody. Constants are read straight into their places.
    ///
    /// # Errors
    /// When the file cannot be read, is no package, or its parts do not belong together.
    pub fn read(mut file: impl Read + Seek) -> Result<Self, PackageError> {
        let damaged = |reason: &str| PackageError::Damaged(reason.into());
        let end = file.seek(io::SeekFrom::End(0))?;
        file.rewind()?;
        let mut file = BufReader::with_capacity(READ.min(usize::try_from(end).unwrap_or(READ)), file);
        if end < FIXED {
            return Err(PackageError::Magic);
        }
        let (mut magic, mut length) = ([0; 8], [0; 8]);
        file.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(PackageError::Magic);
        }
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > end - FIXED {
            return Err(damaged("it is too short for its head"));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged("its head does not fit in memory"))?];
        file.read_exact(&mut bytes)?;
        let (head, used): (Head<'_>, usize) = bincode::borrow_decode_from_slice(&bytes, bincode::config::standard())
            .map_err(|e| PackageError::Damaged(e.to_string()))?;
        if used != bytes.len() {
            return Err(damaged("its head is too long"));
        }
        let values = head.descriptors.0.iter().map(|d| decode_descriptor(d)).collect::<Result<Vec<_>, _>>()?;
        let program = Program { inputs: head.inputs, outputs: head.outputs, values };
        let mut constants = Vec::new();
        let mut at = FIXED + length;
        for value in program.values.iter().filter(|v| matches!(v.source, Source::Constant { .. })) {
            let start = at.next_multiple_of(ALIGNMENT);
            if end.checked_sub(start).is_none_or(|left| value.ty.bytes() > left) {
                return Err(damaged("it is too short for its constants"));
            }
            file.read_exact(&mut [0; ALIGNMENT as usize][..padding(at)])?;
            constants.push(Tensor::read(&value.ty, &mut file, Order::Little)?);
            at = start + value.ty.bytes();
        }
        if at < end {
            return Err(PackageError::Damaged(format!("{} bytes too many", end - at)));
        }
        let label = |&(name, operator): &(&str, &str)| Label { name: name.into(), operator: operator.into() };
        let labels = head.labels.0.iter().map(label).collect();
        Self::new(program, constants, labels, head.output_names.0.into_iter().map(Into::into).collect())
    }

    /// Whether these bytes start like a package file of some version.
    pub fn is_package(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC[..7])
    }
}

/// Bytes before the head.
const FIXED: u64 = 16;

/// Zeros between byte `at` and the next constant.
fn padding(at: u64) -> usize {
    (at.next_multiple_of(ALIGNMENT) - at) as usize // below the alignment
}
