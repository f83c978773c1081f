//! The search for a step that costs more than its bill (`docs/gas.md`).

pub mod case;
pub mod figures;
pub mod judge;
pub mod operands;
pub mod random;

use case::{Case, Contents};
use judge::{Judge, Taken};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use random::Kind;
use rebut_engine::lower::gas::STEP_GAS_CEILING;
use rebut_engine::lower::{Bill, step};
use rebut_engine::program::{Source, Value};

/// A step with its bill.
#[derive(Clone, Debug)]
pub struct Found {
    /// The instruction and what its operands hold.
    pub case: Case,
    /// The element.
    pub element: u64,
    /// What its step took.
    pub taken: Taken,
    /// What it was billed.
    pub bill: Bill,
}

impl Found {
    /// Whether the bill covers the step: its leaves, its bytes, its evaluation and so all of it.
    pub fn covered(&self) -> bool {
        let (t, b) = (&self.taken, &self.bill);
        t.leaves <= b.leaves_worst
            && t.bytes <= b.calldata_bytes_worst
            && t.evaluation <= b.evaluation_worst
            && t.gas <= b.gas_worst
    }

    /// Evaluation by its bill.
    pub fn ratio(&self) -> f64 {
        self.taken.evaluation as f64 / self.bill.evaluation_worst as f64
    }
}

/// The bill of a case.
pub fn bill(case: &Case) -> Bill {
    let value = Value { ty: case.ty.clone(), source: Source::Instruction(case.instruction.clone()) };
    step(&value, &case.around).expect("an instruction")
}

/// The costliest of a few elements, each with several contents; `Err` with what went wrong.
pub fn worst_element(judge: &mut Judge, case: &Case, rng: &mut impl Rng, tries: u32) -> Result<Option<Found>, String> {
    let elements = case.ty.elements();
    if elements == 0 {
        return Ok(None);
    }
    let mut worst: Option<Found> = None;
    for n in 0..tries {
        let mut case = case.clone();
        case.seed = rng.random();
        case.contents = random::one(rng, &Contents::ALL);
        let element = match n {
            0 => 0,
            1 => elements / 2,
            _ => rng.random_range(0..elements),
        };
        let taken = judge.step(&case, element)?;
        if worst.as_ref().is_none_or(|w| taken.evaluation > w.taken.evaluation) {
            let bill = bill(&case);
            worst = Some(Found { case, element, taken, bill });
        }
    }
    Ok(worst)
}

/// What the search found of one kind.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The kind.
    pub kind: Kind,
    /// Instructions that were measured.
    pub cases: u64,
    /// Those whose bill is at most the ceiling: the ones that programs may have.
    pub payable: u64,
    /// The costliest of those.
    pub costliest: Option<Found>,
    /// The one that is nearest to its bill, or above it.
    pub nearest: Option<Found>,
    /// Those that cost more than billed.
    pub above: Vec<Found>,
}

impl Summary {
    /// Nothing found yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, cases: 0, payable: 0, costliest: None, nearest: None, above: Vec::new() }
    }

    fn of(kind: Kind, found: &Found) -> Self {
        let payable = found.bill.gas_worst <= STEP_GAS_CEILING;
        Self {
            cases: 1,
            payable: payable.into(),
            costliest: payable.then(|| found.clone()),
            nearest: Some(found.clone()),
            above: if found.covered() { vec![] } else { vec![found.clone()] },
            ..Self::new(kind)
        }
    }

    /// Both together.
    pub fn merged(mut self, other: Self) -> Self {
        let worse = |a: Option<Found>, b: Option<Found>, by: fn(&Found) -> f64| match (a, b) {
            (Some(a), Some(b)) => Some(if by(&b) > by(&a) { b } else { a }),
            (a, b) => a.or(b),
        };
        self.cases += other.cases;
        self.payable += other.payable;
        self.costliest = worse(self.costliest, other.costliest, |f| f.taken.gas as f64);
        self.nearest = worse(self.nearest, other.nearest, Found::ratio);
        self.above.extend(other.above);
        self
    }
}

/// Throws of the dice for one that is valid.
const TRIES: u32 = 20;
/// Changes of an instruction that are tried from each random one on.
const CHANGES: u32 = 12;
/// Elements that are measured of each.
const ELEMENTS: u32 = 3;

/// Searches from so many seeds of a kind: a random instruction, then changes of it that come nearer to the bill.
///
/// # Errors
/// When the contract refuses a step or computes something else than the reference interpreter.
pub fn search(judge: &mut Judge, kind: Kind, seeds: std::ops::Range<u64>) -> Result<Summary, String> {
    let mut summary = Summary::new(kind);
    for seed in seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed << 8 | kind as u64);
        let Some(case) = (0..TRIES).find_map(|_| random::case(&mut rng, kind)) else { continue };
        let what = |e: String| format!("{} seed {seed}: {e}", kind.name());
        let Some(mut best) = worst_element(judge, &case, &mut rng, ELEMENTS).map_err(what)? else { continue };
        summary = summary.merged(Summary::of(kind, &best));
        for _ in 0..CHANGES {
            let Some(changed) = random::changed(&mut rng, &best.case) else { continue };
            let Some(found) = worst_element(judge, &changed, &mut rng, ELEMENTS).map_err(what)? else { continue };
            summary = summary.merged(Summary::of(kind, &found));
            if found.ratio() > best.ratio() {
                best = found;
            }
        }
    }
    Ok(summary)
}
