//! Plays the demo: contracts on the embedded chain, a liar, a watcher, a clock, then an honest executor and a consumer.

use super::report::{Disputed, HonestClaim, Move, Report};
use crate::bots::{Bot, BotError, CALLDATA_LIMIT, Executor, Verdict, Watcher};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::Provider;
use rebut_contracts::abi::DigitConsumer::DigitConsumerInstance;
use rebut_contracts::abi::Rebut::{KnownRoot, LeafRevealed, Parameters, Stepped};
use rebut_contracts::types::ClaimPhase;
use rebut_contracts::{ClaimContent, Client, ClientError, GameError, Sent, b256, lane_to_register, send, typed};
use rebut_engine::dispute;
use rebut_engine::exec::Options;
use rebut_engine::package::Package;
use rebut_engine::program::{DType, Source, ValueId};
use rebut_engine::reference;
use rebut_engine::tensor::Tensor;
use rebut_sim::adversary::{Liar, LiarError, Lie};
use rebut_sim::{ChainConfig, EmbeddedChain, dev_accounts};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a demo ended early.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A bot could not go on.
    #[error(transparent)]
    Bot(#[from] BotError),
    /// The liar could not go on.
    #[error(transparent)]
    Liar(#[from] LiarError),
    /// The chain refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The game could not go on.
    #[error(transparent)]
    Game(#[from] GameError),
    /// The engine could not go on.
    #[error(transparent)]
    Dispute(#[from] dispute::DisputeError),
    /// Something that must not happen.
    #[error("the demo went wrong: {0}")]
    Wrong(String),
}

/// What a demo is about.
pub struct Scene {
    /// The model's name.
    pub model: String,
    /// Its program.
    pub package: Arc<Package>,
    /// What it runs on.
    pub inputs: Vec<Tensor>,
    /// How the liar departs from the truth.
    pub lie: Lie,
    /// How to compute.
    pub options: Options,
}

/// A place to lie about that depends on the seed alone: any element of any instruction's value.
pub fn random_lie(package: &Package, seed: u64) -> Option<Lie> {
    let random = |what: &str, below: u64| -> u64 {
        let word = keccak256([what.as_bytes(), &seed.to_be_bytes()].concat());
        let word = U256::from_be_bytes(word.0);
        word.checked_rem(U256::from(below)).map_or(0, |x| x.to())
    };
    let places = lie_places(package);
    let &(value, elements) = places.get(usize::try_from(random("value", places.len() as u64)).ok()?)?;
    Some(Lie::Element { value, element: random("element", elements) })
}

/// What random lies are about: the values of instructions, with their numbers of elements.
pub fn lie_places(package: &Package) -> Vec<(ValueId, u64)> {
    let values = (0..).zip(&package.program().values);
    let computed = values.filter(|(_, v)| matches!(v.source, Source::Instruction(_)) && v.ty.elements() > 0);
    computed.map(|(id, v)| (id, v.ty.elements())).collect()
}

/// One ether.
const ETHER: u128 = 1_000_000_000_000_000_000;

fn parameters() -> Parameters {
    Parameters {
        windowSeconds: 3600,
        openSeconds: 1800,
        commitSeconds: 3600,
        clockSeconds: 3600,
        stepSeconds: 3600,
        exclusiveSeconds: 120,
        leavesPerSecond: 10_000,
        burnBps: 5000,
        executorBond: alloy::primitives::Uint::from(2 * ETHER),
        challengerBond: alloy::primitives::Uint::from(ETHER),
        gasPriceCap: 50_000_000_000,
        traceCost: alloy::primitives::Uint::from(ETHER / 100),
        burnAddress: Address::repeat_byte(0xdd),
        guardian: Address::ZERO,
    }
}

struct Chain {
    chain: EmbeddedChain,
    rebut: Address,
    consumer: Address,
}

impl Chain {
    async fn new(program_id: B256) -> Result<Self, StageError> {
        let chain = EmbeddedChain::new(ChainConfig::default());
        let deployer = chain.provider(account(0)?);
        let deployment = Client::deploy(&deployer, parameters()).await?;
        // Large inputs travel as roots here, and the demo has them at hand.
        let consumer = Client::deploy_consumer(&deployer, deployment.rebut, program_id, true).await?;
        Ok(Self { chain, rebut: deployment.rebut, consumer: *consumer.address() })
    }

    fn client(&self, index: usize) -> Result<Client, StageError> {
        let signer = account(index)?;
        let address = signer.address();
        Ok(Client::new(self.chain.provider(signer), self.rebut, address))
    }

    /// Moves time just past the claim's next deadline.
    async fn wait(&self, claim: &ClaimContent, client: &Client) -> Result<(), StageError> {
        let status = claim.status(client).await?;
        let now = self.chain.now();
        let deadlines = [status.windowEnds, status.openingEnds, status.committingEnds].map(|d| d.to::<u64>());
        let next = deadlines.into_iter().find(|&d| d >= now).unwrap_or(now + 3600);
        self.chain.advance(next + 1 - now);
        Ok(())
    }
}

fn account(index: usize) -> Result<alloy::signers::local::PrivateKeySigner, StageError> {
    dev_accounts(index + 1).pop().ok_or_else(|| StageError::Wrong("no such development account".into()))
}

async fn balance(client: &Client) -> Result<U256, StageError> {
    let asked = client.provider().get_balance(client.account).await;
    asked.map_err(|e| StageError::Wrong(e.to_string()))
}

/// Plays the whole demo.
///
/// # Errors
/// When anything does not go as it must.
pub async fn play(scene: Scene) -> Result<Report, StageError> {
    let Scene { model, package, inputs, lie, options } = scene;
    let program_id = package.identity().program_id;
    let chain = Chain::new(b256(program_id)).await?;
    let (liar_client, watcher_client) = (chain.client(1)?, chain.client(2)?);
    liar_client.register(b256(program_id), &package.identity().header_bytes).await?;
    let before = [balance(&liar_client).await?, balance(&watcher_client).await?];

    let (liar, _) = Liar::claim(liar_client.clone(), package.clone(), &inputs, lie, CALLDATA_LIMIT).await?;
    let mut watcher = Watcher::new(watcher_client.clone(), options, B256::repeat_byte(0x5a));
    watcher.watch(package.clone());
    inputs.iter().for_each(|t| watcher.provide(t.clone()));

    let claim = liar.game().claim.clone();
    let moves = fight(&chain, &liar, &mut watcher).await?;
    let status = claim.status(&watcher_client).await?;
    liar_client.withdraw().await?;
    watcher_client.withdraw().await?;
    let after = [balance(&liar_client).await?, balance(&watcher_client).await?];
    let disputed = disputed(&package, &liar, &watcher, &watcher_client).await?;
    let verdict = watcher.verdict(claim.id).cloned();
    let honest_claim = honest(&chain, &mut watcher, &package, inputs, options).await?;

    let settlement: Vec<Move> = moves.into_iter().filter(|m| m.call != "withdraw").collect();
    let mut gas_by_move = BTreeMap::new();
    settlement.iter().for_each(|m| *gas_by_move.entry(m.call).or_default() += m.gas);
    let mut operators = BTreeMap::new();
    for id in 0..package.program().values.len() as u64 {
        if let Some(label) = package.label(id).filter(|l| !l.operator.is_empty()) {
            *operators.entry(label.operator.clone()).or_default() += 1;
        }
    }
    let pair = |i: usize| [before[i].to_string(), after[i].to_string()];
    let bonds = parameters();
    Ok(Report {
        model,
        program: program_id.to_string(),
        values: package.program().values.len(),
        parameters: package.constants().map(|c| c.len() as u64).sum(),
        operators,
        trace_elements: liar.trace().trace().elements(),
        lie: lie.to_string(),
        watcher: describe(verdict.as_ref(), &package),
        transactions: settlement.len(),
        gas_total: settlement.iter().map(|m| m.gas).sum(),
        gas_step: gas_by_move.get("step").copied().unwrap_or(0),
        gas_by_move,
        moves: settlement,
        disputed_operator: disputed.operator.clone(),
        disputed_element: disputed.element,
        disputed,
        verdict: match status.phase {
            ClaimPhase::Refuted => "refuted".into(),
            ClaimPhase::Final => "final".into(),
            other => format!("{other:?}").to_lowercase(),
        },
        outcome: format!("{:?}", status.outcome),
        balances: BTreeMap::from([("executor", pair(0)), ("challenger", pair(1))]),
        bonds: BTreeMap::from([
            ("executor", bonds.executorBond.to_string()),
            ("challenger", bonds.challengerBond.to_string()),
        ]),
        honest_claim,
    })
}

/// Lets both sides act until the claim is settled; where neither has anything to do, time passes.
async fn fight(chain: &Chain, liar: &Liar, watcher: &mut Watcher) -> Result<Vec<Move>, StageError> {
    const MOST_ROUNDS: usize = 200;
    let claim = &liar.game().claim;
    let mut moves = Vec::new();
    let tell = |by: &'static str, sent: Vec<Sent>| {
        sent.into_iter().map(move |s| Move { call: s.call, by, note: s.note, gas: s.gas })
    };
    for _ in 0..MOST_ROUNDS {
        let acted = moves.len();
        moves.extend(tell("challenger", watcher.tick().await?));
        if watcher.is_idle() {
            return Ok(moves);
        }
        moves.extend(tell("executor", liar.tick().await?));
        if moves.len() == acted {
            chain.wait(claim, &liar.game().client).await?;
        }
    }
    Err(StageError::Wrong(format!("the claim is not settled after {MOST_ROUNDS} rounds")))
}

fn describe(verdict: Option<&Verdict>, package: &Package) -> String {
    match verdict {
        Some(Verdict::Right) => "right".into(),
        Some(Verdict::Wrong { output }) => {
            format!("wrong: output {output} ({})", package.output_names().get(*output).map_or("", String::as_str))
        }
        Some(Verdict::Unavailable(reason)) => format!("cannot tell: {reason}"),
        None => "not seen".into(),
    }
}

fn number(dtype: DType, register: i64) -> String {
    match dtype {
        DType::F32 => format!("{:?}", f32::from_bits((register & 0xffff_ffff) as u32)),
        DType::F16 | DType::BF16 => number(DType::F32, reference::cast(dtype, DType::F32, register)),
        DType::Bool => (register != 0).to_string(),
        _ => register.to_string(),
    }
}

/// Reads from the chain's events what was decided about.
async fn disputed(package: &Package, liar: &Liar, watcher: &Watcher, client: &Client) -> Result<Disputed, StageError> {
    const SHOWN: usize = 4;
    let claim = &liar.game().claim;
    let Some(&id) = liar.game().disputes().await?.first() else { return Ok(Disputed::default()) };
    let place = |value: u64| {
        let entry = usize::try_from(value).ok().and_then(|v| package.program().values.get(v));
        let label = package.label(value).cloned().unwrap_or_default();
        let operator = match entry.map(|e| &e.source) {
            Some(Source::Input) => "Input".to_string(),
            Some(Source::Constant { .. }) => "Constant".to_string(),
            Some(Source::Instruction(_)) => label.operator,
            None => "padding".to_string(),
        };
        Disputed {
            value,
            name: label.name,
            operator,
            ty: entry.map(|e| e.ty.to_string()).unwrap_or_default(),
            ..Default::default()
        }
    };
    if let Some(known) = claim.events::<KnownRoot>(client, id).await?.pop() {
        return Ok(Disputed {
            executor: known.executorRoot.to_string(),
            challenger: known.challengerRoot.to_string(),
            contract: known.known.to_string(),
            ..place(known.value.to())
        });
    }
    let Some(leaf) = claim.events::<LeafRevealed>(client, id).await?.pop() else { return Ok(Disputed::default()) };
    let mut disputed = place(leaf.value.to());
    let dtype = package.program().ty(disputed.value).map_or(DType::F32, |t| t.dtype);
    let element = leaf.element.to::<u64>();
    disputed.element = Some(element);
    disputed.executor = number(dtype, lane_to_register(dtype, leaf.executorLane));
    disputed.challenger = number(dtype, lane_to_register(dtype, leaf.challengerLane));
    let Some(stepped) = claim.events::<Stepped>(client, id).await?.pop() else {
        disputed.contract = "padding is zero".into();
        return Ok(disputed);
    };
    disputed.contract = number(dtype, lane_to_register(dtype, stepped.lane));
    if let Some(game) = watcher.game(claim.id) {
        let (_, reads) = dispute::evaluate(package, &*game.trace, disputed.value, element)?;
        disputed.reads = reads.len();
        let Some(entry) = package.program().values.get(disputed.value as usize) else { return Ok(disputed) };
        let Source::Instruction(instruction) = &entry.source else { return Ok(disputed) };
        for (n, operand) in instruction.read_operands(disputed.value, &entry.ty).iter().enumerate() {
            let of = reads.iter().filter(|r| usize::from(r.operand) == n);
            let count = of.clone().count();
            let shown: Vec<String> = of.take(SHOWN).map(|r| number(operand.dtype, r.register)).collect();
            let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
            disputed.operands.push(format!("value {}: {}{more}", operand.value, shown.join(" ")));
        }
    }
    Ok(disputed)
}

/// An honest claim of the same inference, which nobody challenges, becomes final and reaches a consumer.
async fn honest(
    chain: &Chain,
    watcher: &mut Watcher,
    package: &Arc<Package>,
    inputs: Vec<Tensor>,
    options: Options,
) -> Result<HonestClaim, StageError> {
    let client = chain.client(3)?;
    let mut executor = Executor::new(client.clone(), options, 0);
    let outputs = rebut_engine::exec::run(package, &inputs, &options).map_err(BotError::from)?;
    let (claim, posted) = executor.claim(package.clone(), inputs).await?;
    let mut gas = posted.gas;
    let mut rounds = 0;
    while !executor.is_idle() && rounds < 10 {
        watcher.tick().await?;
        gas += executor.tick().await?.iter().filter(|s| s.call == "finalize").map(|s| s.gas).sum::<u64>();
        chain.wait(&claim, &client).await?;
        rounds += 1;
    }
    let bytes = outputs.first().map(Tensor::to_be_bytes).unwrap_or_default();
    let consumer = DigitConsumerInstance::new(chain.consumer, client.provider().clone());
    gas += send(
        "accept",
        String::new(),
        consumer.accept(typed(&claim.data).map_err(|e| StageError::Wrong(e.to_string()))?, U256::ZERO, bytes.into()),
    )
    .await?
    .gas;
    let label = consumer.label().call().await.map_err(|e| StageError::Wrong(e.to_string()))?;
    let phase = claim.status(&client).await?.phase;
    Ok(HonestClaim {
        phase: format!("{phase:?}").to_lowercase(),
        watcher: describe(watcher.verdict(claim.id), package),
        consumer_label: label.to(),
        gas,
    })
}
