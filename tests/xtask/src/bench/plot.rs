//! A picture of the ratios: a bar for each engine and model, to onnxruntime's line.

use super::engine::Engine;
use super::row::{Row, THREADS};
use std::fmt::Write;

const BARS: [(Engine, &str); 3] = [(Engine::Rebut, "#c0392b"), (Engine::Tract, "#7f8c8d"), (Engine::Rten, "#bdc3c7")];
/// Pixels: names to the left, one panel for each number of threads, and bars.
const NAMES: f64 = 150.0;
const PANEL: f64 = 330.0;
const GAP: f64 = 40.0;
const BAR: f64 = 9.0;
const TOP: f64 = 60.0;
/// Space that one model takes.
const GROUP: f64 = BAR * BARS.len() as f64 + 9.0;

/// The picture as SVG.
pub(super) fn plot(rows: &[Row]) -> String {
    let columns = 0..THREADS.len();
    let ratios = rows.iter().flat_map(|row| {
        columns.clone().flat_map(move |column| BARS.map(|(engine, _)| row.ratio(column, engine).unwrap_or(0.0)))
    });
    // A little more than the longest bar, and never less than onnxruntime's line.
    let full = ratios.fold(1.0, f64::max) * 1.1;
    let width = NAMES + (PANEL + GAP) * THREADS.len() as f64;
    let height = TOP + GROUP * rows.len() as f64 + 10.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut out, 10.0, 20.0, "start", "Speed as a multiple of onnxruntime's (the line); longer is faster");
    for (number, row) in rows.iter().enumerate() {
        text(&mut out, NAMES - 8.0, middle(number) + 4.0, "end", &row.model);
    }
    for (column, threads) in THREADS.into_iter().enumerate() {
        let plural = if threads == 1 { "" } else { "s" };
        text(&mut out, left(column), TOP - 10.0, "start", &format!("{threads} thread{plural}"));
    }
    for (number, (engine, colour)) in BARS.into_iter().enumerate() {
        let x = left(THREADS.len() - 1) + 90.0 * number as f64 + 60.0;
        text(&mut out, x + 12.0, TOP - 10.0, "start", engine.name());
        rect(&mut out, [x, TOP - 19.0, BAR, BAR], colour);
    }
    for column in columns {
        for (number, row) in rows.iter().enumerate() {
            bars(&mut out, row, column, number, full);
        }
        let x = left(column) + PANEL / full;
        let _ = writeln!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{height}\" stroke=\"#2c3e50\"/>");
    }
    out.push_str("</svg>\n");
    out
}

fn bars(out: &mut String, row: &Row, column: usize, number: usize, full: f64) {
    for (place, (engine, colour)) in BARS.into_iter().enumerate() {
        let Some(ratio) = row.ratio(column, engine) else { continue };
        let y = TOP + GROUP * number as f64 + BAR * place as f64;
        let length = PANEL * ratio / full;
        rect(out, [left(column), y, length, BAR - 1.0], colour);
        if engine == Engine::Rebut {
            let x = left(column) + length + 3.0;
            let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"9\">{ratio:.2}</text>", y + BAR - 1.0);
        }
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

fn rect(out: &mut String, [x, y, width, height]: [f64; 4], colour: &str) {
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>"
    );
}

fn left(column: usize) -> f64 {
    NAMES + (PANEL + GAP) * column as f64
}

fn middle(row: usize) -> f64 {
    TOP + GROUP * row as f64 + BAR * BARS.len() as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::example;
    use super::*;

    #[test]
    fn bars_are_as_long_as_ratios() {
        let picture = plot(&[example("a"), example("b")]);
        // onnxruntime's line is the longest: 1.1 of it fill a panel.
        let bar = |ratio: f64, colour: &str| {
            let end = format!("width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>", PANEL * ratio / 1.1, BAR - 1.0);
            picture.lines().filter(|line| line.ends_with(&end)).count()
        };
        assert_eq!(bar(0.5, BARS[0].1), 4, "{picture}");
        assert_eq!(bar(0.25, BARS[1].1), 4, "{picture}");
        assert_eq!(picture.matches("<line").count(), THREADS.len());
    }
}
