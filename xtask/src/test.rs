//! `cargo xtask test`: every check and every test, on a fresh machine.

use crate::{firmware, fuzz, packages, program, step, up, web, wokwi};
use std::path::Path;
use std::process::Command;

/// Runs everything; the first failure ends it with one line.
pub fn run(root: &Path) -> anyhow::Result<()> {
    packages::debian(up::BUILD)?;
    packages::debian(&["chromium", "mosquitto", "openssl", "postgresql", "python3-venv"])?;
    web::need_node()?;

    step::run("format", cargo(root).args(["fmt", "--all", "--check"]))?;
    packages::cargo_tool("cargo-deny", "cargo-deny", "0.20.2")?;
    step::run(
        "licences, bans, sources",
        cargo(root).args(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]),
    )?;

    let elf = program::check(root)?;
    firmware::check(root)?;
    wokwi::check(root)?;

    let python = packages::python("python", &root.join("crates/meter/vectors/requirements.txt"))?;
    // Clients that others wrote, for the embedded chain's tests.
    let clients = root.join("crates/localnet/tests/clients");
    let solana_python = packages::python("solana-python", &clients.join("python/requirements.txt"))?;
    web::install(&clients.join("kit"))?;
    web::build(root)?;
    step::run("check the dashboard", web::npm(&root.join("web")).args(["run", "check"]))?;
    step::run("test the dashboard", web::npm(&root.join("web")).args(["run", "test"]))?;

    step::run(
        "lint",
        cargo(root).args([
            "clippy",
            "--release",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    let binary = up::build_binary(root)?;
    let client = root.join("programs/energy-client");
    web::install(&client)?;
    step::run(
        "test the program's TypeScript client",
        web::npm(&client).args(["run", "test"]).env("JIRANI_BINARY", root.join(binary)),
    )?;
    step::run(
        "test",
        cargo(root)
            // Every failure at once, not only the first program's.
            .args(["test", "--release", "--locked", "--workspace", "--no-fail-fast"])
            .env("JIRANI_PROGRAM_ELF", elf)
            .env(fuzz::MINUTES, "2")
            .env("JIRANI_PYTHON", python)
            .env("JIRANI_NODE", "node")
            .env("JIRANI_KIT_NODE", "node")
            .env("JIRANI_SOLANA_PYTHON", solana_python)
            .env("JIRANI_CHROMIUM", "/usr/bin/chromium"),
    )
}

fn cargo(root: &Path) -> Command {
    let mut command = step::cargo();
    command.current_dir(root);
    command
}
