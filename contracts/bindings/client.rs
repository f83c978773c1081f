//! Sending transactions and believing only their receipts.

use crate::abi::{Adjudicator, DigitConsumer, Elementary, Rebut};
use alloy::contract::{CallBuilder, CallDecoder};
use alloy::eips::BlockId;
use alloy::network::Ethereum;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::{DynProvider, PendingTransactionBuilder, Provider};
use alloy::rpc::types::BlockNumberOrTag;
use std::time::Duration;

/// Gas above the estimate: a move that is mined later in its turn than it was estimated may record a refund besides, and an estimate
/// knows no gas price.
const REFUND_GAS: u64 = 75_000;
/// How long a transaction may take to be mined before its sender looks at the chain again.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(180);

/// A mined, successful transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The contract function.
    pub call: &'static str,
    /// What it did, in a few words.
    pub note: String,
    /// Gas it used.
    pub gas: u64,
    /// Its hash.
    pub transaction: B256,
}

/// Why a call or transaction did not work.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The contract refused, or the node could not be asked.
    #[error("{call}: {reason}")]
    Call {
        /// The function.
        call: &'static str,
        /// What the node or contract said.
        reason: String,
    },
    /// The transaction was mined and failed.
    #[error("{call}: transaction {transaction} failed on-chain")]
    Failed {
        /// The function.
        call: &'static str,
        /// The transaction.
        transaction: B256,
    },
}

/// Where the contracts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The judge of one element.
    pub adjudicator: Address,
    /// The game.
    pub rebut: Address,
}

/// One account's view of a deployment.
#[derive(Clone, Debug)]
pub struct Client {
    /// The game contract.
    pub rebut: Rebut::RebutInstance<DynProvider>,
    /// The account that sends.
    pub account: Address,
}

impl Client {
    /// A client of the deployment at `rebut`, sending from `account`, whose key the provider holds.
    pub fn new(provider: DynProvider, rebut: Address, account: Address) -> Self {
        Self { rebut: Rebut::new(rebut, provider), account }
    }

    /// Deploys the contracts.
    ///
    /// # Errors
    /// When a deployment fails; the constructor refuses parameters that cannot work.
    pub async fn deploy(provider: &DynProvider, parameters: Rebut::Parameters) -> Result<Deployment, ClientError> {
        let elementary = Elementary::deploy(provider.clone()).await.map_err(refused("deploy Elementary"))?;
        let adjudicator = Adjudicator::deploy(provider.clone(), *elementary.address());
        let adjudicator = *adjudicator.await.map_err(refused("deploy Adjudicator"))?.address();
        let rebut = Rebut::deploy(provider.clone(), parameters, adjudicator).await.map_err(refused("deploy Rebut"))?;
        Ok(Deployment { adjudicator, rebut: *rebut.address() })
    }

    /// Deploys the example consumer.
    ///
    /// # Errors
    /// When the deployment fails.
    pub async fn deploy_consumer(
        provider: &DynProvider,
        rebut: Address,
        program_id: B256,
        trusts_data_availability: bool,
    ) -> Result<DigitConsumer::DigitConsumerInstance<DynProvider>, ClientError> {
        DigitConsumer::deploy(provider.clone(), rebut, program_id, trusts_data_availability)
            .await
            .map_err(refused("deploy DigitConsumer"))
    }

    /// The provider.
    pub fn provider(&self) -> &DynProvider {
        self.rebut.provider()
    }

    /// Timestamp of the latest block.
    ///
    /// # Errors
    /// When the node cannot be asked.
    pub async fn now(&self) -> Result<u64, ClientError> {
        let block = self.provider().get_block_by_number(BlockNumberOrTag::Latest).await.map_err(refused("now"))?;
        block.map(|b| b.header.timestamp).ok_or_else(|| refused("now")("the node has no latest block"))
    }

    /// Registers a program, unless somebody has.
    ///
    /// # Errors
    /// When the contract refuses the header.
    pub async fn register(&self, program_id: B256, header: &[u8]) -> Result<Option<Sent>, ClientError> {
        let publisher = self.rebut.publisher(program_id).call().await.map_err(refused("publisher"))?;
        if publisher != Address::ZERO {
            return Ok(None);
        }
        send("register", String::new(), self.rebut.register(header.to_vec().into())).await.map(Some)
    }

    /// Withdraws the account's credit, if there is any.
    ///
    /// # Errors
    /// When the transaction fails.
    pub async fn withdraw(&self) -> Result<Option<Sent>, ClientError> {
        let credit = self.rebut.credit(self.account).call().await.map_err(refused("credit"))?;
        if credit == U256::ZERO {
            return Ok(None);
        }
        send("withdraw", format!("{credit} wei"), self.rebut.withdraw(self.account, credit)).await.map(Some)
    }
}

/// An error made from what the node or contract said.
pub(crate) fn refused<E: std::fmt::Display>(call: &'static str) -> impl Fn(E) -> ClientError {
    move |e| ClientError::Call { call, reason: e.to_string() }
}

/// A transaction that was sent and is not known to be mined.
#[derive(Debug)]
pub struct Pending {
    call: &'static str,
    note: String,
    transaction: PendingTransactionBuilder<Ethereum>,
}

impl Pending {
    /// Waits for the receipt; only one with success counts.
    ///
    /// # Errors
    /// When the node cannot be asked, or the transaction fails.
    pub async fn mined(self) -> Result<Sent, ClientError> {
        let Self { call, note, transaction } = self;
        let receipt = transaction.with_timeout(Some(RECEIPT_TIMEOUT)).get_receipt().await.map_err(refused(call))?;
        if !receipt.status() {
            return Err(ClientError::Failed { call, transaction: receipt.transaction_hash });
        }
        Ok(Sent { call, note, gas: receipt.gas_used, transaction: receipt.transaction_hash })
    }

    /// Waits for all receipts; one failure does not keep the others waiting, the first is reported.
    pub async fn all_mined(pending: Vec<Self>) -> (Vec<Sent>, Option<ClientError>) {
        let (mut sent, mut failed) = (Vec::new(), None);
        for transaction in pending {
            match transaction.mined().await {
                Ok(mined) => sent.push(mined),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        (sent, failed)
    }
}

/// Sends a call and does not wait: what several calls have to do can be done in one block.
///
/// # Errors
/// When the contract refuses or the node cannot be asked.
pub(crate) async fn submit<P: Provider, D: CallDecoder>(
    call: &'static str,
    note: String,
    builder: CallBuilder<P, D, Ethereum>,
) -> Result<Pending, ClientError> {
    let explain = |e: alloy::contract::Error| ClientError::Call { call, reason: explain(&e) };
    // In the block that comes, where time may have passed a deadline.
    let builder = builder.block(BlockId::pending());
    let gas = builder.estimate_gas().await.map_err(explain)?;
    let transaction = builder.gas(gas.saturating_add(REFUND_GAS)).send().await.map_err(explain)?;
    Ok(Pending { call, note, transaction })
}

/// Sends a call and waits for its receipt; only a receipt with success counts.
///
/// # Errors
/// When the contract refuses, the node cannot be asked, or the transaction fails.
pub async fn send<P: Provider, D: CallDecoder>(
    call: &'static str,
    note: String,
    builder: CallBuilder<P, D, Ethereum>,
) -> Result<Sent, ClientError> {
    submit(call, note, builder).await?.mined().await
}

/// A revert by its decoded custom error, anything else in the transport's words.
fn explain(e: &alloy::contract::Error) -> String {
    match e.as_decoded_interface_error::<Rebut::RebutErrors>() {
        Some(error) => format!("the contract refused: {error:?}"),
        None => e.to_string(),
    }
}
