//! All steps in order, with headings and times.

use crate::failure::Outcome;
use crate::step::{Settings, Step};
use clap::ValueEnum;
use std::time::{Duration, Instant};

/// Runs every step that is not left out, until one fails.
pub(crate) fn run(skip: &[Step], settings: &Settings) -> Outcome {
    let steps = Step::value_variants();
    let mut times = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        println!("\n===== {}/{} {} =====", number + 1, steps.len(), step.name());
        if skip.contains(step) {
            println!("left out by --skip {}", step.name());
            times.push((step.name(), None));
            continue;
        }
        let start = Instant::now();
        let outcome = step.run(settings);
        let time = start.elapsed();
        println!("----- {}: {}, {} -----", step.name(), if outcome.is_ok() { "ok" } else { "FAILED" }, seconds(time));
        outcome?;
        times.push((step.name(), Some(time)));
    }
    println!("\n===== times =====");
    for (name, time) in &times {
        println!("{name:12} {:>10}", time.map_or_else(|| "left out".to_owned(), seconds));
    }
    println!("{:12} {:>10}", "total", seconds(times.iter().filter_map(|(_, time)| *time).sum()));
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
