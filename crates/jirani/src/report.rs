//! What a village run tells: the figures, as JSON for scripts and a table for eyes.

use crate::audit::AuditReport;
use jirani_units::{Cents, Wh};
use serde::Serialize;

/// The whole report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Homes, without the operator's records.
    pub households: u32,
    /// Days simulated.
    pub days: u32,
    /// Signed readings.
    pub readings: Readings,
    /// Attested energy, the operator's records and losses included.
    pub energy: Energy,
    /// Orders.
    pub trades: Trades,
    /// Shillings.
    pub money: Money,
    /// Power cut and given back.
    pub relays: Relays,
    /// The chain's work.
    pub chain: Chain,
    /// Every invariant.
    pub audit: AuditReport,
    /// What a reader should know: filled gaps, curtailed energy, rules switched off.
    pub notes: Notes,
    /// Wall-clock seconds.
    pub wall_s: f64,
    /// Most memory held.
    pub peak_rss_bytes: u64,
}

/// Signed readings.
#[derive(Debug, Default, Serialize)]
pub struct Readings {
    /// Sent by meters, repeats not counted.
    pub sent: u64,
    /// Stored.
    pub stored: u64,
    /// Received again.
    pub duplicates: u64,
    /// In quarantine.
    pub rejected: u64,
}

/// Attested energy in Wh.
#[expect(clippy::struct_field_names, reason = "names of the report carry their units")]
#[derive(Debug, Default, Serialize)]
pub struct Energy {
    /// Pushed into the grid.
    pub exported_wh: u64,
    /// Drawn from it, losses included.
    pub imported_wh: u64,
    /// Of which losses.
    pub losses_wh: u64,
    /// Minted, gross.
    pub minted_wh: u64,
    /// Burned, gross.
    pub burned_wh: u64,
    /// Imported energy that found no token yet.
    pub shortfall_wh: u64,
    /// Export adjustments.
    pub adjusted_wh: u64,
    /// Import adjustments.
    pub adjusted_import_wh: u64,
    /// The mint's supply.
    pub supply_wh: u64,
    /// In vaults.
    pub vaults_wh: u64,
    /// In escrow.
    pub escrow_wh: u64,
    /// Anywhere else.
    pub wallets_wh: u64,
}

/// Orders.
#[derive(Debug, Default, Serialize)]
pub struct Trades {
    /// Made.
    pub ordered: u64,
    /// Settled.
    pub settled: u64,
    /// Given up.
    pub released: u64,
    /// Settled from balance.
    pub from_balance: u64,
    /// Sold by the operator from its own records, Wh.
    pub operator_sold_wh: u64,
    /// Bought back by the operator, Wh.
    pub bought_back_wh: u64,
}

/// Shillings, in cents.
#[expect(clippy::struct_field_names, reason = "names of the report carry their units")]
#[derive(Debug, Default, Serialize)]
pub struct Money {
    /// Received by M-Pesa.
    pub collected_cents: i64,
    /// Earned by sellers, the operator included.
    pub sellers_cents: i64,
    /// Grid fees.
    pub fees_cents: i64,
    /// Taxes.
    pub taxes_cents: i64,
    /// Became buyers' balance.
    pub credited_cents: i64,
    /// Sent out by M-Pesa.
    pub paid_out_cents: i64,
    /// Taken by M-Pesa as charges.
    pub mpesa_charges_cents: i64,
    /// Households' balances.
    pub balances_cents: i64,
    /// The operator's: fees, taxes, sales, float, rounding.
    pub operator_cents: i64,
    /// Money nobody can name.
    pub suspense_cents: i64,
    /// Sum over all accounts; zero.
    pub imbalance_cents: i64,
    /// The emulator's accounts less ours; zero.
    pub mpesa_difference_cents: i64,
}

/// The chain's work.
#[derive(Debug, Default, Serialize)]
pub struct Chain {
    /// Transactions landed.
    pub transactions: u64,
    /// Household rows attested.
    pub attestation_rows: u64,
    /// Compute units used.
    pub compute_units: u64,
    /// Fees paid.
    pub fees_lamports: u64,
}

/// Commands to relays, and what meters said of them.
#[derive(Debug, Default, Serialize)]
pub struct Relays {
    /// Told to open.
    pub open_ordered: u64,
    /// Said to be open.
    pub opened: u64,
    /// Told to close.
    pub close_ordered: u64,
    /// Said to be closed again.
    pub closed: u64,
}

/// What a reader should know.
#[derive(Debug, Default, Serialize)]
pub struct Notes {
    /// Missing intervals filled with the mean of their neighbours.
    pub gaps_filled: u64,
    /// PV energy that nobody could take.
    pub curtailed_wh: u64,
    /// Sentences.
    pub remarks: Vec<String>,
}

impl Report {
    /// The report for eyes.
    pub fn table(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        let mut row = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        let wh = |wh: u64| Wh(wh).to_string();
        let cents = |cents: i64| Cents(cents).to_string();
        row("homes, days", format!("{}, {}", self.households, self.days));
        let readings = &self.readings;
        row(
            "readings",
            format!(
                "{} sent, {} stored, {} repeated, {} rejected",
                readings.sent, readings.stored, readings.duplicates, readings.rejected
            ),
        );
        let energy = &self.energy;
        row("exported / imported", format!("{} / {}", wh(energy.exported_wh), wh(energy.imported_wh)));
        row("losses", wh(energy.losses_wh));
        row("minted / burned", format!("{} / {}", wh(energy.minted_wh), wh(energy.burned_wh)));
        row("supply = shortfall", format!("{} = {}", wh(energy.supply_wh), wh(energy.shortfall_wh)));
        let trades = &self.trades;
        row(
            "orders",
            format!(
                "{} made, {} settled ({} from balance), {} released",
                trades.ordered, trades.settled, trades.from_balance, trades.released
            ),
        );
        row(
            "operator sold / bought back",
            format!("{} / {}", wh(trades.operator_sold_wh), wh(trades.bought_back_wh)),
        );
        let money = &self.money;
        row(
            "collected / paid out",
            format!("{} / {}", cents(money.collected_cents), cents(money.paid_out_cents)),
        );
        row("sellers earned", cents(money.sellers_cents));
        row("households' balances", cents(money.balances_cents));
        row("M-Pesa's charges", cents(money.mpesa_charges_cents));
        row("M-Pesa less our ledger", cents(money.mpesa_difference_cents));
        let Relays { open_ordered, opened, close_ordered, closed } = self.relays;
        if open_ordered + close_ordered > 0 {
            row(
                "relays",
                format!("{open_ordered} cuts, {opened} done; {close_ordered} ended, {closed} done"),
            );
        }
        let chain = &self.chain;
        row(
            "chain",
            format!(
                "{} transactions, {} rows, {} CU, {} lamports",
                chain.transactions, chain.attestation_rows, chain.compute_units, chain.fees_lamports
            ),
        );
        row("audit", self.audit.summary());
        row("took", format!("{:.1} s, {} MB at most", self.wall_s, self.peak_rss_bytes / 1_000_000));
        for remark in &self.notes.remarks {
            row("note", remark.clone());
        }
        table.to_string()
    }
}
