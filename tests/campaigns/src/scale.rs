//! How values, trace, memory, time, transactions and gas grow with a model's parameters.

mod perceptron;

use crate::duel::{Game, Ground, Spread};
use crate::models::random_lies;
use crate::{Failure, Outcome, memory};
use perceptron::{ROWS, Size};
use rebut_challenger::files::{read_package, write_package};
use rebut_engine::dispute::most_turns;
use rebut_engine::exec::{self, Options};
use rebut_engine::package::Package;
use rebut_engine::program::Source;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace, TraceView};
use rebut_tests::models::Subject;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// What weights and inputs are made of.
const SEED: u64 = 1;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The largest number of parameters, as 1e7 (a model of 1e9 takes 20 GB of memory to make and 8 GB of disk)
    #[arg(long, default_value = "1.1e7")]
    up_to: f64,
    /// Lies about each model; each must be refuted
    #[arg(long, default_value_t = 3)]
    lies: usize,
    /// Where packages and trace files are while they are measured
    #[arg(long, value_name = "FOLDER", default_value = "target/scale")]
    folder: PathBuf,
    /// Print one JSON list instead of a table
    #[arg(long)]
    json: bool,
    /// Measure this package of a model of that width, in this process (what the command starts for each size)
    #[arg(long, hide = true, value_name = "PACKAGE", requires = "width")]
    measure: Option<PathBuf>,
    #[arg(long, hide = true)]
    width: Option<u64>,
}

/// What one model takes.
#[derive(Serialize, Deserialize)]
struct Row {
    parameters: u64,
    width: u64,
    layers: u64,
    weight_bytes: u64,
    values: u64,
    /// Bytes of all results: what a trace holds beyond inputs and weights.
    trace_bytes: u64,
    /// Most turns of a dispute.
    turns: u32,
    /// What the program needs once it is read: its weights, above all.
    read: Taken,
    run: Taken,
    /// The trace root, nothing kept.
    root: Taken,
    /// The trace with a file.
    file: Taken,
    lies: usize,
    transactions: Spread,
    gas: Spread,
    step_worst: u64,
}

/// Time, and the most memory of the process meanwhile.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Taken {
    seconds: f64,
    peak_mib: Option<u64>,
}

impl Taken {
    fn by<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<(T, Self), Failure> {
        memory::forget_peak();
        let started = Instant::now();
        let made = work()?;
        Ok((made, Self { seconds: started.elapsed().as_secs_f64(), peak_mib: memory::peak() }))
    }
}

const HEAD: &str = "| parameters | weights MiB | values | trace MiB | read s / MiB | run s / MiB | root s / MiB | file s / MiB | turns | transactions | gas median | gas worst | step worst |
|---|---|---|---|---|---|---|---|---|---|---|---|---|";

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let taken = |t: Taken| {
            let peak = t.peak_mib.map_or("?".into(), |mib| mib.to_string());
            format!("{:.3} / {peak}", t.seconds)
        };
        write!(
            f,
            "| {:.2e} ({}) | {:.1} | {} | {:.1} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            self.parameters as f64,
            Size { width: self.width, layers: self.layers },
            mib(self.weight_bytes),
            self.values,
            mib(self.trace_bytes),
            taken(self.read),
            taken(self.run),
            taken(self.root),
            taken(self.file),
            self.turns,
            self.transactions.worst,
            self.gas.median,
            self.gas.worst,
            self.step_worst
        )
    }
}

pub(crate) async fn run(arguments: Arguments) -> Outcome {
    if let (Some(package), Some(width)) = (&arguments.measure, arguments.width) {
        println!("{}", serde_json::to_string(&measure(package, width, arguments.lies).await?)?);
        return Ok(());
    }
    std::fs::create_dir_all(&arguments.folder)?;
    if !arguments.json {
        println!("layers x + relu(x W + b) over {ROWS} rows\n{HEAD}");
    }
    let mut rows = Vec::new();
    for size in Size::ALL.into_iter().filter(|size| size.parameters() as f64 <= arguments.up_to) {
        let path = arguments.folder.join(format!("{}.rebut", size.parameters()));
        write_package(&path, &size.package(SEED)?)?;
        let row = in_a_process(&path, size, arguments.lies);
        std::fs::remove_file(&path)?;
        let row = row?;
        if !arguments.json {
            println!("{row}");
        }
        rows.push(row);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!("by formula: parameters, weights MiB, values, trace MiB, turns");
    for size in Size::BEYOND {
        let (parameters, weights) = (size.parameters() as f64, mib(4 * size.parameters()));
        let (values, trace) = (size.values(), mib(size.trace_bytes()));
        println!("| {parameters:.2e} ({size}) | {weights:.0} | {values} | {trace:.0} | {} |", size.turns());
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Measures in a process of its own, whose memory nothing else was in.
fn in_a_process(package: &Path, size: Size, lies: usize) -> Result<Row, Failure> {
    let (width, lies) = (size.width.to_string(), lies.to_string());
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["scale", "--width", &width, "--lies", &lies, "--measure"]).arg(package);
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the model of {} parameters: {}", size.parameters(), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn measure(path: &Path, width: u64, lies: usize) -> Result<Row, Failure> {
    let options = Options::default();
    let (package, read) = Taken::by(|| Ok(Arc::new(read_package(path)?.ok_or("no package")?)))?;
    let size = Size { width, layers: package.constants().map(|c| c.len() as u64).sum::<u64>() / (width * (width + 1)) };
    let inputs = Arc::new(vec![size.input(SEED)?]);
    let (_, run) = Taken::by(|| Ok(exec::run(&package, &inputs, &options)?))?;
    let trace = |cache| Ok(Trace::stored(&package, &inputs, &options, &Storage { memory: 0, cache })?.root());
    let (own, root) = Taken::by(|| trace(None))?;
    let cache = path.with_extension("trace");
    // A file from an interrupted measurement would be taken up.
    drop(std::fs::remove_file(&cache));
    let filed = Taken::by(|| trace(Some(cache.clone())));
    drop(std::fs::remove_file(&cache));
    let (same, file) = filed?;
    if same != own {
        return Err("the trace with a file has another root".into());
    }
    let games = games(package.clone(), inputs.to_vec(), lies).await?;
    let spread = |figure: fn(&Game) -> u64| Spread::of(games.iter().map(figure));
    let bytes = |tensor: &Tensor| (tensor.len() * tensor.dtype().width()) as u64;
    let values = &package.program().values;
    let results = values.iter().filter(|v| matches!(v.source, Source::Instruction(_)));
    let row = Row {
        parameters: package.constants().map(|c| c.len() as u64).sum(),
        width,
        layers: size.layers,
        weight_bytes: package.constants().map(bytes).sum(),
        values: values.len() as u64,
        trace_bytes: results.map(|v| v.ty.bytes()).sum(),
        turns: most_turns(package.program()),
        read,
        run,
        root,
        file,
        lies: games.len(),
        transactions: spread(Game::transactions),
        gas: spread(Game::gas),
        step_worst: spread(Game::step).worst,
    };
    // What the formula says of larger models.
    if (row.values, row.trace_bytes, row.turns) != (size.values(), size.trace_bytes(), size.turns()) {
        return Err(format!("{size}: the formula gives other values, bytes of a trace or turns").into());
    }
    Ok(row)
}

/// Games about random lies, each of which is refuted.
async fn games(package: Arc<Package>, inputs: Vec<Tensor>, lies: usize) -> Result<Vec<Game>, Failure> {
    let lies = random_lies(&package, lies, SEED);
    let Some(&first) = lies.first() else { return Ok(Vec::new()) };
    let ground = Ground::new(Subject { package, inputs }, first).await?;
    let mut games = Vec::new();
    for lie in lies {
        games.push(ground.fight(lie).await?);
    }
    Ok(games)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_small_model_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        for size in [Size { width: 40, layers: 3 }, Size { width: 300, layers: 2 }] {
            write_package(&path, &size.package(SEED).unwrap()).unwrap();
            let row = measure(&path, size.width, 1).await.unwrap();
            assert_eq!((row.parameters, row.layers), (size.parameters(), size.layers));
            assert_eq!((row.weight_bytes, row.lies), (4 * size.parameters(), 1));
            assert!(row.gas.worst > row.step_worst && row.step_worst > 0);
        }
    }
}
