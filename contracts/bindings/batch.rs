//! Many claims in one transaction: posting them, taking an item out of its batch, and reading a batch from its event.

use crate::abi::Rebut::{BatchClaimed, BatchItem, ClaimData};
use crate::client::{Client, Sent, refused, send};
use crate::convert::{b256, claim_id, hash};
use crate::game::{ClaimContent, GameError};
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
    /// The batch's number; item `i` is the claim with nonce `nonce + i`.
    pub nonce: u64,
    /// Item by item.
    pub claims: Vec<ClaimContent>,
    executor: Address,
    header: Bytes,
    tree: WordTree,
}

impl BatchContent {
    /// What a batch of `client`'s account that these runs were made would be; nothing is sent.
    ///
    /// # Errors
    /// When the node cannot be asked, or the nonces do not fit 64 bits.
    pub async fn new(client: &Client, package: &Package, runs: &[Run], nonce: u64) -> Result<Self, GameError> {
        let provider = client.provider();
        let chain = provider.get_chain_id().await.map_err(refused("chain id"))?;
        let block = provider.get_block_number().await.map_err(refused("block"))?;
        let header: Bytes = package.identity().header_bytes.clone().into();
        Self::of(chain, *client.rebut.address(), client.account, header, runs, nonce, block)
            .ok_or_else(|| GameError::Chain(format!("a batch whose nonces from {nonce} on do not fit 64 bits")))
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
        let batch = Self::of(chain, rebut, event.executor, event.header.clone(), &runs, event.nonce, block)?;
        (rest.is_empty() && b256(batch.tree.root()) == event.itemsRoot).then_some((batch, runs))
    }

    fn of(
        chain: u64,
        rebut: Address,
        executor: Address,
        header: Bytes,
        runs: &[Run],
        nonce: u64,
        block: u64,
    ) -> Option<Self> {
        let roots = |tensors: &[Tensor]| tensors.iter().map(|t| b256(tensor_root(t))).collect::<Vec<_>>();
        let claim = |(i, (inputs, outputs)): (u64, &Run)| {
            let data = ClaimData {
                executor,
                header: header.clone(),
                inputRoots: roots(inputs),
                outputRoots: roots(outputs),
                nonce: nonce.checked_add(i)?,
            };
            Some(ClaimContent { id: claim_id(chain, rebut, &data), data, block })
        };
        let claims: Vec<_> = (0..).zip(runs).map(claim).collect::<Option<_>>()?;
        let tree = WordTree::new(claims.iter().map(|c| hash(c.id)).collect());
        Some(Self { nonce, claims, executor, header, tree })
    }

    /// Posts the batch: all bytes travel. The bonds are taken from the value sent.
    ///
    /// # Errors
    /// When the contract refuses or the node cannot be asked.
    pub async fn post(&self, client: &Client, runs: &[Run]) -> Result<Sent, GameError> {
        let parameters = client.rebut.parameters().call().await.map_err(refused("parameters"))?;
        let tensors = runs.iter().flat_map(|(inputs, outputs)| inputs.iter().chain(outputs));
        let items: Vec<u8> = tensors.flat_map(Tensor::to_be_bytes).collect();
        let bonds = U256::from(parameters.executorBond) * U256::from(self.claims.len());
        let call = client.rebut.claimBatch(self.header.clone(), self.count(), items.into(), self.nonce).value(bonds);
        Ok(send("claimBatch", format!("{} claims", self.claims.len()), call).await?)
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
        let index = index as u64;
        let proof = multiproof(&self.tree, &[index]).map_err(|e| GameError::Chain(e.to_string()))?;
        let item = BatchItem { itemsRoot: self.root(), count: self.count(), nonce: self.nonce, index: index as u32 };
        let call = client.rebut.extract(claim.data.clone(), item, proof.into_iter().map(b256).collect());
        Ok(Some(send("extract", format!("item {index}"), call).await?))
    }

    /// Returns the bonds of all items that nobody extracted, once they are final.
    ///
    /// # Errors
    /// When the contract refuses (too early, or it is done) or the node cannot be asked.
    pub async fn release(&self, client: &Client) -> Result<Sent, GameError> {
        let (header, count) = (self.header.clone(), self.count());
        let call = client.rebut.finalizeBatch(self.executor, header, self.root(), count, self.nonce);
        Ok(send("finalizeBatch", format!("{count} claims"), call).await?)
    }

    fn root(&self) -> B256 {
        b256(self.tree.root())
    }

    fn count(&self) -> u32 {
        self.claims.len() as u32 // the event's field, and a call with more would not fit a block
    }
}

/// The next tensor of this type.
fn take(rest: &mut &[u8], ty: &TensorType) -> Option<Tensor> {
    let size = usize::try_from(ty.elements()).ok()?.checked_mul(ty.dtype.width())?;
    let bytes = rest.split_off(..size)?;
    Tensor::from_be_bytes(ty, bytes).ok()
}
