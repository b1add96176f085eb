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

/// Cargo, as this very cargo was called.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
