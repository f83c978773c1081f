//! What disputes cost: random lies of an executor about one model, each on a deployment that has seen a game before, each refuted by a watcher on the
//! embedded chain. Counted is what both send from the challenge to the settlement; withdrawals are not.

use crate::{Failure, Outcome};
use rebut_challenger::demo::{built_in, random_lie};
use rebut_challenger::files::{compile, read_package, read_tensor};
use rebut_contracts::types::{ClaimPhase, Outcome as Ending};
use rebut_contracts::{ClaimContent, Sent};
use rebut_engine::lower::LowerOptions;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_sim::adversary::Lie;
use rebut_tests::arena::Arena;
use rebut_tests::models::Subject;
use rebut_tests::side::Side;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A package or ONNX model (default: the built-in digits model)
    #[arg(long)]
    model: Option<PathBuf>,
    /// The model's inputs (.pb or .npy), in its order (default: those of test_data_set_0 beside the model)
    #[arg(long = "input", short = 'i', value_name = "FILE", num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// How many lies
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    lies: u64,
    /// The first lie's seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

const NOTHING: &str = "the program has no instruction to lie about";

/// The least, median and most of some figures.
#[derive(Clone, Copy, Debug, Serialize)]
struct Spread {
    least: u64,
    median: u64,
    worst: u64,
}

impl Spread {
    /// Of at least one figure; the median of an even number is the mean of the two in the middle.
    fn of(mut figures: Vec<u64>) -> Self {
        figures.sort_unstable();
        let n = figures.len();
        let median = (figures[(n - 1) / 2] + figures[n / 2]) / 2;
        Self { least: figures[0], median, worst: figures[n - 1] }
    }
}

#[derive(Serialize)]
struct Figures {
    model: String,
    lies: usize,
    transactions_median: u64,
    transactions_worst: u64,
    gas_median: u64,
    gas_worst: u64,
    step_median: u64,
    step_worst: u64,
    /// Gas of one call, by function.
    moves: BTreeMap<&'static str, Spread>,
}

pub(crate) async fn run(arguments: Arguments) -> Outcome {
    let (model, package, inputs) = match &arguments.model {
        Some(path) => load(path, &arguments.inputs)?,
        None => built_in()?,
    };
    let subject = Subject { package: Arc::new(package), inputs };
    let arena = Arena::embedded().await;
    arena.register(&subject.package).await;
    // A burnt bond of an earlier game: only the very first pays for the burn address' slot.
    fight(&arena, &subject, random_lie(&subject.package, 0).ok_or(NOTHING)?).await?;
    let mut games = Vec::new();
    for seed in arguments.from..arguments.from.saturating_add(arguments.lies) {
        let lie = random_lie(&subject.package, seed).ok_or(NOTHING)?;
        let used = arena.time.snapshot().await?;
        let game = fight(&arena, &subject, lie).await?;
        arena.time.revert(used).await?;
        if !arguments.json {
            let (transactions, gas, step) = (game.transactions(), game.gas(), game.step());
            println!("seed {seed:3}: {transactions:2} transactions, {gas} gas, step {step} gas (lie {lie})");
        }
        games.push(game);
    }
    let figures = figures(model, &games);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

/// A game's transactions.
struct Game(Vec<Sent>);

impl Game {
    fn transactions(&self) -> u64 {
        self.0.len() as u64
    }

    fn gas(&self) -> u64 {
        self.0.iter().map(|s| s.gas).sum()
    }

    /// What the step took; nothing where a whole root was decided about.
    fn step(&self) -> u64 {
        self.0.iter().filter(|s| s.call == "step").map(|s| s.gas).sum()
    }
}

/// Plays a lie to its end.
async fn fight(arena: &Arena, subject: &Subject, lie: Lie) -> Result<Game, Failure> {
    let (mut liar, claim) = Side::lying_executor(arena.client(1), subject, lie).await;
    let mut watcher = Side::watcher(arena.client(2), subject);
    while !is_settled(arena, &claim, watcher.tick().await + liar.tick().await).await {}
    let outcome = arena.status(&claim).await.outcome;
    if outcome != Ending::RefutedByDispute {
        return Err(format!("the lie {lie} ended as {outcome:?}").into());
    }
    let sent = watcher.sent.into_iter().chain(liar.sent);
    Ok(Game(sent.filter(|s| s.call != "withdraw").collect()))
}

/// Whether nothing is left to do; where nobody has `acted` before the end, time passes.
async fn is_settled(arena: &Arena, claim: &ClaimContent, acted: usize) -> bool {
    if acted > 0 {
        return false;
    }
    if arena.status(claim).await.phase == ClaimPhase::Refuted {
        return true;
    }
    if !arena.time_out(claim).await {
        arena.pass_deadline(claim).await;
    }
    false
}

fn load(path: &Path, inputs: &[PathBuf]) -> Result<(String, Package, Vec<Tensor>), Failure> {
    let mut inputs = inputs.to_vec();
    if inputs.is_empty() {
        let data = path.with_file_name("test_data_set_0");
        inputs = (0..).map(|i| data.join(format!("input_{i}.pb"))).take_while(|file| file.exists()).collect();
    }
    if inputs.is_empty() {
        return Err(format!("{} has no test_data_set_0 beside it: give its inputs with --input", path.display()).into());
    }
    let tensors = inputs.iter().map(|path| read_tensor(path)).collect::<Result<Vec<Tensor>, _>>()?;
    let package = match read_package(path)? {
        Some(package) => package,
        None => compile(path, |model| {
            // Open dimensions are those of the inputs.
            let shapes = model.inputs.iter().zip(&tensors).map(|(i, t)| (i.name.clone(), t.ty().dims)).collect();
            Ok(LowerOptions { shapes, ..LowerOptions::default() })
        })?,
    };
    Ok((path.display().to_string(), package, tensors))
}

fn figures(model: String, games: &[Game]) -> Figures {
    let spread = |figure: fn(&Game) -> u64| Spread::of(games.iter().map(figure).collect());
    let (transactions, gas, step) = (spread(Game::transactions), spread(Game::gas), spread(Game::step));
    let mut moves: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
    for m in games.iter().flat_map(|g| &g.0) {
        moves.entry(m.call).or_default().push(m.gas);
    }
    Figures {
        model,
        lies: games.len(),
        transactions_median: transactions.median,
        transactions_worst: transactions.worst,
        gas_median: gas.median,
        gas_worst: gas.worst,
        step_median: step.median,
        step_worst: step.worst,
        moves: moves.into_iter().map(|(call, gas)| (call, Spread::of(gas))).collect(),
    }
}

fn print(figures: &Figures) {
    println!("\n{:12} {:>9} {:>9} {:>9}", "gas", "least", "median", "worst");
    for (call, gas) in &figures.moves {
        println!("{call:12} {:9} {:9} {:9}", gas.least, gas.median, gas.worst);
    }
    println!(
        "\n{} lies: {} transactions (worst {}), {} gas (worst {}), step {} (worst {})",
        figures.lies,
        figures.transactions_median,
        figures.transactions_worst,
        figures.gas_median,
        figures.gas_worst,
        figures.step_median,
        figures.step_worst
    );
}
