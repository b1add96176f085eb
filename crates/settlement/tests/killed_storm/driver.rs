//! Starts the parts, kills them, and starts them again until everything was done.

use super::people::People;
use super::time::Time;
use super::{ending, site, weather};
use jirani_chain::{AttestRow, EnergyChain as _, Outcome, RpcEnergyChain, Work, interruption as sending};
use jirani_ledger::templates::shortcodes::{self, Shortcode};
use jirani_settlement::interruption::Moment;
use jirani_store::{Change, HouseholdKind, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{HouseholdId, Wh};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How much happens.
#[derive(Clone, Copy)]
pub struct Size {
    pub trades: usize,
    pub payouts: usize,
    pub random_kills: usize,
    pub seed: u64,
}

/// How much faster than the system's time passes during the storm, and after it.
const SPEED: i64 = 60;
const CALM_SPEED: i64 = 400;
/// How long a life may wait for its moment, in real time.
const MOMENT_WITHIN: Duration = Duration::from_secs(12);
/// Seconds until the last of what goes wrong by delay has come: the latest payment of all.
const LATE_S: i64 = 3_600;
/// How long it may take until everything is final, in real time.
const CALM_WITHIN: Duration = Duration::from_mins(4);

/// A process of ours, and what it prints.
pub struct Part {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts a part and waits until it is ready.
    async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("part")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut part = Self { child, lines };
        assert_eq!(part.line().await.as_deref(), Some("ready"), "{arguments:?}");
        part
    }

    /// What it prints next; `None` when it has ended.
    async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.unwrap()
    }

    /// SIGKILL.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// How a life of the settlement ends.
#[derive(Clone, Debug)]
enum End {
    /// At the how many-th coming of the moment of this name.
    At(String, u64),
    /// So many milliseconds after its share of the work is done.
    After(u64),
}

/// Everything that the parts and the people share.
pub struct Storm {
    pub size: Size,
    /// Stays for who looks into it when the storm ends badly.
    folder: PathBuf,
    pub time: Time,
    pub http: reqwest::Client,
    ports: [u16; 3],
    pub trades: AtomicUsize,
    pub payouts: AtomicUsize,
    pub rng: Mutex<ChaCha20Rng>,
    seen: Mutex<BTreeMap<String, usize>>,
}

fn free_port() -> u16 {
    // Two neighbours, as the chain takes them.
    loop {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < u16::MAX && std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

impl Storm {
    pub fn mpesa_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    pub fn chain_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[1])
    }

    pub fn settlement_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[2])
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("jirani.db")
    }

    pub fn note(&self, what: &str) {
        *self.seen.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    pub fn seen(&self) -> BTreeMap<String, usize> {
        self.seen.lock().unwrap().clone()
    }

    pub fn draw<T>(&self, draw: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap())
    }

    /// Asks M-Pesa's own doors, until they answer.
    pub async fn mpesa(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        loop {
            let url = format!("{}{path}", self.mpesa_url());
            let request = match &body {
                Some(body) => {
                    self.http.post(url).header("Content-Type", "application/json").body(body.to_string())
                }
                None => self.http.get(url),
            };
            if let Ok(answer) = request.send().await {
                let status = answer.status().as_u16();
                if let Ok(bytes) = answer.bytes().await {
                    return (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null));
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn start_mpesa(&self) -> Part {
        let folder = self.folder.join("mpesa");
        let (port, seed) = (self.ports[0].to_string(), self.size.seed.to_string());
        Part::start(&["mpesa", text(&folder), &port, text(self.time.path()), &seed]).await
    }

    async fn start_chain(&self) -> Part {
        let folder = self.folder.join("chain");
        Part::start(&["chain", text(&folder), &self.ports[1].to_string(), text(self.time.path())]).await
    }

    async fn start_settlement(&self, end: &End) -> Part {
        let (moment, nth) = match end {
            End::At(moment, nth) => (moment.as_str(), *nth),
            End::After(_) => ("none", 1),
        };
        let (port, nth) = (self.ports[2].to_string(), nth.to_string());
        let folder = text(&self.folder);
        let (mpesa, chain) = (self.mpesa_url(), self.chain_url());
        Part::start(&["settlement", folder, &port, text(self.time.path()), &mpesa, &chain, moment, &nth])
            .await
    }

    async fn bad_weather(&self) {
        for (target, action, per_mille) in weather::FAULTS {
            let order = json!({"target": target, "action": action, "always": true, "per_mille": per_mille});
            self.fault(order).await;
        }
        // Of these phones nobody will ever hear.
        for number in 0..site::SILENT {
            let msisdn = site::phone(site::silent(number)).to_string();
            let (status, answer) =
                self.mpesa(&format!("/sandbox/phones/{msisdn}"), Some(json!({"mode": "by_hand"}))).await;
            assert_eq!(status, 200, "{answer}");
        }
    }

    pub async fn fault(&self, order: Value) {
        let (status, answer) = self.mpesa("/sandbox/faults", Some(order.clone())).await;
        assert_eq!(status, 200, "{order}: {answer}");
    }

    pub async fn fair_weather(&self) {
        let url = format!("{}/sandbox/faults", self.mpesa_url());
        assert!(self.http.delete(url).send().await.unwrap().status().is_success());
    }

    /// Households with tokens to sell, a chain that knows them, and the first float.
    async fn populate(&self) {
        let store = Arc::new(SqliteStore::open(&self.database()).await.unwrap());
        let clock = Arc::new(self.time.follow());
        let config = site::chain_config(&self.chain_url());
        let chain = Arc::new(RpcEnergyChain::connect(config, store.clone(), clock).await.unwrap());
        chain.initialise(&site::TARIFF).await.unwrap();
        let mut enrolling = tokio::task::JoinSet::new();
        for id in self.households() {
            let record = site::household(id);
            let work = Work::Enrol {
                household: id,
                kind: HouseholdKind::Home,
                feeder: 1,
                meter_key: record.meter_key,
                meter_epoch: 1,
                export_rating_w: record.export_rating_w,
                import_rating_w: record.import_rating_w,
            };
            store.commit(vec![Change::Household(record)]).await.unwrap();
            let chain = chain.clone();
            enrolling.spawn(async move { chain.submit(&format!("enrol/{id}"), work).await.unwrap() });
        }
        while let Some(outcome) = enrolling.join_next().await {
            landed(&outcome.unwrap());
        }
        self.time.run(site::START.plus_seconds(28_800), SPEED);
        while chain.snapshot().await.is_err() {}
        let rows = (1..=site::SELLERS)
            .map(|id| AttestRow { household: HouseholdId(id), export_wh: Wh(3_500_000), import_wh: Wh::ZERO })
            .collect();
        let slot_end = site::START.plus_seconds(28_800);
        let work = Work::Attest { feeder: 1, slot_end, evidence_root: [5; 32], rows };
        landed(&chain.submit("attest/1", work).await.unwrap());
        let first = "FLOAT00000".parse().unwrap();
        let float = shortcodes::float_deposited(&first, Shortcode::Payout, site::FLOAT, site::START);
        store.commit(vec![Change::Post(float)]).await.unwrap();
    }

    pub fn buyers(&self) -> u32 {
        u32::try_from(self.size.trades / 20).unwrap().clamp(60, 300)
    }

    pub fn households(&self) -> impl Iterator<Item = HouseholdId> + use<> {
        (1..=site::SELLERS)
            .map(HouseholdId)
            .chain((0..site::SILENT).map(site::silent))
            .chain((0..self.buyers()).map(site::buyer))
    }

    /// Every named moment once, mixed with moments nobody chose.
    fn ends(&self) -> Vec<End> {
        let mut ends: Vec<End> = Vec::new();
        self.draw(|rng| {
            for moment in moments() {
                ends.push(End::At(moment.name().to_owned(), rng.random_range(1..4)));
            }
            for moment in sending::Moment::ALL {
                // A transaction is dead when the chain did not take it for long: rare.
                if moment != sending::Moment::Dead {
                    ends.push(End::At(format!("sender-{}", moment.name()), rng.random_range(1..4)));
                }
            }
            ends.extend((0..self.size.random_kills).map(|_| End::After(rng.random_range(0..600))));
            ends.shuffle(rng);
        });
        ends
    }

    fn is_done(&self) -> bool {
        self.trades.load(Ordering::SeqCst) >= self.size.trades
            && self.payouts.load(Ordering::SeqCst) >= self.size.payouts
    }

    /// Waits until the life's share of the work is done, but not for ever.
    async fn share(&self, life: usize, lives: usize) {
        let trades = self.size.trades * life / lives;
        let payouts = self.size.payouts * life / lives;
        let until = Instant::now() + MOMENT_WITHIN;
        while Instant::now() < until
            && (self.trades.load(Ordering::SeqCst) < trades || self.payouts.load(Ordering::SeqCst) < payouts)
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn landed(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Landed { .. }), "{outcome:?}");
}

/// The whole story.
pub async fn storm(size: Size) {
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap().keep();
    println!("in {}", folder.display());
    for part in ["mpesa", "chain"] {
        std::fs::create_dir(folder.join(part)).unwrap();
    }
    let time = Time::new(&folder.join("time"));
    time.run(site::START, 1);
    let storm = Arc::new(Storm {
        size,
        time,
        folder,
        http: reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap(),
        ports: [free_port(), free_port(), free_port()],
        trades: AtomicUsize::new(0),
        payouts: AtomicUsize::new(0),
        rng: Mutex::new(ChaCha20Rng::seed_from_u64(size.seed)),
        seen: Mutex::default(),
    });
    let (mut mpesa, mut chain) = (storm.start_mpesa().await, storm.start_chain().await);
    storm.populate().await;
    storm.bad_weather().await;
    let people = People::gather(&storm);

    let ends = storm.ends();
    let lives = ends.len();
    let mut ends: std::collections::VecDeque<End> = ends.into();
    let (mut life, mut killed) = (0, BTreeMap::<String, usize>::new());
    let mut tried = 0;
    while let Some(end) = ends.pop_front() {
        tried += 1;
        assert!(tried < 4 * lives + 100, "{end:?} never comes: {killed:?}");
        let mut settlement = storm.start_settlement(&end).await;
        let name = match &end {
            End::At(moment, _) => {
                let reached = tokio::time::timeout(MOMENT_WITHIN, settlement.line()).await;
                match reached {
                    Ok(Some(line)) => {
                        assert_eq!(line, format!("at {moment}"));
                        moment.clone()
                    }
                    Ok(None) => panic!("the settlement ended by itself"),
                    Err(_) => {
                        ends.push_back(End::At(moment.clone(), 1));
                        "no moment".to_owned()
                    }
                }
            }
            End::After(millis) => {
                let random = async {
                    storm.share(life + 1, lives).await;
                    // On purpose the one thing that waits for no condition: a moment that
                    // nobody chose is what is tried here.
                    tokio::time::sleep(Duration::from_millis(*millis)).await;
                };
                tokio::select! {
                    () = random => {}
                    line = settlement.line() => panic!("the settlement said {line:?}"),
                }
                "a random moment".to_owned()
            }
        };
        settlement.kill().await;
        life += 1;
        *killed.entry(name).or_default() += 1;
        // M-Pesa and the chain are not spared, either.
        if life % 16 == 5 {
            mpesa.kill().await;
            mpesa = storm.start_mpesa().await;
            *killed.entry("M-Pesa".to_owned()).or_default() += 1;
        }
        if life % 16 == 11 {
            chain.kill().await;
            chain = storm.start_chain().await;
            *killed.entry("the chain".to_owned()).or_default() += 1;
        }
    }
    let settlement = storm.start_settlement(&End::After(0)).await;
    while !storm.is_done() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    people.go_home().await;
    println!(
        "{} trades, {} payouts, killed {killed:?}, {} s; then calm",
        storm.trades.load(Ordering::SeqCst),
        storm.payouts.load(Ordering::SeqCst),
        begun.elapsed().as_secs()
    );
    storm.calm().await;
    settlement.kill().await;
    for moment in moments() {
        assert!(killed.contains_key(moment.name()), "never killed at {}: {killed:?}", moment.name());
    }
    ending::ends_well(&storm).await;
    println!("{:#?}\n{} s in all", storm.seen(), begun.elapsed().as_secs());
    mpesa.kill().await;
    chain.kill().await;
    std::fs::remove_dir_all(&storm.folder).unwrap();
}

/// Those of slots' calls are crashed at where calls are tried: nobody here sets rules.
fn moments() -> impl Iterator<Item = Moment> {
    let of_calls = [Moment::CallCleared, Moment::CallPosted, Moment::CallSettled, Moment::BoughtBack];
    Moment::ALL.into_iter().filter(move |moment| !of_calls.contains(moment))
}

impl Storm {
    /// All faults end, the float suffices, and time passes until everything is final and
    /// both books say the same.
    async fn calm(&self) {
        self.fair_weather().await;
        let people = People::alone(self);
        self.mpesa("/sandbox/initiator", Some(json!({"works": true, "locked": false}))).await;
        people.ask("resume", json!({})).await;
        let owed = people.ask("state", json!({})).await["owed_cents"].as_i64().unwrap();
        people.top_up(owed + 100_000).await;
        self.time.run(self.time.now(), CALM_SPEED);
        let (until, late) = (Instant::now() + CALM_WITHIN, self.time.now().plus_seconds(LATE_S));
        loop {
            people.book_float().await;
            people.look_after_moves().await;
            let state = people.ask("state", json!({})).await;
            let totals = self.mpesa("/sandbox/statement?limit=0", None).await.1["totals"].clone();
            let theirs = json!([totals["collection_cents"], totals["payout_cents"], totals["charges_cents"]]);
            let open = ["orders", "collections", "payouts", "reversals", "doubts"]
                .iter()
                .any(|name| state[name].as_array().is_some_and(|list| !list.is_empty()));
            if self.time.now() > late
                && !open
                && state["moving"].is_null()
                && state["receipts"] == 0
                && state["callbacks"] == 0
                && state["accounts"] == theirs
            {
                return;
            }
            assert!(Instant::now() < until, "not final: {state:#}\ntheirs: {theirs}\n{:#?}", self.seen());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
