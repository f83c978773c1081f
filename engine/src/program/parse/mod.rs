//! Reads programs as [`program_text`](super::program_text) writes them, and as people write them after it: white space is free, `#` begins a comment.
//!
//! ```text
//! program    = value* "return" id ("," id)*
//! value      = id ":" type "=" ("input" | "constant" ROOT | instruction)
//! instruction = "e" list ["r" list] ["windowed"] ["reads" id ("," id)*] view* ["core" "=" core] expression
//! view       = "v0" "=" access ("else" access)* "else" NUMBER
//! access     = id "[" affine index* "]" ("if" "0" "<=" affine "<" NUMBER)*
//! index      = sign [NUMBER "*"] "index" "(" "v0" "," NUMBER ")"
//! affine     = [sign] [NUMBER "*"] axis (sign [NUMBER "*"] axis)* [sign NUMBER] | [sign] NUMBER
//! core       = "dot" "(" "v0" "," "v1" ")" | "scan" "(" axis "from" "v0" ")" | FOLD "(" expression ")"
//! expression = ("t0" "=" term ";")* term
//! term       = [sign] NUMBER [":" dtype] | "v0" | "core" | axis | "t0" | ("valid" | "select" | dtype | OP) "(" term, ... ")"
//! id         = "%" NUMBER
//! ```

mod affine;
mod cursor;
mod expression;
mod instruction;
mod program;

use super::types::Program;

/// Why a text is no program, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct TextError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

/// The validated program that a text says.
///
/// # Errors
/// Where the text is no program, or [`validate`](super::validate) refuses the program.
pub fn parse_program(text: &str) -> Result<Program, TextError> {
    program::program(text).map_err(|fault| {
        let before = text.get(..fault.at).unwrap_or(text);
        let last = before.rsplit('\n').next().unwrap_or_default();
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        TextError { line, column: last.chars().count() + 1, reason: fault.reason }
    })
}
