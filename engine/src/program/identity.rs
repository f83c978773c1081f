//! What a program is called on-chain: its header and its id.

use super::codec::{Writer, encode_descriptor};
use super::error::ProgramError;
use super::limits::VERSION;
use super::types::{Program, TensorType};
use crate::hash::{Hash, keccak};
use crate::tree::{self, WordTree};

/// The public part of a program, as registered on-chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Number of values V.
    pub values: u64,
    /// Number of 512-byte leaves of all values' tensors: how much work a trace is.
    pub leaves: u64,
    /// Types of the inputs.
    pub inputs: Vec<TensorType>,
    /// Types of the outputs.
    pub outputs: Vec<TensorType>,
    /// Root over the descriptors.
    pub descriptors: Hash,
}

impl Header {
    /// The canonical bytes (`docs/program.md`, "Roots").
    ///
    /// # Errors
    /// When a count does not fit its field.
    pub fn encode(&self) -> Result<Vec<u8>, ProgramError> {
        let mut w = Writer(VERSION.to_be_bytes().to_vec());
        w.u40(self.values)?;
        w.u40(self.leaves)?;
        for list in [&self.inputs, &self.outputs] {
            let n = u8::try_from(list.len())
                .map_err(|_| ProgramError::Program(format!("{} tensors in a header", list.len())))?;
            w.u8(n);
        }
        self.inputs.iter().chain(&self.outputs).try_for_each(|ty| w.tensor(ty))?;
        w.0.extend(self.descriptors.0);
        Ok(w.0)
    }
}

/// A program's header, id and the tree over its descriptors.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The registered header.
    pub header: Header,
    /// The header's canonical bytes.
    pub header_bytes: Vec<u8>,
    /// keccak256 of the header's bytes.
    pub program_id: Hash,
    /// The tree whose root the header carries; proves a descriptor in a dispute.
    pub descriptors: WordTree,
}

impl Identity {
    /// Computes the identity of a program.
    ///
    /// # Errors
    /// When a descriptor cannot be encoded.
    pub fn of(program: &Program) -> Result<Self, ProgramError> {
        let leaves = program
            .values
            .iter()
            .map(|v| Ok(keccak(&keccak(&encode_descriptor(v)?).0)))
            .collect::<Result<Vec<_>, ProgramError>>()?;
        let descriptors = WordTree::new(leaves);
        let header = Header {
            values: program.values.len() as u64,
            leaves: program
                .values
                .iter()
                .map(|v| tree::leaf_count(v.ty.dtype, v.ty.elements()))
                .fold(0, u64::saturating_add),
            inputs: program.input_types().cloned().collect(),
            outputs: program.output_types().cloned().collect(),
            descriptors: descriptors.root(),
        };
        let header_bytes = header.encode()?;
        Ok(Self { program_id: keccak(&header_bytes), header, header_bytes, descriptors })
    }
}
