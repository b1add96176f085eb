//! The simulated meter: the chip that stands for both energy ICs built to WebAssembly
//! and tried, the firmware beside it, and the diagram held against Wokwi's rules and
//! against the firmware's own pins. Nothing here needs Wokwi itself.

mod chip;
mod diagram;
mod lint;
mod parts;
mod project;
mod wiring;

use crate::{firmware, step};
use anyhow::{Context as _, bail};
use lint::Finding;
use project::Built;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Builds everything that `firmware/wokwi/wokwi.toml` names, tests the chip, checks the
/// diagram.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    chip(root)?;
    copy(&firmware::meter(root)?, &build(root).join("meter.elf"))?;
    let figures = checked(root, Built::Everything)?;
    eprintln!("    open firmware/wokwi in VS Code");
    if as_json {
        println!("{figures}");
    }
    Ok(())
}

/// The same for the test command, which builds the firmware elsewhere, if at all.
pub fn check(root: &Path) -> anyhow::Result<()> {
    chip(root)?;
    checked(root, Built::Chip).map(drop)
}

/// The folder of what is built.
fn build(root: &Path) -> PathBuf {
    root.join("firmware/wokwi/build")
}

/// Builds the chip and tests it.
fn chip(root: &Path) -> anyhow::Result<()> {
    let build = build(root);
    std::fs::create_dir_all(&build).with_context(|| format!("cannot create {}", build.display()))?;
    let wasm = build.join("pzem.chip.wasm");
    copy(&chip::build(root)?, &wasm)?;
    copy(&root.join("firmware/wokwi/pzem.chip.json"), &build.join("pzem.chip.json"))?;
    chip::test(root, &wasm)
}

/// Holds diagram and project against the rules; the figures, when nothing is wrong.
fn checked(root: &Path, built: Built) -> anyhow::Result<Value> {
    eprintln!("==> check the diagram, the project file and their pins");
    let folder = root.join("firmware/wokwi");
    let project = project::Project::read(&folder)?;
    let board = read(&root.join("firmware/meter/src/board.rs"))?;
    let mut findings = lint::diagram(&project.diagram, &project.chips);
    findings.extend(project.check(&folder, built));
    findings.extend(wiring::check(&board, &project.diagram)?);
    findings.extend(wiring::table(&board, &read(&root.join("firmware/README.md"))?)?);
    for Finding { rule, what } in &findings {
        eprintln!("    {rule}: {what}");
    }
    if !findings.is_empty() {
        bail!("the simulated meter has {} mistakes; they stand above", findings.len());
    }
    let chip_bytes = std::fs::metadata(build(root).join("pzem.chip.wasm"))?.len();
    let (parts, wires) = (project.diagram.parts.len(), project.diagram.connections.len());
    eprintln!("    {parts} parts, {wires} wires, a chip of {chip_bytes} bytes");
    Ok(json!({ "chip_bytes": chip_bytes, "parts": parts, "wires": wires }))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = std::fs::copy(from, to);
    copied.with_context(|| format!("cannot copy {} to {}", from.display(), to.display())).map(drop)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Cargo in the firmware's workspace, with the target folder of the firmware's builds.
fn cargo(root: &Path) -> std::process::Command {
    let mut command = step::cargo();
    command.current_dir(root.join("firmware")).env("CARGO_TARGET_DIR", firmware::folder(root));
    command
}
