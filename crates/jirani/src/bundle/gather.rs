//! From the store to the lines of a bundle, in their one order.

use super::record::{
    BalanceLine, DeploymentLine, FillLine, HouseholdLine, Line, OrderLine, OrderWord, PayoutLine, PayoutWord,
    ProofLine, ProofWord, ReadingLine, ReceiptLine, SpanLine, TransferLine, UseWord,
};
use super::{BundleWriter, VERSION};
use anyhow::bail;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use jirani_ledger::{Account, Kind, Reason, TransferId};
use jirani_oracle::Spans;
use jirani_readings::Span;
use jirani_settlement::receipt_proof;
use jirani_store::verbs::PAGE_MAX;
use jirani_store::words::Word as _;
use jirani_store::{
    HouseholdRecord, JournalRow, OrderRecord, OrderState, PayoutRecord, PayoutState, Proof, ReceiptRecord,
    ReceiptUse, Store,
};
use jirani_units::{OrderId, PayoutId, Timestamp};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Keeps keyed ids apart from everything else that is keyed.
const ID_DOMAIN: &[u8] = b"jirani/export/transfer/1\0";

/// What a bundle is exported with.
pub struct Deployment {
    /// Hash of the cluster's first block, base 58.
    pub cluster: String,
    /// The energy program, base 58.
    pub program: String,
    /// The mint, base 58.
    pub mint: String,
    /// Length of a slot, seconds.
    pub slot_length_s: u32,
    /// Slot of the program's newest finalised transaction, read before the store.
    pub chain_slot: u64,
    /// What proofs are made with: deployment key and shortcode.
    pub proof_key: ([u8; 32], String),
}

/// Whether orders and ledger are of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// They are.
    Whole,
    /// Money moved while they were read: what was written is of no use.
    Moved,
}

/// Writes all lines but the seal.
pub async fn gather<W: Write>(
    store: &dyn Store,
    deployment: &Deployment,
    to: &mut BundleWriter<W>,
) -> anyhow::Result<Gathered> {
    let before = store.balances().await?;
    to.line(&Line::Deployment(DeploymentLine {
        version: VERSION,
        cluster: deployment.cluster.clone(),
        program: deployment.program.clone(),
        mint: deployment.mint.clone(),
        slot_length_s: deployment.slot_length_s,
        chain_slot: deployment.chain_slot,
    }))?;
    let households = store.households().await?;
    let spans = Spans::load(store).await?;
    for record in &households {
        to.line(&Line::Household(household(record, spans.of(record.id))))?;
    }
    for span in households.iter().flat_map(|record| spans.of(record.id)) {
        to.line(&Line::Span(span_line(span)))?;
    }
    orders(store, to).await?;
    receipts(store, deployment, to).await?;
    payouts(store, to).await?;
    ledger(store, deployment, to).await?;
    if store.balances().await? != before {
        return Ok(Gathered::Moved);
    }
    for record in &households {
        readings(store, record, to).await?;
    }
    Ok(Gathered::Whole)
}

fn span_line(span: &Span) -> SpanLine {
    SpanLine {
        household: span.household.0,
        number: span.number,
        meter: span.meter.to_string(),
        epoch: span.epoch,
        chain_epoch: span.chain_epoch,
        from_us: span.from.0,
        offset_import_wh: span.offsets.import_wh,
        offset_export_wh: span.offsets.export_wh,
        offset_generation_wh: span.offsets.generation_wh,
        reason: span.reason.word().to_owned(),
    }
}

fn household(record: &HouseholdRecord, spans: &[Span]) -> HouseholdLine {
    let address = record.chain_address.map(|bytes| jirani_chain::Address::new_from_array(bytes).to_string());
    HouseholdLine {
        id: record.id.0,
        address,
        kind: record.kind,
        feeder: record.feeder,
        meter: record.meter.map(|meter| meter.to_string()),
        meter_key: hex::encode(record.meter_key),
        // As rows name it; what the meter calls it stands in the spans.
        meter_epoch: spans.last().map_or(record.meter_epoch, |span| span.chain_epoch),
        export_rating_w: record.export_rating_w,
        import_rating_w: record.import_rating_w,
        enrolled_at_us: record.enrolled_at.0,
    }
}

async fn orders<W: Write>(store: &dyn Store, to: &mut BundleWriter<W>) -> anyhow::Result<()> {
    let mut after = OrderId(0);
    loop {
        let page = store.orders_after(after, PAGE_MAX).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for record in &page {
            to.line(&Line::Order(order(record)))?;
        }
    }
}

fn order(record: &OrderRecord) -> OrderLine {
    let fills = record.fills.iter().map(|fill| FillLine {
        offer: fill.offer.0,
        seller: fill.seller.0,
        energy_wh: fill.energy_wh,
        price_cents_per_kwh: fill.price.0,
    });
    OrderLine {
        id: record.id.0,
        buyer: record.buyer.0,
        fills: fills.collect(),
        fee_cents_per_kwh: record.fee.0,
        tax_cents_per_kwh: record.tax.0,
        due_cents: record.due.0,
        pay_with: record.pay_with,
        state: match record.state {
            OrderState::Settled => OrderWord::Settled,
            OrderState::Released => OrderWord::Released,
            OrderState::Refused => OrderWord::Refused,
            _ => OrderWord::Open,
        },
        proof: record.proof.as_ref().map(proof),
        paid_at_us: record.paid_at.map(|at| at.0),
        created_at_us: record.created_at.0,
        final_at_us: record.final_at.map(|at| at.0),
    }
}

fn proof(proof: &Proof) -> ProofLine {
    match proof {
        Proof::Receipt(hash) => ProofLine { kind: ProofWord::Receipt, hash: hex::encode(hash) },
        Proof::Transfer(hash) => ProofLine { kind: ProofWord::Transfer, hash: hex::encode(hash) },
    }
}

async fn receipts<W: Write>(
    store: &dyn Store,
    deployment: &Deployment,
    to: &mut BundleWriter<W>,
) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = store.receipts_after(after, PAGE_MAX).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = *last;
        for (_, record) in &page {
            to.line(&Line::Receipt(receipt(record, &deployment.proof_key)))?;
        }
    }
}

fn receipt(record: &ReceiptRecord, (key, shortcode): &([u8; 32], String)) -> ReceiptLine {
    let (Proof::Receipt(hash) | Proof::Transfer(hash)) = receipt_proof(key, shortcode, &record.receipt);
    let (used_for, used_id) = match record.used_for {
        ReceiptUse::Order(order) => (UseWord::Order, Some(order.0)),
        ReceiptUse::Settled(order) => (UseWord::Settled, Some(order.0)),
        ReceiptUse::Balance(household) => (UseWord::Balance, Some(u64::from(household.0))),
        ReceiptUse::Suspense => (UseWord::Suspense, None),
        ReceiptUse::Reversed => (UseWord::Reversed, None),
    };
    ReceiptLine {
        hash: hex::encode(hash),
        amount_cents: record.amount.0,
        paid_at_us: record.paid_at.0,
        payer: record.payer.map(|payer| payer.0),
        used_for,
        used_id,
    }
}

async fn payouts<W: Write>(store: &dyn Store, to: &mut BundleWriter<W>) -> anyhow::Result<()> {
    let mut after = PayoutId(0);
    loop {
        let page = store.payouts_after(after, PAGE_MAX).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for record in &page {
            to.line(&Line::Payout(payout(record)))?;
        }
    }
}

fn payout(record: &PayoutRecord) -> PayoutLine {
    PayoutLine {
        id: record.id.0,
        household: record.household.0,
        amount_cents: record.amount.0,
        state: match record.state {
            PayoutState::Paid => PayoutWord::Paid,
            PayoutState::Failed { .. } => PayoutWord::Failed,
            _ => PayoutWord::Open,
        },
        created_at_us: record.created_at.0,
        final_at_us: record.final_at.map(|at| at.0),
    }
}

/// Balances while the journal is read: posted and held, and which moved today.
#[derive(Default)]
struct Day {
    name: String,
    balances: BTreeMap<Account, (i64, i64)>,
    /// Open holds.
    holds: BTreeMap<TransferId, i64>,
    moved: BTreeSet<Account>,
    ended: Vec<BalanceLine>,
}

impl Day {
    fn take(&mut self, row: &JournalRow) {
        let name: String = row.transfer.at.to_string().chars().take(10).collect();
        // A row dated before the one it follows belongs to the day that runs.
        if name > self.name {
            self.end();
            self.name = name;
        }
        let transfer = &row.transfer;
        let amount = transfer.amount.0;
        let (posted, held) = match transfer.kind {
            Kind::Posted => (amount, 0),
            Kind::Hold => {
                self.holds.insert(transfer.id, amount);
                (0, amount)
            }
            // A hold that is posted in part is let go of whole.
            Kind::Post(hold) => (amount, -self.holds.remove(&hold).unwrap_or(0)),
            Kind::Void(hold) => (0, -self.holds.remove(&hold).unwrap_or(0)),
        };
        let debit = self.balances.entry(transfer.debit).or_default();
        (debit.0, debit.1) = (debit.0 - posted, debit.1 + held);
        self.balances.entry(transfer.credit).or_default().0 += posted;
        self.moved.extend([transfer.debit, transfer.credit]);
    }

    fn end(&mut self) {
        for account in std::mem::take(&mut self.moved) {
            let (net_cents, held_cents) = self.balances.get(&account).copied().unwrap_or_default();
            self.ended.push(BalanceLine {
                day: self.name.clone(),
                account: account.to_string(),
                net_cents,
                held_cents,
            });
        }
    }
}

async fn ledger<W: Write>(
    store: &dyn Store,
    deployment: &Deployment,
    to: &mut BundleWriter<W>,
) -> anyhow::Result<()> {
    let (mut after, mut day) = (0, Day::default());
    loop {
        let page = store.journal_after(after, PAGE_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for row in &page {
            day.take(row);
            to.line(&Line::Transfer(transfer(row, &deployment.proof_key.0)))?;
        }
    }
    day.end();
    for line in day.ended {
        to.line(&Line::Balance(line))?;
    }
    Ok(())
}

fn transfer(row: &JournalRow, key: &[u8; 32]) -> TransferLine {
    let transfer = &row.transfer;
    TransferLine {
        sequence: row.sequence,
        id: hex::encode(exported_id(transfer.id, transfer.reason, key)),
        debit: transfer.debit.to_string(),
        credit: transfer.credit.to_string(),
        amount_cents: transfer.amount.0,
        reason: transfer.reason.name().to_owned(),
        kind: transfer.kind.code(),
        // An end has its hold's reason, so that both leave in one form.
        hold: transfer.kind.hold().map(|hold| hex::encode(exported_id(hold, transfer.reason, key))),
        at_us: transfer.at.0,
    }
}

/// Ids of money received are hashes of receipts, and receipts are few enough to be
/// guessed: those ids leave keyed.
fn exported_id(id: TransferId, reason: Reason, key: &[u8; 32]) -> [u8; 16] {
    if !reason.id_may_tell_a_receipt() {
        return id.0;
    }
    // INVARIANT: HMAC takes keys of any length.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(ID_DOMAIN);
    mac.update(&id.0);
    let hash: [u8; 32] = mac.finalize().into_bytes().into();
    let mut keyed = [0; 16];
    keyed.copy_from_slice(&hash[..16]);
    keyed
}

/// A household's readings, oldest first. Pages are cut by time; those of one moment
/// stay together.
async fn readings<W: Write>(
    store: &dyn Store,
    record: &HouseholdRecord,
    to: &mut BundleWriter<W>,
) -> anyhow::Result<()> {
    let (mut from, mut seen) = (Timestamp(i64::MIN), BTreeSet::new());
    loop {
        let page = store.readings(record.id, from, Timestamp(i64::MAX), PAGE_MAX).await?;
        let full = page.len() >= PAGE_MAX as usize;
        let last = page.last().map(|row| row.time);
        let mut fresh = 0;
        for row in &page {
            let identity = (row.meter, row.epoch, row.seq);
            if seen.contains(&identity) {
                continue;
            }
            fresh += 1;
            to.line(&Line::Reading(ReadingLine {
                household: record.id.0,
                bytes: BASE64_STANDARD.encode(&row.bytes),
            }))?;
        }
        let Some(last) = last.filter(|_| full) else { return Ok(()) };
        if fresh == 0 {
            bail!("export.readings: household {} has too many readings of one moment ({last})", record.id);
        }
        seen =
            page.iter().filter(|row| row.time == last).map(|row| (row.meter, row.epoch, row.seq)).collect();
        from = last;
    }
}
