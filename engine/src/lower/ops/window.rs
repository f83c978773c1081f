//! The sliding windows of convolution and pooling.

use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::lazy::{Axis, axis};
use crate::lower::spec::Bound;

/// No attribute of a window may be larger: sums of them stay small integers.
const LIMIT: i64 = 1 << 31;

/// The windows along one spatial axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) input: i64,
    pub(super) output: i64,
    pub(super) kernel: i64,
    pub(super) stride: i64,
    pub(super) dilation: i64,
    /// Padding before and after.
    pub(super) pads: (i64, i64),
}

impl Window {
    /// The element axis, the kernel axis and the offset of an axis with this stride in memory.
    pub(super) fn address(&self, stride: i64) -> Lowering<(Axis, Axis, i64)> {
        let times = |n: i64| stride.checked_mul(n).ok_or("a window's address overflows");
        Ok((
            axis(self.output.unsigned_abs(), times(self.stride)?),
            axis(self.kernel.unsigned_abs(), times(self.dilation)?),
            times(-self.pads.0)?,
        ))
    }

    /// How far taps reach beyond the input's ends; `None` where no tap does.
    fn borders(&self) -> Option<(i64, i64)> {
        let last = (self.output - 1) * self.stride + (self.kernel - 1) * self.dilation - self.pads.0;
        let borders = (self.pads.0, (last + 1 - self.input).max(0));
        (borders != (0, 0)).then_some(borders)
    }

    /// Makes these the windows of an input that has their borders around it; `None` where they have none.
    pub(super) fn without_borders(&mut self) -> Option<(i64, i64)> {
        let (before, after) = self.borders()?;
        self.input += before + after;
        self.pads = (0, 0);
        Some((before, after))
    }

    /// That a tap is inside the input, if some tap is not; `at` and `tap` are the logical axes.
    pub(super) fn guard(&self, at: usize, tap: usize) -> Option<Bound> {
        self.borders().map(|_| Bound {
            limit: self.input.unsigned_abs(),
            base: -self.pads.0,
            terms: vec![(at, self.stride), (tap, self.dilation)],
        })
    }
}

/// A list attribute of `count` numbers, none below `least`.
pub(super) fn given(c: &mut Context<'_, '_>, name: &str, count: usize, default: i64, least: i64) -> Lowering<Vec<i64>> {
    let values = c.attributes.ints(name)?.unwrap_or_else(|| vec![default; count]);
    if values.len() != count || values.iter().any(|v| !(least..LIMIT).contains(v)) {
        return Err(format!("attribute `{name}` {values:?} does not fit {count} spatial dimensions"));
    }
    Ok(values)
}

/// Reads strides, dilations, pads, auto_pad and (for pools) ceil_mode, and finds the output's size, for each spatial axis.
pub(super) fn windows(
    c: &mut Context<'_, '_>,
    input: &[u64],
    kernel: &[i64],
    dilated: bool,
    pool: bool,
) -> Lowering<Vec<Window>> {
    let n = input.len();
    if n == 0 || kernel.len() != n || kernel.iter().any(|k| !(1..LIMIT).contains(k)) {
        return Err(format!("kernel {kernel:?} does not fit {n} spatial dimensions"));
    }
    let strides = given(c, "strides", n, 1, 1)?;
    let dilations = if dilated { given(c, "dilations", n, 1, 1)? } else { vec![1; n] };
    let auto = c.attributes.string("auto_pad")?.unwrap_or_else(|| "NOTSET".into());
    let pads = given(c, "pads", 2 * n, 0, 0)?;
    if auto != "NOTSET" && pads.iter().any(|&p| p != 0) {
        return Err(format!("both pads {pads:?} and auto_pad {auto}"));
    }
    let ceil = pool && c.opset >= 10 && c.flag("ceil_mode", false)?;
    let mut windows = Vec::with_capacity(n);
    for i in 0..n {
        let size = i64::try_from(input[i]).map_err(|e| e.to_string())?;
        let (stride, dilation) = (strides[i], dilations[i]);
        let reach =
            (kernel[i] - 1).checked_mul(dilation).filter(|&r| r < 1 << 40).ok_or("a dilated kernel of 2^40")? + 1;
        let mut w =
            Window { input: size, output: 0, kernel: kernel[i], stride, dilation, pads: (pads[i], pads[n + i]) };
        match auto.as_str() {
            "NOTSET" => {
                let room = size + w.pads.0 + w.pads.1 - reach;
                w.output = if room < 0 { 0 } else { room / stride + 1 };
                // One more, if it starts inside the input or its first padding.
                if ceil && room >= 0 && room % stride != 0 && w.output * stride < size + w.pads.0 {
                    w.output += 1;
                }
            }
            "VALID" => {
                w.pads = (0, 0);
                w.output = if size < reach { 0 } else { (size - reach) / stride + 1 };
            }
            "SAME_UPPER" | "SAME_LOWER" => {
                w.output = size.div_euclid(stride) + i64::from(size % stride != 0);
                let total = ((w.output - 1) * stride + reach - size).max(0);
                let (less, more) = (total / 2, total - total / 2);
                w.pads = if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
            }
            other => return Err(format!("auto_pad `{other}` does not exist")),
        }
        if w.output < 1 {
            return Err(format!("its window of {reach} does not fit the padded input of {size}"));
        }
        windows.push(w);
    }
    Ok(windows)
}
