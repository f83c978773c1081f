//! ONNX files as trees of fields: numbers, names and whole nodes change places, and every length stays right.

use super::wire::{Content, Field, around, at, encode, parse, places};
use super::{Dice, bytes, put};
use crate::seeds::OPERATORS;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// Changes some fields.
pub fn mutate(file: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut fields = parse(file).filter(|f| !f.is_empty())?;
    for _ in 0..dice.random_range(1..=3) {
        one(&mut fields, dice)?;
    }
    Some(encode(&fields))
}

fn one(fields: &mut Vec<Field>, dice: &mut Dice) -> Option<()> {
    let all = places(fields);
    let (place, numbers) = all.choose(dice)?;
    // Another field of the same kind: one in the same place of another node, tensor or attribute.
    let alike: Vec<_> = all.iter().filter(|(p, n)| n == numbers && p != place).collect();
    let other = alike.choose(dice).and_then(|(p, _)| at(fields, p)).cloned();
    let (message, index) = around(fields, place)?;
    match dice.random_range(0..8) {
        0 => drop(message.remove(index)),
        1 => {
            let copy = message[index].clone();
            message.insert(dice.random_range(0..=message.len()), copy);
        }
        2 => message[index] = other?,
        3 => message.insert(dice.random_range(0..=message.len()), other?),
        4 if message.len() > 1 => {
            let with = dice.random_range(0..message.len());
            message.swap(index, with);
        }
        _ => content(&mut message[index].content, other.map(|o| o.content), dice),
    }
    Some(())
}

fn content(content: &mut Content, other: Option<Content>, dice: &mut Dice) {
    const FLOATS: [f32; 8] = [0.0, -0.0, 1.0, -1.0, 0.5, f32::INFINITY, f32::NAN, 1e-40];
    match content {
        Content::Varint(x) => *x = bytes::number(dice, *x as i64) as u64,
        Content::Four(x) if dice.random() => *x = FLOATS.choose(dice).unwrap_or(&0.0).to_le_bytes(),
        Content::Four(x) => *x = dice.random(),
        Content::Eight(x) => *x = dice.random(),
        Content::Bytes(text) if !text.is_empty() && text.iter().all(u8::is_ascii_graphic) => match other {
            Some(Content::Bytes(other)) if dice.random() => *text = other,
            _ if OPERATORS.contains(&&*String::from_utf8_lossy(text)) => {
                *text = OPERATORS.choose(dice).copied().unwrap_or_default().into();
            }
            _ => bytes::change(text),
        },
        Content::Bytes(data) => bytes::change(data),
        // Named or packed content that reads as a message by chance.
        Content::Message(fields) if dice.random_ratio(1, 4) => {
            let mut data = encode(fields);
            bytes::change(&mut data);
            *content = Content::Bytes(data);
        }
        Content::Message(fields) => drop(one(fields, dice)),
    }
}

/// Fields of a second file in the places of the first one's.
pub fn crossover(a: &[u8], b: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut dice = Dice::seed_from_u64(seed.into());
    match grafted(a, b, &mut dice) {
        Some(file) if file.len() <= out.len() => put(&file, out),
        _ => put(a, out),
    }
}

fn grafted(a: &[u8], b: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let (mut fields, other) = (parse(a)?, parse(b)?);
    for _ in 0..dice.random_range(1..=3) {
        let (theirs, ours) = (places(&other), places(&fields));
        let (from, numbers) = theirs.choose(dice)?;
        let alike: Vec<_> = ours.iter().filter(|(_, n)| n == numbers).collect();
        let (to, _) = alike.choose(dice)?;
        let graft = at(&other, from)?.clone();
        let (message, index) = around(&mut fields, to)?;
        if dice.random() {
            message.insert(index, graft);
        } else {
            message[index] = graft;
        }
    }
    Some(encode(&fields))
}
