//! The figures of one model.

use super::engine::{ENGINES, Engine, Measured};

/// The numbers of threads that are measured.
pub(super) const THREADS: [usize; 2] = [1, 2];

pub(super) struct Row {
    pub(super) model: String,
    /// For each number of threads and engine the turn with the fastest median.
    best: [[Option<Measured>; ENGINES.len()]; THREADS.len()],
    /// Engines that do not run the model, and why.
    pub(super) refusals: Vec<(Engine, String)>,
}

impl Row {
    pub(super) fn new(model: &str) -> Self {
        Self { model: model.to_owned(), best: Default::default(), refusals: Vec::new() }
    }

    pub(super) fn refuses(&mut self, engine: Engine, reason: String) {
        if !self.refusals.iter().any(|(e, _)| *e == engine) {
            self.refusals.push((engine, reason));
        }
    }

    /// Keeps the faster run and the faster trace of two turns.
    pub(super) fn keep_best(&mut self, column: usize, engine: Engine, mut measured: Measured) {
        let best = &mut self.best[column][index(engine)];
        if let Some(before) = best.as_ref() {
            measured.median_ms = measured.median_ms.min(before.median_ms);
            if let (Some(own), Some(before)) = (measured.own.as_mut(), before.own) {
                own.trace_ms = own.trace_ms.min(before.trace_ms);
            }
        }
        *best = Some(measured);
    }

    pub(super) fn best(&self, column: usize, engine: Engine) -> Option<&Measured> {
        self.best[column][index(engine)].as_ref()
    }

    pub(super) fn ms(&self, column: usize, engine: Engine) -> Option<f64> {
        Some(self.best(column, engine)?.median_ms)
    }

    /// An engine's speed as a multiple of onnxruntime's.
    pub(super) fn ratio(&self, column: usize, engine: Engine) -> Option<f64> {
        Some(self.ms(column, Engine::Onnxruntime)? / self.ms(column, engine)?)
    }

    /// Time of runs that commit to every value, as a multiple of the plain run's.
    pub(super) fn trace_ratio(&self, column: usize) -> Option<f64> {
        let best = self.best(column, Engine::Rebut)?;
        Some(best.own?.trace_ms / best.median_ms)
    }

    /// Billions of operations a second, two for each multiply-add of our program's dots, whoever computes them.
    pub(super) fn gflops(&self, column: usize, engine: Engine) -> Option<f64> {
        let own = self.best(column, Engine::Rebut)?.own?;
        Some(2.0 * own.multiply_adds / (self.ms(column, engine)? * 1e6))
    }
}

fn index(engine: Engine) -> usize {
    ENGINES.iter().position(|&e| e == engine).unwrap_or_default()
}

/// The geometric mean; nothing of nothing.
pub(super) fn geomean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for x in numbers {
        sum += x.ln();
        count += 1.0;
    }
    (count > 0.0).then(|| (sum / count).exp())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::engine::Own;
    use super::*;

    /// A model that takes us 2 ms and onnxruntime 1 ms, in both columns; rten refuses it.
    pub(crate) fn example(model: &str) -> Row {
        let mut row = Row::new(model);
        let measured = |median_ms, own| Measured { version: "1".into(), median_ms, own };
        for column in 0..THREADS.len() {
            let own = Own { multiply_adds: 3e6, elements: 10.0, trace_ms: 3.0 };
            row.keep_best(column, Engine::Rebut, measured(2.0, Some(own)));
            row.keep_best(column, Engine::Onnxruntime, measured(1.0, None));
            row.keep_best(column, Engine::Tract, measured(4.0, None));
        }
        row.refuses(Engine::Rten, "no <such> operator".into());
        row
    }

    #[test]
    fn ratios_are_speeds_to_onnxruntimes() {
        let row = example("m");
        assert_eq!(row.ratio(0, Engine::Rebut), Some(0.5));
        assert_eq!(row.ratio(1, Engine::Tract), Some(0.25));
        assert_eq!(row.ratio(0, Engine::Rten), None);
        assert_eq!(row.trace_ratio(0), Some(1.5));
        assert_eq!(row.gflops(0, Engine::Rebut), Some(3.0));
        assert_eq!(row.gflops(0, Engine::Onnxruntime), Some(6.0));
    }

    #[test]
    fn the_best_turn_counts() {
        let mut row = example("m");
        for (ms, trace_ms) in [(3.0, 2.5), (1.5, 9.0)] {
            let own = Own { multiply_adds: 3e6, elements: 10.0, trace_ms };
            row.keep_best(0, Engine::Rebut, Measured { version: "1".into(), median_ms: ms, own: Some(own) });
        }
        assert_eq!(row.ms(0, Engine::Rebut), Some(1.5));
        assert_eq!(row.trace_ratio(0), Some(2.5 / 1.5));
        assert_eq!(row.ms(1, Engine::Rebut), Some(2.0));
    }

    #[test]
    fn geometric_means() {
        assert_eq!(geomean([2.0, 8.0].into_iter()).map(|x| (x * 1e9).round()), Some(4e9));
        assert_eq!(geomean([].into_iter()), None);
    }
}
