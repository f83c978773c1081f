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

use super::error::ProgramError;
use super::limits::*;
use super::types::*;
use super::{DType, FoldOp, Op, validate};
use crate::arith::native::half::{from_bf16, from_f16, to_bf16, to_f16};
use crate::hash::Hash;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

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
/// Where the text is no program, or [`validate`] refuses the program.
pub fn parse_program(text: &str) -> Result<Program, TextError> {
    let mut parser = Parser { text, at: 0, values: Vec::new() };
    parser.program().map_err(|fault| {
        let before = text.get(..fault.at).unwrap_or(text);
        let last = before.rsplit('\n').next().unwrap_or_default();
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        TextError { line, column: last.chars().count() + 1, reason: fault.reason }
    })
}

/// No word is longer: a root has 66 characters.
const LONGEST_WORD: usize = 80;

/// What is wrong at a byte of the text.
struct Fault {
    at: usize,
    reason: String,
}

type Parsed<T> = Result<T, Fault>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// The values before.
    values: Vec<Value>,
}

/// A view whose accesses name values instead of operands.
struct NamedView {
    fill: i64,
    /// With the value that each reads.
    accesses: Vec<(ValueId, Access)>,
}

impl<'t> Parser<'t> {
    fn program(&mut self) -> Parsed<Program> {
        let mut places = Vec::new();
        while self.peek() == Some('%') {
            places.push(self.at);
            let value = self.value()?;
            self.values.push(value);
        }
        let place = self.here();
        self.keyword("return")?;
        let count = self.values.len() as u64;
        let at = self.here();
        let first = self.id()?;
        if first >= count {
            return Err(fault(at, format!("%{first} does not exist")));
        }
        for next in first + 1..count {
            self.expect(',')?;
            let at = self.here();
            if self.id()? != next {
                return Err(fault(at, format!("the outputs are the last values, in order: %{next}")));
            }
        }
        if self.peek().is_some() {
            return Err(fault(self.at, "text after the program"));
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
        let at = self.here();
        if self.id()? != self.values.len() as u64 {
            return Err(fault(at, format!("values are numbered in order: this is %{}", self.values.len())));
        }
        self.expect(':')?;
        let dtype = self.dtype()?;
        let dims = self.list(MAX_RANK)?;
        let ty = TensorType { dtype, dims };
        self.expect('=')?;
        let at = self.here();
        let source = match self.word() {
            Some("input") => Source::Input,
            Some("constant") => Source::Constant { root: self.root()? },
            Some("e") => Source::Instruction(self.instruction()?),
            _ => return Err(fault(at, "expected `input`, `constant` or the extents `e[...]` of an instruction")),
        };
        Ok(Value { ty, source })
    }

    fn root(&mut self) -> Parsed<Hash> {
        let at = self.here();
        let bad = || fault(at, "expected a root: 0x and 64 hexadecimal digits");
        let digits = self.word().and_then(|w| w.strip_prefix("0x")).filter(|d| d.len() == 64).ok_or_else(bad)?;
        let mut root = [0; 32];
        for (byte, pair) in root.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = pair.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or_else(bad)?;
        }
        Ok(Hash(root))
    }

    /// Everything behind `e`.
    fn instruction(&mut self) -> Parsed<Instruction> {
        let extents = self.list(MAX_RANK)?;
        let reduction = if self.takes("r") { self.list(MAX_REDUCTION_AXES)? } else { vec![] };
        let windowed = self.takes("windowed");
        let mut read = BTreeSet::new();
        if self.takes("reads") {
            self.operand(&mut read)?;
            while self.eat(',') {
                self.operand(&mut read)?;
            }
        }
        let mut views = Vec::new();
        while self.defines(&numbered('v', views.len())) {
            if views.len() == MAX_VIEWS {
                return Err(fault(self.at, format!("more than {MAX_VIEWS} views")));
            }
            views.push(self.view(&mut read)?);
        }
        // Values read are values before this one.
        let operand = |&value: &ValueId| {
            let ty = self.ty(value);
            Operand { value, dtype: ty.map_or(DType::F32, |t| t.dtype), elements: ty.map_or(0, TensorType::elements) }
        };
        let operands: Vec<Operand> = read.iter().map(operand).collect();
        let index: BTreeMap<ValueId, u8> = read.iter().copied().zip(0..).collect();
        let views = views
            .into_iter()
            .map(|NamedView { fill, accesses }| {
                let access =
                    |(value, access)| Access { operand: index.get(&value).copied().unwrap_or(u8::MAX), ..access };
                View { fill, accesses: accesses.into_iter().map(access).collect() }
            })
            .collect();
        let core = if self.defines("core") { self.core()? } else { Core::None };
        Ok(Instruction { extents, reduction, windowed, operands, views, core, epilogue: self.expression()? })
    }

    /// A value that is read; there are few of them.
    fn operand(&mut self, read: &mut BTreeSet<ValueId>) -> Parsed<ValueId> {
        let at = self.here();
        let id = self.id()?;
        if self.ty(id).is_none() {
            return Err(fault(at, format!("%{id} is not before this value")));
        }
        read.insert(id);
        if read.len() > MAX_OPERANDS {
            return Err(fault(at, format!("more than {MAX_OPERANDS} values are read")));
        }
        Ok(id)
    }

    fn ty(&self, id: ValueId) -> Option<&TensorType> {
        self.values.get(usize::try_from(id).ok()?).map(|v| &v.ty)
    }

    fn view(&mut self, read: &mut BTreeSet<ValueId>) -> Parsed<NamedView> {
        let mut accesses = Vec::new();
        let mut dtype = DType::F32;
        loop {
            if accesses.len() == MAX_ACCESSES {
                return Err(fault(self.here(), format!("more than {MAX_ACCESSES} accesses")));
            }
            let value = self.operand(read)?;
            if accesses.is_empty() {
                dtype = self.ty(value).map_or(dtype, |t| t.dtype);
            }
            self.expect('[')?;
            let mut indirects = Vec::new();
            let address = self.form(Some(&mut indirects))?;
            self.expect(']')?;
            let mut guards = Vec::new();
            while self.takes("if") {
                if guards.len() == MAX_GUARDS {
                    return Err(fault(self.at, format!("more than {MAX_GUARDS} guards")));
                }
                guards.push(self.guard()?);
            }
            accesses.push((value, Access { operand: 0, address, guards, indirects }));
            self.keyword("else")?;
            if self.peek() != Some('%') {
                return Ok(NamedView { fill: self.number_of(dtype)?, accesses });
            }
        }
    }

    fn guard(&mut self) -> Parsed<Guard> {
        let at = self.here();
        if self.number::<u64>()? != 0 {
            return Err(fault(at, "a guard is `0 <= form < limit`"));
        }
        self.expect('<')?;
        self.expect('=')?;
        let affine = self.affine()?;
        self.expect('<')?;
        Ok(Guard { affine, limit: self.number()? })
    }

    /// Terms, then the constant part.
    fn affine(&mut self) -> Parsed<Affine> {
        self.form(None)
    }

    /// An affine form; behind it indirect terms, if they are asked for.
    fn form(&mut self, mut indirects: Option<&mut Vec<Indirect>>) -> Parsed<Affine> {
        let mut affine = Affine::default();
        let mut negative = self.eat('-');
        let mut last = false;
        loop {
            let at = self.here();
            let digit = self.peek().is_some_and(|c| c.is_ascii_digit());
            let magnitude = if digit { Some(self.number::<u64>()?) } else { None };
            let signed = i128::from(magnitude.unwrap_or(1)) * if negative { -1 } else { 1 };
            let signed = i64::try_from(signed).map_err(|_| fault(at, "it does not fit 64 bits"))?;
            let alone = magnitude.is_some() && !self.eat('*');
            match indirects.as_deref_mut() {
                Some(terms) if !alone && self.takes("index") => {
                    if terms.len() == MAX_INDIRECTS {
                        return Err(fault(at, format!("more than {MAX_INDIRECTS} indices")));
                    }
                    last = true;
                    terms.push(self.index(signed)?);
                }
                _ if last => return Err(fault(at, "axes stand before the number, and both before indices")),
                _ if alone => {
                    last = true;
                    affine.base = signed;
                }
                _ if affine.terms.len() == MAX_RANK + MAX_REDUCTION_AXES => {
                    return Err(fault(at, "more terms than axes"));
                }
                _ => affine.terms.push((self.axis()?, signed)),
            }
            if alone && indirects.is_none() {
                return Ok(affine);
            }
            negative = self.eat('-');
            if !negative && !self.eat('+') {
                return Ok(affine);
            }
        }
    }

    fn index(&mut self, coefficient: i64) -> Parsed<Indirect> {
        self.expect('(')?;
        let view = self.view_number()?;
        self.expect(',')?;
        let limit = self.number()?;
        self.expect(')')?;
        Ok(Indirect { view, limit, coefficient })
    }

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

    fn expression(&mut self) -> Parsed<Expr> {
        let mut expr = Expr::default();
        let mut names: BTreeMap<&'t str, NodeId> = BTreeMap::new();
        loop {
            let start = self.here();
            let name = self.word().filter(|w| number_after('t', w).is_some());
            if let Some(name) = name.filter(|_| self.eat('=')) {
                let node = self.term(&mut expr, &names, 0)?;
                self.expect(';')?;
                if names.insert(name, node).is_some() {
                    return Err(fault(start, format!("`{name}` is defined twice")));
                }
            } else {
                self.at = start;
                let result = self.term(&mut expr, &names, 0)?;
                // The last node is the result.
                if usize::from(result) + 1 != expr.nodes.len() {
                    return Err(fault(start, "an expression's result is not its last node"));
                }
                return Ok(expr);
            }
        }
    }

    /// Adds the nodes of a term, its own last; gives that one.
    fn term(&mut self, expr: &mut Expr, names: &BTreeMap<&'t str, NodeId>, depth: usize) -> Parsed<NodeId> {
        let at = self.here();
        if depth > MAX_NODES {
            return Err(fault(at, format!("an expression of more than {MAX_NODES} nodes")));
        }
        let literal = self.peek().is_some_and(|c| c == '-' || c.is_ascii_digit());
        let word = if literal { "" } else { self.word().unwrap_or_default() };
        let node = if literal || matches!(word, "inf" | "NaN" | "true" | "false") {
            self.at = at;
            self.constant()?
        } else if self.eat('(') {
            let node = if word == "valid" {
                Node::Valid(self.view_number()?)
            } else {
                let op = Op::from_name(word);
                let dtype = DType::ALL.into_iter().find(|d| d.to_string() == word);
                let count = match (op, dtype) {
                    (Some(op), _) => op.arity(),
                    (None, Some(_)) => 1,
                    (None, None) if word == "select" => 3,
                    (None, None) => return Err(fault(at, format!("`{word}` is no operation"))),
                };
                let mut args = [0; 3];
                for (i, arg) in args[..count].iter_mut().enumerate() {
                    if i > 0 {
                        self.expect(',')?;
                    }
                    *arg = self.term(expr, names, depth + 1)?;
                }
                match (op, dtype) {
                    (Some(op), _) => Node::Apply(op, args),
                    (None, Some(dtype)) => Node::Cast(dtype, args[0]),
                    (None, None) => Node::Select(args[0], args[1], args[2]),
                }
            };
            self.expect(')')?;
            node
        } else if word == "core" {
            Node::Core
        } else if let Some(view) = number_after('v', word) {
            Node::Load(view)
        } else if let Some(axis) = axis(word) {
            Node::Iota(axis)
        } else if let Some(&node) = names.get(word) {
            return Ok(node);
        } else if word.is_empty() {
            return Err(fault(at, "expected a term of an expression"));
        } else {
            return Err(fault(at, format!("`{word}` is nothing that an expression knows")));
        };
        if expr.nodes.len() >= MAX_NODES {
            return Err(fault(at, format!("an expression of more than {MAX_NODES} nodes")));
        }
        expr.nodes.push(node);
        NodeId::try_from(expr.nodes.len() - 1).map_err(|_| fault(at, "too many nodes"))
    }

    fn constant(&mut self) -> Parsed<Node> {
        let at = self.here();
        self.eat('-');
        let text = self.word().unwrap_or_default();
        let dtype = if self.eat(':') {
            self.dtype()?
        } else if matches!(text, "true" | "false") {
            DType::Bool
        } else if text.bytes().all(|b| b.is_ascii_digit()) {
            DType::I64
        } else {
            DType::F32
        };
        let end = self.at;
        self.at = at;
        let register = self.number_of(dtype)?;
        self.at = end;
        Ok(Node::Const(dtype, register))
    }

    /// The register of a number of a type.
    fn number_of(&mut self, dtype: DType) -> Parsed<i64> {
        let at = self.here();
        let negative = self.eat('-');
        let text = self.word().unwrap_or_default();
        let signed = format!("{}{text}", if negative { "-" } else { "" });
        let register = match dtype {
            DType::Bool => bool::from_str(&signed).ok().map(i64::from),
            DType::F32 => f32::from_str(&signed).ok().map(|x| i64::from(x.to_bits())),
            DType::F16 | DType::BF16 => f32::from_str(&signed).ok().and_then(|x| {
                let (bits, back) = match dtype {
                    DType::F16 => (to_f16(x), from_f16(to_f16(x))),
                    _ => (to_bf16(x), from_bf16(to_bf16(x))),
                };
                (x.is_nan() || back.to_bits() == x.to_bits()).then_some(i64::from(bits))
            }),
            _ => i64::from_str(&signed).ok().filter(|&x| dtype.holds(x)),
        };
        register.map(|x| dtype.canonical(x)).ok_or_else(|| fault(at, format!("`{signed}` is no {dtype}")))
    }

    fn view_number(&mut self) -> Parsed<u8> {
        let at = self.here();
        self.word().and_then(|w| number_after('v', w)).ok_or_else(|| fault(at, "expected a view, such as `v0`"))
    }

    fn axis(&mut self) -> Parsed<u8> {
        let at = self.here();
        self.word().and_then(axis).ok_or_else(|| fault(at, "expected an axis, such as `e0` or `r0`"))
    }

    fn dtype(&mut self) -> Parsed<DType> {
        let at = self.here();
        let word = self.word().unwrap_or_default();
        let found = DType::ALL.into_iter().find(|d| d.to_string() == word);
        found.ok_or_else(|| fault(at, format!("`{word}` is no element type")))
    }

    fn list(&mut self, limit: usize) -> Parsed<Vec<u64>> {
        self.expect('[')?;
        let mut list = Vec::new();
        if self.eat(']') {
            return Ok(list);
        }
        loop {
            if list.len() == limit {
                return Err(fault(self.here(), format!("more than {limit} numbers")));
            }
            list.push(self.number()?);
            if self.eat(']') {
                return Ok(list);
            }
            self.expect(',')?;
        }
    }

    fn id(&mut self) -> Parsed<ValueId> {
        self.expect('%')?;
        self.number()
    }

    fn number<T: FromStr>(&mut self) -> Parsed<T> {
        let at = self.here();
        let digits = self.word().filter(|w| w.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|d| d.parse().ok()).ok_or_else(|| fault(at, "expected a number"))
    }

    fn keyword(&mut self, word: &str) -> Parsed<()> {
        let at = self.here();
        if self.takes(word) { Ok(()) } else { Err(fault(at, format!("expected `{word}`"))) }
    }

    /// Takes a word if it is the next one.
    fn takes(&mut self, word: &str) -> bool {
        let at = self.here();
        let taken = self.word() == Some(word);
        if !taken {
            self.at = at;
        }
        taken
    }

    /// Takes `name =` if it is next.
    fn defines(&mut self, name: &str) -> bool {
        let at = self.here();
        let taken = self.takes(name) && self.eat('=');
        if !taken {
            self.at = at;
        }
        taken
    }

    fn expect(&mut self, c: char) -> Parsed<()> {
        let at = self.here();
        if self.eat(c) { Ok(()) } else { Err(fault(at, format!("expected `{c}`"))) }
    }

    fn eat(&mut self, c: char) -> bool {
        let next = self.peek() == Some(c);
        if next {
            self.at += c.len_utf8();
        }
        next
    }

    /// Letters and digits, with the dot, exponent and its sign of a number.
    fn word(&mut self) -> Option<&'t str> {
        let at = self.here();
        let rest = &self.text[at..];
        let mut length = 0;
        let mut before = ' ';
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
        for c in rest.chars() {
            let sign = is_number && before == 'e' && matches!(c, '-' | '+') && !rest.starts_with("0x");
            if length == LONGEST_WORD || !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || sign) {
                break;
            }
            length += 1;
            before = c;
        }
        self.at += length;
        (length > 0).then(|| &rest[..length])
    }

    fn peek(&mut self) -> Option<char> {
        let at = self.here();
        self.text[at..].chars().next()
    }

    /// Where the next thing begins, behind white space and comments.
    fn here(&mut self) -> usize {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            match trimmed.strip_prefix('#') {
                Some(comment) => self.at += 1 + comment.find('\n').unwrap_or(comment.len()),
                None => return self.at,
            }
        }
    }
}

fn fault(at: usize, reason: impl Into<String>) -> Fault {
    Fault { at, reason: reason.into() }
}

/// The number behind a letter, such as 3 in `v3`.
fn number_after(letter: char, word: &str) -> Option<u8> {
    let digits = word.strip_prefix(letter)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn numbered(letter: char, number: usize) -> String {
    format!("{letter}{number}")
}

fn axis(word: &str) -> Option<u8> {
    let element = number_after('e', word).filter(|&e| usize::from(e) < MAX_RANK);
    let reduction = || number_after('r', word).filter(|&r| usize::from(r) < MAX_REDUCTION_AXES);
    element.or_else(|| reduction().map(|r| FIRST_REDUCTION_AXIS + r))
}
