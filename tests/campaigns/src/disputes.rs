//! What disputes about one model cost, by move.

use crate::duel::{Game, Ground, Spread};
use crate::recorded::{program, tensors};
use crate::{Failure, Outcome};
use rebut_challenger::demo::{built_in, random_lie};
use rebut_challenger::files::read_tensor;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_tests::models::Subject;
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
    let lie = |seed| random_lie(&subject.package, seed).ok_or(NOTHING);
    let ground = Ground::new(subject.clone(), lie(0)?).await?;
    let mut games = Vec::new();
    for seed in arguments.from..arguments.from.saturating_add(arguments.lies) {
        let lie = lie(seed)?;
        let game = ground.fight(lie).await?;
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

fn load(path: &Path, inputs: &[PathBuf]) -> Result<(String, Package, Vec<Tensor>), Failure> {
    let tensors = if inputs.is_empty() {
        tensors(&path.with_file_name("test_data_set_0"), "input")?
    } else {
        inputs.iter().map(|path| read_tensor(path)).collect::<Result<Vec<Tensor>, _>>()?
    };
    if tensors.is_empty() {
        return Err(format!("{} has no test_data_set_0 beside it: give its inputs with --input", path.display()).into());
    }
    Ok((path.display().to_string(), program(path, &tensors)?, tensors))
}

fn figures(model: String, games: &[Game]) -> Figures {
    let spread = |figure: fn(&Game) -> u64| Spread::of(games.iter().map(figure));
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
        moves: moves.into_iter().map(|(call, gas)| (call, Spread::of(gas.into_iter()))).collect(),
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
