//! Why an emulator does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why an emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It holds fake money and takes no passwords: it is for this machine only.
    #[error(
        "sandbox.not_loopback: the M-Pesa emulator listens only on this machine unless told otherwise (--any-machine); use 127.0.0.1 instead of {0}"
    )]
    NotLoopback(SocketAddr),
    /// The port is taken, or not ours to take.
    #[error(
        "sandbox.port: cannot listen on {listen} ({source}); choose another port for the M-Pesa emulator"
    )]
    Port {
        /// The address asked for.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The folder cannot be made.
    #[error("sandbox.folder: cannot use {path} ({source})")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be opened or read; perhaps another emulator has it.
    #[error("sandbox.database: cannot use {path} ({source}); is another emulator running on it?")]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The database holds something else.
    #[error(
        "sandbox.damaged: {path} holds something this emulator cannot read ({what}); move it away to start afresh"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What.
        what: String,
    },
    /// The scenario makes no sense here.
    #[error(transparent)]
    Scenario(#[from] crate::scenario::ScenarioError),
    /// The private key is none.
    #[error("sandbox.private_key: the private key is no RSA key in PKCS#8 PEM (BEGIN PRIVATE KEY)")]
    PrivateKey,
    /// The HTTP client cannot be set up.
    #[error("sandbox.http_client: cannot set up the client that posts callbacks ({0})")]
    HttpClient(reqwest::Error),
}
