//! One step of a chore: said, run, timed.

use anyhow::{Context as _, bail};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs `command`, saying `what` before and how long it took after. Its output is
/// the user's to see.
pub fn run(what: &str, command: &mut Command) -> anyhow::Result<()> {
    eprintln!("==> {what}");
    let begin = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    if !status.success() {
        bail!("{what}: {} ended with {status}", command.get_program().to_string_lossy());
    }
    eprintln!("    {what}: done in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Runs `command` quietly; its standard output, or `None` when it cannot be
/// started or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Cargo, as this very cargo was called, but without what it says of xtask in the
/// environment: build scripts that look there would run again, and all that stands on
/// them be built anew, whenever cargo is called by hand and through xtask by turns.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.env_remove("CARGO");
    command
}
