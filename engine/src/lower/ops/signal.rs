//! Windows and the mel matrix: tables made when compiling, from sizes known then.

use crate::lower::Lowering;
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::lazy::Lazy;
use crate::lower::series::{ONE, circle, power, to_f32};
use crate::program::{DType, TensorType};

/// Elements of a table.
pub(super) const LARGEST_TABLE: u64 = 1 << 24;

/// (a + b cos t + c cos 2 t) / d over a turn t: the weights and d.
pub(super) type Cosines = ([i128; 3], i128);

pub(super) const HANN: Cosines = ([1, -1, 0], 2);
/// With a = 25 / 46.
pub(super) const HAMMING: Cosines = ([25, -21, 0], 46);
pub(super) const BLACKMAN: Cosines = ([42, -50, 8], 100);

/// HannWindow, HammingWindow, BlackmanWindow.
pub(super) fn window(c: &mut Context<'_, '_>, ([a, b, twice], divisor): Cosines) -> Lowering<Vec<Lazy>> {
    let size = whole(c, 0, "size")?;
    let periodic = c.flag("periodic", true)?;
    f32_only(c)?;
    let size = u64::try_from(size).map_err(|_| format!("a window of {size}"))?;
    c.b.budget.table(size)?;
    let parts = if periodic { size } else { size.saturating_sub(1) };
    if parts == 0 && size > 0 {
        return Err("a symmetric window of one element divides by zero; give it another size".into());
    }
    let at = |i: u64| to_f32((a * ONE + b * circle(i, parts).0 + twice * circle(2 * i, parts).0) / divisor);
    let table = table(vec![size], (0..size).map(at))?;
    Ok(vec![c.b.constant(table)])
}

/// MelWeightMatrix: triangles between points evenly apart on the mel scale.
pub(super) fn mel_weight_matrix(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (bins, length) = (whole(c, 0, "num_mel_bins")?, whole(c, 1, "dft_length")?);
    let rate = whole(c, 2, "sample_rate")?;
    let (lower, upper) = (frequency(c, 3, "lower_edge_hertz")?, frequency(c, 4, "upper_edge_hertz")?);
    f32_only(c)?;
    let sized = [bins, length].iter().all(|n| (0..1 << 24).contains(n)) && rate > 0;
    if !sized || !(0.0..1e12).contains(&lower) || !(lower..1e12).contains(&upper) {
        return Err(format!("{bins} bins of a transform of {length} at {rate} Hz from {lower} to {upper} Hz"));
    }
    let dims = vec![length.unsigned_abs() / 2 + 1, bins.unsigned_abs()];
    if crate::lower::mul(&dims)? > LARGEST_TABLE {
        return Err(format!("a table of {dims:?} is too large"));
    }
    c.b.budget.table(dims[1].saturating_add(dims[0].saturating_mul(dims[1])))?;
    // 700 (10^(mel / 2595) - 1) with mels evenly between those of the edges is a power of their ratio.
    let ratio = (700.0 + upper) / (700.0 + lower);
    let points: Vec<i64> = (0..bins + 2)
        .map(|i| {
            let hertz =
                if i == 0 { lower } else { (700.0 + lower) * power(ratio, i as f64 / (bins + 2) as f64) - 700.0 };
            ((length + 1) as f64 * hertz / rate as f64).floor() as i64 // far below 2^53
        })
        .collect();
    // The last point's own weight is zero, so that it may be one beyond.
    let rows = length / 2 + 1;
    if points[..points.len() - 1].iter().any(|&p| p >= rows) || points.iter().any(|&p| p > rows) {
        return Err(format!("its upper edge {upper} Hz is beyond the {rows} bins of the spectrum"));
    }
    let columns = bins.unsigned_abs() as usize; // the table fits memory
    let mut values = vec![0f32; dims[0] as usize * columns];
    for (column, p) in points.windows(3).enumerate() {
        let [low, center, high] = [p[0], p[1], p[2]];
        let mut set = |row: i64, x: f64| values[row.unsigned_abs() as usize * columns + column] = x as f32;
        if low == center {
            set(center, 1.0);
        }
        (low..=center).filter(|_| low < center).for_each(|j| set(j, (j - low) as f64 / (center - low) as f64));
        (center..high).for_each(|j| set(j, (high - j) as f64 / (high - center) as f64));
    }
    let table = table(dims, values.into_iter())?;
    Ok(vec![c.b.constant(table)])
}

/// An f32 constant.
pub(super) fn table(dims: Vec<u64>, values: impl Iterator<Item = f32>) -> Lowering<crate::tensor::Tensor> {
    from_registers(&TensorType::new(DType::F32, dims), values.map(|x| i64::from(x.to_bits())))
}

/// One integer known now.
pub(super) fn whole(c: &mut Context<'_, '_>, index: usize, what: &str) -> Lowering<i64> {
    optional_whole(c, index, what)?.ok_or_else(|| format!("its {what} is missing"))
}

/// The same, if it is there.
pub(super) fn optional_whole(c: &mut Context<'_, '_>, index: usize, what: &str) -> Lowering<Option<i64>> {
    match c.optional_ints(index, what)?.as_deref() {
        None => Ok(None),
        Some(&[x]) => Ok(Some(x)),
        Some(other) => Err(format!("its {what} must be one number, it is {other:?}")),
    }
}

fn frequency(c: &mut Context<'_, '_>, index: usize, what: &str) -> Lowering<f64> {
    match c.optional_floats(index, what)?.as_deref() {
        Some(&[x]) => Ok(f64::from(x)),
        other => Err(format!("its {what} must be one number, it is {other:?}")),
    }
}

fn f32_only(c: &mut Context<'_, '_>) -> Lowering<()> {
    match c.int("output_datatype", 1)? {
        1 => Ok(()),
        other => Err(format!("output_datatype {other} is not supported, only 1 (f32)")),
    }
}
