//! What sides say: the truth, or a lie.

use crate::Failure;
use rebut_engine::exec::Options;
use rebut_engine::trace::{Trace, TraceView};
use rebut_sim::adversary::{ForgedTrace, Lie};
use rebut_tests::models::Subject;
use std::sync::Arc;

/// The truth, or a lie.
pub(crate) type Story = Option<Lie>;

/// The lies that can be told about a subject: the first and last element of the first, a middle and the last value, and each kind of
/// padding that they have.
pub(crate) fn lies(subject: &Subject) -> Vec<Lie> {
    let program = subject.package.program();
    let last = program.values.len() as u64 - 1;
    let mut values = vec![0, last / 2, last];
    values.dedup();
    let mut lies = Vec::new();
    for value in values {
        let elements = program.ty(value).map_or(0, |ty| ty.elements());
        lies.push(Lie::Element { value, element: 0 });
        lies.push(Lie::Element { value, element: elements - 1 });
        lies.extend([Lie::PaddingLane { value }, Lie::PaddingLeaf { value }]);
    }
    lies.push(Lie::PaddingRoot);
    lies.dedup();
    let told = |lie: &Lie| ForgedTrace::new(&subject.package, &subject.inputs, &Default::default(), *lie).is_ok();
    lies.retain(told);
    lies
}

/// The trace of a story.
pub(crate) fn told(subject: &Subject, story: Story) -> Result<Arc<dyn TraceView + Send + Sync>, Failure> {
    let (package, inputs, options) = (&subject.package, &subject.inputs, Options::default());
    Ok(match story {
        None => Arc::new(Trace::new(package, inputs, &options)?),
        Some(lie) => Arc::new(ForgedTrace::new(package, inputs, &options, lie)?),
    })
}
