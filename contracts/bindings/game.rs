//! One claim's game: what is due for a side, sent as soon as it is due. Every move is forced by content, so there is nothing to decide.

use crate::abi::Rebut::{ChallengeStatus, Challenged, ClaimData, Claimed, Committed, Moved, Opened};
use crate::client::{Client, ClientError, Pending, Sent, refused, send, submit};
use crate::convert::{b256, hash, lane_to_register, tensor_data, typed};
use crate::types::{
    ClaimPhase, ClaimStatus, DisputePhase, DisputeStatus, Outcome, Position as ChainPosition, Stage as ChainStage,
};
use alloy::primitives::{B256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use rebut_engine::dispute::{self, DisputeError, Play, Position, Side, Stage};
use rebut_engine::hash::Hash;
use rebut_engine::package::Package;
use rebut_engine::program::{DType, encode_descriptor};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::TraceView;
use rebut_engine::tree::{multiproof, tensor_root};
use std::sync::Arc;

/// Why a game cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum GameError {
    /// The chain refused or could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The engine finds no move: the chain's state is not one of this program's.
    #[error(transparent)]
    Dispute(#[from] DisputeError),
    /// The chain reports something that cannot be.
    #[error("the chain reports {0}")]
    Chain(String),
}

/// What a claim says, and the block to look for its events from.
#[derive(Clone, Debug)]
pub struct ClaimContent {
    /// The claim's id.
    pub id: B256,
    /// The content that the id commits to.
    pub data: ClaimData,
    /// Block in which it was posted.
    pub block: u64,
}

impl ClaimContent {
    /// Most transactions that one [`conclude`](Self::conclude) sends.
    pub const SETTLED_AT_ONCE: usize = 16;

    /// The claim that an event announces.
    pub fn from_event(event: Claimed, block: u64) -> Self {
        let Claimed { claimId: id, executor, header, inputRoots, outputRoots, nonce, .. } = event;
        Self { id, data: ClaimData { executor, header, inputRoots, outputRoots, nonce }, block }
    }

    /// What a claim of `client`'s account that `inputs` give `outputs` would be; nothing is sent.
    ///
    /// # Errors
    /// When the node cannot be asked.
    pub async fn new(
        client: &Client,
        package: &Package,
        inputs: &[Tensor],
        outputs: &[Tensor],
        nonce: u64,
    ) -> Result<Self, GameError> {
        let roots = |tensors: &[Tensor]| tensors.iter().map(|t| b256(tensor_root(t))).collect::<Vec<_>>();
        let data = ClaimData {
            executor: client.account,
            header: package.identity().header_bytes.clone().into(),
            inputRoots: roots(inputs),
            outputRoots: roots(outputs),
            nonce,
        };
        let id = client.rebut.claimIdOf(data.clone()).call().await.map_err(refused("claimIdOf"))?;
        let block = client.provider().get_block_number().await.map_err(refused("block"))?;
        Ok(Self { id, data, block })
    }

    /// Posts the claim. Tensors of at most `calldata_limit` bytes travel as bytes, others as roots.
    ///
    /// # Errors
    /// When the contract refuses or the node cannot be asked.
    pub async fn post(
        &self,
        client: &Client,
        inputs: &[Tensor],
        outputs: &[Tensor],
        calldata_limit: usize,
    ) -> Result<Sent, GameError> {
        let rebut = &client.rebut;
        let parameters = rebut.parameters().call().await.map_err(refused("parameters"))?;
        let given = |tensors: &[Tensor]| tensors.iter().map(|t| tensor_data(t, calldata_limit)).collect::<Vec<_>>();
        let call = rebut.claim(self.data.header.clone(), given(inputs), given(outputs), self.data.nonce);
        let call = call.value(U256::from(parameters.executorBond));
        Ok(send("claim", format!("claim {}", self.id), call).await?)
    }

    /// Where the claim stands.
    ///
    /// # Errors
    /// When the node cannot be asked.
    pub async fn status(&self, client: &Client) -> Result<ClaimStatus, GameError> {
        let status = client.rebut.status(self.id).call().await.map_err(refused("status"))?;
        Ok(typed(&status).map_err(refused("status"))?)
    }

    /// Records the end that time brought and settles what pays this account: its own challenges, and as the executor of a claim that
    /// stands the challenges that lost against it, at most [`SETTLED_AT_ONCE`](Self::SETTLED_AT_ONCE) a call, so that nobody can
    /// keep it busy. Sends nothing while the claim is open, and nothing once all is done.
    ///
    /// # Errors
    /// When the contract refuses or the node cannot be asked.
    pub async fn conclude(&self, client: &Client) -> Result<Vec<Sent>, GameError> {
        let rebut = &client.rebut;
        let status = self.status(client).await?;
        if !matches!(status.phase, ClaimPhase::Final | ClaimPhase::Silent | ClaimPhase::Refuted) {
            return Ok(Vec::new());
        }
        let mut sent = Vec::new();
        if status.outcome == Outcome::None {
            sent.push(send("finalize", format!("{:?}", status.phase), rebut.finalize(self.data.clone())).await?);
        }
        let stands = status.phase == ClaimPhase::Final && client.account == self.data.executor;
        let opened: Vec<Opened> = self.events(client, self.id).await?;
        for Challenged { challenger, challengeHash, .. } in self.events::<Challenged>(client, self.id).await? {
            if sent.len() == Self::SETTLED_AT_ONCE {
                break;
            }
            if challenger != client.account && !stands {
                continue;
            }
            let id = rebut.challengeIdOf(self.id, challenger, challengeHash);
            let id = id.call().await.map_err(refused("challengeIdOf"))?;
            let status = rebut.challengeStatus(id).call().await.map_err(refused("challengeStatus"))?;
            if status.settled {
                continue;
            }
            let opening = opened.iter().find(|o| o.challenger == challenger && o.challengeHash == challengeHash);
            let (root, salt) = opening.map_or_else(Default::default, |o| (o.traceRoot, o.salt));
            let call = rebut.settle(self.data.clone(), challenger, challengeHash, root, salt);
            sent.push(send("settle", format!("the challenge of {challenger}"), call).await?);
        }
        Ok(sent)
    }

    /// Events of one kind about the claim or one of its disputes, oldest first.
    ///
    /// # Errors
    /// When the node cannot be asked or gives a log that is no such event.
    pub async fn events<E: SolEvent>(&self, client: &Client, id: B256) -> Result<Vec<E>, GameError> {
        let filter = Filter::new()
            .address(*client.rebut.address())
            .event_signature(E::SIGNATURE_HASH)
            .topic1(id)
            .from_block(self.block);
        let logs = client.provider().get_logs(&filter).await.map_err(refused("eth_getLogs"))?;
        logs.iter()
            .map(|log| E::decode_log(&log.inner).map(|e| e.data).map_err(|e| GameError::Chain(format!("a log: {e}"))))
            .collect()
    }
}

/// One side of one claim.
pub struct Game {
    /// Sends for this side.
    pub client: Client,
    /// The claim.
    pub claim: ClaimContent,
    /// The program.
    pub package: Arc<Package>,
    /// What this side says the trace is.
    pub trace: Arc<dyn TraceView + Send + Sync>,
    /// The salt of a challenger's hidden trace root; the executor has none.
    salt: Option<B256>,
}

impl Game {
    /// The executor's side of its own claim.
    pub fn executor(
        client: Client,
        claim: ClaimContent,
        package: Arc<Package>,
        trace: Arc<dyn TraceView + Send + Sync>,
    ) -> Self {
        Self { client, claim, package, trace, salt: None }
    }

    /// Challenges a claim with a hidden trace root. A challenge that this account made before, with this salt, is taken up again.
    ///
    /// # Errors
    /// When the contract refuses or the node cannot be asked.
    pub async fn challenge(
        client: Client,
        claim: ClaimContent,
        package: Arc<Package>,
        trace: Arc<dyn TraceView + Send + Sync>,
        salt: B256,
    ) -> Result<(Self, Option<Sent>), GameError> {
        let game = Self { client, claim, package, trace, salt: Some(salt) };
        if game.own_challenge(salt).await?.is_some() {
            return Ok((game, None));
        }
        let rebut = &game.client.rebut;
        let parameters = rebut.parameters().call().await.map_err(refused("parameters"))?;
        let hidden = game.hidden(salt).await?;
        let call = rebut.challenge(game.claim.id, hidden).value(U256::from(parameters.challengerBond));
        let sent = send("challenge", "a hidden trace root".into(), call).await?;
        Ok((game, Some(sent)))
    }

    /// Takes up a challenge that this account made before, if it did.
    ///
    /// # Errors
    /// When the node cannot be asked.
    pub async fn resume(
        client: Client,
        claim: ClaimContent,
        package: Arc<Package>,
        trace: Arc<dyn TraceView + Send + Sync>,
        salt: B256,
    ) -> Result<Option<Self>, GameError> {
        let game = Self { client, claim, package, trace, salt: Some(salt) };
        Ok(game.own_challenge(salt).await?.is_some().then_some(game))
    }

    async fn hidden(&self, salt: B256) -> Result<B256, GameError> {
        let root = b256(self.trace.root());
        let hidden = self.client.rebut.challengeHashOf(self.claim.id, self.client.account, root, salt);
        Ok(hidden.call().await.map_err(refused("challengeHashOf"))?)
    }

    /// This side's own challenge, if the chain has it.
    async fn own_challenge(&self, salt: B256) -> Result<Option<ChallengeStatus>, GameError> {
        let rebut = &self.client.rebut;
        let id = rebut.challengeIdOf(self.claim.id, self.client.account, self.hidden(salt).await?);
        let id = id.call().await.map_err(refused("challengeIdOf"))?;
        let status = rebut.challengeStatus(id).call().await.map_err(refused("challengeStatus"))?;
        Ok((status.order != 0).then_some(status))
    }

    /// The side that is played.
    pub fn side(&self) -> Side {
        if self.salt.is_some() { Side::Challenger } else { Side::Executor }
    }

    /// Ids of the claim's disputes, oldest first. A challenger only has its own.
    ///
    /// # Errors
    /// When the node cannot be asked.
    pub async fn disputes(&self) -> Result<Vec<B256>, GameError> {
        let opened: Vec<Opened> = self.claim.events(&self.client, self.claim.id).await?;
        let mut ids = Vec::new();
        for event in opened {
            let own = self.side() == Side::Executor || hash(event.traceRoot) == self.trace.root();
            if own && !ids.contains(&event.disputeId) {
                ids.push(event.disputeId);
            }
        }
        Ok(ids)
    }

    /// Sends everything that is due for this side now, and waits for it.
    ///
    /// # Errors
    /// When the chain refuses or cannot be asked; asking again later is safe.
    pub async fn advance(&self) -> Result<Vec<Sent>, GameError> {
        let mut pending = Vec::new();
        let submitted = self.submit(&mut pending).await;
        let (sent, failed) = Pending::all_mined(pending).await;
        submitted?;
        match failed {
            Some(error) => Err(error.into()),
            None if sent.is_empty() => self.claim.conclude(&self.client).await,
            None => Ok(sent),
        }
    }

    /// Sends what is due for this side before the claim's end, and does not wait: moves in many disputes fit one block.
    ///
    /// # Errors
    /// When the chain refuses or cannot be asked; what was sent nevertheless is in `pending`.
    pub async fn submit(&self, pending: &mut Vec<Pending>) -> Result<(), GameError> {
        let status = self.claim.status(&self.client).await?;
        match (status.phase, self.side()) {
            (ClaimPhase::Opening, Side::Challenger) => pending.extend(self.open().await?),
            (ClaimPhase::Committing, Side::Executor) => pending.push(self.commit().await?),
            (ClaimPhase::Disputing, _) => {
                // What goes wrong in one dispute must not keep the others waiting.
                let mut failed = None;
                for id in self.disputes().await? {
                    match self.answer(id).await {
                        Ok(played) => pending.extend(played),
                        Err(error) => failed = failed.or(Some(error)),
                    }
                }
                return failed.map_or(Ok(()), Err);
            }
            _ => {}
        }
        Ok(())
    }

    /// Opens this side's challenge, unless that is done.
    async fn open(&self) -> Result<Option<Pending>, GameError> {
        let Some(salt) = self.salt else { return Ok(None) };
        // Somebody else may have opened the same root: this challenge still has to be opened, or its bond is lost.
        if self.own_challenge(salt).await?.is_none_or(|own| own.opened) {
            return Ok(None);
        }
        let outputs = self.package.program().output_ids();
        let claimed = outputs.zip(&self.claim.data.outputRoots).enumerate();
        let own = |v| b256(self.trace.trace_node(0, v));
        let differing = claimed.map(|(i, (v, root))| (i, v, root)).find(|&(_, v, root)| own(v) != *root);
        let Some((index, value, _)) = differing else { return Err(DisputeError::NoDifference.into()) };
        let proof = dispute::output_proof(&*self.trace, value)?.into_iter().map(b256).collect();
        let root = b256(self.trace.root());
        let data = self.claim.data.clone();
        let call = self.client.rebut.open(data, self.client.account, root, salt, U256::from(index), own(value), proof);
        Ok(Some(submit("open", format!("output {index} differs"), call).await?))
    }

    async fn commit(&self) -> Result<Pending, GameError> {
        let trace = &*self.trace;
        let proof = dispute::outputs_proof(&self.package, trace)?.into_iter().map(b256).collect();
        let list = dispute::first_list(trace).into_iter().map(b256).collect();
        let call = self.client.rebut.commit(self.claim.data.clone(), b256(trace.root()), proof, list);
        Ok(submit("commit", format!("trace root {}", trace.root()), call).await?)
    }

    /// Plays in one dispute, if it is this side's turn or time decides for it.
    async fn answer(&self, id: B256) -> Result<Option<Pending>, GameError> {
        let at = self.client.rebut.dispute(id).call().await.map_err(refused("dispute"))?;
        let at: DisputeStatus = typed(&at).map_err(refused("dispute"))?;
        let mover = if at.challengerToMove { Side::Challenger } else { Side::Executor };
        match at.phase {
            DisputePhase::Moving if mover == self.side() => self.play(id, &at).await.map(Some),
            DisputePhase::Stepping => self.step(id, &at).await,
            // Nobody stepped: only the challenger gains by saying so. A silent mover: its opponent does.
            DisputePhase::Overdue if at.position.stage == ChainStage::Step && self.side() == Side::Executor => Ok(None),
            DisputePhase::Overdue if at.position.stage != ChainStage::Step && mover == self.side() => Ok(None),
            DisputePhase::Overdue => {
                Ok(Some(submit("timeout", "the opponent's clock ran out".into(), self.client.rebut.timeout(id)).await?))
            }
            _ => Ok(None),
        }
    }

    async fn play(&self, id: B256, at: &DisputeStatus) -> Result<Pending, GameError> {
        let position = position(at)?;
        let opponent = self.opponent_list(id, at).await?;
        let rebut = &self.client.rebut;
        let words = |list: Vec<Hash>| list.into_iter().map(b256).collect::<Vec<_>>();
        Ok(match dispute::play(&self.package, &*self.trace, &position, &opponent)? {
            Play::Move { index, path, list } => {
                let note = format!("{}: child {index} of {} differs", describe(&position), 1u64 << position.span());
                submit("move", note, rebut.r#move(id, U256::from(index), words(path), words(list))).await?
            }
            Play::Enter { index, path, value, descriptor, descriptor_proof, list } => {
                let note = format!("{}: value {value} differs", describe(&position));
                let proof = words(descriptor_proof);
                let data = self.claim.data.clone();
                let index = U256::from(index);
                submit("enter", note, rebut.enter(id, data, index, words(path), descriptor.into(), proof, words(list)))
                    .await?
            }
            Play::RevealLeaf { own, opponent } => {
                let words = |leaf: &[u8; 512]| std::array::from_fn(|i| B256::from_slice(&leaf[i * 32..][..32]));
                let note = format!("leaf {}: both sides' lanes are out", position.index);
                submit("revealLeaf", note, rebut.revealLeaf(id, words(&own), words(&opponent))).await?
            }
        })
    }

    /// Steps if what this side says about the element is what it computes.
    async fn step(&self, id: B256, at: &DisputeStatus) -> Result<Option<Pending>, GameError> {
        let dtype = dtype(at)?;
        let (value, element) = (at.position.value.to::<u64>(), at.position.index.to::<u64>());
        let own = if self.side() == Side::Executor { at.executorLane } else { at.challengerLane };
        let (computed, _) = dispute::evaluate(&self.package, &*self.trace, value, element)?;
        if computed != lane_to_register(dtype, own) {
            return Ok(None);
        }
        let entry = &self.package.program().values[value as usize]; // `evaluate` found it
        let descriptor = encode_descriptor(entry).map_err(|e| GameError::Chain(e.to_string()))?;
        let proof = multiproof(&self.package.identity().descriptors, &[value]).map_err(|_| DisputeError::Position)?;
        let witness = dispute::witness(&self.package, &*self.trace, value, element)?;
        let note = format!("value {value} element {element}, a witness of {} bytes", witness.len());
        let call = self.client.rebut.step(
            id,
            self.claim.data.clone(),
            b256(self.trace.root()),
            descriptor.into(),
            proof.into_iter().map(b256).collect(),
            witness.into(),
        );
        Ok(Some(submit("step", note, call).await?))
    }

    /// What the opponent revealed at this position.
    async fn opponent_list(&self, id: B256, at: &DisputeStatus) -> Result<Vec<Hash>, GameError> {
        let moves: Vec<Moved> = self.claim.events(&self.client, id).await?;
        let here = |m: &Moved| typed::<ChainPosition>(&m.to).is_ok_and(|to| to == at.position);
        let list = match moves.into_iter().rev().find(|m| m.byChallenger != at.challengerToMove && here(m)) {
            Some(last) => last.list,
            None => {
                let commits: Vec<Committed> = self.claim.events(&self.client, self.claim.id).await?;
                commits.into_iter().next_back().map(|c| c.list).unwrap_or_default()
            }
        };
        Ok(list.into_iter().map(hash).collect())
    }
}

fn dtype(at: &DisputeStatus) -> Result<DType, GameError> {
    DType::from_code(at.dtype).ok_or_else(|| GameError::Chain(format!("element type {}", at.dtype)))
}

fn position(at: &DisputeStatus) -> Result<Position, GameError> {
    let stage = match at.position.stage {
        ChainStage::Trace => Stage::Trace,
        ChainStage::Tensor => {
            Stage::Tensor { value: at.position.value.to(), dtype: dtype(at)?, elements: at.elements.to() }
        }
        _ => return Err(GameError::Chain("a turn in a dispute without moves".into())),
    };
    Ok(Position { stage, index: at.position.index.to(), remaining: at.position.remaining.into() })
}

fn describe(position: &Position) -> String {
    match position.stage {
        Stage::Trace => format!("trace, {} levels left", position.remaining),
        Stage::Tensor { value, .. } => format!("value {value}, {} levels left", position.remaining),
    }
}
