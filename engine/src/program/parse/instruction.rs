//! Instructions: views of the values before, and cores.

use super::cursor::{Cursor, Parsed, fault, numbered};
use crate::program::limits::*;
use crate::program::types::*;
use crate::program::{DType, FoldOp};
use std::collections::{BTreeMap, BTreeSet};

/// Everything behind `e`.
pub(super) fn instruction(cursor: &mut Cursor<'_>, before: &[Value]) -> Parsed<Instruction> {
    Reader { cursor, before, read: BTreeSet::new() }.instruction()
}

struct Reader<'c, 't> {
    cursor: &'c mut Cursor<'t>,
    before: &'c [Value],
    /// Which of them it reads; they are few.
    read: BTreeSet<ValueId>,
}

/// A view whose accesses name values instead of operands.
struct NamedView {
    fill: i64,
    /// With the value that each reads.
    accesses: Vec<(ValueId, Access)>,
}

impl Reader<'_, '_> {
    fn instruction(&mut self) -> Parsed<Instruction> {
        let extents = self.cursor.list(MAX_RANK)?;
        let reduction = if self.cursor.takes("r") { self.cursor.list(MAX_REDUCTION_AXES)? } else { vec![] };
        let windowed = self.cursor.takes("windowed");
        if self.cursor.takes("reads") {
            self.operand()?;
            while self.cursor.eat(',') {
                self.operand()?;
            }
        }
        let mut views = Vec::new();
        while self.cursor.defines(&numbered('v', views.len())) {
            if views.len() == MAX_VIEWS {
                return Err(fault(self.cursor.at, format!("more than {MAX_VIEWS} views")));
            }
            views.push(self.view()?);
        }
        // Values read are values before this one.
        let operand = |&value: &ValueId| {
            let ty = self.ty(value);
            Operand { value, dtype: ty.map_or(DType::F32, |t| t.dtype), elements: ty.map_or(0, TensorType::elements) }
        };
        let operands: Vec<Operand> = self.read.iter().map(operand).collect();
        let index: BTreeMap<ValueId, u8> = self.read.iter().copied().zip(0..).collect();
        let views = views
            .into_iter()
            .map(|NamedView { fill, accesses }| {
                let access =
                    |(value, access)| Access { operand: index.get(&value).copied().unwrap_or(u8::MAX), ..access };
                View { fill, accesses: accesses.into_iter().map(access).collect() }
            })
            .collect();
        let core = if self.cursor.defines("core") { self.cursor.core()? } else { Core::None };
        Ok(Instruction { extents, reduction, windowed, operands, views, core, epilogue: self.cursor.expression()? })
    }

    /// A value that is read.
    fn operand(&mut self) -> Parsed<ValueId> {
        let at = self.cursor.here();
        let id = self.cursor.id()?;
        if self.ty(id).is_none() {
            return Err(fault(at, format!("%{id} is not before this value")));
        }
        self.read.insert(id);
        if self.read.len() > MAX_OPERANDS {
            return Err(fault(at, format!("more than {MAX_OPERANDS} values are read")));
        }
        Ok(id)
    }

    fn ty(&self, id: ValueId) -> Option<&TensorType> {
        self.before.get(usize::try_from(id).ok()?).map(|v| &v.ty)
    }

    fn view(&mut self) -> Parsed<NamedView> {
        let mut accesses = Vec::new();
        let mut dtype = DType::F32;
        loop {
            if accesses.len() == MAX_ACCESSES {
                return Err(fault(self.cursor.here(), format!("more than {MAX_ACCESSES} accesses")));
            }
            let value = self.operand()?;
            if accesses.is_empty() {
                dtype = self.ty(value).map_or(dtype, |t| t.dtype);
            }
            self.cursor.expect('[')?;
            let mut indirects = Vec::new();
            let address = self.cursor.form(Some(&mut indirects))?;
            self.cursor.expect(']')?;
            let mut guards = Vec::new();
            while self.cursor.takes("if") {
                if guards.len() == MAX_GUARDS {
                    return Err(fault(self.cursor.at, format!("more than {MAX_GUARDS} guards")));
                }
                guards.push(self.cursor.guard()?);
            }
            accesses.push((value, Access { operand: 0, address, guards, indirects }));
            self.cursor.keyword("else")?;
            if self.cursor.peek() != Some('%') {
                return Ok(NamedView { fill: self.cursor.number_of(dtype)?, accesses });
            }
        }
    }
}

impl Cursor<'_> {
    fn core(&mut self) -> Parsed<Core> {
        let at = self.here();
        let name = self.word().unwrap_or_default();
        self.expect('(')?;
        let core = match (name, FoldOp::ALL.into_iter().find(|op| op.name() == name)) {
            ("dot", _) => {
                let a = self.view_number()?;
                self.expect(',')?;
                Core::Dot { a, b: self.view_number()? }
            }
            ("scan", _) => {
                let axis = self.axis()?;
                self.keyword("from")?;
                Core::Scan { axis, initial: self.view_number()? }
            }
            (_, Some(op)) => Core::Fold { op, body: self.expression()? },
            _ => return Err(fault(at, format!("`{name}` is no core"))),
        };
        self.expect(')')?;
        Ok(core)
    }
}
