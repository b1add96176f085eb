//! How many STK pushes a second the emulator takes on, each on disk before it
//! is answered: `cargo run --release -p jirani-daraja-sandbox --example rate`;
//! with `-- --json` the last line is one of JSON.

use jirani_clock::ServiceClock;
use jirani_daraja::{DarajaClient, DarajaConfig, Mpesa as _, PayoutCharges, SecurityCredential, StkRequest};
use jirani_daraja_sandbox::{Behaviour, PhoneMode, Sandbox, SandboxConfig};
use jirani_units::{Reference, Timestamp};
use std::error::Error;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

const PUSHES: u64 = 6_000;
const AT_ONCE: u64 = 64;

fn system_time() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(now.as_micros()).unwrap_or(0))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let clock = ServiceClock::system(system_time);
    let config = SandboxConfig {
        data_dir: Some(folder.path().to_owned()),
        default_mode: PhoneMode::Automatic(Behaviour::ALWAYS_PAYS),
        ..SandboxConfig::default()
    };
    let server = axum::Router::new().fallback(async || "ok");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let callbacks = format!("http://{}/stk", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, server).await });
    let sandbox = Sandbox::start(config.clone(), clock.clone()).await?;
    let client = Arc::new(DarajaClient::new(
        DarajaConfig {
            base_url: sandbox.base_url.clone(),
            consumer_key: config.consumer_key,
            consumer_secret: config.consumer_secret.into(),
            shortcode: config.collection.code,
            passkey: config.passkey.into(),
            b2c_shortcode: config.payout.code,
            initiator_name: config.initiator_name,
            credential: SecurityCredential::Ready("any".into()),
            charges: PayoutCharges::default(),
            timeout_s: 30,
        },
        Arc::new(clock),
    )?);
    let started = Instant::now();
    let mut askers = tokio::task::JoinSet::new();
    for asker in 0..AT_ONCE {
        let (client, callback_url) = (Arc::clone(&client), callbacks.clone());
        askers.spawn(async move {
            for nth in (asker..PUSHES).step_by(usize::try_from(AT_ONCE).unwrap_or(1)) {
                let request = StkRequest {
                    shillings: 10,
                    msisdn: format!("2547{nth:08}").parse().map_err(|_| "phone")?,
                    reference: Reference::from_entropy(nth),
                    callback_url: callback_url.clone(),
                };
                client.stk_push(request).await.map_err(|_| "refused")?;
            }
            Ok::<(), &'static str>(())
        });
    }
    while let Some(done) = askers.join_next().await {
        done??;
    }
    let pushes_per_s = u128::from(PUSHES) * 1_000 / started.elapsed().as_millis().max(1);
    println!("{pushes_per_s} STK pushes/s over HTTP, {AT_ONCE} at once, each durable before its answer");
    if std::env::args().any(|argument| argument == "--json") {
        println!("{{\"emulator_stk_per_s\": {pushes_per_s}}}");
    }
    sandbox.stop().await;
    Ok(())
}
