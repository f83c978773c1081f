//! RNN, GRU and LSTM, unrolled: x W for all steps at once, then one dot (a GRU two) and one to three maps a step.
//!
//! A sequence shorter than the others keeps its state from its end on (backwards: until its end is reached), and its outputs there are 0.

mod cell;
mod gate;

use super::concat::joined;
use super::elementwise::map;
use super::matmul::dot;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::program::{DType, NodeId, Op};
use crate::tensor::Tensor;
use cell::{Cell, Kind, State};
use gate::Gates;

/// More steps than this are not unrolled.
const STEPS: u64 = 4096;

pub(super) fn rnn(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    recurrent(c, Kind::Rnn)
}

pub(super) fn gru(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let before = c.opset >= 3 && c.flag("linear_before_reset", false)?;
    recurrent(c, Kind::Gru { before })
}

pub(super) fn lstm(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let coupled = c.flag("input_forget", false)?;
    recurrent(c, Kind::Lstm { coupled })
}

/// Which way a sequence is gone through.
#[derive(Clone, Copy)]
struct Direction {
    /// Its number in weights, states and results.
    number: u64,
    backwards: bool,
}

fn directions(c: &mut Context<'_, '_>) -> Lowering<Vec<Direction>> {
    let all: &[bool] = match c.attributes.string("direction")?.as_deref() {
        None | Some("forward") => &[false],
        Some("reverse") => &[true],
        Some("bidirectional") => &[false, true],
        Some(other) => return Err(format!("direction `{other}` does not exist")),
    };
    Ok(all.iter().zip(0..).map(|(&backwards, number)| Direction { number, backwards }).collect())
}

/// The sizes of a layer.
#[derive(Clone, Copy)]
struct Sizes {
    steps: u64,
    batch: u64,
    hidden: u64,
}

/// Everything but the weights of one direction.
struct Layer {
    kind: Kind,
    sizes: Sizes,
    /// [steps, batch, input].
    x: Lazy,
    /// How long each sequence is, as [batch, 1], where that is not `steps`.
    lengths: Option<Lazy>,
}

fn recurrent(c: &mut Context<'_, '_>, kind: Kind) -> Lowering<Vec<Lazy>> {
    let directions = directions(c)?;
    let count = directions.len() as u64;
    let by_batch = c.opset >= 14 && c.flag("layout", false)?;
    // Batches are an axis further in, except where the layout puts them first.
    let turned = |t: Lazy| if by_batch && t.rank() == 3 { t.permute(&[1, 0, 2]) } else { t };
    let (x, w, r) = (turned(c.input(0)?), c.input(1)?, c.input(2)?);
    let hidden = *r.dims().last().ok_or("its recurrence weights have no dimension")?;
    if c.attributes.int("hidden_size")?.is_some_and(|n| u64::try_from(n) != Ok(hidden)) {
        return Err(format!("hidden_size is not that of the recurrence weights {:?}", r.dims()));
    }
    let &[steps, batch, input] = &x.dims()[..] else {
        return Err(format!("input {:?} is not [steps, batch, input]", x.dims()));
    };
    if steps > STEPS {
        return Err(format!("{steps} steps are unrolled to as many instructions, at most {STEPS} are supported"));
    }
    let sizes = Sizes { steps, batch, hidden };
    let rows = kind.gates() * hidden;
    check(&w, &[count, rows, input], "weights")?;
    check(&r, &[count, rows, hidden], "recurrence weights")?;
    if x.dtype != DType::F32 {
        return Err(format!("only f32 is supported, not {}", x.dtype));
    }
    let bias = given(c, 3, &[count, 2 * rows], "bias")?;
    let lengths = lengths(c, sizes)?;
    let state = [count, batch, hidden];
    let initial = |c: &mut Context<'_, '_>, index: usize, what: &str| -> Lowering<Lazy> {
        match c.optional(index)?.map(turned) {
            Some(given) => check(&given, &state, what).map(|()| given),
            None => Ok(zeros(c.b, &state)),
        }
    };
    let mut states = vec![initial(c, 5, "initial state")?];
    let mut peepholes = None;
    if kind.has_cell() {
        states.push(initial(c, 6, "initial cell")?);
        peepholes = given(c, 7, &[count, 3 * hidden], "peepholes")?;
    }
    let gates = Gates::read(c, kind.activations(), directions.len())?;

    let layer = Layer { kind, sizes, x, lengths };
    let (mut outputs, mut last): (Vec<Lazy>, Vec<Vec<Lazy>>) = (Vec::new(), vec![Vec::new(); states.len()]);
    for (direction, gates) in directions.into_iter().zip(gates) {
        let mut of = |t: &Lazy| of_direction(c.b, t, direction);
        let cell = Cell {
            kind,
            hidden,
            gates,
            r: of(&r)?,
            peepholes: peepholes.as_ref().map(&mut of).transpose()?,
            recurrent_bias: None,
        };
        let (w, bias) = (of(&w)?, bias.as_ref().map(&mut of).transpose()?);
        let state = State(states.iter().map(&mut of).collect::<Lowering<_>>()?);
        let (y, state) = layer.run(c.b, cell, &w, bias, state, direction.backwards)?;
        outputs.push(y.with_axis(1));
        for (last, state) in last.iter_mut().zip(state.0) {
            last.push(state.with_axis(0));
        }
    }
    // [steps, direction, batch, hidden] and [direction, batch, hidden].
    let y = joined(c.b, outputs, 1)?;
    let y = if by_batch { y.permute(&[2, 0, 1, 3]) } else { y };
    let mut results = vec![y];
    for state in last {
        results.push(turned(joined(c.b, state, 0)?));
    }
    Ok(results)
}

fn check(t: &Lazy, dims: &[u64], what: &str) -> Lowering<()> {
    if t.dims() == dims { Ok(()) } else { Err(format!("its {what} {:?} are not {dims:?}", t.dims())) }
}

/// An optional input of a known shape.
fn given(c: &mut Context<'_, '_>, index: usize, dims: &[u64], what: &str) -> Lowering<Option<Lazy>> {
    let t = c.optional(index)?;
    t.map(|t| check(&t, dims, what).map(|()| t)).transpose()
}

/// Zeros that take one element.
fn zeros(b: &mut Builder<'_>, dims: &[u64]) -> Lazy {
    let zero = b.constant(Tensor::F32(ndarray::arr0(0.0).into_dyn()));
    Lazy { axes: dims.iter().map(|&d| axis(d, 0)).collect(), ..zero }
}

/// The lengths as [batch, 1], unless all are known to be whole.
fn lengths(c: &mut Context<'_, '_>, sizes: Sizes) -> Lowering<Option<Lazy>> {
    let Some(lengths) = given(c, 4, &[sizes.batch], "sequence lengths")? else { return Ok(None) };
    if lengths.dtype != DType::I32 {
        return Err(format!("its sequence lengths are {}, not i32", lengths.dtype));
    }
    let whole = |n: &i64| u64::try_from(*n).is_ok_and(|n| n >= sizes.steps);
    if c.b.ints(&lengths).is_some_and(|known| known.iter().all(whole)) {
        return Ok(None);
    }
    Ok(Some(lengths.with_axis(1)))
}

/// What one direction has of a tensor whose first axis is the directions.
fn of_direction(b: &mut Builder<'_>, t: &Lazy, direction: Direction) -> Lowering<Lazy> {
    let mut one = b.slice(t, 0, direction.number, 1, 1)?;
    one.axes.remove(0);
    Ok(one)
}

impl Layer {
    /// The outputs as [steps, batch, hidden] and the last state.
    fn run(
        &self,
        b: &mut Builder<'_>,
        mut cell: Cell,
        w: &Lazy,
        bias: Option<Lazy>,
        mut state: State,
        backwards: bool,
    ) -> Lowering<(Lazy, State)> {
        let Sizes { steps, batch, hidden } = self.sizes;
        let rows = self.kind.gates() * hidden;
        let mut added = None;
        if let Some(bias) = bias {
            let (input, recurrent) = (b.slice(&bias, 0, 0, 1, rows)?, b.slice(&bias, 0, rows, 1, rows)?);
            if self.kind.adds_later() {
                (added, cell.recurrent_bias) = (Some(input), Some(recurrent));
            } else {
                added = Some(map(b, &[&input, &recurrent], |f, n| f.op(Op::Add, n))?);
            }
        }
        if steps == 0 {
            return Ok((zeros(b, &[0, batch, hidden]), state));
        }
        let flat = b.reshape(&self.x, &[steps * batch, self.x.dims()[2]])?;
        let xw = dot(b, &flat, &w.permute(&[1, 0]), |b, f, core| match &added {
            Some(bias) => {
                let bias = f.load(b, bias)?;
                f.op(Op::Add, &[core, bias])
            }
            None => Ok(core),
        })?;
        let xw = b.reshape(&xw, &[steps, batch, rows])?;
        let mut outputs = Vec::new();
        for i in 0..steps {
            let t = if backwards { steps - 1 - i } else { i };
            let mut now = b.slice(&xw, 0, t, 1, 1)?;
            now.axes.remove(0);
            let live = self.lengths.as_ref().map(|lengths| Live { lengths, step: t });
            state = cell.step(b, &now, &state, live)?;
            outputs.push(self.output(b, &state.0[0], live)?.with_axis(0));
        }
        if backwards {
            outputs.reverse();
        }
        Ok((joined(b, outputs, 0)?, state))
    }

    /// 0 where the sequence has ended.
    fn output(&self, b: &mut Builder<'_>, h: &Lazy, live: Option<Live<'_>>) -> Lowering<Lazy> {
        let Some(live) = live else { return Ok(h.clone()) };
        let mut f = Formula::new(&h.dims());
        let (h, zero) = (f.load(b, h)?, f.float(0.0)?);
        let result = live.or(b, &mut f, h, zero)?;
        b.map(f, result)
    }
}

/// Which sequences have a step.
#[derive(Clone, Copy)]
struct Live<'l> {
    lengths: &'l Lazy,
    step: u64,
}

impl Live<'_> {
    /// `now` where there is the step, `otherwise` elsewhere.
    fn or(&self, b: &Builder<'_>, f: &mut Formula, now: NodeId, otherwise: NodeId) -> Lowering<NodeId> {
        let lengths = f.load(b, self.lengths)?;
        let step = f.register(DType::I32, i64::try_from(self.step).map_err(|e| e.to_string())?)?;
        let live = f.op(Op::Lt, &[step, lengths])?;
        f.select(live, now, otherwise)
    }
}
