//! `jirani chain accounts`

use super::desk::Desk;
use super::status::at;
use super::{failure, print_json};
use crate::cli::chain::{AccountKind, AccountsArguments};
use crate::failure::Failure;
use comfy_table::Table;
use jirani_chain::Address;
use jirani_chain::admin::AdminError;
use jirani_chain::admin::report::AccountsReport;

/// Reads and prints the accounts that are wanted.
pub async fn run(desk: &Desk, wanted: &AccountsArguments) -> Result<(), Failure> {
    let report = read(desk, wanted).await.map_err(failure)?;
    if desk.access.json {
        return print_json(&report);
    }
    print(&report);
    Ok(())
}

async fn read(desk: &Desk, wanted: &AccountsArguments) -> Result<AccountsReport, AdminError> {
    let config = desk.operator.initialised().await?;
    let now = desk.operator.now().await?;
    let mut records = desk.operator.records().await?;
    let is = |kind| wanted.kind.is_none_or(|only| only == kind);
    let of = |household: u32| wanted.household.is_none_or(|only| only == household);
    records
        .households
        .retain(|(_, household, _)| is(AccountKind::Households) && !wanted.over && of(household.id));
    records.offers.retain(|(_, offer, _)| is(AccountKind::Offers) && of(offer.seller_id));
    records.orders.retain(|(_, order, _)| is(AccountKind::Orders) && of(order.buyer_id));
    records.markers.retain(|(_, marker, _)| is(AccountKind::Markers) && of(marker.buyer_id));
    let vaults: Vec<Address> =
        records.households.iter().map(|(_, household, _)| Address::new_from_array(household.vault)).collect();
    let escrows: Vec<Address> =
        records.offers.iter().map(|(_, offer, _)| Address::new_from_array(offer.escrow)).collect();
    let vaults = desk.operator.tokens(&vaults).await?;
    let escrows = desk.operator.tokens(&escrows).await?;
    let mut report = AccountsReport::new(&records, &vaults, &escrows, &config, now);
    if wanted.over {
        report.offers.retain(|offer| offer.expired);
        report.orders.retain(|order| order.over);
        report.markers.retain(|marker| marker.closable_at < now);
        report.add_up();
    }
    Ok(report)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}

fn print(report: &AccountsReport) {
    if !report.households.is_empty() {
        let mut rows = table(&[
            "household",
            "kind",
            "feeder",
            "vault Wh",
            "shortfall Wh",
            "export Wh",
            "import Wh",
            "offers",
            "orders",
            "attested up to",
            "rent",
            "address",
        ]);
        for row in &report.households {
            rows.add_row([
                row.id.to_string(),
                row.kind.to_owned(),
                row.feeder.to_string(),
                row.vault_wh.to_string(),
                row.shortfall_wh.to_string(),
                row.export_wh.to_string(),
                row.import_wh.to_string(),
                row.open_offers.to_string(),
                row.open_orders.to_string(),
                at(row.last_slot_end).to_string(),
                row.rent_lamports.to_string(),
                row.address.clone(),
            ]);
        }
        println!("{rows}");
    }
    if !report.offers.is_empty() {
        let mut rows = table(&[
            "seller",
            "offer",
            "state",
            "cents/kWh",
            "owed Wh",
            "held Wh",
            "expires",
            "rent",
            "address",
        ]);
        for row in &report.offers {
            rows.add_row([
                row.seller_id.to_string(),
                row.id.to_string(),
                if row.expired { "expired" } else { row.state }.to_owned(),
                row.price_cents_per_kwh.to_string(),
                row.owed_wh.to_string(),
                row.reserved_wh.to_string(),
                at(row.expires_at).to_string(),
                row.rent_lamports.to_string(),
                row.address.clone(),
            ]);
        }
        println!("{rows}");
    }
    if !report.orders.is_empty() {
        let mut rows =
            table(&["buyer", "order", "fills", "Wh", "due cents", "deadline", "over", "rent", "address"]);
        for row in &report.orders {
            rows.add_row([
                row.buyer_id.to_string(),
                row.id.to_string(),
                row.fills.to_string(),
                row.energy_wh.to_string(),
                row.due_cents.to_string(),
                at(row.deadline).to_string(),
                if row.over { "yes" } else { "no" }.to_owned(),
                row.rent_lamports.to_string(),
                row.address.clone(),
            ]);
        }
        println!("{rows}");
    }
    if !report.markers.is_empty() {
        let mut rows = table(&["marker of", "buyer", "order", "paid", "closable", "rent", "address"]);
        for row in &report.markers {
            rows.add_row([
                row.kind.to_owned(),
                row.buyer_id.to_string(),
                row.order_id.to_string(),
                at(row.paid_at).to_string(),
                at(row.closable_at).to_string(),
                row.rent_lamports.to_string(),
                row.address.clone(),
            ]);
        }
        println!("{rows}");
    }
    println!(
        "{} households, {} offers, {} orders, {} markers; {} lamports of rent, all of it comes back",
        report.households.len(),
        report.offers.len(),
        report.orders.len(),
        report.markers.len(),
        report.rent_lamports
    );
}
