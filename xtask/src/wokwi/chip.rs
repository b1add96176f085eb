//! The chip: built to WebAssembly, and run by a stand-in for the simulator.

use super::cargo;
use crate::{firmware, step};
use anyhow::bail;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "jirani-wokwi-pzem";

/// Builds it; gives the WebAssembly's path.
pub fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let has = step::output(Command::new("rustup").args(["target", "list", "--installed"]))
        .is_some_and(|installed| installed.lines().any(|line| line.trim() == TARGET));
    if !has {
        let what = format!("install the compiler's target {TARGET}");
        if step::run(&what, Command::new("rustup").args(["target", "add", TARGET])).is_err() {
            bail!("the chip needs the compiler's target {TARGET}; run: rustup target add {TARGET}");
        }
    }
    step::run(
        &format!("build firmware/wokwi/pzem for {TARGET}"),
        cargo(root).args(["build", "--release", "--locked", "--target", TARGET, "-p", PACKAGE]),
    )?;
    Ok(firmware::folder(root).join(TARGET).join("release/jirani_wokwi_pzem.wasm"))
}

/// Lints it, and feeds the built chip frames, byte by byte.
pub fn test(root: &Path, wasm: &Path) -> anyhow::Result<()> {
    let lint = ["clippy", "--release", "--locked", "-p", PACKAGE];
    step::run(
        "lint the chip's tests",
        cargo(root).args(lint).args(["--all-targets", "--", "-D", "warnings"]),
    )?;
    step::run("lint the chip", cargo(root).args(lint).args(["--target", TARGET, "--", "-D", "warnings"]))?;
    step::run(
        "test the chip: its rules, and the built WebAssembly byte by byte",
        cargo(root).args(["test", "--release", "--locked", "-p", PACKAGE]).env("JIRANI_PZEM_WASM", wasm),
    )
}
