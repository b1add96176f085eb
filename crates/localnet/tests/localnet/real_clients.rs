//! Clients that others wrote, unchanged: `@solana/kit` of npm and `solana`/`solders`
//! of PyPI. `cargo xtask test` installs them and names them in the environment;
//! without it there is nothing to run.

use crate::support::*;
use jirani_localnet::{Finality, LocalnetConfig, RunningLocalnet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Node; set by xtask once the packages of `tests/clients/kit` are installed.
const NODE: &str = "JIRANI_KIT_NODE";
/// A Python that has the packages of `tests/clients/python/requirements.txt`.
const PYTHON: &str = "JIRANI_SOLANA_PYTHON";

/// Real finality, on slots of 25 ms so that it takes 0.8 s; and final at once.
fn chains() -> [LocalnetConfig; 2] {
    let slot_time = Duration::from_millis(25);
    [config(), LocalnetConfig { finality: Finality::Realistic, slot_time, ..config() }]
}

fn folder(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(client)
}

async fn run(variable: &str, client: &str, script: &str) {
    let Some(program) = std::env::var_os(variable) else {
        eprintln!("{variable} is not set: `cargo xtask test` prepares and runs this");
        return;
    };
    for chain in chains() {
        let finality = chain.finality;
        let (chain, ..) = start(chain).await;
        let RunningLocalnet { rpc_url, ws_url, .. } = &chain;
        let mut command = Command::new(&program);
        command.current_dir(folder(client)).args([script, rpc_url, ws_url]);
        // A proxy that the environment names does not lead to this machine.
        for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{client} with {finality:?}: {text}");
        assert!(text.contains("all steps done"), "{client} with {finality:?}: {text}");
        chain.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn solana_kit_sends_confirms_and_reads_tokens() {
    run(NODE, "kit", "client.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn solana_py_sends_confirms_reads_and_subscribes() {
    run(PYTHON, "python", "client.py").await;
}
