//! Which tensors a node can name: those of its own graph, and those of the graphs around it.

use super::lazy::Lazy;
use std::collections::BTreeMap;

/// The tensors of one graph so far.
pub(super) struct Scope<'s> {
    own: BTreeMap<String, Lazy>,
    outer: Option<&'s Scope<'s>>,
    /// Stands before the names of nodes, for people: which bodies, in which iterations, they are in.
    path: String,
}

impl<'s> Scope<'s> {
    /// Of the model's graph.
    pub(super) fn new() -> Self {
        Self { own: BTreeMap::new(), outer: None, path: String::new() }
    }

    /// Of a body in a graph.
    pub(super) fn inside(outer: &'s Scope<'s>, path: String) -> Self {
        Self { own: BTreeMap::new(), outer: Some(outer), path }
    }

    /// The tensor of that name, of the innermost graph that has one.
    pub(super) fn get(&self, name: &str) -> Option<&Lazy> {
        self.own.get(name).or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    pub(super) fn insert(&mut self, name: String, lazy: Lazy) {
        self.own.insert(name, lazy);
    }

    /// A node's name, with where it is.
    pub(super) fn named(&self, node: &str) -> String {
        format!("{}{node}", self.path)
    }

    /// Whether it is a body's.
    pub(super) fn is_inside(&self) -> bool {
        self.outer.is_some()
    }
}
