//! What bonds have to cover, by the formula of the contracts' constructor (`src/game/Configuration.sol`).

/// At most what a side's whole game costs, gas: `Costs.GAME`.
pub const GAME: u128 = 4_000_000;
/// Vacated disputes that an executor's bond refunds: `Costs.OTHERS`.
pub const OTHERS: u128 = 3;
/// At most what one of them is refunded, gas: `Costs.VACATED`.
pub const VACATED: u128 = 560_000;

/// The smallest bond of an executor that the contracts accept, wei: with `gas_price_cap` in wei and `burn_bps` below 10,000 of 10,000 burnt.
pub fn least_executor_bond(gas_price_cap: u64, burn_bps: u16) -> u128 {
    bond_for((2 * GAME + OTHERS * VACATED) * u128::from(gas_price_cap), burn_bps)
}

/// The smallest bond of a challenger, wei; `trace_cost` is what an executor spends on a trace, wei.
pub fn least_challenger_bond(gas_price_cap: u64, burn_bps: u16, trace_cost: u128) -> u128 {
    bond_for((GAME * u128::from(gas_price_cap)).saturating_add(trace_cost).saturating_mul(2), burn_bps)
}

fn bond_for(needed: u128, burn_bps: u16) -> u128 {
    let kept = 10_000u128.saturating_sub(burn_bps.into());
    match (needed, kept) {
        (0, _) => 1,
        (_, 0) => u128::MAX,
        _ => needed.saturating_mul(10_000) / kept + 2,
    }
}
