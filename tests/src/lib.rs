//! What the end-to-end and differential tests share.

pub mod random_program;
