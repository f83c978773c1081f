//! A program with everything needed to run it: constants and the names that people know its parts by.

use crate::lower::{Lowered, bill, gas::STEP_GAS_CEILING};
use crate::program::{
    Identity, Program, ProgramError, Source, ValueId, decode_descriptor, encode_descriptor, validate,
};
use crate::stored::List;
use crate::tensor::{Tensor, TensorError};
use crate::tree::tensor_root;
use bincode::enc::Encoder;
use bincode::error::EncodeError;
use bincode::{BorrowDecode, Encode};
use std::io::Write;

/// First bytes of a package file.
const MAGIC: [u8; 8] = *b"rebut\0\0\x01";

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
    constants: Vec<Tensor>,
    labels: Vec<Label>,
    outputs: Vec<String>,
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
    /// The file cannot be written.
    #[error(transparent)]
    Io(std::io::Error),
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

/// What a package file holds, as bincode: what is read, ...
#[derive(BorrowDecode)]
struct Stored<'a> {
    inputs: u8,
    outputs: u8,
    descriptors: List<&'a [u8]>,
    constants: List<&'a [u8]>,
    /// Names and operators.
    labels: List<(&'a str, &'a str)>,
    output_names: List<&'a str>,
}

/// ... and what is written: the same.
#[derive(Encode)]
struct Storing<'a> {
    inputs: u8,
    outputs: u8,
    descriptors: Vec<Vec<u8>>,
    constants: Lanes<'a>,
    labels: Vec<(&'a str, &'a str)>,
    output_names: &'a [String],
}

/// Tensors that become big-endian lanes one at a time: all of them may be gigabytes.
struct Lanes<'a>(&'a [Tensor]);

impl Encode for Lanes<'_> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        self.0.iter().try_for_each(|tensor| tensor.to_be_bytes().encode(encoder))
    }
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
        let constants: Vec<Tensor> = constants.into_iter().map(Tensor::into_standard_layout).collect();
        for ((value, root, ty), constant) in roots.into_iter().zip(&constants) {
            if constant.ty() != *ty || tensor_root(constant) != root {
                return Err(PackageError::Constant { value });
            }
        }
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
        &self.constants[value as usize - usize::from(self.program.inputs)]
    }

    /// All constants in the order of their values.
    pub fn constants(&self) -> &[Tensor] {
        &self.constants
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
        let stored = Storing {
            inputs: self.program.inputs,
            outputs: self.program.outputs,
            descriptors: self.program.values.iter().map(encode_descriptor).collect::<Result<_, _>>()?,
            constants: Lanes(&self.constants),
            labels: self.labels.iter().map(|l| (&*l.name, &*l.operator)).collect(),
            output_names: &self.outputs,
        };
        to.write_all(&MAGIC).map_err(PackageError::Io)?;
        match bincode::encode_into_std_write(&stored, to, bincode::config::standard()) {
            Ok(_) => Ok(()),
            Err(EncodeError::Io { inner, .. }) => Err(PackageError::Io(inner)),
            Err(e) => Err(PackageError::Damaged(e.to_string())),
        }
    }

    /// Reads a package file. Everything in it is checked again: it may come from anybody.
    ///
    /// # Errors
    /// When the bytes are no package or its parts do not belong together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackageError> {
        let body = bytes.strip_prefix(&MAGIC).ok_or(PackageError::Magic)?;
        let (stored, used): (Stored<'_>, usize) = bincode::borrow_decode_from_slice(body, bincode::config::standard())
            .map_err(|e| PackageError::Damaged(e.to_string()))?;
        if used != body.len() {
            return Err(PackageError::Damaged(format!("{} bytes too many", body.len() - used)));
        }
        let values = stored.descriptors.0.iter().map(|d| decode_descriptor(d)).collect::<Result<Vec<_>, _>>()?;
        let program = Program { inputs: stored.inputs, outputs: stored.outputs, values };
        let types = program.values.iter().filter(|v| matches!(v.source, Source::Constant { .. })).map(|v| &v.ty);
        let (expected, got) = (types.clone().count(), stored.constants.0.len());
        if expected != got {
            return Err(PackageError::Count { what: "constants", expected, got });
        }
        let constants = types
            .zip(&stored.constants.0)
            .map(|(ty, bytes)| Tensor::from_be_bytes(ty, bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let label = |&(name, operator): &(&str, &str)| Label { name: name.into(), operator: operator.into() };
        let labels = stored.labels.0.iter().map(label).collect();
        Self::new(program, constants, labels, stored.output_names.0.into_iter().map(Into::into).collect())
    }

    /// Whether these bytes start like a package file.
    pub fn is_package(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }
}
