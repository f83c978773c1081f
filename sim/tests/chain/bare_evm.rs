//! Contracts without a chain.

use std::time::Instant;

use crate::stage::{Oversized, Probe, Stage};
use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::{SolCall, SolError};
use rebut_sim::{BareEvm, CallFailure, HaltReason, SpecId};

fn probe() -> (BareEvm, Address) {
    let mut evm = BareEvm::new();
    let address = evm.deploy(Probe::BYTECODE.clone()).unwrap();
    (evm, address)
}

#[test]
fn calls_are_forgotten_and_sends_are_kept() {
    let (mut evm, probe) = probe();
    let set = Probe::setCall { next: U256::from(9) }.abi_encode();
    let value = |evm: &mut BareEvm| {
        let (output, _) = evm.call(probe, Probe::valueCall {}.abi_encode()).unwrap();
        U256::from_be_slice(&output)
    };
    evm.call(probe, set.clone()).unwrap();
    assert_eq!(value(&mut evm), U256::ZERO);
    evm.send(probe, set).unwrap();
    assert_eq!(value(&mut evm), U256::from(9));
    let other = evm.deploy(Probe::BYTECODE.clone()).unwrap();
    assert_ne!(probe, other);
}

#[test]
fn failures_are_told_apart() {
    let (mut evm, probe) = probe();
    let refuse = Probe::refuseCall { got: U256::from(5) }.abi_encode();
    let Err(CallFailure::Revert { data }) = evm.call(probe, refuse) else { panic!("a revert") };
    assert_eq!(Probe::Refused::abi_decode(&data).unwrap().got, U256::from(5));
    assert!(matches!(evm.deploy(Bytes::from(vec![0xfe])), Err(CallFailure::Halt { .. })));
    // PUSH5 MLOAD: a terabyte of memory.
    let greedy = Bytes::from_static(&[0x64, 0xff, 0xff, 0xff, 0xff, 0xff, 0x51]);
    assert!(matches!(evm.deploy(greedy), Err(CallFailure::Halt { reason: HaltReason::OutOfGas(_) })));
}

#[test]
fn there_is_no_floor_and_no_size_limit() {
    let (mut evm, probe) = probe();
    let swallow = Probe::swallowCall(vec![0xff; 10_000].into()).abi_encode();
    let (_, gas) = evm.call(probe, swallow).unwrap();
    assert!(gas > 21_000 + 16 * 10_000 && gas < 21_000 + 40 * 10_000);
    evm.deploy(Oversized::BYTECODE.clone()).unwrap();
}

#[tokio::test]
async fn gas_is_what_the_chain_charges() {
    let (mut evm, bare) = probe();
    let chain = Stage::embedded().probe().await;
    let call = chain.deep(U256::from(3), U256::from(2));
    let calldata = call.calldata().clone();
    let receipt = call.gas(1_000_000).send().await.unwrap().get_receipt().await.unwrap();
    let (_, gas) = evm.call(bare, calldata).unwrap();
    assert_eq!(gas, receipt.gas_used);
}

#[test]
fn later_rules_charge_more_for_storage() {
    let set = Bytes::from(Probe::setCall { next: U256::from(9) }.abi_encode());
    let [osaka, amsterdam] = [SpecId::OSAKA, SpecId::AMSTERDAM].map(|spec| {
        let mut evm = BareEvm::with_spec(spec);
        let probe = evm.deploy(Probe::BYTECODE.clone()).unwrap();
        evm.call(probe, set.clone()).unwrap().1
    });
    assert!(amsterdam > osaka + 30_000, "{amsterdam} {osaka}");
}

#[test]
#[ignore = "a measurement"]
fn calls_per_second() {
    let (mut evm, probe) = probe();
    let calldata = Bytes::from(Probe::valueCall {}.abi_encode());
    let start = Instant::now();
    for _ in 0..1_000_000 {
        evm.call(probe, calldata.clone()).unwrap();
    }
    println!("{:.0} calls/s", 1_000_000.0 / start.elapsed().as_secs_f64());
}
