//! The meter's firmware: its core built for its processor and tried under an emulator
//! with the golden vectors.

use crate::{packages, step};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "riscv32imc-unknown-none-elf";
const PACKAGES: &[&str] = &["qemu-system-misc"];
/// One instruction is one nanosecond, so the machine's counter counts instructions.
const EMULATOR: &[&str] = &[
    "120",
    "qemu-system-riscv32",
    "-M",
    "virt",
    "-bios",
    "none",
    "-icount",
    "shift=0",
    "-display",
    "none",
    "-monitor",
    "none",
    "-serial",
    "stdio",
    "-kernel",
];
/// Builds the firmware, runs its core under the emulator, and reports.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    packages::debian(PACKAGES)?;
    target()?;
    let core = build(root, "emulated")?;
    let figures = emulate(&core)?;
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>32} {value}");
    }
    if as_json {
        println!("{figures}");
    }
    Ok(())
}

/// Makes sure that the compiler can build for the meter's processor.
fn target() -> anyhow::Result<()> {
    let installed = step::output(Command::new("rustup").args(["target", "list", "--installed"]))
        .context("rustup is missing; install it from rustup.rs, then run this again")?;
    if installed.lines().any(|line| line.trim() == TARGET) {
        return Ok(());
    }
    let what = format!("install the compiler's target {TARGET}");
    step::run(&what, Command::new("rustup").args(["target", "add", TARGET]))
}

/// Builds one of the firmware's programs; gives its ELF's path.
fn build(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from)
        .join("firmware");
    step::run(
        &format!("build firmware/{name} for {TARGET}"),
        step::cargo()
            .current_dir(root.join("firmware"))
            .args(["build", "--release", "--locked", "--target", TARGET, "-p"])
            .arg(format!("jirani-firmware-{name}"))
            .env("CARGO_TARGET_DIR", &folder),
    )?;
    Ok(folder.join(TARGET).join("release").join(name))
}

/// Runs the core's program; its figures, when every vector holds.
fn emulate(elf: &Path) -> anyhow::Result<Value> {
    eprintln!("==> run the meter's core on an emulated RV32IMC");
    let output = Command::new("timeout")
        .args(EMULATOR)
        .arg(elf)
        .stdin(std::process::Stdio::null())
        .output()
        .context("cannot start qemu-system-riscv32")?;
    let said = String::from_utf8_lossy(&output.stdout);
    eprint!("{}{said}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("the meter's core failed under the emulator ({}); its lines above say where", output.status);
    }
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("the emulated core said {last:?} instead of figures"))
}
