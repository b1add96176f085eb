//! Neighbours who buy, withdraw and pay by hand, and an operator who moves float. Whoever
//! gets no answer asks again with the same key, as often as it takes.

use super::driver::Storm;
use super::site;
use jirani_units::HouseholdId;
use rand::Rng as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Seconds after which a move of float is on M-Pesa's statement or never will be.
const MOVED_WITHIN_S: i64 = 2_000;
/// How many do something at the same time.
const AT_ONCE: usize = 24;

/// Everybody, busy until told to go home.
pub struct People {
    tasks: JoinSet<()>,
    home: Arc<AtomicBool>,
}

/// One who asks.
pub struct Person<'a> {
    storm: &'a Storm,
    keys: &'a AtomicU64,
}

static KEYS: AtomicU64 = AtomicU64::new(0);
/// The float's movement that was booked last.
static BOOKED: AtomicU64 = AtomicU64::new(0);

impl People {
    /// Sellers offer, then all go about their business.
    pub fn gather(storm: &Arc<Storm>) -> Self {
        let home = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..AT_ONCE {
            let (storm, home) = (storm.clone(), home.clone());
            tasks.spawn(async move {
                let person = Self::alone(&storm);
                if number == 0 {
                    for seller in 1..=site::SELLERS {
                        person.offer(seller).await;
                    }
                }
                while !home.load(Ordering::SeqCst) {
                    person.act().await;
                }
            });
        }
        Self { tasks, home }
    }

    pub fn alone(storm: &Storm) -> Person<'_> {
        Person { storm, keys: &KEYS }
    }

    /// Waits until everybody has had the last answer.
    pub async fn go_home(mut self) {
        self.home.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

impl Person<'_> {
    fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::SeqCst))
    }

    /// Asks the settlement until it answers for good; a no has a `code`.
    pub async fn ask(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/do/{what}", self.storm.settlement_url());
        loop {
            if let Ok(answer) = self.storm.http.post(&url).body(body.to_string()).send().await
                && let Ok(bytes) = answer.bytes().await
                && let Ok(told) = serde_json::from_slice::<Value>(&bytes)
            {
                match told["fault"].as_str() {
                    Some("Unavailable") => self.storm.note(told["code"].as_str().unwrap()),
                    Some("Internal") => panic!("{what} {body}: {told}"),
                    _ => return told,
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn draw_buyer(&self) -> HouseholdId {
        let buyers = self.storm.buyers();
        self.storm.draw(|rng| match rng.random_range(0..200) {
            0 => site::silent(rng.random_range(0..site::SILENT)),
            _ => site::buyer(rng.random_range(0..buyers)),
        })
    }

    async fn act(&self) {
        match self.storm.draw(|rng| rng.random_range(0..1_000)) {
            0..560 => self.buy().await,
            560..900 => self.withdraw().await,
            900..940 => self.by_hand().await,
            940..950 => self.take_back().await,
            950..980 => self.operate().await,
            980..982 => self.wrong_password().await,
            982..990 => self.offer_little().await,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }

    async fn offer(&self, seller: u32) {
        let asked = json!({"household": seller, "energy_wh": 3_000_000, "key": format!("offer-{seller}")});
        let told = self.ask("offer", asked).await;
        assert_eq!(told["state"], "Open", "{told}");
    }

    async fn offer_little(&self) {
        let seller = self.storm.draw(|rng| rng.random_range(1..=site::SELLERS));
        let told =
            self.ask("offer", json!({"household": seller, "energy_wh": 1_000, "key": self.key()})).await;
        self.storm.note(&format!("offer {}", told["code"].as_str().unwrap_or("posted")));
    }

    async fn buy(&self) {
        let buyer = self.draw_buyer();
        let (energy, from_balance) =
            self.storm.draw(|rng| (rng.random_range(300..3_000), rng.random_range(0..10) == 0));
        let asked = json!({"household": buyer.0, "energy_wh": energy, "from_balance": from_balance, "key": self.key()});
        let told = self.ask("order", asked).await;
        match told["code"].as_str() {
            Some(code) => self.storm.note(code),
            None => {
                self.storm.trades.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    async fn withdraw(&self) {
        let open = self.ask("open", json!({})).await;
        let owners = open["owners"].as_array().unwrap();
        if owners.is_empty() {
            return tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let household = self.storm.draw(|rng| owners[rng.random_range(0..owners.len())].clone());
        let amount = self.storm.draw(|rng| rng.random_range(1_000..4_000));
        let asked = json!({"household": household, "amount_cents": amount, "key": self.key()});
        let told = self.ask("payout", asked).await;
        match told["code"].as_str() {
            Some(code) => self.storm.note(code),
            None => {
                self.storm.payouts.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Somebody pays the PayBill by hand: the own account, nonsense, or an order.
    async fn by_hand(&self) {
        let payer = self.draw_buyer();
        let open = self.ask("open", json!({})).await;
        let open = open["references"].as_array().unwrap();
        let reference = self.storm.draw(|rng| match rng.random_range(0..4) {
            0 | 1 => format!("H{payer}"),
            2 if !open.is_empty() => open[rng.random_range(0..open.len())].as_str().unwrap().to_owned(),
            _ => "nonsense".to_owned(),
        });
        let shillings = self.storm.draw(|rng| rng.random_range(5..200));
        let order = json!({"amount_shillings": shillings, "reference": reference, "pin": "1234"});
        let path = format!("/sandbox/phones/{}/paybill", site::phone(payer));
        let (status, _) = self.storm.mpesa(&path, Some(order)).await;
        self.storm.note(&format!("by hand {status}"));
    }

    /// M-Pesa gives a payment back; the statement tells us, sooner or later.
    async fn take_back(&self) {
        // Of some of the movements: all of a long storm would take longer than the rest of it.
        let after = self.storm.draw(|rng| rng.random_range(0..=BOOKED.load(Ordering::SeqCst)));
        let (_, statement) =
            self.storm.mpesa(&format!("/sandbox/statement?after={after}&limit=40"), None).await;
        let movements = statement["movements"].as_array().unwrap();
        let paid: Vec<&Value> = movements.iter().filter(|movement| movement["kind"] == "pay_bill").collect();
        if paid.is_empty() {
            return;
        }
        let payment = self.storm.draw(|rng| paid[rng.random_range(0..paid.len())]);
        let receipt = payment["receipt"].as_str().unwrap();
        let (status, answer) =
            self.storm.mpesa("/sandbox/reversals", Some(json!({"receipt": receipt}))).await;
        self.storm.note(&format!("reversal {status}"));
        let reversal = if status == 200 {
            answer["receipt"].clone()
        } else {
            // Taken back before, perhaps by a request whose answer went with a killed M-Pesa:
            // the statement tells.
            let path = format!("/sandbox/statement?after={}", payment["seq"]);
            let (_, later) = self.storm.mpesa(&path, None).await;
            let mut later = later["movements"].as_array().unwrap().iter();
            let is_it =
                |movement: &&Value| movement["kind"] == "reversal" && movement["reference"] == receipt;
            match later.find(is_it) {
                Some(movement) => movement["receipt"].clone(),
                None => return,
            }
        };
        let told = json!({"receipt": receipt, "reversal": reversal, "amount_cents": payment["amount_cents"]});
        self.ask("reversed", told).await;
    }

    /// The operator looks after the float, and goes on where payouts were stopped.
    async fn operate(&self) {
        let more = self.storm.draw(|rng| rng.random_range(20_000..80_000));
        self.top_up(more).await;
        self.book_float().await;
        self.look_after_moves().await;
        let shillings = self.storm.draw(|rng| rng.random_range(10..60));
        let told = self.ask("move", json!({"amount_cents": shillings * 100, "key": self.key()})).await;
        self.storm.note(&format!("move {}", told["code"].as_str().unwrap_or("begun")));
        if self.ask("state", json!({})).await["queue"] == "stopped" {
            self.storm.note("payouts resumed");
            self.ask("resume", json!({})).await;
        }
    }

    /// Of a move whose result does not come M-Pesa's statement says what became.
    pub async fn look_after_moves(&self) {
        let moving = &self.ask("state", json!({})).await["moving"];
        // As long as it may still be on its way, the statement says nothing.
        if moving["age_s"].as_i64() < Some(MOVED_WITHIN_S) {
            return;
        }
        let name = format!("float-{}", moving["number"]);
        let (_, statement) = self.storm.mpesa("/sandbox/statement", None).await;
        let movements = statement["movements"].as_array().unwrap();
        let moved = movements.iter().any(|movement| movement["reference"] == name.as_str());
        self.storm.note(&format!("move {moved} by statement, was {}", moving["state"].as_str().unwrap()));
        self.ask("moved", json!({"number": moving["number"], "moved": moved})).await;
    }

    /// For a while M-Pesa refuses our initiator.
    async fn wrong_password(&self) {
        self.storm.note("wrong password");
        self.storm.mpesa("/sandbox/initiator", Some(json!({"works": false}))).await;
        for _ in 0..3 {
            self.buy().await;
        }
        self.storm.mpesa("/sandbox/initiator", Some(json!({"works": true, "locked": false}))).await;
    }

    /// Money from the bank to the payout shortcode.
    pub async fn top_up(&self, more: i64) {
        let (_, statement) = self.storm.mpesa("/sandbox/statement?limit=0", None).await;
        let there = statement["totals"]["payout_cents"].as_i64().unwrap();
        if there == 0 {
            self.storm.note("the float was dry");
        }
        let path = format!("/sandbox/shortcodes/{}", site::PAYOUT_SHORTCODE);
        let (status, answer) = self.storm.mpesa(&path, Some(json!({"utility_cents": there + more}))).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Books what moved between the bank and the payout shortcode, once each.
    pub async fn book_float(&self) {
        let after = BOOKED.load(Ordering::SeqCst);
        let (_, statement) = self.storm.mpesa(&format!("/sandbox/statement?after={after}"), None).await;
        let mut last = after;
        for movement in statement["movements"].as_array().unwrap() {
            let seq = movement["seq"].as_u64().unwrap();
            last = last.max(seq);
            if movement["kind"] != "business_cash" {
                continue;
            }
            let amount = movement["amount_cents"].as_i64().unwrap();
            let came = movement["to"].to_string().contains(site::PAYOUT_SHORTCODE);
            let booked = json!({
                "receipt": format!("FL{seq:08}"), "amount_cents": if came { amount } else { -amount }
            });
            self.ask("float", booked).await;
        }
        BOOKED.fetch_max(last, Ordering::SeqCst);
    }
}
