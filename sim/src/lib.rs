//! A chain without a node: an EVM development chain in this process that speaks JSON-RPC to alloy.
//!
//! [`EmbeddedChain`] executes real transactions under Osaka's rules and answers the same requests as a
//! node, so an ordinary alloy provider with `sol!` bindings runs on it unchanged, and the same test runs
//! on anvil through [`connect_http`]. [`DevRpc`] moves time and takes snapshots on both. [`BareEvm`]
//! calls contracts without blocks, for differential tests and gas measurements.

pub mod adversary;

mod accounts;
mod bare_evm;
mod chain;
mod config;
mod dev_rpc;
mod embedded;
mod providers;
mod rpc;
mod transport;

pub use accounts::{DEV_BALANCE, dev_accounts};
pub use bare_evm::{BareEvm, CallFailure};
pub use config::ChainConfig;
pub use dev_rpc::DevRpc;
pub use embedded::EmbeddedChain;
pub use providers::{ChainProvider, InvalidUrl, connect_http};
pub use revm::context::result::HaltReason;
pub use revm::primitives::hardfork::SpecId;
pub use transport::EmbeddedTransport;
