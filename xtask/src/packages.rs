//! What the machine must have: Debian's packages and tools from crate and Python
//! registries. Installed when we are root; else the one line to run is printed.

use crate::step;
use anyhow::bail;
use std::path::PathBuf;
use std::process::Command;

/// Makes sure that Debian's `packages` are installed.
pub fn debian(packages: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get update && apt-get install -y --no-install-recommends {}", missing.join(" "));
    if step::output(Command::new("id").arg("-u")).is_none_or(|id| id.trim() != "0") {
        bail!("missing Debian packages; run: sudo sh -c '{line}'");
    }
    step::run(
        &format!("install {}", missing.join(", ")),
        Command::new("sh").arg("-c").arg(format!("{line} >&2")).env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn installed(package: &str) -> bool {
    step::output(Command::new("dpkg-query").args(["-W", "-f", "${Status}", package]))
        .is_some_and(|status| status.contains("install ok installed"))
}

/// Makes sure that a cargo subcommand of this version or any is there.
pub fn cargo_tool(binary: &str, package: &str, version: &str) -> anyhow::Result<()> {
    if step::output(Command::new(binary).arg("--version")).is_some() {
        return Ok(());
    }
    step::run(
        &format!("install {package} {version} (some minutes)"),
        step::cargo()
            .args(["install", package, "--version", version, "--locked"])
            .env_remove("CARGO_TARGET_DIR"),
    )
}

/// A Python with the packages of `requirements`, kept in a folder called `name`
/// outside the checkout.
pub fn python(name: &str, requirements: &std::path::Path) -> anyhow::Result<PathBuf> {
    let wanted = std::fs::read_to_string(requirements)?;
    let folder = cache()?.join(name);
    let python = folder.join("bin/python");
    let mark = folder.join("requirements.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|have| have == wanted) && python.is_file() {
        return Ok(python);
    }
    step::run("create a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    step::run(
        &format!("install the Python packages of {}", requirements.display()),
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements),
    )?;
    std::fs::write(&mark, wanted)?;
    Ok(python)
}

/// Where tools may be kept between runs.
pub fn cache() -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let folder = home.unwrap_or_else(std::env::temp_dir).join("jirani");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
