//! The meter's firmware: what needs no hardware tested here, all of it built for its
//! processor, its core tried under an emulator with the golden vectors, its flash and
//! memory weighed.

use crate::{packages, step};
use anyhow::{Context as _, bail};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "riscv32imc-unknown-none-elf";
const PACKAGES: &[&str] = &["qemu-system-misc"];
/// A compiler and its libraries' source, for machines where no target can be added.
const DEBIAN_COMPILER: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];
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
/// Where the ESP32-C3 sees its RAM as data; the stack takes what is left of it.
const RAM: std::ops::Range<u64> = 0x3FC8_0000..0x3FCE_0000;
/// Half of what 4 MB of flash leave beside the queue of readings: one of two images.
const FLASH_MAX: u64 = 1_500_000;

/// Builds the firmware, runs its core under the emulator, and reports.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    packages::debian(PACKAGES)?;
    let compiler = compiler()?;
    step::run(
        "test firmware/logic on this machine",
        cargo(root).args(["test", "--release", "--locked", "-p", "jirani-firmware-logic"]),
    )?;
    let core = build(root, &compiler, "emulated")?;
    let mut figures = emulate(&core)?;
    let meter = build(root, &compiler, "meter")?;
    weigh(&meter, &mut figures)?;
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>32} {value}");
    }
    if as_json {
        println!("{figures}");
    }
    if figures["flash_bytes"].as_u64().is_none_or(|bytes| bytes > FLASH_MAX) {
        bail!("the firmware takes more than {FLASH_MAX} bytes of flash, so two images do not fit 4 MB");
    }
    Ok(())
}

/// What compiles for the meter's processor.
enum Compiler {
    /// This toolchain, with the target's libraries.
    Rustup,
    /// Debian's, which builds them itself, with this toolchain's linker.
    Debian { linker: PathBuf },
}

/// Makes sure that something can build for the meter's processor.
fn compiler() -> anyhow::Result<Compiler> {
    let installed = step::output(Command::new("rustup").args(["target", "list", "--installed"]));
    if installed.is_some_and(|installed| installed.lines().any(|line| line.trim() == TARGET)) {
        return Ok(Compiler::Rustup);
    }
    let what = format!("install the compiler's target {TARGET}");
    if step::run(&what, Command::new("rustup").args(["target", "add", TARGET])).is_ok() {
        return Ok(Compiler::Rustup);
    }
    eprintln!("    the target cannot be added here: Debian's compiler builds it from source");
    packages::debian(DEBIAN_COMPILER)?;
    let said = step::output(Command::new("rustc").args(["--print", "sysroot"])).unwrap_or_default();
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let linker = Path::new(said.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    if !linker.is_file() {
        bail!("{} is missing; install Rust from rustup.rs, then run this again", linker.display());
    }
    Ok(Compiler::Debian { linker })
}

/// Builds one of the firmware's programs; gives its ELF's path.
fn build(root: &Path, compiler: &Compiler, name: &str) -> anyhow::Result<PathBuf> {
    let (mut command, target) = match compiler {
        Compiler::Rustup => (cargo(root), folder(root)),
        Compiler::Debian { linker } => {
            let target = folder(root).join("debian");
            let mut command = Command::new("/usr/bin/cargo");
            command
                .current_dir(root.join("firmware"))
                .env_remove("LD_LIBRARY_PATH")
                .env("CARGO_TARGET_DIR", &target)
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_RISCV32IMC_UNKNOWN_NONE_ELF_LINKER", linker)
                .env("CARGO_TARGET_RISCV32IMC_UNKNOWN_NONE_ELF_RUSTFLAGS", "-Clinker-flavor=ld.lld")
                .arg("-Zbuild-std=core,alloc");
            (command, target)
        }
    };
    step::run(
        &format!("build firmware/{name} for {TARGET}"),
        command
            .args(["build", "--release", "--locked", "--target", TARGET, "-p"])
            .arg(format!("jirani-firmware-{name}")),
    )?;
    Ok(target.join(TARGET).join("release").join(name))
}

/// Cargo in the firmware's workspace.
fn cargo(root: &Path) -> Command {
    let mut command = step::cargo();
    command.current_dir(root.join("firmware")).env("CARGO_TARGET_DIR", folder(root));
    command
}

/// The target folder: not the workspace's, whose lock another build may hold.
fn folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("firmware")
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

/// Adds what the meter's program takes of flash and RAM.
fn weigh(elf: &Path, figures: &mut Value) -> anyhow::Result<()> {
    let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF", elf.display()))?;
    let (mut flash, mut ram) = (0, 0);
    for section in file.sections().filter(|section| section.address() != 0) {
        let kept = !matches!(section.kind(), SectionKind::UninitializedData | SectionKind::UninitializedTls);
        flash += if kept { section.size() } else { 0 };
        let counts = RAM.contains(&section.address()) && section.name() != Ok(".stack");
        ram += if counts { section.size() } else { 0 };
    }
    let address = |name: &str| {
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
        symbol.map(|symbol| symbol.address()).with_context(|| format!("the firmware has no symbol {name}"))
    };
    let stack = address("_stack_start")?.saturating_sub(address("_stack_end")?);
    let core = figures["core_stack_bytes"].as_u64().unwrap_or_default();
    figures["flash_bytes"] = json!(flash);
    figures["ram_bytes"] = json!(ram);
    figures["stack_bytes"] = json!(stack);
    figures["stack_headroom_bytes"] = json!(stack.saturating_sub(core));
    Ok(())
}
