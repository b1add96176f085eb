//! A sending process for the crash test: it sends intents until it is killed, and
//! waits to be killed at a named moment.
//!
//! `crashing_sender URL STORE FROM TO MOMENT NTH`: the intents `FROM..TO`, the moment's
//! name or `none`, and at its how many-th coming to stand still. Prints `ready`, then
//! `at MOMENT` when it stands still, or `done` when every intent has an outcome.

#![allow(clippy::unwrap_used, reason = "a child process of a test")]

#[path = "../tests/support/intents.rs"]
mod intents;

use jirani_chain::interruption::{Interruption, Moment};
use jirani_chain::{ChainConfig, ChainKeys, EnergyChain as _, Outcome, RpcEnergyChain, Work};
use jirani_energy_interface::LOCAL_PROGRAM_ID;
use jirani_market::Fill;
use jirani_store::{Proof, Store as _};
use jirani_store_sqlite::SqliteStore;
use jirani_units::{Clock, HouseholdId, OfferId, OrderId, Price, Timestamp, Wh};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Intent `n`, from 0: work that is a function of its number, so that a process that was
/// killed and the next one speak of the same. Three kinds in turn.
fn work(n: u64) -> Work {
    let turn = n / 3;
    // Households 2 and up, in turn.
    let id = 2 + u32::try_from(turn % u64::from(intents::HOUSEHOLDS - 1)).unwrap();
    let round = turn / u64::from(intents::HOUSEHOLDS - 1) + 1;
    match n % 3 {
        0 => {
            let mut evidence_root = [1; 32];
            evidence_root[..8].copy_from_slice(&n.to_le_bytes());
            let slot_end = intents::NOON.plus_seconds(100_000 + i64::try_from(n).unwrap() + 1);
            Work::Attest { feeder: 1, slot_end, evidence_root, rows: vec![intents::row(id, 100_000 + round)] }
        }
        1 => Work::PostOffer {
            seller: HouseholdId(id),
            offer: OfferId(round),
            energy_wh: Wh(10),
            price: Price(1_500),
            expires_at: intents::LATER.plus_seconds(86_400),
        },
        _ => {
            let mut proof = [2; 32];
            proof[..8].copy_from_slice(&n.to_le_bytes());
            let fill = Fill {
                offer: OfferId(intents::BIG_OFFER),
                seller: HouseholdId(1),
                energy_wh: 1,
                price: Price(1_500),
            };
            Work::PlaceAndSettle {
                buyer: HouseholdId(id),
                order: OrderId(round),
                fills: vec![fill],
                fee: Price(200),
                tax: Price(100),
                proof: Proof::Transfer(proof),
                paid_at: intents::LATER,
            }
        }
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        intents::LATER
    }
}

struct StandStill {
    moment: Option<Moment>,
    left: AtomicU64,
}

impl Interruption for StandStill {
    fn reached(&self, moment: Moment) {
        if self.moment == Some(moment) && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            say(&format!("at {}", moment.name()));
            loop {
                std::thread::park();
            }
        }
    }
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}").unwrap();
    out.flush().unwrap();
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, store, from, to, moment, nth] = arguments.as_slice() else {
        eprintln!("crashing_sender URL STORE FROM TO MOMENT NTH");
        std::process::exit(2);
    };
    let number = |text: &String| text.parse::<u64>().unwrap();
    let still = StandStill { moment: Moment::named(moment), left: AtomicU64::new(number(nth)) };
    let store = Arc::new(SqliteStore::open(Path::new(store)).await.unwrap());
    let config = ChainConfig {
        in_flight_max: 8,
        patience: Duration::from_mins(1),
        poll_max: Duration::from_millis(20),
        resend: Duration::from_millis(100),
        blockhash_fresh: Duration::from_millis(200),
        ..ChainConfig::new(url.clone(), LOCAL_PROGRAM_ID, ChainKeys::from_seed(&intents::KEYS))
    };
    let chain = loop {
        match RpcEnergyChain::connect(config.clone(), store.clone(), Arc::new(Still)).await {
            Ok(chain) => break chain.with_interruption(Arc::new(still)),
            // An answer was lost.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    say("ready");
    while chain.finish_unfinished().await.unwrap().unknown > 0 {}
    let sent = (number(from)..number(to)).map(|n| {
        let chain = &chain;
        async move {
            loop {
                match chain.submit(&intents::key(n), work(n)).await {
                    Ok(Outcome::Landed { .. }) => return,
                    Ok(refused @ Outcome::Refused { .. }) => {
                        say(&format!("refused {n}: {refused:?}"));
                        return;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        }
    });
    futures::future::join_all(sent).await;
    // Outcomes are written behind the one who asked; a question about them waits for that.
    assert!(store.outbox_unfinished("", 1).await.unwrap().is_empty());
    say("done");
}
