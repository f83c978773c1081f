//! Traces whose digest is right again.

use super::{Dice, bytes};
use bincode::{Decode, Encode};
use rand::Rng;
use rebut_engine::hash::keccak;

/// First bytes of the file.
const MAGIC: &[u8] = b"rbtrace\x01";
/// Bytes of the digest behind it.
const DIGEST: usize = 32;

/// The file's parts behind the digest.
#[derive(Encode, Decode)]
struct Parts {
    program: [u8; 32],
    values: Vec<Vec<u8>>,
}

/// The file of a changed trace.
pub fn mutate(file: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let body = file.strip_prefix(MAGIC)?.get(DIGEST..)?;
    let mut body = body.to_vec();
    let config = bincode::config::standard().with_limit::<{ 1 << 20 }>();
    match bincode::decode_from_slice::<Parts, _>(&body, config) {
        Ok((mut parts, _)) if dice.random_ratio(2, 3) => {
            let at = dice.random_range(0..parts.values.len().max(1));
            match dice.random_range(0..4) {
                0 => parts.values.insert(at, vec![0; dice.random_range(0..9)]),
                1 if !parts.values.is_empty() => drop(parts.values.remove(at)),
                _ => bytes::change(parts.values.get_mut(at)?),
            }
            body = bincode::encode_to_vec(&parts, bincode::config::standard()).ok()?;
        }
        _ => bytes::change(&mut body),
    }
    Some([MAGIC, &keccak(&body).0, &body].concat())
}
