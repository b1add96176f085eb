//! `cargo xtask mutate program`: takes out every guard of the on-chain program, one at
//! a time, builds the ELF without it, and asks whether a test notices.
//!
//! Works on a copy: the checkout is never touched. A guard that nobody misses is a
//! survivor; survivors are listed with the reason known for them, or as unexplained.

use crate::{program, step};
use anyhow::{Context as _, bail};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folders that a mutant's ELF is made of, with the places of guards in them.
const PROGRAM: &str = "programs/energy";
const INTERFACE: &str = "programs/energy-interface";
/// Guards that stand alone as a call and may be left out whole.
const CALLS: &[&str] = &[
    "call.address(",
    "super::running(",
    "super::admin(",
    "super::oracles_signed(",
    "super::own_authority(",
    "authorise(",
    "own_wallet(",
    "proposed(",
    "check_window(",
    "check_upgrade_authority(",
    "attestors_are_valid(",
    "check(",
];
/// Survivors whose reason is known: where, what, why nothing can notice.
const EXPLAINED: &str = "programs/energy-tests/survivors.toml";
const REPORT: &str = "programs/energy/MUTATIONS.md";

/// One guard taken out.
struct Mutant {
    file: PathBuf,
    line: usize,
    what: String,
    text: String,
}

/// What became of a mutant.
enum Fate {
    Noticed,
    Survived,
    /// Without it the program does not compile: the compiler is the test.
    NotBuilt,
}

/// Takes out the guards whose place contains `only` (all when empty), and writes the report
/// when all were tried.
pub fn run(root: &Path, only: &str) -> anyhow::Result<()> {
    let mutants: Vec<Mutant> =
        find(root)?.into_iter().filter(|mutant| place(mutant).contains(only)).collect();
    if mutants.is_empty() {
        bail!("no guard's place contains {only:?}");
    }
    let tests = test_binaries(root)?;
    let copy = program::target(root).join("mutants");
    let explained = std::fs::read_to_string(root.join(EXPLAINED)).unwrap_or_default();
    let explained: toml::Table =
        toml::from_str(&explained).with_context(|| format!("{EXPLAINED} is damaged"))?;
    let (mut noticed, mut not_built, mut survivors) = (0, 0, Vec::new());
    let bar = indicatif::ProgressBar::new(u64::try_from(mutants.len())?);
    for mutant in &mutants {
        bar.set_message(place(mutant));
        let fate = judge(root, &copy, mutant, &tests)?;
        let word = match fate {
            Fate::Noticed => {
                noticed += 1;
                "noticed"
            }
            Fate::NotBuilt => {
                not_built += 1;
                "not built"
            }
            Fate::Survived => {
                survivors.push(mutant);
                "SURVIVED"
            }
        };
        eprintln!("{word:>9}  {}  {}", place(mutant), mutant.what);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = report(mutants.len(), noticed, not_built, &survivors, &explained);
    eprintln!("{report}");
    if only.is_empty() {
        std::fs::write(root.join(REPORT), report)?;
    }
    Ok(())
}

fn place(mutant: &Mutant) -> String {
    format!("{}:{}", mutant.file.display(), mutant.line)
}

fn report(
    all: usize,
    noticed: usize,
    not_built: usize,
    survivors: &[&Mutant],
    explained: &toml::Table,
) -> String {
    let mut text = format!(
        "# Guards taken out\n\nWritten by `cargo xtask mutate program`: every guard of the program is taken out, one at a time, and the tests run \
         on the ELF without it.\n\n| guards | noticed by a test | noticed by the compiler | survived |\n|---|---|---|---|\n| {all} | {noticed} | {not_built} | {} |\n",
        survivors.len()
    );
    if !survivors.is_empty() {
        text.push_str("\n## Survivors\n\n| where | guard | why nothing notices |\n|---|---|---|\n");
    }
    for mutant in survivors {
        let why = explained.get(&mutant.what).and_then(toml::Value::as_str).unwrap_or("not explained yet");
        let _ =
            writeln!(text, "| {} | `{}` | {why} |", mutant.file.display(), mutant.what.replace('|', "\\|"));
    }
    text
}

/// Builds the program without the guard and runs the tests on it.
fn judge(root: &Path, copy: &Path, mutant: &Mutant, tests: &[PathBuf]) -> anyhow::Result<Fate> {
    for folder in [PROGRAM, INTERFACE] {
        mirror(&root.join(folder), &copy.join(folder))?;
    }
    workspace(root, copy)?;
    std::fs::write(copy.join(&mutant.file), &mutant.text)?;
    let Some(elf) = program::build_quietly(root, copy)? else { return Ok(Fate::NotBuilt) };
    for test in tests {
        let status = Command::new(test)
            .current_dir(root.join("programs/energy-tests"))
            .env("JIRANI_PROGRAM_ELF", &elf)
            .env("JIRANI_FUZZ_SECONDS", "5")
            .env("PROPTEST_MAX_SHRINK_ITERS", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Ok(Fate::Noticed);
        }
    }
    Ok(Fate::Survived)
}

/// The compiled tests of the ELF, cheapest first; the table of costs is no judge of guards.
fn test_binaries(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let arguments = [
        "test",
        "--release",
        "-p",
        "jirani-energy-tests",
        "--test",
        "energy",
        "--no-run",
        "--message-format",
        "json",
    ];
    let output =
        step::output(step::cargo().current_dir(root).args(arguments)).context("the tests do not build")?;
    let found: Vec<PathBuf> = output
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect();
    if found.is_empty() {
        bail!("cargo names no test binary");
    }
    Ok(found)
}

fn find(root: &Path) -> anyhow::Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for folder in [format!("{PROGRAM}/src"), format!("{PROGRAM}/src/process")] {
        let mut files: Vec<_> = std::fs::read_dir(root.join(&folder))?.collect::<Result<Vec<_>, _>>()?;
        files.sort_by_key(std::fs::DirEntry::path);
        for file in files
            .iter()
            .map(std::fs::DirEntry::path)
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        {
            let text = std::fs::read_to_string(&file)?;
            let relative = file.strip_prefix(root)?.to_owned();
            statements(&relative, &text, &mut mutants);
        }
    }
    let accounts = PathBuf::from(format!("{INTERFACE}/src/accounts.rs"));
    table_entries(&accounts, &std::fs::read_to_string(root.join(&accounts))?, &mut mutants);
    for (file, from, to) in PARTS {
        let path = PathBuf::from(format!("{INTERFACE}/src/{file}"));
        let text = std::fs::read_to_string(root.join(&path))?;
        let at = text.find(from).with_context(|| format!("{} has no {from:?} any more", path.display()))?;
        let line = text[..at].matches('\n').count() + 1;
        mutants.push(Mutant { file: path, line, what: (*from).to_owned(), text: text.replacen(from, to, 1) });
    }
    Ok(mutants)
}

/// Guards inside the interface's rules: what stands there, and what stands there without it.
const PARTS: &[(&str, &str, &str)] = &[
    ("state/config.rs", ".filter(|used| *used <= self.cap_wh)", ""),
    ("state/config.rs", ".filter(|used| *used <= self.cap_cents)", ""),
    ("state/config.rs", ".filter(|used| *used <= cap)", ""),
    ("state/config.rs", "let used = if day > self.day { 0 } else { self.wh };", "let used = 0;"),
    ("state/config.rs", "self.retail <= crate::money::RETAIL_MAX", "true"),
    ("state/config.rs", "&& self.buy_back > 0", ""),
    ("state/config.rs", "&& self.price_max().is_some_and(|max| self.buy_back <= max)", ""),
    ("state/config.rs", "&& self.marker_retention_s >= MARKER_RETENTION_MIN_S", ""),
    ("state/config.rs", "self.threshold > self.count", "false"),
    ("state/config.rs", "&& !members[..i].contains(key)", ""),
    ("state/config.rs", "self.held_wh > 0 && ", ""),
    ("state/household.rs", ".min(capacity)", ""),
    ("state/household.rs", "filled.checked_sub(taken)", "Some(filled.saturating_sub(taken))"),
    ("state/household.rs", "filled.min(u64::from(new_w) * u64::from(bucket_s))", "filled"),
    ("state/household.rs", "self.last_slot_end = self.last_slot_end.max(now);", ""),
    ("id_window.rs", "id == 0 || id == newest", "id == 0"),
    (
        "id_window.rs",
        "if seen & bit == 0 { Some((newest, seen | bit)) } else { None }",
        "Some((newest, seen | bit))",
    ),
    ("money.rs", "if all_in > retail {", "if false {"),
    ("proof.rs", "ProofKind::Transfer => b'T',", "ProofKind::Transfer => b'R',"),
    ("token.rs", "data.len() == 165 || data.get(165) == Some(&2)", "true"),
];

/// Statements that end in a refusal: `(...).or_refuse(...)?;` and calls of checks.
fn statements(file: &Path, text: &str, mutants: &mut Vec<Mutant>) {
    let mut begin = 0;
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' | '{' | '}' if depth == 0 => {
                let raw = &text[begin..at];
                let statement = raw.trim_start();
                let start = begin + raw.len() - statement.len();
                let guard = letter == ';' && statement.ends_with('?');
                let refuses = guard && statement.contains(".or_refuse(") && !statement.starts_with("let ");
                let calls = guard && CALLS.iter().any(|call| statement.starts_with(call));
                if calls || refuses && !assigns(statement) {
                    let body = statement.trim_end_matches('?');
                    let kept = body
                        .rsplit_once(".or_refuse(")
                        .map_or(String::new(), |(value, _)| format!("let _ = {value}"));
                    let changed =
                        format!("{}{}{}", &text[..start], if calls { "" } else { &kept }, &text[at..]);
                    mutants.push(Mutant {
                        file: file.to_owned(),
                        line: text[..start].matches('\n').count() + 1,
                        what: statement.split_whitespace().collect::<Vec<_>>().join(" "),
                        text: changed,
                    });
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
}

fn assigns(statement: &str) -> bool {
    let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    statement.contains(" = ") || statement.contains(" += ") || statement.starts_with("return ")
}

/// Every right and kind of every account in the table.
fn table_entries(file: &Path, text: &str, mutants: &mut Vec<Mutant>) {
    let Some(begin) = text.rfind("specs! {") else { return };
    let mut table = "";
    for (number, line) in text.lines().enumerate() {
        if let Some((name, _)) = line.trim().split_once(" = [") {
            table = name;
        }
        let offset: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
        if offset < begin || line.trim_start().starts_with("///") {
            continue;
        }
        for entry in line.split([',', '[', ']']).map(str::trim).filter(|entry| entry.contains(": ")) {
            for changed in weaker(entry) {
                let at = offset + line.find(entry).unwrap_or(0);
                let text = format!("{}{changed}{}", &text[..at], &text[at + entry.len()..]);
                mutants.push(Mutant {
                    file: file.to_owned(),
                    line: number + 1,
                    what: format!("{table}: {entry} -> {changed}"),
                    text,
                });
            }
        }
    }
}

/// The entry with one demand less.
fn weaker(entry: &str) -> Vec<String> {
    let Some((names, kind)) = entry.split_once(": ") else { return Vec::new() };
    let mut weaker = Vec::new();
    for right in [" signer", " writable"] {
        if names.contains(right) {
            weaker.push(format!("{}: {kind}", names.replacen(right, "", 1)));
        }
    }
    if kind != "Any" {
        weaker.push(format!("{names}: Any"));
    }
    weaker
}

/// The copy's workspace has one member: what the interface inherits must be there, the
/// other members are not.
fn workspace(root: &Path, copy: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root.join("Cargo.toml"))?;
    let mut manifest: toml::Table = toml::from_str(&text)?;
    let workspace =
        manifest.get_mut("workspace").and_then(toml::Value::as_table_mut).context("no workspace")?;
    workspace.insert("members".into(), vec![INTERFACE.to_owned()].into());
    std::fs::write(copy.join("Cargo.toml"), toml::to_string(&manifest)?)?;
    Ok(())
}

/// Makes `to` the same as `from`, leaving files alone that are the same already.
fn mirror(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            mirror(&source, &target)?;
        } else {
            mirror_file(&source, &target)?;
        }
    }
    Ok(())
}

fn mirror_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    let content = std::fs::read(from)?;
    if std::fs::read(to).ok().as_ref() != Some(&content) {
        std::fs::write(to, content)?;
    }
    Ok(())
}
