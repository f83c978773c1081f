//! Texts: another program's text, or bytes.

use super::{Dice, program};
use rand::Rng;
use rebut_engine::program::{parse_program, program_text};

/// The text of a changed program.
pub fn mutate(text: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    if dice.random_ratio(1, 3) {
        return None;
    }
    let mut changed = parse_program(std::str::from_utf8(text).ok()?).ok()?;
    program::mutate(&mut changed, dice)?;
    Some(program_text(&changed).into_bytes())
}
