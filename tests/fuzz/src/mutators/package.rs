//! Packages whose constants, roots and counts fit the program again.

use super::{Dice, bytes, program};
use bincode::{Decode, Encode};
use rand::Rng;
use rebut_engine::program::{Program, Source, decode_descriptor, encode_descriptor};
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::tensor_root;

/// First bytes of the file.
const MAGIC: &[u8] = b"rebut\0\0\x02";
/// Where constants begin: at multiples of this.
const ALIGNMENT: usize = 64;
/// Bytes of a constant that are made.
const LARGEST: u64 = 1 << 12;

/// The file's head, as an author who does not use this project would write it.
#[derive(Encode, Decode)]
struct Parts {
    inputs: u8,
    outputs: u8,
    descriptors: Vec<Vec<u8>>,
    labels: Vec<(String, String)>,
    output_names: Vec<String>,
}

/// The file of a changed package.
pub fn mutate(file: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let config = bincode::config::standard().with_limit::<{ 1 << 20 }>();
    let (length, body) = file.strip_prefix(MAGIC)?.split_first_chunk()?;
    let head = body.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let (mut parts, _): (Parts, usize) = bincode::decode_from_slice(head, config).ok()?;
    let mut constants = constants(file, MAGIC.len() + 8 + head.len(), &parts);
    match dice.random_range(0..8) {
        0 => bytes::change(parts.descriptors.get_mut(dice.random_range(0..8))?),
        1 => bytes::change(constants.get_mut(dice.random_range(0..4))?),
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
        commit(&mut parts, &mut constants)?;
    }
    let head = bincode::encode_to_vec(&parts, bincode::config::standard()).ok()?;
    let mut file = [MAGIC, &(head.len() as u64).to_le_bytes(), &head].concat();
    for constant in &constants {
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        file.extend(constant);
    }
    Some(file)
}

/// The bytes of the constants, as far as they are there.
fn constants(file: &[u8], mut at: usize, parts: &Parts) -> Vec<Vec<u8>> {
    let values = parts.descriptors.iter().filter_map(|d| decode_descriptor(d).ok());
    let sizes = values.filter(|v| matches!(v.source, Source::Constant { .. })).map(|v| v.ty.bytes());
    sizes
        .map_while(|size| {
            let start = at.next_multiple_of(ALIGNMENT);
            at = start.checked_add(usize::try_from(size).ok()?)?;
            file.get(start..at).map(<[u8]>::to_vec)
        })
        .collect()
}

fn put(program: Program, parts: &mut Parts) -> Option<()> {
    (parts.inputs, parts.outputs) = (program.inputs, program.outputs);
    parts.descriptors = program.values.iter().map(encode_descriptor).collect::<Result<_, _>>().ok()?;
    Some(())
}

/// Makes constants as long as their types say, and commits to them; makes as many names as there are values.
fn commit(parts: &mut Parts, constants: &mut Vec<Vec<u8>>) -> Option<()> {
    let mut before = std::mem::take(constants).into_iter();
    for descriptor in &mut parts.descriptors {
        let Ok(mut value) = decode_descriptor(descriptor) else { continue };
        let Source::Constant { root } = &mut value.source else { continue };
        let size = value.ty.bytes();
        let mut bytes = before.next().unwrap_or_default();
        if size <= LARGEST {
            bytes.resize(size as usize, 0x3f);
            *root = tensor_root(&Tensor::from_le_bytes(&value.ty, &bytes).ok()?);
            *descriptor = encode_descriptor(&value).ok()?;
        }
        constants.push(bytes);
    }
    parts.labels.resize(parts.descriptors.len(), Default::default());
    parts.output_names.resize(parts.outputs.into(), String::new());
    Some(())
}
