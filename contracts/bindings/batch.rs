//! Many claims in one transaction: posting them, taking an item out of its batch, and reading a batch from its event.

use crate::abi::Rebut::{BatchClaimed, ClaimData};
use crate::client::{Client, Sent, refused, send};
use crate::convert::{b256, claim_id, hash};
use crate::game::{ClaimContent, GameError};
use crate::types::ClaimPhase;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use rebut_engine::package::Package;
use rebut_engine::program::TensorType;
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::{WordTree, multiproof, tensor_root};

/// One run of the program: its inputs and its outputs.
pub type Run = (Vec<Tensor>, Vec<Tensor>);

/// A batch and the claims that its items are.
#[derive(Clone, Debug)]
pub struct BatchContent {
    /// Item by item: what it claims, under a nonce that states when the batch was posted.
    pub claims: Vec<ClaimContent>,
    executor: Address,
    program_id: B256,
    tree: WordTree,
}

impl BatchContent {
    /// Posts a batch of `client`'s account that says these runs were made: all bytes travel. The bonds are taken from the value
    /// sent. What the claims are is known once it is mined.
    ///
    /// # Errors
    /// When the contract refuses, the node cannot be asked, or the contract's batch is another.
    pub async fn post(client: &Client, package: &Package, runs: &[Run]) -> Result<(Self, Sent), GameError> {
        let provider = client.provider();
        let chain = provider.get_chain_id().await.map_err(refused("chain id"))?;
        let parameters = client.rebut.parameters().call().await.map_err(refused("parameters"))?;
        let tensors = runs.iter().flat_map(|(inputs, outputs)| inputs.iter().chain(outputs));
        let items: Vec<u8> = tensors.flat_map(Tensor::to_be_bytes).collect();
        let count = runs.len() as u32; // a call with more would not fit a block
        let header: Bytes = package.identity().header_bytes.clone().into();
        let bonds = U256::from(parameters.executorBond) * U256::from(count);
        let call = client.rebut.claimBatch(header, count, items.into()).value(bonds);
        let sent = send("claimBatch", format!("{count} claims"), call).await?;
        let receipt = provider.get_transaction_receipt(sent.transaction).await.map_err(refused("claimBatch"))?;
        let receipt = receipt.ok_or_else(|| GameError::Chain("no receipt of a mined batch".into()))?;
        let event = receipt.decoded_log::<BatchClaimed>();
        let event = event.ok_or_else(|| GameError::Chain("a batch without its event".into()))?;
        let rebut = *client.rebut.address();
        let batch = Self::from_event(chain, rebut, package, &event, receipt.block_number.unwrap_or_default());
        let (batch, _) = batch.ok_or_else(|| GameError::Chain("another batch than was sent".into()))?;
        Ok((batch, sent))
    }

    /// The batch that an event announces, read as runs of `package`; none if it is not a batch of that program or its items do not
    /// have the program's size, or do not have the root that the event says.
    pub fn from_event(
        chain: u64,
        rebut: Address,
        package: &Package,
        event: &BatchClaimed,
        block: u64,
    ) -> Option<(Self, Vec<Run>)> {
        if b256(package.identity().program_id) != event.programId {
            return None;
        }
        let program = package.program();
        let mut rest: &[u8] = &event.items;
        let mut runs = Vec::new();
        for _ in 0..event.count {
            let inputs = program.input_types().map(|ty| take(&mut rest, ty)).collect::<Option<_>>()?;
            let outputs = program.output_types().map(|ty| take(&mut rest, ty)).collect::<Option<_>>()?;
            runs.push((inputs, outputs));
        }
        let batch = Self::of(chain, rebut, event, &runs, block)?;
        (rest.is_empty() && b256(batch.tree.root()) == event.itemsRoot).then_some((batch, runs))
    }

    fn of(chain: u64, rebut: Address, event: &BatchClaimed, runs: &[Run], block: u64) -> Option<Self> {
        let executor = event.executor;
        let roots = |tensors: &[Tensor]| tensors.iter().map(|t| b256(tensor_root(t))).collect::<Vec<_>>();
        let claim = |(i, (inputs, outputs)): (u64, &Run)| {
            let data = ClaimData {
                executor,
                header: event.header.clone(),
                inputRoots: roots(inputs),
                outputRoots: roots(outputs),
                nonce: event.nonce.checked_add(i)?,
            };
            Some(ClaimContent { id: claim_id(chain, rebut, &data), data, block })
        };
        let claims: Vec<_> = (0..).zip(runs).map(claim).collect::<Option<_>>()?;
        let tree = WordTree::new(claims.iter().map(|c| hash(c.id)).collect());
        Some(Self { claims, executor, program_id: event.programId, tree })
    }

    /// Makes an item a claim of its own, unless it is one.
    ///
    /// # Errors
    /// When there is no such item, the contract refuses or the node cannot be asked.
    pub async fn extract(&self, client: &Client, index: usize) -> Result<Option<Sent>, GameError> {
        let Some(claim) = self.claims.get(index) else {
            return Err(GameError::Chain(format!("no item {index} in a batch of {}", self.claims.len())));
        };
        let status = client.rebut.status(claim.id).call().await.map_err(refused("status"))?;
        if status.phase != 0 {
            return Ok(None);
        }
        let call = client.rebut.extract(claim.data.clone(), self.root(), self.count(), self.proof(index)?);
        Ok(Some(send("extract", format!("item {index}"), call).await?))
    }

    /// The phase of an item, whether or not it is a claim of its own.
    ///
    /// # Errors
    /// When there is no such item or the node cannot be asked.
    pub async fn phase(&self, client: &Client, index: usize) -> Result<ClaimPhase, GameError> {
        let Some(claim) = self.claims.get(index) else {
            return Err(GameError::Chain(format!("no item {index} in a batch of {}", self.claims.len())));
        };
        let call = client.rebut.itemPhase(claim.data.clone(), self.root(), self.count(), self.proof(index)?);
        let phase = call.call().await.map_err(refused("itemPhase"))?;
        Ok(ClaimPhase::try_from(phase).map_err(refused("itemPhase"))?)
    }

    /// Returns the bonds of all items that nobody extracted, once they are final.
    ///
    /// # Errors
    /// When the contract refuses (too early, or it is done) or the node cannot be asked.
    pub async fn release(&self, client: &Client) -> Result<Sent, GameError> {
        let count = self.count();
        let call = client.rebut.finalizeBatch(self.executor, self.program_id, self.root(), count);
        Ok(send("finalizeBatch", format!("{count} claims"), call).await?)
    }

    fn proof(&self, index: usize) -> Result<Vec<B256>, GameError> {
        let proof = multiproof(&self.tree, &[index as u64]).map_err(|e| GameError::Chain(e.to_string()))?;
        Ok(proof.into_iter().map(b256).collect())
    }

    fn root(&self) -> B256 {
        b256(self.tree.root())
    }

    fn count(&self) -> u32 {
        self.claims.len() as u32 // the event's field
    }
}

/// The next tensor of this type.
fn take(rest: &mut &[u8], ty: &TensorType) -> Option<Tensor> {
    let size = usize::try_from(ty.elements()).ok()?.checked_mul(ty.dtype.width())?;
    let bytes = rest.split_off(..size)?;
    Tensor::from_be_bytes(ty, bytes).ok()
}
