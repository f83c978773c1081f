//! Vector files: arguments and results of every operation, for implementations of other people.
//!
//! A file is text: a line `operation arity count`, then for each vector a line with the arguments' bits and the result's, eight
//! hexadecimal digits each and separated by blanks. Lines end in a line feed. The digest is the file's keccak256.

use crate::inputs::arguments;
use crate::operations::{OPERATIONS, Operation};
use sha3::{Digest, Keccak256};
use std::fmt::Write;

/// Vectors in a published file.
pub const COUNT: usize = 10_000;
/// Seed of the published files' random arguments.
pub const SEED: u64 = 0x5eed;

/// The vector file of an operation, with at least `count` vectors; results are the definition's.
pub fn file(operation: &Operation, count: usize) -> String {
    let all = arguments(operation, count, SEED);
    let mut out = format!("{} {} {}\n", operation.name, operation.arity, all.len());
    for arguments in &all {
        for a in &arguments[..operation.arity] {
            write!(out, "{a:08x} ").expect("writing to a string cannot fail");
        }
        writeln!(out, "{:08x}", (operation.soft)(*arguments)).expect("as above");
    }
    out
}

/// Lower-case hexadecimal keccak256.
pub fn digest(bytes: &[u8]) -> String {
    Keccak256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The digests of all operations' files of at least `count` vectors, as `docs/arithmetic.md` has them.
pub fn digests(count: usize) -> String {
    let mut out = String::from("| operation | vectors | keccak256 of the file |\n|---|---|---|\n");
    for operation in OPERATIONS {
        let file = file(operation, count);
        let (name, count) = (operation.name, file.lines().count() - 1);
        writeln!(out, "| `{name}` | {count} | `{}` |", digest(file.as_bytes())).expect("as above");
    }
    out
}
