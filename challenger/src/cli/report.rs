//! `rebut report`: what registering a program means for those who claim and challenge.

use super::Done;
use super::model::Lowering;
use clap::Args;
use rebut_contracts::bonds::{least_challenger_bond, least_executor_bond};
use rebut_engine::dispute::most_turns;
use rebut_engine::lower::bill;
use rebut_engine::package::Package;
use rebut_engine::program::Source;
use rebut_engine::tree::{depth, tensor_depth};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// Transactions around the turns: challenge, opening, commitment, step, settlement.
const AROUND: u32 = 5;
/// Seconds in which a bot notices a turn, computes its answer and has it mined, generously.
const TURN: u32 = 600;
/// The shortest suggested clock, seconds.
const LEAST_CLOCK: u32 = 3_600;
/// The part of a lost bond that is burnt, in 1/10,000: the least that the contracts accept.
const BURN: u16 = 5_000;
const GWEI: u64 = 1_000_000_000;

/// Arguments of `rebut report`.
#[derive(Args)]
pub(super) struct Report {
    /// A package or ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
    /// The highest gas price that refunds and bonds shall cover, in gwei
    #[arg(long, value_name = "GWEI", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    gas_price: u64,
    /// Leaves of a trace that the slowest watcher hashes in a second: time that a larger program gets
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    leaves_per_second: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The figures; seconds, gas, wei.
#[derive(Serialize)]
struct Figures {
    program: String,
    header_bytes: usize,
    values: usize,
    trace_depth: u32,
    deepest_tensor: u32,
    trace_leaves: u64,
    worst_step_value: Option<u64>,
    worst_step_gas: u64,
    most_turns: u32,
    most_transactions: u32,
    gas_price_cap: u64,
    burn_bps: u16,
    least_executor_bond: String,
    least_challenger_bond: String,
    clock_seconds: u32,
    exclusive_seconds: u32,
    extra_seconds: u64,
}

impl Report {
    pub(super) fn run(&self) -> Done {
        let figures = self.figures(&self.lowering.load(&self.model, &[])?);
        let mut out = anstream::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&figures)?)?;
        } else {
            figures.print(&mut out)?;
        }
        Ok(())
    }

    fn figures(&self, package: &Package) -> Figures {
        let program = package.program();
        let worst = bill(program).into_iter().max_by_key(|b| b.gas_worst);
        let computed = program.values.iter().filter(|v| matches!(v.source, Source::Instruction(_)));
        let leaves = package.identity().header.leaves;
        let turns = most_turns(program);
        // Of both sides' turns the challenger has one more where they are odd.
        let clock_seconds = (turns.div_ceil(2) * TURN).max(LEAST_CLOCK);
        let cap = self.gas_price.saturating_mul(GWEI);
        Figures {
            program: package.identity().program_id.to_string(),
            header_bytes: package.identity().header_bytes.len(),
            values: program.values.len(),
            trace_depth: depth(program.values.len() as u64),
            deepest_tensor: computed.map(|v| tensor_depth(&v.ty)).max().unwrap_or(0),
            trace_leaves: leaves,
            worst_step_value: worst.map(|b| b.value),
            worst_step_gas: worst.map_or(0, |b| b.gas_worst),
            most_turns: turns,
            most_transactions: turns + AROUND,
            gas_price_cap: cap,
            burn_bps: BURN,
            least_executor_bond: least_executor_bond(cap, BURN).to_string(),
            least_challenger_bond: least_challenger_bond(cap, BURN, 0).to_string(),
            clock_seconds,
            // The contracts accept at most half a clock's part for each of 11 turns.
            exclusive_seconds: clock_seconds / 30,
            extra_seconds: leaves / u64::from(self.leaves_per_second),
        }
    }
}

impl Figures {
    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "program        {}, header of {} bytes", self.program, self.header_bytes)?;
        writeln!(out, "trace          {} values in a tree of depth {}", self.values, self.trace_depth)?;
        writeln!(out, "               {} leaves, deepest tensor tree {}", self.trace_leaves, self.deepest_tensor)?;
        if let Some(value) = self.worst_step_value {
            writeln!(out, "worst step     {} gas, at value {value} (a bound)", self.worst_step_gas)?;
        }
        writeln!(
            out,
            "longest game   {} turns, {} transactions from challenge to settlement",
            self.most_turns, self.most_transactions
        )?;
        writeln!(out, "\nsuggested, with gas up to {} gwei and half of a lost bond burnt:", self.gas_price_cap / GWEI)?;
        writeln!(out, "executor bond  {} wei at least", self.least_executor_bond)?;
        writeln!(
            out,
            "challenger     {} wei at least, and four times what a trace costs its executor",
            self.least_challenger_bond
        )?;
        writeln!(
            out,
            "clocks         {} s each, the first {} s of a turn for its side alone",
            self.clock_seconds, self.exclusive_seconds
        )?;
        writeln!(
            out,
            "more time      {} s for window, commitment and clocks, by the trace's leaves",
            self.extra_seconds
        )
    }
}
