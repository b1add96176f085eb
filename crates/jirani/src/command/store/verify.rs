//! `jirani store verify`

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::Database;
use jirani_store::verify::{VerifyError, verify_ledger};

/// Recounts the journal beside whoever writes; exit code 1 names what does not hold.
pub async fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let database = Database::of(config, &config.data_dir).map_err(Failure::Start)?;
    if let Some(path) = database.missing() {
        return Err(Failure::Start(anyhow::anyhow!("store.nothing: there is no {}", path.display())));
    }
    let store = database.open_read_only().await.map_err(Failure::Start)?;
    let verified = verify_ledger(store.store().as_ref()).await;
    store.close().await;
    match verified {
        Ok(verified) => {
            let head = hex::encode(verified.head);
            if json {
                println!("{}", serde_json::json!({ "ok": true, "rows": verified.rows, "head": head }));
            } else {
                println!("Journal    {} rows hold, head {head}", verified.rows);
            }
            Ok(())
        }
        Err(VerifyError::Store(error)) => Err(Failure::run(error)),
        Err(error) => {
            if json {
                println!("{}", serde_json::json!({ "ok": false, "first": error.to_string() }));
            }
            Err(Failure::run(error))
        }
    }
}
