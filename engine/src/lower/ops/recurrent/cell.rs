//! One step of a recurrent cell.

use super::Live;
use super::gate::Gates;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::ops::matmul::dot;
use crate::program::{NodeId, Op};

/// Which cell.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Rnn,
    /// With the reset gate before the product with the weights, or (`before`) after it.
    Gru {
        before: bool,
    },
    /// With a forget gate of its own, or (`coupled`) 1 - the input gate.
    Lstm {
        coupled: bool,
    },
}

impl Kind {
    /// Number of gates: blocks of `hidden` rows of the weights.
    pub(super) fn gates(self) -> u64 {
        match self {
            Self::Rnn => 1,
            Self::Gru { .. } => 3,
            Self::Lstm { .. } => 4,
        }
    }

    pub(super) fn has_cell(self) -> bool {
        matches!(self, Self::Lstm { .. })
    }

    /// Whether the bias of the recurrence cannot be added to that of the input.
    pub(super) fn adds_later(self) -> bool {
        matches!(self, Self::Gru { before: true })
    }

    /// The default functions.
    pub(super) fn activations(self) -> &'static [&'static str] {
        match self {
            Self::Rnn => &["Tanh"],
            Self::Gru { .. } => &["Sigmoid", "Tanh"],
            Self::Lstm { .. } => &["Sigmoid", "Tanh", "Tanh"],
        }
    }
}

/// The hidden state [batch, hidden] and, of an LSTM, the cell.
pub(super) struct State(pub(super) Vec<Lazy>);

/// A cell of one direction.
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) hidden: u64,
    pub(super) gates: Gates,
    /// [gates * hidden, hidden].
    pub(super) r: Lazy,
    /// [3 * hidden], for the gates i, o, f.
    pub(super) peepholes: Option<Lazy>,
    /// [gates * hidden], where it is not part of what is given for the step.
    pub(super) recurrent_bias: Option<Lazy>,
}

impl Cell {
    /// The next state, from x W and biases of this step, [batch, gates * hidden].
    pub(super) fn step(
        &self,
        b: &mut Builder<'_>,
        xw: &Lazy,
        state: &State,
        live: Option<Live<'_>>,
    ) -> Lowering<State> {
        match self.kind {
            Kind::Rnn => self.rnn(b, xw, &state.0[0], live),
            Kind::Gru { before: false } => self.gru(b, xw, &state.0[0], live),
            Kind::Gru { before: true } => self.gru_linear_before(b, xw, &state.0[0], live),
            Kind::Lstm { coupled } => self.lstm(b, xw, state, coupled, live),
        }
    }

    /// Block `index` of columns, or of the only axis.
    fn block(&self, b: &mut Builder<'_>, t: &Lazy, index: u64, blocks: u64) -> Lowering<Lazy> {
        b.slice(t, t.rank() - 1, index * self.hidden, 1, blocks * self.hidden)
    }

    /// Some blocks of rows of the recurrence weights, as [hidden, rows].
    fn weights(&self, b: &mut Builder<'_>, index: u64, blocks: u64) -> Lowering<Lazy> {
        Ok(b.slice(&self.r, 0, index * self.hidden, 1, blocks * self.hidden)?.permute(&[1, 0]))
    }

    /// f(x W + h R).
    fn rnn(&self, b: &mut Builder<'_>, xw: &Lazy, h: &Lazy, live: Option<Live<'_>>) -> Lowering<State> {
        let next = dot(b, h, &self.r.permute(&[1, 0]), |b, f, core| {
            let xw = f.load(b, xw)?;
            let sum = f.op(Op::Add, &[xw, core])?;
            let next = self.gates.apply(f, 0, sum)?;
            kept(b, f, next, h, live)
        })?;
        Ok(State(vec![next]))
    }

    /// One dot for z and r, one for h of the state that r lets through.
    fn gru(&self, b: &mut Builder<'_>, xw: &Lazy, h: &Lazy, live: Option<Live<'_>>) -> Lowering<State> {
        let (first, last) = (self.block(b, xw, 0, 2)?, self.block(b, xw, 2, 1)?);
        let (gates, made) = (self.weights(b, 0, 2)?, self.weights(b, 2, 1)?);
        let zr = dot(b, h, &gates, |b, f, core| {
            let xw = f.load(b, &first)?;
            let sum = f.op(Op::Add, &[xw, core])?;
            self.gates.apply(f, 0, sum)
        })?;
        let (z, r) = (self.block(b, &zr, 0, 1)?, self.block(b, &zr, 1, 1)?);
        let through = super::map(b, &[&r, h], |f, n| f.op(Op::Mul, n))?;
        let next = dot(b, &through, &made, |b, f, core| {
            let xw = f.load(b, &last)?;
            let sum = f.op(Op::Add, &[xw, core])?;
            let made = self.gates.apply(f, 1, sum)?;
            let z = f.load(b, &z)?;
            mixed(b, f, z, made, h, live)
        })?;
        Ok(State(vec![next]))
    }

    /// One dot for all gates, whose bias r takes a part of.
    fn gru_linear_before(&self, b: &mut Builder<'_>, xw: &Lazy, h: &Lazy, live: Option<Live<'_>>) -> Lowering<State> {
        let hr = dot(b, h, &self.r.permute(&[1, 0]), |b, f, core| match &self.recurrent_bias {
            Some(bias) => {
                let bias = f.load(b, bias)?;
                f.op(Op::Add, &[core, bias])
            }
            None => Ok(core),
        })?;
        let mut f = Formula::new(&h.dims());
        let mut parts = [(0, 0); 3];
        for (part, index) in parts.iter_mut().zip(0..) {
            let (x, h) = (self.block(b, xw, index, 1)?, self.block(b, &hr, index, 1)?);
            *part = (f.load(b, &x)?, f.load(b, &h)?);
        }
        let gate = |f: &mut Formula, (x, h): (NodeId, NodeId)| {
            let sum = f.op(Op::Add, &[x, h])?;
            self.gates.apply(f, 0, sum)
        };
        let (z, r) = (gate(&mut f, parts[0])?, gate(&mut f, parts[1])?);
        let through = f.op(Op::Mul, &[r, parts[2].1])?;
        let sum = f.op(Op::Add, &[parts[2].0, through])?;
        let made = self.gates.apply(&mut f, 1, sum)?;
        let next = mixed(b, &mut f, z, made, h, live)?;
        Ok(State(vec![b.map(f, next)?]))
    }

    /// One dot for the gates i, o, f, c, then the cell, then the hidden state.
    fn lstm(
        &self,
        b: &mut Builder<'_>,
        xw: &Lazy,
        state: &State,
        coupled: bool,
        live: Option<Live<'_>>,
    ) -> Lowering<State> {
        let (h, cell) = (&state.0[0], &state.0[1]);
        let sums = dot(b, h, &self.r.permute(&[1, 0]), |b, f, core| {
            let xw = f.load(b, xw)?;
            f.op(Op::Add, &[xw, core])
        })?;
        let [i, o, forget, made] = [0, 1, 2, 3].map(|index| self.block(b, &sums, index, 1));
        let (i, o, forget, made) = (i?, o?, forget?, made?);
        let peephole =
            |b: &mut Builder<'_>, index: u64| self.peepholes.as_ref().map(|p| self.block(b, p, index, 1)).transpose();
        let (to_i, to_o, to_forget) = (peephole(b, 0)?, peephole(b, 1)?, peephole(b, 2)?);

        let mut f = Formula::new(&h.dims());
        let before = f.load(b, cell)?;
        let i = self.gate(b, &mut f, &i, to_i.as_ref(), before)?;
        let forget = if coupled {
            let one = f.float(1.0)?;
            f.op(Op::Sub, &[one, i])?
        } else {
            self.gate(b, &mut f, &forget, to_forget.as_ref(), before)?
        };
        let made = f.load(b, &made)?;
        let made = self.gates.apply(&mut f, 1, made)?;
        let (remembered, added) = (f.op(Op::Mul, &[forget, before])?, f.op(Op::Mul, &[i, made])?);
        let next = f.op(Op::Add, &[remembered, added])?;
        let next = kept(b, &mut f, next, cell, live)?;
        let cell = b.map(f, next)?;

        let mut f = Formula::new(&h.dims());
        let now = f.load(b, &cell)?;
        let o = self.gate(b, &mut f, &o, to_o.as_ref(), now)?;
        let shown = self.gates.apply(&mut f, 2, now)?;
        let next = f.op(Op::Mul, &[o, shown])?;
        let next = kept(b, &mut f, next, h, live)?;
        let hidden = b.map(f, next)?;
        Ok(State(vec![hidden, cell]))
    }

    /// A gate of an LSTM, which may look at the cell.
    fn gate(
        &self,
        b: &Builder<'_>,
        f: &mut Formula,
        sum: &Lazy,
        peephole: Option<&Lazy>,
        cell: NodeId,
    ) -> Lowering<NodeId> {
        let mut sum = f.load(b, sum)?;
        if let Some(peephole) = peephole {
            let peephole = f.load(b, peephole)?;
            let seen = f.op(Op::Mul, &[peephole, cell])?;
            sum = f.op(Op::Add, &[sum, seen])?;
        }
        self.gates.apply(f, 0, sum)
    }
}

/// (1 - z) * made + z * h.
fn mixed(
    b: &Builder<'_>,
    f: &mut Formula,
    z: NodeId,
    made: NodeId,
    h: &Lazy,
    live: Option<Live<'_>>,
) -> Lowering<NodeId> {
    let one = f.float(1.0)?;
    let rest = f.op(Op::Sub, &[one, z])?;
    let new = f.op(Op::Mul, &[rest, made])?;
    let before = f.load(b, h)?;
    let old = f.op(Op::Mul, &[z, before])?;
    let next = f.op(Op::Add, &[new, old])?;
    kept(b, f, next, h, live)
}

/// The state before, where a sequence has no such step.
fn kept(b: &Builder<'_>, f: &mut Formula, next: NodeId, before: &Lazy, live: Option<Live<'_>>) -> Lowering<NodeId> {
    let Some(live) = live else { return Ok(next) };
    let before = f.load(b, before)?;
    live.or(b, f, next, before)
}
