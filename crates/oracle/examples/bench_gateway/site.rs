//! Broker, gateway and store in a process of their own.

use crate::load::key_of;
use jirani_broker::{Broker, BrokerConfig};
use jirani_clock::ServiceClock;
use jirani_meter::{Ed25519Signer, Signer as _};
use jirani_oracle::{Counters, Gateway, GatewayConfig};
use jirani_store::{Change, Events, HouseholdKind, HouseholdRecord, Language, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, MeterId, Timestamp};
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub const SECRET: [u8; 32] = [9; 32];
/// 2026-06-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_seconds(1_780_272_000);
const PASSWORD: &str = "gateway password";

pub fn gateway_key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[200; 32])
}

/// What the process tells of itself.
#[derive(Clone, Copy)]
pub struct Told {
    pub stored: u64,
    pub dropped: u64,
    pub rss_bytes: u64,
    cpu_ticks: u64,
}

impl Told {
    /// CPU between two looks, in seconds of one core. Linux counts in hundredths.
    pub fn cpu_s(begin: &Self, end: &Self) -> f64 {
        (end.cpu_ticks - begin.cpu_ticks) as f64 / 100.0
    }
}

/// A running site; it ends when dropped.
pub struct Server {
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    mosquitto: Option<Child>,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    /// With so many meters enrolled; `broker` is `embedded` or `mosquitto`.
    pub fn start(meters: u32, broker: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mosquitto, address) = if broker == "mosquitto" {
            let (child, port) = start_mosquitto(folder.path());
            (Some(child), port.to_string())
        } else {
            (None, broker.to_owned())
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(folder.path())
            .args([meters.to_string(), address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Self { child, pipes: RefCell::new((to, from)), mosquitto, port: 0, _folder: folder };
        server.port = server.line().parse().unwrap();
        server
    }

    /// What it has done and cost so far, the broker included.
    pub fn told(&self) -> Told {
        writeln!(self.pipes.borrow_mut().0, "tell").unwrap();
        let line = self.line();
        let mut numbers = line.split(' ').map(|number| number.parse().unwrap());
        let (stored, dropped) = (numbers.next().unwrap(), numbers.next().unwrap());
        let (mut cpu_ticks, mut rss_bytes) = (0, 0);
        for pid in [Some(self.child.id()), self.mosquitto.as_ref().map(Child::id)].into_iter().flatten() {
            let (ticks, bytes) = cost(pid);
            cpu_ticks += ticks;
            rss_bytes += bytes;
        }
        Told { stored, dropped, rss_bytes, cpu_ticks }
    }

    fn line(&self) -> String {
        let mut line = String::new();
        self.pipes.borrow_mut().1.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in [Some(&mut self.child), self.mosquitto.as_mut()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// CPU in hundredths of a second, and resident bytes.
fn cost(pid: u32) -> (u64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name, which may hold anything: user and system time are the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    (ticks, pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4_096)
}

/// Debian's broker without access rules: its part in the row is to carry messages.
fn start_mosquitto(folder: &Path) -> (Child, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = folder.join("mosquitto.conf");
    std::fs::write(
        &settings,
        format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1000\n\
             max_queued_messages 100000\nset_tcp_nodelay true\n"
        ),
    )
    .unwrap();
    let program = ["/usr/sbin/mosquitto", "mosquitto"].into_iter().find(|path| Path::new(path).exists());
    let child = Command::new(program.unwrap_or("mosquitto"))
        .arg("-c")
        .arg(&settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Mosquitto is installed: apt-get install -y mosquitto");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    (child, port)
}

/// Serves until the standard input ends; answers each line with what was done.
pub fn serve(folder: &Path, meters: u32, broker: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(&folder.join("site.db")).await.unwrap());
        for first in (0..meters).step_by(1_000) {
            let records = (first..meters.min(first + 1_000)).map(|meter| Change::Household(record(meter)));
            store.commit(records.collect()).await.unwrap();
        }
        let embedded = match broker {
            "embedded" => {
                let config = BrokerConfig {
                    listen: "127.0.0.1:0".parse().unwrap(),
                    gateway_password: PASSWORD.into(),
                    meter_secret: SECRET,
                };
                Some(Broker::start(config).await.unwrap())
            }
            _ => None,
        };
        let port = embedded.as_ref().map_or_else(|| broker.parse().unwrap(), |broker| broker.addr().port());
        let config = GatewayConfig {
            url: format!("mqtt://127.0.0.1:{port}"),
            client_id: "gateway".into(),
            username: "gateway".into(),
            password: PASSWORD.into(),
            shared_group: None,
        };
        let counters = Counters::default();
        let clock = ServiceClock::advanced_from(START);
        let gateway = Gateway::new(config, store, gateway_key(), clock, Events::new(1_024), counters.clone());
        let gateway = gateway.await.unwrap();
        let mut subscribed = gateway.subscribed();
        let running = tokio::spawn(gateway.run(CancellationToken::new()));
        subscribed.wait_for(|taken| *taken).await.unwrap();
        println!("{port}");
        let told = tokio::task::spawn_blocking(move || {
            for _ in std::io::stdin().lines().map_while(Result::ok) {
                let totals = counters.totals();
                println!("{} {}", totals.readings_stored, totals.messages_dropped);
            }
        });
        told.await.unwrap();
        running.abort();
        drop(embedded);
    });
}

fn record(meter: u32) -> HouseholdRecord {
    let key = key_of(meter);
    HouseholdRecord {
        id: HouseholdId(meter + 1),
        kind: HouseholdKind::Home,
        alias: format!("home {meter}"),
        name: format!("Home {meter}"),
        msisdn: None,
        language: Language::En,
        meter: Some(MeterId(key.name())),
        meter_key: key.public_key(),
        meter_epoch: 1,
        export_rating_w: 5_000,
        import_rating_w: 5_000,
        pv_rated_w: 5_000,
        feeder: 1,
        chain_address: None,
        enrolled_at: START,
        version: 0,
    }
}
