//! The embedded chain from outside, as its users meet it: through alloy.

mod bare_evm;
mod embedded;
mod hostile_requests;
mod log_queries;
mod portable;
mod stage;
