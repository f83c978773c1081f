//! Packages whose constants, roots and counts fit the program again.

use super::{Dice, bytes, program};
use bincode::{Decode, Encode};
use rand::Rng;
use rebut_engine::program::{Program, Source, decode_descriptor, encode_descriptor};
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::tensor_root;

/// First bytes of the file.
const MAGIC: &[u8] = b"rebut\0\0\x01";
/// Bytes of a constant that are made.
const LARGEST: u64 = 1 << 12;

/// The file's parts, as an author who does not use this project would write them.
#[derive(Encode, Decode)]
struct Parts {
    inputs: u8,
    outputs: u8,
    descriptors: Vec<Vec<u8>>,
    constants: Vec<Vec<u8>>,
    labels: Vec<(String, String)>,
    output_names: Vec<String>,
}

/// The file of a changed package.
pub fn mutate(file: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let config = bincode::config::standard().with_limit::<{ 1 << 20 }>();
    let (mut parts, _): (Parts, usize) = bincode::decode_from_slice(file.strip_prefix(MAGIC)?, config).ok()?;
    match dice.random_range(0..8) {
        0 => bytes::change(parts.descriptors.get_mut(dice.random_range(0..8))?),
        1 => bytes::change(parts.constants.get_mut(dice.random_range(0..4))?),
        2 => drop(parts.labels.pop()),
        3 => parts.output_names.push("y".into()),
        _ => {
            let values = parts.descriptors.iter().map(|d| decode_descriptor(d)).collect::<Result<_, _>>().ok()?;
            let mut changed = Program { inputs: parts.inputs, outputs: parts.outputs, values };
            program::mutate(&mut changed, dice)?;
            put(changed, &mut parts)?;
        }
    }
    if dice.random_ratio(7, 8) {
        commit(&mut parts)?;
    }
    let body = bincode::encode_to_vec(&parts, bincode::config::standard()).ok()?;
    Some([MAGIC, &body].concat())
}

fn put(program: Program, parts: &mut Parts) -> Option<()> {
    (parts.inputs, parts.outputs) = (program.inputs, program.outputs);
    parts.descriptors = program.values.iter().map(encode_descriptor).collect::<Result<_, _>>().ok()?;
    Some(())
}

/// Makes constants as long as their types say, and commits to them; makes as many names as there are values.
fn commit(parts: &mut Parts) -> Option<()> {
    let mut constants = std::mem::take(&mut parts.constants).into_iter();
    for descriptor in &mut parts.descriptors {
        let Ok(mut value) = decode_descriptor(descriptor) else { continue };
        let Source::Constant { root } = &mut value.source else { continue };
        let size = value.ty.elements().saturating_mul(value.ty.dtype.width() as u64);
        let mut bytes = constants.next().unwrap_or_default();
        if size <= LARGEST {
            bytes.resize(size as usize, 0x3f);
            *root = tensor_root(&Tensor::from_be_bytes(&value.ty, &bytes).ok()?);
            *descriptor = encode_descriptor(&value).ok()?;
        }
        parts.constants.push(bytes);
    }
    parts.labels.resize(parts.descriptors.len(), Default::default());
    parts.output_names.resize(parts.outputs.into(), String::new());
    Some(())
}
