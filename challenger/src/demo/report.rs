//! What happened in a demo, for machines and for the terminal.

use serde::Serialize;
use std::collections::BTreeMap;

/// One transaction of the dispute.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// The contract function.
    pub call: &'static str,
    /// Who sent it.
    pub by: &'static str,
    /// What it did.
    pub note: String,
    /// Gas it used.
    pub gas: u64,
}

/// What the contract decided about.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Disputed {
    /// The value.
    pub value: u64,
    /// ONNX node or tensor that it came from.
    pub name: String,
    /// ONNX operator, `Input`, `Constant` or `padding`.
    pub operator: String,
    /// The value's type and shape.
    pub ty: String,
    /// Row-major index of the element; none where a whole root was decided about.
    pub element: Option<u64>,
    /// What the element reads, in words.
    pub operands: Vec<String>,
    /// How many operand elements it reads.
    pub reads: usize,
    /// What the executor says.
    pub executor: String,
    /// What the challenger says.
    pub challenger: String,
    /// What the contract found.
    pub contract: String,
}

/// The honest claim at the end.
#[derive(Clone, Debug, Serialize)]
pub struct HonestClaim {
    /// Where it ended.
    pub phase: String,
    /// What the watcher found.
    pub watcher: String,
    /// What the consumer contract read from it.
    pub consumer_label: u64,
    /// Gas of claim, finality and delivery.
    pub gas: u64,
}

/// A whole demo.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The model's file.
    pub model: String,
    /// The program's id.
    pub program: String,
    /// Number of values.
    pub values: usize,
    /// Number of constant elements.
    pub parameters: u64,
    /// How many values each ONNX operator became.
    pub operators: BTreeMap<String, usize>,
    /// Elements in a trace.
    pub trace_elements: u64,
    /// The lie, as VALUE:ELEMENT.
    pub lie: String,
    /// What the watcher found about the lying claim.
    pub watcher: String,
    /// The dispute's transactions, from challenge to settlement.
    pub moves: Vec<Move>,
    /// Their number.
    pub transactions: usize,
    /// Their gas.
    pub gas_total: u64,
    /// Gas of the step; none where a known root decided.
    pub gas_step: u64,
    /// Gas by contract function, summed.
    pub gas_by_move: BTreeMap<&'static str, u64>,
    /// Operator that was decided about.
    pub disputed_operator: String,
    /// Element that was decided about.
    pub disputed_element: Option<u64>,
    /// All about it.
    pub disputed: Disputed,
    /// `refuted` or `final`.
    pub verdict: String,
    /// How exactly the claim ended.
    pub outcome: String,
    /// Balances around the dispute in wei, as [before, after].
    pub balances: BTreeMap<&'static str, [String; 2]>,
    /// Bonds in wei.
    pub bonds: BTreeMap<&'static str, String>,
    /// The honest claim.
    pub honest_claim: HonestClaim,
}
