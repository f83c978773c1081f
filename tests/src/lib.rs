//! What the end-to-end and differential tests share.

pub mod arena;
pub mod calls;
pub mod judge;
pub mod models;
pub mod random_program;
pub mod roots;
pub mod rules;
pub mod side;
