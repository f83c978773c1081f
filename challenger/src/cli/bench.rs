//! `rebut bench`

use super::Done;
use super::model::{Execution, Lowering};
use super::progress::during;
use crate::files::write_tensor;
use clap::Args;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rebut_engine::exec::{ExecError, Options, Session};
use rebut_engine::package::Package;
use rebut_engine::program::{Core, Instruction, Program, Source, TensorType};
use rebut_engine::tensor::{Tensor, TensorError};
use rebut_engine::trace::{Storage, TraceError, Tracer};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::f32::consts::TAU;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs before the first that is timed.
const WARM_UP: u32 = 5;
/// Where the number of runs is not given: as many as fit in this time, ...
const TIME: Duration = Duration::from_secs(2);
/// ... and no fewer than this.
const LEAST_RUNS: usize = 5;
/// What random inputs begin with.
const SEED: u64 = 0;

/// Arguments of `rebut bench`.
#[derive(Args)]
pub(super) struct Bench {
    /// Packages or ONNX models. Without --input, inputs are standard normal from a fixed seed (integers: zeros), and open dimensions 1
    #[arg(required = true)]
    models: Vec<PathBuf>,
    #[command(flatten)]
    lowering: Lowering,
    #[command(flatten)]
    execution: Execution,
    /// Timed runs of each model [default: as many as 2 s hold, at least 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Also time runs that commit to every value
    #[arg(long)]
    trace: bool,
    /// Write the inputs as input_K.pb into this folder, for other engines; for one model
    #[arg(long, value_name = "DIR")]
    write_inputs: Option<PathBuf>,
    /// Print one JSON object a line and model
    #[arg(long)]
    json: bool,
}

/// Milliseconds of some runs.
#[derive(Serialize)]
struct Times {
    runs: usize,
    median_ms: f64,
    min_ms: f64,
    /// Of all threads together.
    cpu_median_ms: f64,
}

/// What is printed of a model.
#[derive(Serialize)]
struct Figures {
    engine: &'static str,
    version: &'static str,
    model: String,
    /// 0 for one a core.
    threads: usize,
    isa: String,
    #[serde(flatten)]
    run: Times,
    multiply_adds: u64,
    /// Two operations for each multiply-add of a dot, at the median.
    gflops: f64,
    /// Of all values together: what a trace commits to.
    elements: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Traced>,
}

/// Runs that commit to every value.
#[derive(Serialize)]
struct Traced {
    #[serde(flatten)]
    times: Times,
    /// Its median to the plain run's.
    ratio: f64,
}

impl Bench {
    pub(super) fn run(&self) -> Done {
        if (self.execution.has_inputs() || self.write_inputs.is_some()) && self.models.len() > 1 {
            return Err("--input and --write-inputs are for one model".into());
        }
        let mut out = anstream::stdout();
        if !self.json {
            heading(self.trace, &mut out)?;
        }
        for model in &self.models {
            let figures = self.measure(model)?;
            if self.json {
                writeln!(out, "{}", serde_json::to_string(&figures)?)?;
            } else {
                row(&figures, &mut out)?;
            }
        }
        Ok(())
    }

    fn measure(&self, path: &Path) -> Result<Figures, Box<dyn std::error::Error + Send + Sync>> {
        let given = self.execution.inputs()?;
        let (package, inputs) = if given.is_empty() {
            let package = self.lowering.load_closed(path)?;
            let inputs = random_inputs(package.program())?;
            (package, inputs)
        } else {
            (self.lowering.load(path, &given)?, given)
        };
        if let Some(folder) = &self.write_inputs {
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
            for (i, input) in inputs.iter().enumerate() {
                write_tensor(&folder.join(format!("input_{i}.pb")), package.input_name(i), input)?;
            }
        }
        let options = self.execution.options();
        let multiply_adds = multiply_adds(package.program());
        let elements = package.program().values.iter().map(|v| v.ty.elements());
        let elements = elements.fold(0, u64::saturating_add);
        let run = during(&format!("running {}", path.display()), || -> Result<Times, ExecError> {
            time(self.repeat, plain_run(&package, &inputs, &options)?)
        })?;
        let trace = if self.trace {
            let message = format!("tracing {}", path.display());
            let (package, inputs) = (Arc::new(package), Arc::new(inputs));
            let times = during(&message, || -> Result<Times, TraceError> {
                // The trees alone: what is read again is computed again.
                let mut tracer = Tracer::new(&package, &options, Storage { memory: 0, cache: None })?;
                time(self.repeat, || tracer.trace(&inputs))
            })?;
            Some(Traced { ratio: times.median_ms / run.median_ms, times })
        } else {
            None
        };
        Ok(Figures {
            engine: "rebut",
            version: env!("CARGO_PKG_VERSION"),
            model: path.display().to_string(),
            threads: options.threads,
            isa: format!("{:?}", options.isa).to_lowercase(),
            multiply_adds,
            gflops: 2.0 * multiply_adds as f64 / (run.median_ms * 1e6),
            run,
            elements,
            trace,
        })
    }
}

/// A run that can be repeated; what is prepared once for all runs is prepared here.
fn plain_run<'a>(
    package: &'a Package,
    inputs: &'a [Tensor],
    options: &Options,
) -> Result<impl FnMut() -> Result<Vec<Tensor>, ExecError> + 'a, ExecError> {
    let mut session = Session::new(package, options)?;
    Ok(move || session.run(inputs))
}

/// Times `run` after some runs that are not timed. What it makes is dropped while the clocks stand.
fn time<T, E>(repeat: Option<u32>, mut run: impl FnMut() -> Result<T, E>) -> Result<Times, E> {
    for _ in 0..WARM_UP {
        run()?;
    }
    let enough = |runs: usize, all: Duration| match repeat {
        Some(repeat) => runs >= repeat as usize,
        None => runs >= LEAST_RUNS && all >= TIME,
    };
    let (mut walls, mut cpus, mut all) = (Vec::new(), Vec::new(), Duration::ZERO);
    while !enough(walls.len(), all) {
        // Asking the system takes a microsecond: not within what is measured.
        let cpu = cpu_time();
        let wall = Instant::now();
        let made = run()?;
        let wall = wall.elapsed();
        cpus.push(cpu_time().saturating_sub(cpu));
        walls.push(wall);
        all += wall;
        drop(made);
    }
    walls.sort_unstable();
    cpus.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or(0.0, |t| t.as_secs_f64() * 1e3);
    let middle = walls.len() / 2;
    Ok(Times {
        runs: walls.len(),
        median_ms: ms(walls.get(middle)),
        min_ms: ms(walls.first()),
        cpu_median_ms: ms(cpus.get(middle)),
    })
}

/// What all threads of this process have used.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// f32 inputs are standard normal, others zeros.
fn random_inputs(program: &Program) -> Result<Vec<Tensor>, TensorError> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let input = |ty: &TensorType| {
        let mut tensor = Tensor::zeros(ty)?;
        if let Tensor::F32(elements) = &mut tensor {
            elements.mapv_inplace(|_| normal(&mut random));
        }
        Ok(tensor)
    };
    program.input_types().map(input).collect()
}

/// A standard normal number, by the method of Box and Muller.
fn normal(random: &mut impl Rng) -> f32 {
    let (radius, angle): (f32, f32) = random.random();
    (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos()
}

/// Multiply-adds of all dots: those of an element are as many as its reduction is long, in however many windows it is made.
fn multiply_adds(program: &Program) -> u64 {
    let of = |i: &Instruction| {
        let axes = i.extents.len().saturating_sub(usize::from(i.windowed));
        i.extents.iter().take(axes).chain(&i.reduction).fold(1, |n: u64, &e| n.saturating_mul(e))
    };
    let dots = program.values.iter().filter_map(|value| match &value.source {
        Source::Instruction(i) if matches!(i.core, Core::Dot { .. }) => Some(of(i)),
        _ => None,
    });
    dots.fold(0, u64::saturating_add)
}

fn heading(trace: bool, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "{:>11} {:>11} {:>11} {:>6} {:>9} {:>11}",
        "median ms", "min ms", "CPU ms", "runs", "GFLOP/s", "elements"
    )?;
    if trace {
        write!(out, " {:>11} {:>6}", "trace ms", "ratio")?;
    }
    writeln!(out, "  model")
}

fn row(figures: &Figures, out: &mut impl Write) -> io::Result<()> {
    let Figures { run, gflops, elements, .. } = figures;
    let (median, least, cpu) = (run.median_ms, run.min_ms, run.cpu_median_ms);
    write!(out, "{median:>11.3} {least:>11.3} {cpu:>11.3} {:>6} {gflops:>9.2} {elements:>11}", run.runs)?;
    if let Some(Traced { times, ratio }) = &figures.trace {
        write!(out, " {:>11.3} {ratio:>6.2}", times.median_ms)?;
    }
    writeln!(out, "  {}", figures.model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_engine::program::parse_program;
    use std::convert::Infallible;

    /// The product of 3 x `k` and `k` x 5 elements, with what the text says of its result's type and axes.
    fn product(k: usize, ty: &str, axes: &str) -> Program {
        let text = format!(
            "%0: f32[3,{k}] = input %1: f32[{k},5] = input
             %2: {ty} = {axes} v0 = %0[{k}*e0+r0] else 0.0 v1 = %1[e1+5*r0] else 0.0 core = dot(v0, v1) core
             return %2"
        );
        parse_program(&text).expect("a program")
    }

    #[test]
    fn windows_do_not_change_the_number_of_multiply_adds() {
        assert_eq!(multiply_adds(&product(200, "f32[3,5]", "e[3, 5] r[200]")), 3 * 5 * 200);
        assert_eq!(multiply_adds(&product(300, "f32[3,5,2]", "e[3, 5, 2] r[300] windowed")), 3 * 5 * 300);
    }

    #[test]
    fn random_inputs_are_normal_and_always_the_same() {
        let program = parse_program(
            "%0: f32[100,100] = input %1: i64[2] = input %2: f32[1] = e[1] v0 = %0[e0] else 0.0 v0 return %2",
        );
        let inputs = random_inputs(&program.expect("a program")).expect("they fit in memory");
        let [Tensor::F32(numbers), Tensor::I64(zeros)] = &inputs[..] else { panic!("{inputs:?}") };
        assert_eq!(zeros.as_slice(), Some(&[0, 0][..]));
        let count = numbers.len() as f32;
        let moment = |power| numbers.iter().map(|x: &f32| x.powi(power)).sum::<f32>() / count;
        // Ten thousand numbers: five standard deviations of each mean.
        assert!(moment(1).abs() < 0.05 && (moment(2) - 1.0).abs() < 0.08 && (moment(4) - 3.0).abs() < 0.5);
        let again = random_inputs(&product(200, "f32[3,5]", "e[3, 5] r[200]")).expect("they fit in memory");
        let Tensor::F32(first) = &again[0] else { panic!("{again:?}") };
        assert!(numbers.iter().zip(first).all(|(x, y)| x == y));
    }

    #[test]
    fn as_many_runs_are_timed_as_were_asked_for() {
        let mut all = 0;
        let times = time(Some(7), || -> Result<(), Infallible> {
            all += 1;
            Ok(())
        });
        let Ok(times) = times;
        assert_eq!((times.runs, all), (7, 7 + WARM_UP));
        assert!(times.min_ms <= times.median_ms);
        assert_eq!(time(Some(7), || Err::<(), _>("refused")).err(), Some("refused"));
    }
}
