//! A graph's names: each defined once, each use after its definition, no cycle.

use super::error::OnnxError;
use super::model::{Node, Subgraph};
use std::collections::{BTreeMap, BTreeSet};

/// Puts the nodes into topological order, as near to the file's order as that allows; gives the names that they and the outputs use and
/// the graph does not define, in the order of use, each with the node that uses it (`None`: an output).
pub(super) fn sort(graph: &mut Subgraph) -> Result<Vec<(String, Option<usize>)>, OnnxError> {
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for input in &graph.inputs {
        if input.name.is_empty() || !given.insert(&input.name) {
            return Err(OnnxError::Model(format!("graph input `{}` has no name of its own", input.name)));
        }
    }
    given.extend(graph.initializers.keys().map(String::as_str));

    let mut producer: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|o| !o.is_empty()) {
            if given.contains(output.as_str()) || producer.insert(output, index).is_some() {
                return Err(node_error(node, format!("its output `{output}` is already defined")));
            }
        }
    }
    // How many of its inputs each node waits for, and who waits for it.
    let mut waiting = vec![0usize; graph.nodes.len()];
    let mut waiters: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    let mut free = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for input in node.reads().filter(|i| !given.contains(i)) {
            match producer.get(input) {
                None => free.push((input.to_string(), Some(index))),
                Some(&from) => {
                    waiting[index] += 1;
                    waiters[from].push(index);
                }
            }
        }
    }
    if graph.outputs.is_empty() {
        return Err(OnnxError::Model("the graph has no output".into()));
    }
    let defined = |name: &str| given.contains(name) || producer.contains_key(name);
    let outputs = graph.outputs.iter().filter(|o| !defined(&o.name));
    free.extend(outputs.map(|o| (o.name.clone(), None)));

    let mut ready: BTreeSet<usize> = (0..waiting.len()).filter(|&n| waiting[n] == 0).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for &waiter in &waiters[index] {
            waiting[waiter] -= 1;
            if waiting[waiter] == 0 {
                ready.insert(waiter);
            }
        }
    }
    if let Some(stuck) = (0..waiting.len()).find(|&n| waiting[n] > 0) {
        return Err(node_error(&graph.nodes[stuck], "it takes part in a cycle, or waits for one".into()));
    }
    let place: BTreeMap<usize, usize> = order.iter().zip(0..).map(|(&index, place)| (index, place)).collect();
    free.iter_mut().for_each(|(_, node)| *node = node.and_then(|index| place.get(&index).copied()));
    let mut nodes: Vec<Option<Node>> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
    graph.nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
    Ok(free)
}

/// Says that a name is defined nowhere.
pub(super) fn undefined(graph: &Subgraph, name: &str, node: Option<usize>) -> OnnxError {
    match node.and_then(|index| graph.nodes.get(index)) {
        Some(node) => node_error(node, format!("its input `{name}` is defined nowhere")),
        None => OnnxError::Model(format!("graph output `{name}` is defined nowhere")),
    }
}

fn node_error(node: &Node, reason: String) -> OnnxError {
    OnnxError::Node { operator: node.operator.clone(), node: node.name.clone(), reason }
}
