//! The embedded chain in the place of a network connection.

use std::task::{Context, Poll};

use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::{TransportError, TransportFut};
use tower::Service;

use crate::EmbeddedChain;

/// An alloy transport that answers requests from an [`EmbeddedChain`] in this process.
#[derive(Clone, Debug)]
pub struct EmbeddedTransport(EmbeddedChain);

impl EmbeddedTransport {
    /// A connection to `chain`.
    pub fn new(chain: EmbeddedChain) -> Self {
        Self(chain)
    }
}

impl Service<RequestPacket> for EmbeddedTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let chain = self.0.clone();
        Box::pin(async move { Ok(chain.respond(&packet)) })
    }
}
