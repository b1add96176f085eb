//! The on-chain program: its own compiler, its own target, one ELF that is the same
//! from every checkout, and a record of what it was made of and with.

use crate::{packages, step};
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's compiler with its standard library's source, for `-Zbuild-std`.
const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
/// The linker that writes Solana's ELF; its bugs show only at run time, so it is pinned.
const LINKER: &str = "sbpf-linker";
const LINKER_VERSION: &str = "0.2.6";
const LIBLLVM: &str = "libLLVM.so.22.1";

/// Everything that shapes the code. The machine has no indirect jumps, no sign
/// extension and no byte swap of its own, so LLVM must not use BPF's; panics carry no
/// source paths, so that the checkout's place leaves no trace.
const FLAGS: &[&str] = &[
    "-Clinker=sbpf-linker",
    "-Cpanic=abort",
    "-Crelocation-model=static",
    "-Ctarget-cpu=v4",
    "-Ctarget-feature=+allows-misaligned-mem-access",
    "-Cjump-tables=no",
    "-Zlocation-detail=none",
    "-Clink-arg=--arch=v3",
    "-Clink-arg=--export=entrypoint",
    "-Clink-arg=--llvm-args=--bpf-stack-size=4096",
    "-Clink-arg=--llvm-args=--disable-movsx",
    "-Clink-arg=--llvm-args=--disable-ldsx",
    "-Clink-arg=--llvm-args=--disable-bswap",
    "-Clink-arg=--llvm-args=--disable-sdiv-smod",
    "-Clink-arg=--llvm-args=--disable-gotol",
];

/// Folders and files the ELF is made of, from the root.
const INPUTS: &[&str] = &[
    "programs/energy/Cargo.lock",
    "programs/energy/Cargo.toml",
    "programs/energy/src",
    "programs/energy-interface/Cargo.toml",
    "programs/energy-interface/src",
];
const ELF: &str = "programs/energy/elf/jirani_energy.so";
const RECORD: &str = "programs/energy/elf/record.toml";

/// What the committed ELF is, and of what and with what it was made.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    elf_sha256: String,
    elf_bytes: usize,
    inputs_sha256: String,
    compiler: String,
    llvm: String,
    linker: String,
}

/// The tools, found.
struct Tools {
    libraries: PathBuf,
    compiler: String,
    llvm: String,
    linker: String,
}

/// Rebuilds the ELF in place and writes its record beside it.
pub fn build(root: &Path) -> anyhow::Result<()> {
    let tools = tools(root)?;
    let fresh = compile(root, &tools)?;
    let elf = read(&fresh)?;
    let record = Record {
        elf_sha256: hex::encode(Sha256::digest(&elf)),
        elf_bytes: elf.len(),
        inputs_sha256: inputs(root)?,
        compiler: tools.compiler,
        llvm: tools.llvm,
        linker: tools.linker,
    };
    let text = format!("# Written by `cargo xtask program`; not by hand.\n{}", toml::to_string(&record)?);
    write(&root.join(ELF), &elf)?;
    write(&root.join(RECORD), text.as_bytes())?;
    eprintln!("    {ELF}: {} bytes, sha256 {}", record.elf_bytes, record.elf_sha256);
    Ok(())
}

/// Rebuilds the ELF beside the committed one and fails when they differ although the
/// tools are the record's, or when the record does not fit the sources or the ELF.
/// Gives the path of the fresh ELF, for tests (`JIRANI_PROGRAM_ELF`).
pub fn check(root: &Path) -> anyhow::Result<PathBuf> {
    let text =
        std::fs::read_to_string(root.join(RECORD)).with_context(|| mend(&format!("cannot read {RECORD}")))?;
    let record: Record = toml::from_str(&text).with_context(|| mend(&format!("{RECORD} is damaged")))?;
    let committed = read(&root.join(ELF))?;
    if hex::encode(Sha256::digest(&committed)) != record.elf_sha256 {
        bail!(mend(&format!("{ELF} is not the one of its record")));
    }
    if inputs(root)? != record.inputs_sha256 {
        bail!(mend("the program's sources changed since its ELF was built"));
    }
    let tools = tools(root)?;
    let fresh = compile(root, &tools)?;
    let same_tools =
        tools.compiler == record.compiler && tools.llvm == record.llvm && tools.linker == record.linker;
    if !same_tools {
        eprintln!(
            "    not compared with {ELF}: built here with {}, LLVM {}, {}; recorded {}, LLVM {}, {}",
            tools.compiler, tools.llvm, tools.linker, record.compiler, record.llvm, record.linker
        );
    } else if read(&fresh)? != committed {
        bail!(mend(&format!("{ELF} is not what its sources build to ({})", fresh.display())));
    }
    Ok(fresh)
}

fn mend(what: &str) -> String {
    format!("{what}; run `cargo xtask program` and commit programs/energy/elf")
}

/// Finds the tools, or installs them.
fn tools(root: &Path) -> anyhow::Result<Tools> {
    packages::debian(PACKAGES)?;
    let libraries = libraries(root)?;
    if linker_version(&libraries).is_none_or(|version| version != LINKER_VERSION) {
        step::run(
            &format!("install {LINKER} {LINKER_VERSION} (about five minutes on two cores)"),
            step::cargo()
                .args(["install", LINKER, "--version", LINKER_VERSION, "--locked", "--force"])
                .env_remove("CARGO_TARGET_DIR"),
        )?;
    }
    let version = linker_version(&libraries).with_context(|| {
        format!("{LINKER} does not start; add cargo's bin folder to PATH, then try again")
    })?;
    if version != LINKER_VERSION {
        bail!("another {LINKER} ({version}) stands before {LINKER_VERSION} in PATH; remove it");
    }
    let verbose = step::output(Command::new(RUSTC).arg("-vV").env_remove("LD_LIBRARY_PATH"))
        .with_context(|| format!("{RUSTC} does not start"))?;
    let compiler = verbose.lines().next().unwrap_or_default().to_owned();
    let llvm =
        verbose.lines().find_map(|line| line.strip_prefix("LLVM version: ")).unwrap_or_default().to_owned();
    Ok(Tools { libraries, compiler, llvm, linker: format!("{LINKER} {version}") })
}

/// A folder that holds nothing but LLVM: the linker opens the first libLLVM it finds.
fn libraries(root: &Path) -> anyhow::Result<PathBuf> {
    let library = PathBuf::from(format!("/usr/lib/{}-linux-gnu/{LIBLLVM}", std::env::consts::ARCH));
    if !library.exists() {
        bail!("{} is missing; install the Debian package libllvm22", library.display());
    }
    let folder = target(root).join("llvm");
    std::fs::create_dir_all(&folder)?;
    let link = folder.join("libLLVM-22.so");
    if std::fs::read_link(&link).is_ok_and(|place| place == library) {
        return Ok(folder);
    }
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&library, &link).with_context(|| format!("cannot link {}", link.display()))?;
    Ok(folder)
}

fn linker_version(libraries: &Path) -> Option<String> {
    let mut command = Command::new(LINKER);
    command.arg("--version").env("LD_LIBRARY_PATH", libraries).env("PATH", path());
    step::output(&mut command)?.split_whitespace().nth(1).map(str::to_owned)
}

/// PATH with cargo's folder of installed tools first.
fn path() -> std::ffi::OsString {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
        .unwrap_or_default();
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(home.join("bin")).chain(std::env::split_paths(&old));
    std::env::join_paths(folders).unwrap_or(old)
}

/// Builds the program that stands under `copy` instead of the checkout; `None` when it
/// does not compile.
pub fn build_quietly(root: &Path, copy: &Path) -> anyhow::Result<Option<PathBuf>> {
    let tools = tools(root)?;
    let target = target(root).join("mutant-target");
    let built = step::output(&mut command(copy, &target, &tools)).is_some();
    Ok(built.then(|| target.join("bpfel-unknown-none/release/libjirani_energy.so")))
}

/// The target folder: not the workspace's, whose lock another build may hold.
pub fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("program")
}

/// Builds the program and gives its ELF's path.
fn compile(root: &Path, tools: &Tools) -> anyhow::Result<PathBuf> {
    let target = target(root);
    step::run("build the on-chain program", &mut command(root, &target, tools))?;
    Ok(target.join("bpfel-unknown-none/release/libjirani_energy.so"))
}

fn command(root: &Path, target: &Path, tools: &Tools) -> Command {
    let mut command = Command::new(CARGO);
    // What the caller's cargo, toolchain and shell add must not reach this compiler.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PROFILE", "CARGO_BUILD", "CARGO_TARGET", "CARGO_PKG", "CARGO_MANIFEST", "RUST"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(root.join("programs/energy"))
        .args(["build", "--release", "--locked", "--target", "bpfel-unknown-none", "-Zbuild-std=core,alloc"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", RUSTC)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        .env("CARGO_TARGET_DIR", target)
        .env("LD_LIBRARY_PATH", &tools.libraries)
        .env("PATH", path());
    command
}

/// Hash of the flags and of every input's path and content, in the order of paths.
fn inputs(root: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = Sha256::new();
    for flag in FLAGS {
        hasher.update(flag.as_bytes());
        hasher.update([0]);
    }
    for file in files {
        let content = read(&file)?;
        let place = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        hasher.update(place.as_bytes());
        hasher.update([0]);
        hasher.update(u64::try_from(content.len())?.to_le_bytes());
        hasher.update(&content);
    }
    Ok(hex::encode(hasher.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|kind| ["rs", "toml", "lock"].iter().any(|known| kind == *known)) {
        files.push(path.to_owned());
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
