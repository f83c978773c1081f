//! revm under the chain's rules: configuration, block environment, transactions.

use alloy::consensus::{Transaction, Typed2718, transaction::Recovered};
use alloy::primitives::{B256, U256};
use revm::context::either::Either;
use revm::context::result::InvalidTransaction;
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::handler::{MainnetContext, validation};
use revm::primitives::eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE;
use revm::primitives::eip7825::TX_GAS_LIMIT_CAP;
use revm::primitives::hardfork::SpecId;
use revm::{Context, Database, MainBuilder, MainContext, MainnetEvm};

use super::pool::SignedTransaction;
use crate::ChainConfig;

/// Everything accounts own, in memory.
pub(crate) type State = CacheDB<EmptyDB>;
/// Changes on top of a state that stays as it is.
pub(crate) type Overlay<'a> = CacheDB<&'a State>;
pub(crate) type EvmOn<DB> = MainnetEvm<MainnetContext<DB>>;

/// The most gas one transaction may have (EIP-7825).
pub(crate) const TRANSACTION_GAS_CAP: u64 = TX_GAS_LIMIT_CAP;

/// What a transaction's gas limit may be. From Amsterdam on the cap is for execution alone: gas for new state comes on top (EIP-8037).
pub(crate) fn most_gas(config: &ChainConfig) -> u64 {
    if config.spec.is_enabled_in(SpecId::AMSTERDAM) {
        config.block_gas_limit
    } else {
        config.block_gas_limit.min(TRANSACTION_GAS_CAP)
    }
}

/// revm shares memory between frames through an `Rc`, so an `Evm` cannot live in a chain that threads share:
/// one is made for each block or request.
pub(crate) fn evm_on<DB: Database>(db: DB, cfg: CfgEnv, block: BlockEnv) -> EvmOn<DB> {
    Context::mainnet().with_db(db).with_cfg(cfg).with_block(block).build_mainnet()
}

pub(crate) fn rules(config: &ChainConfig) -> CfgEnv {
    CfgEnv::new().with_chain_id(config.chain_id).with_spec_and_mainnet_gas_params(config.spec)
}

pub(crate) fn block_env(config: &ChainConfig, number: u64, timestamp: u64, base_fee: u64, randao: B256) -> BlockEnv {
    BlockEnv {
        number: U256::from(number),
        beneficiary: config.beneficiary,
        timestamp: U256::from(timestamp),
        gas_limit: config.block_gas_limit,
        basefee: base_fee,
        difficulty: U256::ZERO,
        prevrandao: Some(randao),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new(0, BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE)),
        slot_num: number,
    }
}

pub(crate) fn transaction_env(signed: &Recovered<SignedTransaction>) -> TxEnv {
    let authorizations = signed.authorization_list().unwrap_or_default();
    TxEnv {
        tx_type: signed.ty(),
        caller: signed.signer(),
        gas_limit: signed.gas_limit(),
        gas_price: signed.max_fee_per_gas(),
        kind: signed.kind(),
        value: signed.value(),
        data: signed.input().clone(),
        nonce: signed.nonce(),
        chain_id: signed.chain_id(),
        access_list: signed.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: signed.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
    }
}

/// The checks that need no account: chain id, gas cap, intrinsic and floor gas, well-formed fees. The base
/// fee may still fall until a block takes the transaction.
pub(crate) fn check_form(mut cfg: CfgEnv, block: BlockEnv, tx: TxEnv) -> Result<(), InvalidTransaction> {
    cfg.disable_base_fee = true;
    let spec = cfg.spec;
    let mut context = Context::mainnet().with_cfg(cfg).with_block(block).with_tx(tx);
    validation::validate_tx_env(&mut context, spec)?;
    validation::validate_initial_tx_gas(&context.tx, spec, false, false, TRANSACTION_GAS_CAP, None)?;
    Ok(())
}
