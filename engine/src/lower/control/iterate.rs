//! Loop: its iterations, one after the other.

use super::Stop;
use super::body::{Body, stacked};
use crate::lower::context::Context;
use crate::lower::lazy::Lazy;
use crate::tensor::Tensor;
use ndarray::arr0;

pub(super) fn iterate(c: &mut Context<'_, '_>) -> Result<Vec<Lazy>, Stop> {
    let graph = c.attributes.graph("body")?.ok_or("attribute `body` is missing")?;
    let trips = match c.optional(0)? {
        Some(m) => c.b.scalar(&m).ok_or("its number of iterations is not known when compiling")?,
        None => i64::MAX,
    };
    let mut condition = match c.optional(1)? {
        Some(condition) => c.b.scalar(&condition).ok_or("its condition is not known when compiling")?,
        None => 1,
    };
    let mut carried = (2..c.inputs()).map(|i| c.input(i)).collect::<Result<Vec<Lazy>, _>>()?;
    let scans = graph.outputs.get(1 + carried.len()..).ok_or("its body has fewer outputs than it carries values")?;
    let mut collected: Vec<Vec<Lazy>> = vec![Vec::new(); scans.len()];
    let label = c.b.label.clone();
    let mut body = None;
    let mut i: i64 = 0;
    while i < trips && condition != 0 {
        let number = c.b.constant(Tensor::I64(arr0(i).into_dyn()));
        let goes_on = c.b.constant(Tensor::Bool(arr0(1).into_dyn()));
        let given: Vec<Lazy> = [number, goes_on].into_iter().chain(carried.iter().cloned()).collect();
        let body = match &body {
            Some(body) => body,
            None => body.insert(Body::new(c, graph.clone())?),
        };
        let results = body.run(c.b, &format!("[{i}]"), &given)?;
        c.b.label.clone_from(&label);
        let (next, results) = results.split_first().ok_or("its body gives no condition")?;
        condition =
            c.b.scalar(next).ok_or_else(|| format!("its condition after iteration {i} is not known when compiling"))?;
        let (values, elements) = results.split_at_checked(carried.len()).ok_or("its body gives too few values")?;
        carried = values.to_vec();
        collected.iter_mut().zip(elements).for_each(|(all, one)| all.push(one.clone()));
        i += 1;
    }
    let mut results = carried;
    for (parts, info) in collected.into_iter().zip(scans) {
        results.push(stacked(c.b, parts, 0, info)?);
    }
    Ok(results)
}
