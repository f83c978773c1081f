//! Resize and Upsample: one axis after the other, by a table of which coordinates make each output with which weights
//! (`resample.rs`). The tables are computed in f64 with the four basic operations, as the operator's definition says.

use super::resample::{Row, resampled};
use crate::lower::Lowering;
use crate::lower::context::{Context, axes_of, axis_of};
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::program::DType;

/// How an output's coordinate becomes one of the input.
#[derive(Clone, Copy, PartialEq)]
enum Transformation {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    TfHalfPixelForNn,
    TfCropAndResize,
}

/// Which coordinate is nearest.
#[derive(Clone, Copy)]
enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

#[derive(Clone, Copy)]
enum Mode {
    Nearest(Nearest),
    Linear,
    /// With the coefficient a.
    Cubic(f64),
}

/// What holds for all axes.
struct Rule {
    mode: Mode,
    transformation: Transformation,
    antialias: bool,
    exclude_outside: bool,
    extrapolation: f32,
}

/// One axis: its extents, their ratio, and the region of interest.
#[derive(Clone, Copy)]
struct Span {
    input: u64,
    output: u64,
    scale: f64,
    region: (f64, f64),
}

/// Upsample, and Resize before operator set 11: no shift of coordinates.
pub(super) fn upsample(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let mode = match c.attributes.string("mode")?.as_deref() {
        None | Some("nearest") => Mode::Nearest(Nearest::Floor),
        Some("linear" | "bilinear") => Mode::Linear,
        Some(other) => return Err(format!("mode `{other}` does not exist")),
    };
    let scales = if c.opset < 9 { c.attributes.floats("scales")? } else { c.optional_floats(1, "scales")? };
    let scales = scales.ok_or("its scales are missing")?;
    let rule = Rule {
        mode,
        transformation: Transformation::Asymmetric,
        antialias: false,
        exclude_outside: false,
        extrapolation: 0.0,
    };
    let axes: Vec<usize> = (0..x.rank()).collect();
    let spans = scaled(&x, &axes, &scales, &vec![(0.0, 1.0); axes.len()])?;
    Ok(vec![resized(c, x, &axes, &spans, &rule)?])
}

pub(super) fn resize(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    if c.opset < 11 {
        return upsample(c);
    }
    let x = c.input(0)?;
    let rule = rule(c)?;
    let policy = c.attributes.string("keep_aspect_ratio_policy")?;
    let axes: Vec<usize> = match c.attributes.ints("axes")? {
        None => (0..x.rank()).collect(),
        Some(axes) => {
            axes_of(&axes, x.rank())?;
            axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Lowering<_>>()?
        }
    };
    let regions = if rule.transformation == Transformation::TfCropAndResize {
        let roi = c.optional_floats(1, "roi")?.ok_or("its roi is missing")?;
        if roi.len() != 2 * axes.len() {
            return Err(format!("roi {roi:?} does not fit {} axes", axes.len()));
        }
        let ends = &roi[axes.len()..];
        roi.iter().zip(ends).map(|(&s, &e)| (f64::from(s), f64::from(e))).collect()
    } else {
        c.optional(1)?;
        vec![(0.0, 1.0); axes.len()]
    };
    // Empty is the same as left out.
    let scales = c.optional_floats(2, "scales")?.filter(|s| !s.is_empty());
    let sizes = c.optional_ints(3, "sizes")?.filter(|s| !s.is_empty());
    let spans = match (scales, sizes) {
        (Some(scales), None) => scaled(&x, &axes, &scales, &regions)?,
        (None, Some(sizes)) => sized(&x, &axes, &sizes, &regions, policy.as_deref().unwrap_or("stretch"))?,
        _ => return Err("either its scales or its sizes must be given".into()),
    };
    Ok(vec![resized(c, x, &axes, &spans, &rule)?])
}

fn rule(c: &mut Context<'_, '_>) -> Lowering<Rule> {
    use Transformation::*;
    let nearest = match c.attributes.string("nearest_mode")?.as_deref() {
        None | Some("round_prefer_floor") => Nearest::RoundPreferFloor,
        Some("round_prefer_ceil") => Nearest::RoundPreferCeil,
        Some("floor") => Nearest::Floor,
        Some("ceil") => Nearest::Ceil,
        Some(other) => return Err(format!("nearest_mode `{other}` does not exist")),
    };
    let a = f64::from(c.float("cubic_coeff_a", -0.75)?);
    let mode = match c.attributes.string("mode")?.as_deref() {
        None | Some("nearest") => Mode::Nearest(nearest),
        Some("linear") => Mode::Linear,
        Some("cubic") => Mode::Cubic(a),
        Some(other) => return Err(format!("mode `{other}` does not exist")),
    };
    let transformation = match c.attributes.string("coordinate_transformation_mode")?.as_deref() {
        None | Some("half_pixel") => HalfPixel,
        Some("half_pixel_symmetric") if c.opset >= 19 => HalfPixelSymmetric,
        Some("pytorch_half_pixel") => PytorchHalfPixel,
        Some("align_corners") => AlignCorners,
        Some("asymmetric") => Asymmetric,
        Some("tf_half_pixel_for_nn") if c.opset < 13 => TfHalfPixelForNn,
        Some("tf_crop_and_resize") => TfCropAndResize,
        Some(other) => {
            let (set, what) = (c.opset, "coordinate_transformation_mode");
            return Err(format!("{what} `{other}` does not exist in operator set {set}"));
        }
    };
    let antialias = c.flag("antialias", false)?;
    if antialias && matches!(mode, Mode::Nearest(_)) {
        return Err("antialias needs mode linear or cubic".into());
    }
    Ok(Rule {
        mode,
        transformation,
        antialias,
        exclude_outside: c.flag("exclude_outside", false)?,
        extrapolation: c.float("extrapolation_value", 0.0)?,
    })
}

fn scaled(x: &Lazy, axes: &[usize], scales: &[f32], regions: &[(f64, f64)]) -> Lowering<Vec<Span>> {
    if scales.len() != axes.len() || scales.iter().any(|&s| !(s > 0.0 && s < 1e9)) {
        return Err(format!("scales {scales:?} do not fit {} axes", axes.len()));
    }
    let dims = x.dims();
    let span = |((&a, &scale), &region): ((&usize, &f32), &(f64, f64))| {
        let input = dims[a];
        // Rounded down, of an f32 product, as shape inference does.
        let output = (input as f32 * (region.1 - region.0) as f32 * scale).max(0.0) as u64;
        Span { input, output, scale: f64::from(scale), region }
    };
    Ok(axes.iter().zip(scales).zip(regions).map(span).collect())
}

fn sized(x: &Lazy, axes: &[usize], sizes: &[i64], regions: &[(f64, f64)], policy: &str) -> Lowering<Vec<Span>> {
    if sizes.len() != axes.len() || sizes.iter().any(|s| !(0..1 << 40).contains(s)) {
        return Err(format!("sizes {sizes:?} do not fit {} axes", axes.len()));
    }
    let dims = x.dims();
    let scale = |(&a, &size): (&usize, &i64)| size as f64 / dims[a] as f64;
    let scales: Vec<f64> = axes.iter().zip(sizes).map(scale).collect();
    let common = match policy {
        "stretch" => None,
        "not_larger" => scales.iter().copied().reduce(f64::min),
        "not_smaller" => scales.iter().copied().reduce(f64::max),
        other => return Err(format!("keep_aspect_ratio_policy `{other}` does not exist")),
    };
    let span = |(i, &a): (usize, &usize)| {
        let input = dims[a];
        let (output, scale) = match common {
            None => (sizes[i].unsigned_abs(), scales[i]),
            // Half a coordinate counts as one.
            Some(scale) => ((scale * input as f64 + 0.5) as u64, scale),
        };
        Span { input, output, scale, region: regions[i] }
    };
    Ok(axes.iter().enumerate().map(span).collect())
}

fn resized(c: &mut Context<'_, '_>, x: Lazy, axes: &[usize], spans: &[Span], rule: &Rule) -> Lowering<Lazy> {
    let mut dims = x.dims();
    axes.iter().zip(spans).for_each(|(&a, s)| dims[a] = s.output);
    if mul(&dims)? == 0 {
        return Ok(Lazy { axes: dims.iter().map(|&d| axis(d, 0)).collect(), ..x });
    }
    if x.elements() == 0 {
        return Err(format!("an empty input {:?} cannot become {dims:?}", x.dims()));
    }
    let mut y = x;
    for (&a, span) in axes.iter().zip(spans) {
        let whole = rule.transformation != Transformation::TfCropAndResize || span.region == (0.0, 1.0);
        if span.output == span.input && (span.scale - 1.0).abs() <= 1e-9 && whole {
            continue;
        }
        let weighted = !matches!(rule.mode, Mode::Nearest(_));
        if weighted && y.dtype != DType::F32 {
            return Err(format!("weighted sums of {} are not supported, only mode nearest", y.dtype));
        }
        let rows = rows(c, span, rule)?;
        y = resampled(c.b, &y, a, &rows, weighted, rule.extrapolation)?;
    }
    Ok(y)
}

/// What makes each output of an axis.
fn rows(c: &mut Context<'_, '_>, span: &Span, rule: &Rule) -> Lowering<Vec<Row>> {
    let taps = if rule.antialias { (8.0 / span.scale.min(1.0)).min(1e12) as u64 } else { 4 };
    c.b.budget.table(span.output.saturating_mul(taps))?;
    (0..span.output).map(|i| row(i as f64, span, rule)).collect()
}

fn row(output: f64, span: &Span, rule: &Rule) -> Lowering<Row> {
    let at = original(output, span, rule.transformation);
    if !at.is_finite() || at.abs() > 1e12 {
        return Err(format!("output {output} is at coordinate {at} of the input"));
    }
    let last = (span.input - 1) as f64;
    if rule.transformation == Transformation::TfCropAndResize && (at < 0.0 || at > last) {
        return Ok(Row::Extrapolated);
    }
    let floor = at.floor();
    // How far behind the coordinate to the left, above 0: of a whole coordinate that is the one before it.
    let ratio = if at == floor { 1.0 } else { at - floor };
    let left = floor as i64 - i64::from(at == floor);
    let scale = if rule.antialias { span.scale.min(1.0) } else { 1.0 };
    let (first, mut weights) = match rule.mode {
        Mode::Nearest(nearest) => {
            let right = match nearest {
                _ if ratio == 1.0 => true,
                Nearest::RoundPreferFloor => ratio > 0.5,
                Nearest::RoundPreferCeil => ratio >= 0.5,
                Nearest::Floor => false,
                Nearest::Ceil => true,
            };
            return Ok(Row::Taps(vec![(left + i64::from(right), 1.0)]));
        }
        Mode::Linear => stretched(ratio, scale, 1.0, |t| (1.0 - t).clamp(0.0, 1.0)),
        Mode::Cubic(a) => stretched(ratio, scale, 2.0, |t| cubic(t, a)),
    };
    let size = span.input as i64; // below 2^40
    let taps = (left + first..).zip(weights.iter_mut());
    if rule.exclude_outside {
        taps.filter(|(i, _)| !(0..size).contains(i)).for_each(|(_, w)| *w = 0.0);
    }
    if rule.exclude_outside || rule.antialias {
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= if sum == 0.0 { 1.0 } else { sum });
    }
    Ok(Row::Taps((left + first..).zip(weights).filter(|t| t.1 != 0.0).collect()))
}

/// The weights of the coordinates within `reach / scale`, and the number of the first one from the left one on.
fn stretched(ratio: f64, scale: f64, reach: f64, kernel: impl Fn(f64) -> f64) -> (i64, Vec<f64>) {
    let first = (-reach / scale).floor() as i64 + 1;
    (first, (first..2 - first).map(|i| kernel((scale * (i as f64 - ratio)).abs())).collect())
}

fn cubic(t: f64, a: f64) -> f64 {
    if t <= 1.0 {
        ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0
    } else if t < 2.0 {
        ((a * t - 5.0 * a) * t + 8.0 * a) * t - 4.0 * a
    } else {
        0.0
    }
}

/// The input's coordinate of an output's.
fn original(x: f64, span: &Span, transformation: Transformation) -> f64 {
    let Span { input, output, scale, region } = *span;
    let (input, exact) = (input as f64, scale * input as f64);
    match transformation {
        Transformation::AlignCorners if exact == 1.0 => 0.0,
        Transformation::AlignCorners => x * (input - 1.0) / (exact - 1.0),
        Transformation::Asymmetric => x / scale,
        Transformation::PytorchHalfPixel if exact == 1.0 => -0.5,
        Transformation::PytorchHalfPixel | Transformation::HalfPixel => (x + 0.5) / scale - 0.5,
        Transformation::HalfPixelSymmetric => input / 2.0 * (1.0 - output as f64 / exact) + (x + 0.5) / scale - 0.5,
        Transformation::TfHalfPixelForNn => (x + 0.5) / scale,
        Transformation::TfCropAndResize => {
            let (start, width) = (region.0 * (input - 1.0), (region.1 - region.0) * (input - 1.0));
            if output == 1 { start + width / 2.0 } else { x * width / (output as f64 - 1.0) + start }
        }
    }
}
