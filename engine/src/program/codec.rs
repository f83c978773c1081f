//! Descriptors: the canonical bytes of a value (`docs/program.md`, "Descriptor").

use super::error::ProgramError;
use super::limits::*;
use super::types::*;
use super::{DType, FoldOp, Op};
use crate::hash::Hash;

const INPUT: u8 = 0;
const CONSTANT: u8 = 1;
const INSTRUCTION: u8 = 2;
const WINDOWED: u8 = 1;

const NODE_CONST: u8 = 0;
const NODE_LOAD: u8 = 1;
const NODE_CORE: u8 = 2;
const NODE_IOTA: u8 = 3;
const NODE_VALID: u8 = 4;
const NODE_SELECT: u8 = 5;
const NODE_CAST: u8 = 6;

/// The canonical bytes of a value.
///
/// # Errors
/// When a count or dimension does not fit its field; [`validate`](super::validate) finds these with better words.
pub fn encode_descriptor(value: &Value) -> Result<Vec<u8>, ProgramError> {
    let mut w = Writer(Vec::with_capacity(128));
    match &value.source {
        Source::Input => {
            w.u8(INPUT);
            w.tensor(&value.ty)?;
        }
        Source::Constant { root } => {
            w.u8(CONSTANT);
            w.tensor(&value.ty)?;
            w.0.extend(root.0);
        }
        Source::Instruction(instruction) => {
            w.u8(INSTRUCTION);
            w.tensor(&value.ty)?;
            w.instruction(instruction)?;
        }
    }
    if w.0.len() > MAX_DESCRIPTOR {
        return Err(bad(format!("{} bytes, at most {MAX_DESCRIPTOR} fit", w.0.len())));
    }
    Ok(w.0)
}

/// The value that these bytes describe; the inverse of [`encode_descriptor`], so no two byte strings give one value.
///
/// # Errors
/// When the bytes are not exactly one descriptor.
pub fn decode_descriptor(bytes: &[u8]) -> Result<Value, ProgramError> {
    if bytes.len() > MAX_DESCRIPTOR {
        return Err(bad(format!("{} bytes, at most {MAX_DESCRIPTOR} fit", bytes.len())));
    }
    let mut r = Reader(bytes);
    let kind = r.u8()?;
    let ty = r.tensor()?;
    let source = match kind {
        INPUT => Source::Input,
        CONSTANT => Source::Constant { root: Hash(r.array()?) },
        INSTRUCTION => Source::Instruction(r.instruction()?),
        other => return Err(bad(format!("unknown kind {other}"))),
    };
    if !r.0.is_empty() {
        return Err(bad(format!("{} bytes too many", r.0.len())));
    }
    Ok(Value { ty, source })
}

pub(super) fn bad(reason: impl Into<String>) -> ProgramError {
    ProgramError::Descriptor(reason.into())
}

pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u8(&mut self, x: u8) {
        self.0.push(x);
    }

    fn count(&mut self, n: usize) -> Result<(), ProgramError> {
        self.u8(u8::try_from(n).map_err(|_| bad(format!("a list of {n}")))?);
        Ok(())
    }

    pub(super) fn u40(&mut self, x: u64) -> Result<(), ProgramError> {
        if x >= DIM_LIMIT {
            return Err(bad(format!("{x} does not fit 40 bits")));
        }
        self.0.extend(&x.to_be_bytes()[3..]);
        Ok(())
    }

    fn i64(&mut self, x: i64) {
        self.0.extend(x.to_be_bytes());
    }

    pub(super) fn tensor(&mut self, ty: &TensorType) -> Result<(), ProgramError> {
        self.u8(ty.dtype.code());
        self.extents(&ty.dims)
    }

    fn extents(&mut self, extents: &[u64]) -> Result<(), ProgramError> {
        self.count(extents.len())?;
        extents.iter().try_for_each(|&e| self.u40(e))
    }

    fn instruction(&mut self, i: &Instruction) -> Result<(), ProgramError> {
        self.extents(&i.extents)?;
        self.extents(&i.reduction)?;
        self.u8(if i.windowed { WINDOWED } else { 0 });
        self.count(i.operands.len())?;
        for o in &i.operands {
            self.u40(o.value)?;
            self.u8(o.dtype.code());
            self.u40(o.elements)?;
        }
        self.count(i.views.len())?;
        for view in &i.views {
            self.i64(view.fill);
            self.count(view.accesses.len())?;
            for access in &view.accesses {
                self.u8(access.operand);
                self.affine(&access.address)?;
                self.count(access.guards.len())?;
                for guard in &access.guards {
                    self.u40(guard.limit)?;
                    self.affine(&guard.affine)?;
                }
                self.count(access.indirects.len())?;
                for term in &access.indirects {
                    self.u8(term.view);
                    self.u40(term.limit)?;
                    self.i64(term.coefficient);
                }
            }
        }
        match &i.core {
            Core::None => self.u8(0),
            Core::Dot { a, b } => self.0.extend([1, *a, *b]),
            Core::Fold { op, body } => {
                self.0.extend([2, op.code()]);
                self.expr(body)?;
            }
            Core::Scan { axis, initial } => self.0.extend([3, *axis, *initial]),
        }
        self.expr(&i.epilogue)
    }

    fn affine(&mut self, affine: &Affine) -> Result<(), ProgramError> {
        self.i64(affine.base);
        self.count(affine.terms.len())?;
        for &(axis, coefficient) in &affine.terms {
            self.u8(axis);
            self.i64(coefficient);
        }
        Ok(())
    }

    fn expr(&mut self, expr: &Expr) -> Result<(), ProgramError> {
        self.count(expr.nodes.len())?;
        for node in &expr.nodes {
            match *node {
                Node::Const(dtype, register) => {
                    self.0.extend([NODE_CONST, dtype.code()]);
                    self.i64(register);
                }
                Node::Load(view) => self.0.extend([NODE_LOAD, view]),
                Node::Core => self.u8(NODE_CORE),
                Node::Iota(axis) => self.0.extend([NODE_IOTA, axis]),
                Node::Valid(view) => self.0.extend([NODE_VALID, view]),
                Node::Select(c, a, b) => self.0.extend([NODE_SELECT, c, a, b]),
                Node::Cast(dtype, a) => self.0.extend([NODE_CAST, dtype.code(), a]),
                Node::Apply(op, args) => {
                    self.u8(op.code());
                    self.0.extend(&args[..op.arity()]);
                }
            }
        }
        Ok(())
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProgramError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or_else(|| bad("cut short"))?;
        self.0 = tail;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, ProgramError> {
        Ok(self.array::<1>()?[0])
    }

    fn u40(&mut self) -> Result<u64, ProgramError> {
        let [a, b, c, d, e] = self.array()?;
        Ok(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }

    fn i64(&mut self) -> Result<i64, ProgramError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn dtype(&mut self) -> Result<DType, ProgramError> {
        let code = self.u8()?;
        DType::from_code(code).ok_or_else(|| bad(format!("unknown element type {code}")))
    }

    /// A counted list of at most `limit` items.
    fn list<T>(
        &mut self,
        limit: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, ProgramError>,
    ) -> Result<Vec<T>, ProgramError> {
        let n = usize::from(self.u8()?);
        if n > limit {
            return Err(bad(format!("a list of {n}, at most {limit} may be")));
        }
        (0..n).map(|_| item(self)).collect()
    }

    fn tensor(&mut self) -> Result<TensorType, ProgramError> {
        Ok(TensorType { dtype: self.dtype()?, dims: self.list(MAX_RANK, Self::u40)? })
    }

    fn instruction(&mut self) -> Result<Instruction, ProgramError> {
        let extents = self.list(MAX_RANK, Self::u40)?;
        let reduction = self.list(MAX_REDUCTION_AXES, Self::u40)?;
        let windowed = match self.u8()? {
            0 => false,
            WINDOWED => true,
            flags => return Err(bad(format!("unknown flags {flags:#04x}"))),
        };
        let operands =
            self.list(MAX_OPERANDS, |r| Ok(Operand { value: r.u40()?, dtype: r.dtype()?, elements: r.u40()? }))?;
        let views =
            self.list(MAX_VIEWS, |r| Ok(View { fill: r.i64()?, accesses: r.list(MAX_ACCESSES, Self::access)? }))?;
        let core = match self.u8()? {
            0 => Core::None,
            1 => Core::Dot { a: self.u8()?, b: self.u8()? },
            2 => {
                let code = self.u8()?;
                let op = FoldOp::from_code(code).ok_or_else(|| bad(format!("unknown fold {code}")))?;
                Core::Fold { op, body: self.expr()? }
            }
            3 => Core::Scan { axis: self.u8()?, initial: self.u8()? },
            other => return Err(bad(format!("unknown core {other}"))),
        };
        Ok(Instruction { extents, reduction, windowed, operands, views, core, epilogue: self.expr()? })
    }

    fn access(&mut self) -> Result<Access, ProgramError> {
        Ok(Access {
            operand: self.u8()?,
            address: self.affine()?,
            guards: self.list(MAX_GUARDS, |r| Ok(Guard { limit: r.u40()?, affine: r.affine()? }))?,
            indirects: self
                .list(MAX_INDIRECTS, |r| Ok(Indirect { view: r.u8()?, limit: r.u40()?, coefficient: r.i64()? }))?,
        })
    }

    fn affine(&mut self) -> Result<Affine, ProgramError> {
        let base = self.i64()?;
        let terms = self.list(MAX_RANK + MAX_REDUCTION_AXES, |r| Ok((r.u8()?, r.i64()?)))?;
        Ok(Affine { base, terms })
    }

    fn expr(&mut self) -> Result<Expr, ProgramError> {
        Ok(Expr { nodes: self.list(MAX_NODES, Self::node)? })
    }

    fn node(&mut self) -> Result<Node, ProgramError> {
        Ok(match self.u8()? {
            NODE_CONST => Node::Const(self.dtype()?, self.i64()?),
            NODE_LOAD => Node::Load(self.u8()?),
            NODE_CORE => Node::Core,
            NODE_IOTA => Node::Iota(self.u8()?),
            NODE_VALID => Node::Valid(self.u8()?),
            NODE_SELECT => Node::Select(self.u8()?, self.u8()?, self.u8()?),
            NODE_CAST => Node::Cast(self.dtype()?, self.u8()?),
            code => {
                let op = Op::from_code(code).ok_or_else(|| bad(format!("unknown operation {code:#04x}")))?;
                let mut args = [0; 3];
                args[..op.arity()].iter_mut().try_for_each(|a| self.u8().map(|x| *a = x))?;
                Node::Apply(op, args)
            }
        })
    }
}
