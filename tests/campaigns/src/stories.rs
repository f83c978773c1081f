//! What sides say: the truth, or a lie.

use crate::Failure;
use rebut_engine::exec::Options;
use rebut_engine::tensor::Tensor;
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

/// A story's trace and its outputs.
pub(crate) struct Told {
    pub(crate) trace: Arc<dyn TraceView + Send + Sync>,
    pub(crate) outputs: Vec<Tensor>,
}

/// What a story says.
pub(crate) fn told(subject: &Subject, story: Story) -> Result<Told, Failure> {
    let (package, inputs, options) = (&subject.package, &subject.inputs, Options::default());
    let outputs = |trace: &Trace| package.program().output_ids().filter_map(|v| trace.tensor(v).cloned()).collect();
    Ok(match story {
        None => {
            let trace = Trace::new(package, inputs, &options)?;
            Told { outputs: outputs(&trace), trace: Arc::new(trace) }
        }
        Some(lie) => {
            let forged = ForgedTrace::new(package, inputs, &options, lie)?;
            Told { outputs: outputs(forged.trace()), trace: Arc::new(forged) }
        }
    })
}
