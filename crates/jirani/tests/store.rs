//! The store as a whole, by the binary: backed up, lost, restored and audited; copied to
//! the other database and used there; a village that lives on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod support;

use jirani_store_postgres::cluster::Cluster;
use std::path::Path;
use std::process::Output;

/// Runs the binary on `folder` with these settings besides.
fn jirani(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    support::binary()
        .args(arguments)
        .env("JIRANI__DATA_DIR", folder)
        .env("JIRANI__CHAIN__LISTEN", "127.0.0.1:0")
        .envs(settings.iter().copied())
        .output()
        .unwrap()
}

fn done(output: Output) -> String {
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text} {said}", output.status);
    text
}

/// Exit code and the one line that says why.
fn refused(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said.lines().last().unwrap_or_default().to_owned())
}

/// Two days of four homes.
fn village(folder: &Path, settings: &[(&str, &str)]) -> serde_json::Value {
    let path = folder.to_str().unwrap();
    let arguments =
        ["village", "run", "--households", "4", "--days", "2", "--seed", "3", "--json", "--data-dir", path];
    let report: serde_json::Value =
        serde_json::from_str(done(jirani(folder, settings, &arguments)).lines().last().unwrap()).unwrap();
    assert_eq!(report["audit"]["ok"], true, "{report}");
    report
}

/// The audit of a stopped system: nothing violated.
fn audit(folder: &Path, settings: &[(&str, &str)]) {
    let text = done(jirani(folder, settings, &["audit", "--json"]));
    let report: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    for name in ["M1", "M2", "M3", "S1", "S2"] {
        assert_eq!(report["invariants"][name], "holds", "{name}: {report}");
    }
}

fn head(text: &str) -> &str {
    text.trim().rsplit(' ').next().unwrap()
}

#[test]
fn a_store_is_backed_up_lost_restored_and_audited() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let backup = folder.path().join("backup");
    let backup = backup.to_str().unwrap();
    village(&data, &[]);
    let before = done(jirani(&data, &[], &["store", "verify"]));
    done(jirani(&data, &[], &["store", "backup", backup]));
    let (code, line) = refused(&jirani(&data, &[], &["store", "backup", backup]));
    assert!(code == 2 && line.contains("store.backup_exists"), "{line}");

    // A store that holds something is not written over.
    let (code, line) = refused(&jirani(&data, &[], &["store", "restore", backup]));
    assert!(code == 2 && line.contains("store.not_empty"), "{line}");
    for name in ["jirani.db", "jirani.db-wal", "jirani.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let (code, line) = refused(&jirani(&data, &[], &["store", "verify"]));
    assert!(code == 2 && line.contains("store.nothing"), "{line}");
    let restored = done(jirani(&data, &[], &["store", "restore", backup]));
    assert_eq!(head(&restored), head(&before));
    audit(&data, &[]);
}

#[test]
fn a_village_moves_to_postgresql_and_back() {
    let cluster = Cluster::start(&std::env::temp_dir(), &[]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = cluster.url(&runtime.block_on(cluster.database()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    village(&data, &[]);
    let before = done(jirani(&data, &[], &["store", "verify"]));

    let there = done(jirani(&data, &[], &["store", "copy", "--to", &url]));
    assert_eq!(head(&there), head(&before));
    let (code, line) = refused(&jirani(&data, &[], &["store", "copy", "--to", &url]));
    assert!(code == 2 && line.contains("store.not_empty"), "{line}");
    // The same folder, with its chain and its keys, on the other database.
    let settings = [("JIRANI__STORE__URL", url.as_str())];
    let moved = data.join("jirani.db");
    std::fs::rename(&moved, folder.path().join("old.db")).unwrap();
    audit(&data, &settings);
    let file = format!("sqlite:{}", moved.display());
    let back = done(jirani(&data, &settings, &["store", "copy", "--to", &file]));
    assert_eq!(head(&back), head(&before));
    audit(&data, &[]);
}

#[test]
fn a_village_lives_on_postgresql() {
    let cluster = Cluster::start(&std::env::temp_dir(), &[]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = cluster.url(&runtime.block_on(cluster.database()).unwrap());
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = [("JIRANI__STORE__URL", url.as_str()), ("JIRANI__STORE__PASSWORD", "hush")];
    let report = village(folder.path(), &settings);
    assert!(!folder.path().join("jirani.db").exists(), "the village wrote a file of SQLite's");
    assert!(report["trades"]["settled"].as_u64().unwrap() > 0, "{report}");
    audit(folder.path(), &settings);
    // Another folder has other keys: the database is not its own.
    let stranger = other.path().join("stranger");
    let arguments =
        ["village", "run", "--households", "4", "--seed", "4", "--data-dir", stranger.to_str().unwrap()];
    let (code, line) = refused(&jirani(&stranger, &settings, &arguments));
    assert!(code == 2 && line.contains("store.other_deployment"), "{line}");
    let verified = done(jirani(folder.path(), &settings, &["store", "verify"]));
    // Every trade and every shilling as on SQLite.
    let same = village(other.path(), &[]);
    assert_eq!(report["money"], same["money"]);
    assert_eq!(report["energy"], same["energy"]);
    assert_eq!(head(&verified).len(), 64);
}

#[test]
fn passwords_are_never_taken_from_an_address_nor_told() {
    let folder = tempfile::tempdir().unwrap();
    let with = "postgres://amina:hush@localhost/mini";
    for output in [
        jirani(folder.path(), &[], &["store", "copy", "--from", "sqlite:x", "--to", with]),
        jirani(folder.path(), &[("JIRANI__STORE__URL", with)], &["store", "verify"]),
        jirani(
            folder.path(),
            &[
                ("JIRANI__STORE__URL", "postgres://amina@127.0.0.1:1/mini"),
                ("JIRANI__STORE__PASSWORD", "hush"),
            ],
            &["store", "verify"],
        ),
    ] {
        let (code, line) = refused(&output);
        assert_eq!(code, 2, "{line}");
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!told.contains("hush"), "{told}");
    }
}
