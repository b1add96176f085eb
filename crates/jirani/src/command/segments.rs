//! `jirani meter segments`: the files of evidence, listed or read whole.

use super::records;
use crate::cli::meter::SegmentsArguments;
use crate::config::Config;
use crate::failure::Failure;
use jirani_oracle::verify_segments;
use jirani_store::SegmentRecord;
use jirani_units::Timestamp;

/// Lists what is known; with `verify` reads every byte and compares it with the database.
pub async fn run(config: &Config, arguments: &SegmentsArguments) -> Result<(), Failure> {
    let database = records::open(config, "evidence").await?;
    let store = database.store();
    let folder = config.evidence.segments(&config.data_dir).folder;
    let known = SegmentRecord::newest(store.as_ref(), u64::MAX).await;
    let agreement = match arguments.what {
        Some(_) => Some(verify_segments(store.clone(), &folder).await),
        None => None,
    };
    drop(store);
    database.close().await;
    let known = known.map_err(Failure::run)?;
    let agreement = agreement.transpose().map_err(Failure::run)?;
    if arguments.json {
        let mut told = serde_json::json!({ "folder": folder, "segments": known });
        if let Some(agreement) = &agreement {
            told["records"] = agreement.verified.records().into();
            told["head"] = hex::encode(agreement.verified.head()).into();
            told["behind"] = agreement.behind.into();
            told["torn_bytes"] = agreement.verified.torn_bytes.into();
        }
        println!("{told}");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["segment", "records", "bytes", "sealed", "hash"]);
    for segment in &known {
        let sealed = segment.sealed_at_us.map_or_else(|| "open".to_owned(), |at| Timestamp(at).to_string());
        let records = format!("{}-{}", segment.first, segment.last());
        table.add_row([
            segment.number.to_string(),
            records,
            segment.bytes.to_string(),
            sealed,
            segment.hash.clone(),
        ]);
    }
    println!("{table}");
    if let Some(agreement) = agreement {
        println!("Every byte holds and agrees with the database: {} readings", agreement.verified.records());
        println!("Head       {}", hex::encode(agreement.verified.head()));
        if agreement.behind > 0 {
            println!("Behind     {} readings are durable and not in a file yet", agreement.behind);
        }
    }
    Ok(())
}
