//! The lines of a bundle. Fields stand in the order in which they are written;
//! keys and hashes are hexadecimal, addresses base 58, signed readings base 64.

use jirani_ledger::Account;
use jirani_units::HouseholdId;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Line {
    /// The deployment; the first line.
    Deployment(DeploymentLine),
    /// A record with its meter.
    Household(HouseholdLine),
    /// A span of a household's virtual registers.
    Span(SpanLine),
    /// An order.
    Order(OrderLine),
    /// Money received by M-Pesa.
    Receipt(ReceiptLine),
    /// Money sent by M-Pesa.
    Payout(PayoutLine),
    /// A row of the ledger.
    Transfer(TransferLine),
    /// What stood on an account at a day's end.
    Balance(BalanceLine),
    /// A signed reading.
    Reading(ReadingLine),
    /// Count, hash and signature; the last line.
    Seal(SealLine),
}

/// Which deployment, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentLine {
    /// [`super::VERSION`].
    pub version: u32,
    /// Hash of the cluster's first block, base 58.
    pub cluster: String,
    /// The energy program, base 58.
    pub program: String,
    /// The mint, base 58.
    pub mint: String,
    /// Length of a slot, seconds.
    pub slot_length_s: u32,
    /// Slot of the program's newest finalised transaction when the bundle was begun:
    /// what landed up to then is in it.
    pub chain_slot: u64,
}

/// A household or one of the operator's records. No name, no phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdLine {
    /// The operator's number for it.
    pub id: u32,
    /// Its record on chain, base 58; null until enrolled.
    pub address: Option<String>,
    /// `home`, `generator`, `battery`, `loss`.
    pub kind: jirani_store::HouseholdKind,
    /// Feeder.
    pub feeder: u16,
    /// The meter's name; null for the loss record.
    pub meter: Option<String>,
    /// Ed25519 key of the meter.
    pub meter_key: String,
    /// Epoch of its registers.
    pub meter_epoch: u32,
    /// Plausible export, W.
    pub export_rating_w: u32,
    /// Plausible import, W.
    pub import_rating_w: u32,
    /// When it was enrolled, microseconds since 1970.
    pub enrolled_at_us: i64,
}

/// A span of a household's virtual registers: what is added to a meter's raw ones. A
/// household without any has the meter it was enrolled with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanLine {
    /// Whose.
    pub household: u32,
    /// 0, 1, 2, ... within the household.
    pub number: u32,
    /// The meter that counts.
    pub meter: String,
    /// Generation of its registers, as its readings name it.
    pub epoch: u32,
    /// The epoch that attested rows name.
    pub chain_epoch: u32,
    /// First moment it counts for, microseconds since 1970.
    pub from_us: i64,
    /// Added to the import register, Wh.
    pub offset_import_wh: i64,
    /// Added to the export register, Wh.
    pub offset_export_wh: i64,
    /// Added to the generation register, Wh.
    pub offset_generation_wh: i64,
    /// Why it began.
    pub reason: String,
}

/// A part of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FillLine {
    /// The offer.
    pub offer: u64,
    /// Whose.
    pub seller: u32,
    /// Energy, Wh.
    pub energy_wh: u32,
    /// The seller's net price.
    pub price_cents_per_kwh: u32,
}

/// What settles an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofLine {
    /// `receipt` or `transfer`.
    pub kind: ProofWord,
    /// The hash, as on chain.
    pub hash: String,
}

/// Kind of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofWord {
    /// HMAC of an M-Pesa receipt.
    Receipt,
    /// Hash of a ledger transfer.
    Transfer,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderWord {
    /// Not final.
    Open,
    /// Tokens and money have changed hands.
    Settled,
    /// Given up.
    Released,
    /// The chain refused it.
    Refused,
}

impl OrderWord {
    /// Tokens and money have changed hands.
    pub fn is_settled(self) -> bool {
        self == Self::Settled
    }

    /// Something may still happen to it.
    pub fn is_open(self) -> bool {
        self == Self::Open
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// Its number, as on chain.
    pub id: u64,
    /// Who buys.
    pub buyer: u32,
    /// What from whom.
    pub fills: Vec<FillLine>,
    /// Grid fee.
    pub fee_cents_per_kwh: u32,
    /// Tax.
    pub tax_cents_per_kwh: u32,
    /// What the buyer owes.
    pub due_cents: i64,
    /// `mpesa` or `balance`.
    pub pay_with: jirani_store::PayWith,
    /// Where it stands.
    pub state: OrderWord,
    /// What settles it, once known.
    pub proof: Option<ProofLine>,
    /// When the money moved, microseconds since 1970.
    pub paid_at_us: Option<i64>,
    /// When it was made.
    pub created_at_us: i64,
    /// When it became final.
    pub final_at_us: Option<i64>,
}

/// What received money is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseWord {
    /// Waits in clearing for an order.
    Order,
    /// Settled an order.
    Settled,
    /// Became a household's balance.
    Balance,
    /// Nobody can say whose it is.
    Suspense,
    /// M-Pesa took it back before anybody could use it.
    Reversed,
}

impl UseWord {
    /// It settled an order.
    pub fn is_settled(self) -> bool {
        self == Self::Settled
    }

    /// It may still settle one.
    pub fn is_waiting(self) -> bool {
        self == Self::Order
    }
}

/// Money received by M-Pesa, under the keyed hash of its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptLine {
    /// HMAC-SHA256 of the receipt under the deployment's key.
    pub hash: String,
    /// Amount.
    pub amount_cents: i64,
    /// When M-Pesa says it moved, microseconds since 1970.
    pub paid_at_us: i64,
    /// Who paid, if known.
    pub payer: Option<u32>,
    /// What it is used for.
    pub used_for: UseWord,
    /// The order or household it is used for.
    pub used_id: Option<u64>,
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutWord {
    /// Not final.
    Open,
    /// Paid.
    Paid,
    /// Failed; the money is back on the balance.
    Failed,
}

/// Money sent by M-Pesa.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutLine {
    /// Its number.
    pub id: u64,
    /// To whom.
    pub household: u32,
    /// Taken from the balance.
    pub amount_cents: i64,
    /// Where it stands.
    pub state: PayoutWord,
    /// When it was made, microseconds since 1970.
    pub created_at_us: i64,
    /// When it became final.
    pub final_at_us: Option<i64>,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferLine {
    /// 1, 2, 3, ...
    pub sequence: u64,
    /// Its id; keyed where the id itself is made from a receipt.
    pub id: String,
    /// Account debited.
    pub debit: String,
    /// Account credited.
    pub credit: String,
    /// Amount, above zero.
    pub amount_cents: i64,
    /// Business event.
    pub reason: String,
    /// 0 posted, 1 hold, 2 end of a hold by posting, 3 by letting go.
    pub kind: u8,
    /// The hold that it ends.
    pub hold: Option<String>,
    /// When, microseconds since 1970.
    pub at_us: i64,
}

/// What stood on an account at the end of a UTC day on which it moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceLine {
    /// `2026-11-22`.
    pub day: String,
    /// Account.
    pub account: String,
    /// Credits less debits.
    pub net_cents: i64,
    /// Debits held back.
    pub held_cents: i64,
}

/// A signed reading, exactly as the meter sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingLine {
    /// Whose.
    pub household: u32,
    /// The COSE_Sign1, base 64.
    pub bytes: String,
}

/// Count, hash and signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealLine {
    /// Lines before this one.
    pub lines: u64,
    /// Hash of the last of them.
    pub head: String,
    /// The operator's Ed25519 export key.
    pub key: String,
    /// Signature over `jirani/export/1`, a zero byte, head and count.
    pub signature: String,
}

/// The account of a name.
pub fn account(name: &str) -> Option<Account> {
    if let Some(account) = Account::OPERATORS.into_iter().find(|account| account.to_string() == name) {
        return Some(account);
    }
    let (kind, number) = name.split_once('/')?;
    let household = HouseholdId(number.parse().ok()?);
    let account = match kind {
        "household" => Account::Household(household),
        "reversals_receivable" => Account::ReversalsReceivable(household),
        _ => return None,
    };
    (account.to_string() == name).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_found_by_its_name_and_no_other_name_is_one() {
        let owned = [Account::Household(HouseholdId(7)), Account::ReversalsReceivable(HouseholdId(0))];
        for known in Account::OPERATORS.into_iter().chain(owned) {
            assert_eq!(account(&known.to_string()), Some(known));
        }
        for wrong in ["", "household", "household/", "household/07", "household/-1", "wallet/7"] {
            assert_eq!(account(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_line_has_one_form_and_refuses_what_it_does_not_know() {
        let line = Line::Reading(ReadingLine { household: 7, bytes: "0oM=".to_owned() });
        let json = r#"{"record":"reading","household":7,"bytes":"0oM="}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
        assert_eq!(serde_json::from_str::<Line>(json).unwrap(), line);
        let with_phone = r#"{"record":"reading","household":7,"bytes":"0oM=","phone":"0712345678"}"#;
        assert!(serde_json::from_str::<Line>(with_phone).is_err());
    }
}
