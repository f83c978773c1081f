//! Values of programs: one number, view or node is another one.

use super::{Dice, bytes};
use rand::Rng;
use rand::seq::IndexedRandom;
use rebut_engine::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, FoldOp, Guard, Indirect, Instruction, Node, Op, Operand, Program, Source, Value,
    View,
};

/// Changes some values and then, mostly, mends what follows from others: counts, sizes and types.
pub(super) fn mutate(program: &mut Program, dice: &mut Dice) -> Option<()> {
    for _ in 0..dice.random_range(1..=3) {
        one(program, dice)?;
    }
    if dice.random_ratio(7, 8) {
        mend(program, dice);
    }
    Some(())
}

fn one(program: &mut Program, dice: &mut Dice) -> Option<()> {
    let count = program.values.len();
    let at = dice.random_range(0..count.max(1));
    match dice.random_range(0..16) {
        0 => program.outputs = program.outputs.wrapping_add(dice.random_range(0..3)).wrapping_sub(1),
        1 => program.inputs = dice.random_range(0..4),
        2 => {
            let copy = program.values.get(at)?.clone();
            program.values.insert(dice.random_range(at..=count), copy);
        }
        3 if count > 1 => drop(program.values.remove(at)),
        _ => value(program.values.get_mut(at)?, at as u64, dice),
    }
    Some(())
}

fn value(value: &mut Value, id: u64, dice: &mut Dice) {
    match &mut value.source {
        Source::Instruction(i) if dice.random_ratio(15, 16) => instruction(i, id, dice),
        _ => match dice.random_range(0..4) {
            0 => value.ty.dtype = dtype(dice),
            1 => value.ty.dims.push(bytes::extent(dice, 1)),
            2 => drop(value.ty.dims.pop()),
            _ => extent(&mut value.ty.dims, dice),
        },
    }
}

fn extent(extents: &mut [u64], dice: &mut Dice) {
    if let Some(at) = index(extents.len(), dice) {
        extents[at] = bytes::extent(dice, extents[at]);
    }
}

fn index(len: usize, dice: &mut Dice) -> Option<usize> {
    (len > 0).then(|| dice.random_range(0..len))
}

fn dtype(dice: &mut Dice) -> DType {
    *DType::ALL.choose(dice).unwrap_or(&DType::F32)
}

fn instruction(i: &mut Instruction, id: u64, dice: &mut Dice) {
    let operand = Operand { value: dice.random_range(0..id.max(1)), dtype: DType::F32, elements: 1 };
    match dice.random_range(0..16) {
        0 => i.extents.push(bytes::extent(dice, 1)),
        1 => drop(i.extents.pop()),
        2 => extent(&mut i.extents, dice),
        3 => i.reduction.push(bytes::extent(dice, 1)),
        4 => extent(&mut i.reduction, dice),
        5 => i.windowed ^= true,
        6 => i.operands.push(operand),
        7 => match index(i.operands.len(), dice) {
            Some(at) => i.operands[at] = operand,
            None => i.operands.push(operand),
        },
        8 => core(i, dice),
        9 => match index(i.views.len(), dice) {
            Some(at) => i.views.insert(dice.random_range(0..=i.views.len()), i.views[at].clone()),
            None => i.views.push(View { fill: 0, accesses: vec![access(dice)] }),
        },
        10..=12 => {
            if let Some(at) = index(i.views.len(), dice) {
                view(&mut i.views[at], dice);
            }
        }
        _ => match &mut i.core {
            Core::Fold { body, .. } if dice.random_ratio(1, 3) => expression(body, dice),
            _ => expression(&mut i.epilogue, dice),
        },
    }
}

fn core(i: &mut Instruction, dice: &mut Dice) {
    let view = |dice: &mut Dice| dice.random_range(0..i.views.len().max(1)) as u8; // at most 16
    i.core = match dice.random_range(0..5) {
        0 => Core::None,
        1 => Core::Dot { a: view(dice), b: view(dice) },
        2 => Core::Scan { axis: dice.random_range(0..3), initial: view(dice) },
        3 => match &i.core {
            Core::Fold { body, .. } => Core::Fold { op: fold(dice), body: body.clone() },
            _ => Core::Fold { op: fold(dice), body: i.epilogue.clone() },
        },
        _ => Core::Fold { op: fold(dice), body: Expr { nodes: vec![Node::Load(view(dice))] } },
    };
}

fn fold(dice: &mut Dice) -> FoldOp {
    *FoldOp::ALL.choose(dice).unwrap_or(&FoldOp::Sum)
}

fn view(view: &mut View, dice: &mut Dice) {
    match (dice.random_range(0..6), index(view.accesses.len(), dice)) {
        (0, _) => view.fill = bytes::number(dice, view.fill),
        (1, _) => view.accesses.push(access(dice)),
        (2, Some(at)) => drop(view.accesses.remove(at)),
        (_, Some(at)) => change_access(&mut view.accesses[at], dice),
        _ => {}
    }
}

fn access(dice: &mut Dice) -> Access {
    let address = Affine { base: dice.random_range(-1..3), terms: vec![(axis(dice), dice.random_range(-2..9))] };
    Access { operand: dice.random_range(0..3), address, guards: vec![], indirects: vec![] }
}

fn axis(dice: &mut Dice) -> u8 {
    let first = if dice.random_ratio(1, 3) { FIRST_REDUCTION_AXIS } else { 0 };
    first + dice.random_range(0..3)
}

fn change_access(access: &mut Access, dice: &mut Dice) {
    match dice.random_range(0..8) {
        0 => access.operand = dice.random_range(0..4),
        1 => {
            let limit = bytes::extent(dice, 1);
            let affine = access.address.clone();
            access.guards.push(Guard { limit, affine });
        }
        2 => {
            if let Some(at) = index(access.guards.len(), dice) {
                affine(&mut access.guards[at].affine, dice);
            }
        }
        3 => drop(access.guards.pop()),
        4 => {
            let (view, limit) = (dice.random_range(0..3), bytes::extent(dice, 1));
            access.indirects.push(Indirect { view, limit, coefficient: dice.random_range(-2..9) });
        }
        5 => {
            if let Some(at) = index(access.indirects.len(), dice) {
                let term = &mut access.indirects[at];
                term.coefficient = bytes::number(dice, term.coefficient);
            }
        }
        _ => affine(&mut access.address, dice),
    }
}

fn affine(affine: &mut Affine, dice: &mut Dice) {
    match (dice.random_range(0..4), index(affine.terms.len(), dice)) {
        (0, _) => affine.base = bytes::number(dice, affine.base),
        (1, _) => affine.terms.push((axis(dice), dice.random_range(-2..9))),
        (2, Some(at)) => drop(affine.terms.remove(at)),
        (_, Some(at)) => affine.terms[at].1 = bytes::number(dice, affine.terms[at].1),
        _ => {}
    }
}

fn expression(expr: &mut Expr, dice: &mut Dice) {
    let before = |dice: &mut Dice, at: usize| dice.random_range(0..at.max(1)) as u8; // at most 32
    let at = dice.random_range(0..=expr.nodes.len());
    let node = match dice.random_range(0..10) {
        0 => Node::Const(dtype(dice), dice.random_range(-3..3)),
        1 => Node::Load(dice.random_range(0..4)),
        2 => Node::Core,
        3 => Node::Iota(axis(dice)),
        4 => Node::Valid(dice.random_range(0..4)),
        5 => Node::Select(before(dice, at), before(dice, at), before(dice, at)),
        6 => Node::Cast(dtype(dice), before(dice, at)),
        _ => {
            let op = *Op::ALL.choose(dice).unwrap_or(&Op::Add);
            let mut args = [0; 3];
            args[..op.arity()].iter_mut().for_each(|a| *a = before(dice, at));
            Node::Apply(op, args)
        }
    };
    match expr.nodes.get_mut(at) {
        Some(old) if dice.random_ratio(3, 4) => *old = node,
        _ => expr.nodes.push(node),
    }
}

/// What a program's author would compute: kinds in order, operands as the values are, a result as large as its extents.
fn mend(program: &mut Program, dice: &mut Dice) {
    let rank = |v: &Value| match v.source {
        Source::Input => 0,
        Source::Constant { .. } => 1,
        Source::Instruction(_) => 2,
    };
    program.values.sort_by_key(rank);
    let inputs = program.values.iter().filter(|v| v.source == Source::Input).count();
    program.inputs = u8::try_from(inputs).unwrap_or(u8::MAX);
    let count = u8::try_from(program.values.len()).unwrap_or(u8::MAX);
    program.outputs = program.outputs.clamp(1, count.max(1));
    for at in 0..program.values.len() {
        let (before, rest) = program.values.split_at_mut(at);
        let Value { ty, source: Source::Instruction(i) } = &mut rest[0] else { continue };
        i.operands.sort_by_key(|o| o.value);
        i.operands.dedup_by_key(|o| o.value);
        for operand in &mut i.operands {
            operand.value = operand.value.min((at as u64).saturating_sub(1));
            if let Some(read) = before.get(operand.value as usize) {
                (operand.dtype, operand.elements) = (read.ty.dtype, read.ty.elements());
            }
        }
        i.operands.dedup_by_key(|o| o.value);
        for view in &mut i.views {
            for access in &mut view.accesses {
                access.operand = access.operand.min((i.operands.len() as u8).saturating_sub(1)); // at most 6
                sorted(&mut access.address);
                access.guards.iter_mut().for_each(|g| sorted(&mut g.affine));
            }
        }
        if matches!(i.core, Core::None | Core::Scan { .. }) {
            i.reduction.clear();
            i.windowed = false;
        }
        let k = i.reduction.iter().fold(1, |n: u64, &x| n.saturating_mul(x));
        if k > CHUNK && !i.windowed && dice.random_ratio(3, 4) {
            i.windowed = true;
            i.extents.push(0);
        }
        if let Some(windows) = i.extents.last_mut().filter(|_| i.windowed) {
            *windows = k.div_ceil(CHUNK);
        }
        let elements = i.extents.iter().fold(1, |n: u64, &x| n.saturating_mul(x));
        if ty.elements() != elements {
            ty.dims.clone_from(&i.extents);
        }
    }
}

fn sorted(affine: &mut Affine) {
    affine.terms.sort_by_key(|t| t.0);
    affine.terms.dedup_by_key(|t| t.0);
}
