//! The meter's firmware: what needs no hardware tested here, all of it built for its
//! processor, its core tried under an emulator with the golden vectors, its flash and
//! memory weighed.

mod record;

use crate::{packages, step};
use anyhow::{Context as _, bail};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind};
use record::Record;
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

/// Builds the firmware, runs its core under the emulator, reports, and writes the record.
pub fn run(root: &Path, as_json: bool) -> anyhow::Result<()> {
    let compiler = prepare(root)?;
    let core = build(root, &compiler, "emulated")?;
    let figures = emulate(&core)?;
    let record = weigh(&build(root, &compiler, "meter")?, record::inputs(root)?)?;
    report(&figures, &record, as_json)?;
    record.write(root)
}

/// The same for the test command, but an image whose inputs are those of the committed
/// record is not built anew. The core is, and runs under the emulator, every time.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let compiler = prepare(root)?;
    step::run("format of the firmware", cargo(root).args(["fmt", "--all", "--check"]))?;
    step::run(
        "lint of firmware/logic",
        cargo(root)
            .args(["clippy", "--release", "--locked", "-p", "jirani-firmware-logic", "--all-targets"])
            .args(["--", "-D", "warnings"]),
    )?;
    let core = build(root, &compiler, "emulated")?;
    let figures = emulate(&core)?;
    let record = if let Some(record) = Record::fitting(root)? {
        eprintln!("    the image is the recorded one: nothing that it is made of has changed");
        record
    } else {
        eprintln!("    the image is newer than its record; `cargo xtask firmware` writes it");
        weigh(&build(root, &compiler, "meter")?, record::inputs(root)?)?
    };
    report(&figures, &record, false)
}

/// What both need: tools, and the logic tested on this machine.
fn prepare(root: &Path) -> anyhow::Result<Compiler> {
    packages::debian(PACKAGES)?;
    let compiler = compiler()?;
    step::run(
        "test firmware/logic on this machine",
        cargo(root).args(["test", "--release", "--locked", "-p", "jirani-firmware-logic"]),
    )?;
    Ok(compiler)
}

/// Prints the figures; fails when the image is too long.
fn report(core: &Value, image: &Record, as_json: bool) -> anyhow::Result<()> {
    let mut figures = core.clone();
    let used = core["core_stack_bytes"].as_u64().unwrap_or_default();
    figures["flash_bytes"] = json!(image.flash_bytes);
    figures["ram_bytes"] = json!(image.ram_bytes);
    figures["stack_bytes"] = json!(image.stack_bytes);
    figures["stack_headroom_bytes"] = json!(image.stack_bytes.saturating_sub(used));
    for (name, value) in figures.as_object().into_iter().flatten() {
        eprintln!("{name:>32} {value}");
    }
    if as_json {
        println!("{figures}");
    }
    if image.flash_bytes > FLASH_MAX {
        bail!("the firmware takes more than {FLASH_MAX} bytes of flash, so two images do not fit 4 MB");
    }
    Ok(())
}

/// Builds the meter's program; gives its ELF's path.
pub fn meter(root: &Path) -> anyhow::Result<PathBuf> {
    build(root, &compiler()?, "meter")
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
pub fn folder(root: &Path) -> PathBuf {
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

/// What the meter's program takes of flash and RAM.
fn weigh(elf: &Path, inputs_sha256: String) -> anyhow::Result<Record> {
    let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF", elf.display()))?;
    let (mut flash_bytes, mut ram_bytes) = (0, 0);
    for section in file.sections().filter(|section| section.address() != 0) {
        let kept = !matches!(section.kind(), SectionKind::UninitializedData | SectionKind::UninitializedTls);
        flash_bytes += if kept { section.size() } else { 0 };
        let counts = RAM.contains(&section.address()) && section.name() != Ok(".stack");
        ram_bytes += if counts { section.size() } else { 0 };
    }
    let address = |name: &str| {
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
        symbol.map(|symbol| symbol.address()).with_context(|| format!("the firmware has no symbol {name}"))
    };
    let stack_bytes = address("_stack_start")?.saturating_sub(address("_stack_end")?);
    Ok(Record { inputs_sha256, flash_bytes, ram_bytes, stack_bytes })
}
