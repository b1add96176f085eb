//! One server for the tests of a program, and a database for each test.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use jirani_store_postgres::Address;
use jirani_store_postgres::cluster::Cluster;
use std::sync::OnceLock;

/// A server that this process shares; it ends with the process.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        Cluster::start(&std::env::temp_dir(), &["-c max_connections=300"])
            .unwrap_or_else(|error| panic!("{error}"))
    })
}

/// An empty database.
pub async fn database() -> Address {
    let name = cluster().database().await.unwrap();
    cluster().address(&name).unwrap()
}
