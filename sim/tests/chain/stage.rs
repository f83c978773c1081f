//! The test contract and a stage to play on, embedded or anvil.

use std::sync::Arc;

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use rebut_sim::{ChainConfig, ChainProvider, DevRpc, EmbeddedChain, connect_http, dev_accounts};

alloy::sol!(
    #[sol(rpc, all_derives)]
    Probe,
    "tests/contracts/Probe.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    Oversized,
    "tests/contracts/Oversized.json"
);

type Connect = Arc<dyn Fn(PrivateKeySigner) -> ChainProvider + Send + Sync>;

/// A development chain of any kind.
#[derive(Clone)]
pub(crate) struct Stage {
    connect: Connect,
    pub(crate) dev: DevRpc,
}

impl Stage {
    pub(crate) fn embedded() -> Self {
        Self::on(&EmbeddedChain::new(ChainConfig::default()))
    }

    pub(crate) fn on(chain: &EmbeddedChain) -> Self {
        let chain = chain.clone();
        Self::new(Arc::new(move |signer| chain.provider(signer)))
    }

    pub(crate) fn anvil(url: String) -> Self {
        Self::new(Arc::new(move |signer| connect_http(&url, signer).expect("a URL")))
    }

    fn new(connect: Connect) -> Self {
        let dev = DevRpc::new(connect(account(0)));
        Self { connect, dev }
    }

    /// A provider that signs for development account `index`.
    pub(crate) fn provider(&self, index: usize) -> ChainProvider {
        self.provider_of(account(index))
    }

    pub(crate) fn provider_of(&self, signer: PrivateKeySigner) -> ChainProvider {
        (self.connect)(signer)
    }

    pub(crate) async fn probe(&self) -> Probe::ProbeInstance<ChainProvider> {
        Probe::deploy(self.provider(0)).await.expect("the probe deploys")
    }
}

pub(crate) fn account(index: usize) -> PrivateKeySigner {
    dev_accounts(index + 1).swap_remove(index)
}

pub(crate) fn address(index: usize) -> Address {
    account(index).address()
}
