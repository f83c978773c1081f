//! If: the branch that is taken.

use super::Stop;
use super::body::Body;
use crate::lower::context::Context;
use crate::lower::lazy::Lazy;

pub(super) fn branch(c: &mut Context<'_, '_>) -> Result<Vec<Lazy>, Stop> {
    let (then, otherwise) = (c.attributes.graph("then_branch")?, c.attributes.graph("else_branch")?);
    let condition = c.input(0)?;
    let taken = c.b.scalar(&condition).ok_or(
        "its condition is not known when compiling (a branch on data can be exported as Where over both results)",
    )?;
    let (graph, which) = if taken != 0 { (then, "then_branch") } else { (otherwise, "else_branch") };
    let graph = graph.ok_or_else(|| format!("attribute `{which}` is missing"))?;
    Body::new(c, graph)?.run(c.b, "", &[])
}
