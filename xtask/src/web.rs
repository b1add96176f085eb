//! The dashboard: installed from its lock file and built, only when it changed. The
//! program's TypeScript client is installed the same way.

use crate::step;
use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fails with one line when Node is missing or too old.
pub fn need_node() -> anyhow::Result<()> {
    let version = step::output(Command::new("node").arg("--version")).context(
        "Node 20 is missing; install it from your distribution or nodejs.org, then run this again",
    )?;
    let major: u32 =
        version.trim().trim_start_matches('v').split('.').next().and_then(|m| m.parse().ok()).unwrap_or(0);
    if major < 20 {
        bail!("Node {} is too old; install Node 20 or newer", version.trim());
    }
    Ok(())
}

/// Installs what a folder's lock file names, unless that was done for this very file.
pub fn install(folder: &Path) -> anyhow::Result<()> {
    need_node()?;
    let lock = folder.join("package-lock.json");
    let lock = std::fs::read(&lock).with_context(|| format!("{} is missing", lock.display()))?;
    let wanted = hex::encode(Sha256::digest(&lock));
    let mark = folder.join("node_modules/.jirani-lock");
    if std::fs::read_to_string(&mark).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    // Not `npm ci`: it refuses a lock file without entries for platforms that a
    // registry does not carry. The versions are those of the lock file all the same.
    step::run(
        &format!("install the packages of {}", folder.file_name().unwrap_or_default().display()),
        npm(folder).args(["install", "--no-save", "--no-audit", "--no-fund"]),
    )?;
    std::fs::write(mark, wanted)?;
    Ok(())
}

/// Builds the dashboard into `web/dist`, unless that was done for these sources.
pub fn build(root: &Path) -> anyhow::Result<()> {
    let web = root.join("web");
    install(&web)?;
    let wanted = sources(&web)?;
    let mark = web.join("dist/.jirani-sources");
    if std::fs::read_to_string(&mark).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    step::run("build the dashboard", npm(&web).args(["run", "build"]))?;
    std::fs::write(mark, wanted)?;
    Ok(())
}

/// npm in a folder.
pub fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}

fn sources(web: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect(web, &mut files)?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.to_string_lossy().as_bytes());
        digest.update(std::fs::read(&file)?);
    }
    Ok(hex::encode(digest.finalize()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "node_modules" | "dist" | "test-results") {
                collect(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}
