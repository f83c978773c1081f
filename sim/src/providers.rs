//! The same provider for every chain, embedded or not.

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::signers::local::PrivateKeySigner;
use alloy::transports::http::reqwest::Url;

/// An alloy provider over any transport.
pub type ChainProvider = DynProvider;

/// The text is not a URL.
#[derive(Clone, Debug, thiserror::Error)]
#[error("invalid URL {url:?}: {reason}")]
pub struct InvalidUrl {
    url: String,
    reason: String,
}

/// A provider like [`crate::EmbeddedChain::provider`] for a node that speaks JSON-RPC over HTTP, such as anvil.
pub fn connect_http(url: &str, signer: PrivateKeySigner) -> Result<ChainProvider, InvalidUrl> {
    let parsed = Url::parse(url).map_err(|error| InvalidUrl { url: url.to_owned(), reason: error.to_string() })?;
    Ok(with_signer(RpcClient::new_http(parsed), signer))
}

/// alloy's recommended nonce manager burns a nonce when the gas estimate that runs beside it fails, and every
/// later transaction waits behind the gap; the simple one asks the chain each time.
pub(crate) fn with_signer(client: RpcClient, signer: PrivateKeySigner) -> ChainProvider {
    ProviderBuilder::new()
        .disable_recommended_fillers()
        .with_gas_estimation()
        .with_simple_nonce_management()
        .fetch_chain_id()
        .wallet(signer)
        .connect_client(client)
        .erased()
}

pub(crate) fn read_only(client: RpcClient) -> ChainProvider {
    ProviderBuilder::new().disable_recommended_fillers().connect_client(client).erased()
}
