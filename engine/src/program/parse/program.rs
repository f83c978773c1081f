//! Values and the program that they make.

use super::cursor::{Cursor, Parsed, fault};
use super::instruction::instruction;
use crate::hash::Hash;
use crate::program::error::ProgramError;
use crate::program::limits::*;
use crate::program::types::*;
use crate::program::validate;

/// The program that is all of a text.
pub(super) fn program(text: &str) -> Parsed<Program> {
    Reader { cursor: Cursor::new(text), values: Vec::new() }.program()
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    /// The values before.
    values: Vec<Value>,
}

impl Reader<'_> {
    fn program(&mut self) -> Parsed<Program> {
        let mut places = Vec::new();
        while self.cursor.peek() == Some('%') {
            places.push(self.cursor.at);
            let value = self.value()?;
            self.values.push(value);
        }
        let place = self.cursor.here();
        self.cursor.keyword("return")?;
        let count = self.values.len() as u64;
        let at = self.cursor.here();
        let first = self.cursor.id()?;
        if first >= count {
            return Err(fault(at, format!("%{first} does not exist")));
        }
        for next in first + 1..count {
            self.cursor.expect(',')?;
            let at = self.cursor.here();
            if self.cursor.id()? != next {
                return Err(fault(at, format!("the outputs are the last values, in order: %{next}")));
            }
        }
        if self.cursor.peek().is_some() {
            return Err(fault(self.cursor.at, "text after the program"));
        }
        let inputs = self.values.iter().filter(|v| v.source == Source::Input).count();
        let byte =
            |n: u64, what: &str| u8::try_from(n).map_err(|_| fault(place, format!("{n} {what}, at most 255 fit")));
        let program = Program {
            inputs: byte(inputs as u64, "inputs")?,
            outputs: byte(count - first, "outputs")?,
            values: std::mem::take(&mut self.values),
        };
        validate(&program).map_err(|e| match &e {
            ProgramError::Value { value, reason } => {
                let at = usize::try_from(*value).ok().and_then(|v| places.get(v)).copied();
                fault(at.unwrap_or(place), format!("value %{value}: {reason}"))
            }
            _ => fault(place, e.to_string()),
        })?;
        Ok(program)
    }

    fn value(&mut self) -> Parsed<Value> {
        let at = self.cursor.here();
        if self.cursor.id()? != self.values.len() as u64 {
            return Err(fault(at, format!("values are numbered in order: this is %{}", self.values.len())));
        }
        self.cursor.expect(':')?;
        let dtype = self.cursor.dtype()?;
        let dims = self.cursor.list(MAX_RANK)?;
        let ty = TensorType { dtype, dims };
        self.cursor.expect('=')?;
        let at = self.cursor.here();
        let source = match self.cursor.word() {
            Some("input") => Source::Input,
            Some("constant") => Source::Constant { root: self.root()? },
            Some("e") => Source::Instruction(instruction(&mut self.cursor, &self.values)?),
            _ => return Err(fault(at, "expected `input`, `constant` or the extents `e[...]` of an instruction")),
        };
        Ok(Value { ty, source })
    }

    fn root(&mut self) -> Parsed<Hash> {
        let at = self.cursor.here();
        let bad = || fault(at, "expected a root: 0x and 64 hexadecimal digits");
        let digits = self.cursor.word().and_then(|w| w.strip_prefix("0x")).filter(|d| d.len() == 64).ok_or_else(bad)?;
        let mut root = [0; 32];
        for (byte, pair) in root.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = pair.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or_else(bad)?;
        }
        Ok(Hash(root))
    }
}
