//! `cargo xtask up`: from a fresh machine to a village trading in the browser.

use crate::{packages, step, web};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the dashboard and the binary, then becomes `jirani up`.
pub fn run(root: &Path, arguments: &[String]) -> anyhow::Result<()> {
    packages::debian(BUILD)?;
    web::build(root)?;
    let binary = build_binary(root)?;
    eprintln!("==> jirani up");
    let mut command = Command::new(&binary);
    command.current_dir(root).arg("up").args(arguments);
    become_program(command)
}

/// What a C dependency needs to compile.
pub const BUILD: &[&str] = &["build-essential", "pkg-config"];

/// Builds the binary people run and says where it is.
pub fn build_binary(root: &Path) -> anyhow::Result<PathBuf> {
    step::run(
        "build jirani (the first time takes some ten minutes on two cores)",
        step::cargo().current_dir(root).args(["build", "--release", "--locked", "--package", "jirani"]),
    )?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/jirani"))
}

/// Replaces this process, so that Ctrl-C reaches the village and nobody else.
fn become_program(mut command: Command) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec()).context("cannot start jirani")
}
