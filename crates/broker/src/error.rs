//! Why a broker does not start.

use std::net::SocketAddr;

/// The broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address cannot be listened on.
    #[error(
        "broker.address_in_use: cannot listen on {listen} (port {port}): {reason}; stop what uses the port or choose another",
        port = listen.port()
    )]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The system gave no threads.
    #[error("broker.no_threads: {0}")]
    Runtime(#[from] std::io::Error),
    /// The broker ended while it was getting ready.
    #[error("broker.not_ready: the broker ended before it could take connections; the log says why")]
    NotReady,
}
