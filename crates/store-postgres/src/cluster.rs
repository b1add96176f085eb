//! A throw-away PostgreSQL server for tests and benches: a folder of its own, a Unix
//! socket in it, no network. It ends, and its folder goes, with the process that
//! started it, however that ends: a shell stands between and waits for its input to
//! close. It can be made to crash and to come back, as servers do.

use crate::Address;
use jirani_store::StoreError;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// Where Debian keeps the server's programs, when they are not on the path.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The account that the server runs under when we are root, which it refuses to be.
const ACCOUNT: &str = "postgres";

/// What the shell does: makes the folder, tells it, then follows orders until they end.
/// `$1` is the folder of programs, `$2` where to make the server's folder, the rest its settings.
const SCRIPT: &str = r#"
umask 077
programs=$1 parent=$2
shift 2
folder=$(mktemp -d "$parent/jirani-postgres.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap '' INT TERM
"$programs/initdb" -D "$folder/data" -U jirani -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/log" 2>&1 ||
    { cat "$folder/log" >&2; exit 1; }
control() { "$programs/pg_ctl" -D "$folder/data" -s -w "$@" >>"$folder/log" 2>&1; }
start() { control start -o "-c listen_addresses='' -c unix_socket_directories=$folder $settings"; }
settings=$*
start || { cat "$folder/log" >&2; exit 1; }
echo "$folder"
while read -r order; do
    case $order in
    crash) control stop -m immediate ;;
    start) start ;;
    esac
    echo "$order $?"
done
control stop -m immediate
"#;

/// A running server.
pub struct Cluster {
    folder: PathBuf,
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    databases: AtomicU64,
}

impl Cluster {
    /// Makes a server below `parent` and starts it with `settings` (`-c name=value`).
    pub fn start(parent: &Path, settings: &[&str]) -> Result<Self, StoreError> {
        let programs = programs()?;
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut shell = command
            .args(["-c", SCRIPT, "sh"])
            .arg(&programs)
            .arg(parent)
            .args(settings)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| missing(&format!("cannot start a shell for it: {error}")))?;
        let (Some(orders), Some(answers)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(missing("its shell has no input or output"));
        };
        let mut cluster = Self {
            folder: PathBuf::new(),
            shell,
            orders: Some(orders),
            answers: BufReader::new(answers),
            databases: AtomicU64::new(0),
        };
        cluster.folder = PathBuf::from(cluster.answer()?);
        Ok(cluster)
    }

    /// Address of the database called `name`; it need not exist.
    pub fn address(&self, name: &str) -> Result<Address, StoreError> {
        Address::new(&self.url(name), None)
    }

    /// URL of the database called `name`.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://jirani@localhost/{name}?host={}", self.folder.display())
    }

    /// Makes an empty database and names it.
    pub async fn database(&self) -> Result<String, StoreError> {
        let name = format!("jirani_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.address("postgres")?.connect().await?;
        // The name is our own: letters and a number.
        let made = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await;
        made.map_err(crate::fault::fault)?;
        Ok(name)
    }

    /// Ends the server as a loss of power would, except that the kernel lives on.
    pub fn crash(&mut self) -> Result<(), StoreError> {
        self.order("crash")
    }

    /// Starts it again after [`Self::crash`]; it recovers by itself.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.order("start")
    }

    fn order(&mut self, order: &str) -> Result<(), StoreError> {
        let Some(orders) = &mut self.orders else { return Err(missing("its shell is gone")) };
        writeln!(orders, "{order}").map_err(|error| missing(&error.to_string()))?;
        let answer = self.answer()?;
        if answer == format!("{order} 0") { Ok(()) } else { Err(missing(&answer)) }
    }

    fn answer(&mut self) -> Result<String, StoreError> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(1..) => Ok(line.trim_end().to_owned()),
            Ok(0) => Err(missing("it ended at once; its last words are above")),
            Err(error) => Err(missing(&error.to_string())),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The shell reads the end of its orders, stops the server and takes the folder away.
        self.orders = None;
        let _ = self.shell.wait();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The folder with `initdb` and `pg_ctl`: the newest of Debian's, else that of the path.
fn programs() -> Result<PathBuf, StoreError> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            (version >= 15 && programs.join("initdb").is_file()).then_some((version, programs))
        })
        .max();
    if let Some((_, programs)) = newest {
        return Ok(programs);
    }
    let output = Command::new("sh").args(["-c", "dirname \"$(command -v initdb)\""]).output();
    let folder = output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let folder = PathBuf::from(folder.trim());
    if folder.join("initdb").is_file() && folder.join("pg_ctl").is_file() {
        return Ok(folder);
    }
    Err(missing("its programs are not installed; run: apt-get install -y postgresql"))
}

fn missing(what: &str) -> StoreError {
    StoreError::Unavailable { what: format!("no PostgreSQL server for this test: {what}") }
}
