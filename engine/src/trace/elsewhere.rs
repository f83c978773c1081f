//! Values of a trace that are not in memory: from the inputs, from the file, or from a run that makes them again.

use super::cache::CacheFile;
use super::{Trace, Unavailable};
use crate::exec::{Options, Stepwise, Wanted};
use crate::package::Package;
use crate::program::ValueId;
use crate::tensor::Tensor;
use crate::tree::{Leaf, TensorTree, leaf_of};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a trace finds what it does not keep.
#[derive(Debug)]
pub(super) struct Elsewhere {
    package: Arc<Package>,
    inputs: Arc<Vec<Tensor>>,
    options: Options,
    file: Option<CacheFile>,
    /// What the last run for it made: a value and its operands, which a dispute reads next.
    again: Mutex<BTreeMap<ValueId, Tensor>>,
}

impl Elsewhere {
    pub(super) fn new(
        package: Arc<Package>,
        inputs: Arc<Vec<Tensor>>,
        options: Options,
        file: Option<CacheFile>,
    ) -> Self {
        Self { package, inputs, options, file, again: Mutex::default() }
    }

    /// Leaves of one group of a value whose tree is `tree`.
    pub(super) fn leaves(
        &self,
        trace: &Trace,
        value: ValueId,
        tree: &TensorTree,
        leaves: Range<u64>,
    ) -> Result<Vec<Leaf>, Unavailable> {
        let of = |tensor: &Tensor| leaves.clone().map(|i| leaf_of(tensor, i)).collect();
        if let Some(input) = usize::try_from(value).ok().and_then(|v| self.inputs.get(v)) {
            return Ok(of(input));
        }
        // A file that has been damaged since is as good as none.
        if let Some(read) = self.file.as_ref().and_then(|file| file.leaves(value, tree, leaves.clone())) {
            return Ok(read);
        }
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        if !again.contains_key(&value) {
            *again = self.run_again(trace, value).map_err(|reason| Unavailable { value, reason })?;
        }
        let tensor = again.get(&value).ok_or_else(|| Unavailable { value, reason: "no run makes it".into() })?;
        Ok(of(tensor))
    }

    /// Runs what `value` needs and is not in memory; gives the value and its operands.
    fn run_again(&self, trace: &Trace, value: ValueId) -> Result<BTreeMap<ValueId, Tensor>, String> {
        let program = self.package.program();
        let operands = |id: ValueId| -> Vec<ValueId> {
            let i = program.instruction(id).filter(|_| trace.tensor(id).is_none());
            i.into_iter().flat_map(|i| &i.operands).map(|o| o.value).collect()
        };
        let mut needed = BTreeSet::from([value]);
        let mut open = vec![value];
        while let Some(id) = open.pop() {
            open.extend(operands(id).into_iter().filter(|&o| needed.insert(o)));
        }
        let mut known = |id: ValueId| match trace.tensor(id) {
            Some(tensor) => Some(Cow::Borrowed(tensor)),
            // Nothing that is computed reads it.
            None if !needed.contains(&id) => Some(Cow::Borrowed(Tensor::none())),
            None => None,
        };
        let direct: BTreeSet<ValueId> = operands(value).into_iter().chain([value]).collect();
        let kept = |id: ValueId| direct.contains(&id);
        let mut run = Stepwise::once(&self.package, &self.options).map_err(|e| e.to_string())?;
        let wanted = Wanted { kept: &kept, known: &mut known };
        let values = run.run(&self.inputs, wanted, &mut |_, _| {}).map_err(|e| e.to_string())?;
        let made = (0..).zip(values).filter_map(|(id, tensor)| match tensor? {
            Cow::Owned(tensor) => Some((id, tensor)),
            Cow::Borrowed(_) => None,
        });
        let made: BTreeMap<ValueId, Tensor> = made.collect();
        let same = made
            .get(&value)
            .is_some_and(|tensor| TensorTree::with_isa(tensor, self.options.isa).root() == trace.tensor_root(value));
        if same { Ok(made) } else { Err("a new run gives other bits: this machine is not to be relied on".into()) }
    }
}
