//! The graph's names: each defined once, each use after its definition, no cycle.

use super::error::OnnxError;
use super::model::Node;
use super::proto::GraphProto;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet};

/// The nodes in topological order, as near to the file's order as that allows.
pub(super) fn sorted(
    nodes: Vec<Node>,
    graph: &GraphProto,
    initializers: &BTreeMap<String, Tensor>,
) -> Result<Vec<Node>, OnnxError> {
    let fail = |reason: String| OnnxError::Model(reason);
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for input in &graph.input {
        if input.name.is_empty() || !given.insert(&input.name) {
            return Err(fail(format!("graph input `{}` has no name of its own", input.name)));
        }
    }
    given.extend(initializers.keys().map(String::as_str));

    let mut producer: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|o| !o.is_empty()) {
            if given.contains(output.as_str()) || producer.insert(output, index).is_some() {
                return Err(node_error(node, format!("its output `{output}` is already defined")));
            }
        }
    }
    // How many of its inputs each node waits for, and who waits for it.
    let mut waiting = vec![0usize; nodes.len()];
    let mut waiters: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for input in node.inputs.iter().filter(|i| !i.is_empty() && !given.contains(i.as_str())) {
            let Some(&from) = producer.get(input.as_str()) else {
                return Err(node_error(node, format!("its input `{input}` is defined nowhere")));
            };
            waiting[index] += 1;
            waiters[from].push(index);
        }
    }
    if graph.output.is_empty() {
        return Err(fail("the graph has no output".into()));
    }
    for output in &graph.output {
        if !given.contains(output.name.as_str()) && !producer.contains_key(output.name.as_str()) {
            return Err(fail(format!("graph output `{}` is defined nowhere", output.name)));
        }
    }

    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&n| waiting[n] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for &waiter in &waiters[index] {
            waiting[waiter] -= 1;
            if waiting[waiter] == 0 {
                ready.insert(waiter);
            }
        }
    }
    if let Some(stuck) = (0..nodes.len()).find(|&n| waiting[n] > 0) {
        return Err(node_error(&nodes[stuck], "it takes part in a cycle, or waits for one".into()));
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|index| nodes[index].take()).collect())
}

fn node_error(node: &Node, reason: String) -> OnnxError {
    OnnxError::Node { operator: node.operator.clone(), node: node.name.clone(), reason }
}
