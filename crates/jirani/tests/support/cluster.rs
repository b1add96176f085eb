//! A chain that is not ours, and its operator's desk.

use super::{PATIENCE, binary};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// A local chain in a process of its own.
pub struct Cluster {
    child: Child,
    /// Its JSON-RPC.
    pub url: String,
}

impl Cluster {
    /// Starts one that is faultless.
    pub fn start(folder: &Path, listen: &str, upgrade_authority: &str) -> Self {
        Self::start_with(folder, listen, upgrade_authority, &[])
    }

    /// Starts one with these arguments besides.
    pub fn start_with(folder: &Path, listen: &str, upgrade_authority: &str, more: &[&str]) -> Self {
        let mut child = binary()
            .args(["localnet", "--listen", listen, "--upgrade-authority", upgrade_authority, "--data-dir"])
            .arg(folder)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        // Read to its end: a chain whose output nobody takes could not say another word.
        let (told, address) = std::sync::mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("Chain RPC") {
                    let _ = told.send(url.trim().to_owned());
                }
            }
        });
        let url = address.recv_timeout(PATIENCE).expect("the chain's address");
        Self { child, url }
    }

    /// Its address and port.
    pub fn listen(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An operator with a key folder.
pub struct Desk<'a> {
    /// Where `keys` is.
    pub data_dir: &'a Path,
    /// The chain's node.
    pub url: String,
}

impl Desk<'_> {
    /// Exit code, output and complaints.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = binary()
            .args(["chain", "--url", &self.url])
            .args(arguments)
            .env("JIRANI__DATA_DIR", self.data_dir)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// What it answers; it must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let (code, out, err) = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(code, Some(0), "{arguments:?}: {out} {err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
    }

    /// Does it; the changes it named.
    pub fn done(&self, arguments: &[&str]) -> String {
        let told = self.json(arguments);
        let sent = &told["transactions"][0];
        assert!(sent["signature"].is_string(), "{arguments:?} sent nothing: {told}");
        assert!(sent["compute_units"].as_u64() > Some(0), "{told}");
        sent["changes"].to_string()
    }

    /// It must say why not, in one line with this word.
    pub fn refused(&self, arguments: &[&str], word: &str) {
        let (code, out, err) = self.run(arguments);
        assert!(matches!(code, Some(1 | 2)), "{arguments:?} was not refused: {out}");
        assert!(err.contains(word), "{arguments:?}: {err}");
        assert_eq!(err.lines().filter(|line| line.starts_with("error:")).count(), 1, "{err}");
    }

    /// The page.
    pub fn status(&self) -> Value {
        self.json(&["status"])
    }

    /// The state's word, whatever the exit code.
    pub fn state(&self) -> String {
        let (_, out, _) = self.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&out).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }

    /// Public keys by role, made in the key folder.
    pub fn keys(&self) -> Value {
        self.json(&["keys", "generate", "--all"])
    }

    /// A key file of its own: public key and path.
    pub fn key(&self, role: &str, name: &str) -> (String, String) {
        let folder = self.data_dir.join(name);
        let made = self.json(&["keys", "generate", role, "--folder", folder.to_str().unwrap()]);
        let path = folder.join(format!("{role}.json"));
        (made[role].as_str().unwrap().to_owned(), path.to_str().unwrap().to_owned())
    }
}
