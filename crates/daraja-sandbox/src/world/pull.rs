//! Pull transactions: the payments of the last 48 hours, asked for.

use super::changes::Kind;
use super::{World, bodies};
use crate::book::{Account, MovementKind};
use crate::nairobi::Local;
use crate::refusal::Refusal;
use jirani_units::{Cents, Timestamp};
use serde_json::{Value, json};

/// How far back a list reaches, in seconds.
const REACH_S: i64 = 48 * 3_600;

/// A payment in a list.
pub struct PullRow {
    receipt: String,
    at: Timestamp,
    national: u64,
    name: String,
    reference: String,
    amount: Cents,
    business: String,
}

impl PullRow {
    /// As Daraja writes it.
    pub fn json(&self) -> Value {
        json!({
            "transactionId": self.receipt,
            "trxDate": Local::at(self.at).iso(),
            "msisdn": self.national,
            "sender": self.name,
            "transactiontype": "c2b-pay-bill-debit",
            "billreference": self.reference,
            "amount": bodies::decimal(self.amount),
            "organizationname": self.business,
        })
    }
}

impl World {
    /// Registers a shortcode for pulling; whether it was not before.
    pub fn register_pull(&mut self, shortcode: &str) -> Result<(bool, u64), Refusal> {
        self.known(shortcode)?;
        self.changes.put(Kind::Pulling, shortcode, &true);
        Ok((self.pulling.insert(shortcode.to_owned()), 0))
    }

    /// The payments to a shortcode from `start` to `end`, from row `offset` on;
    /// none when it is not registered, or longer ago than 48 hours.
    pub fn pull(
        &self,
        shortcode: &str,
        (start, end): (Timestamp, Timestamp),
        offset: usize,
    ) -> Result<(Vec<PullRow>, u64), Refusal> {
        self.known(shortcode)?;
        if !self.pulling.contains(shortcode) {
            return Ok((Vec::new(), 0));
        }
        let start = start.max(self.now.plus_seconds(-REACH_S));
        let movements = self.book.movements();
        let from = movements.partition_point(|movement| movement.at < start);
        let rows = movements
            .range(from..)
            .take_while(|movement| movement.at <= end)
            .filter(|movement| movement.kind == MovementKind::PayBill)
            .filter(|movement| matches!(&movement.to, Account::Shortcode(code, _) if code == shortcode))
            .skip(offset)
            .take(self.config.pull_page)
            .filter_map(|movement| {
                let Account::Customer(msisdn) = movement.from else { return None };
                Some(PullRow {
                    receipt: movement.receipt.clone().unwrap_or_default(),
                    at: movement.at,
                    national: msisdn.number() % 1_000_000_000,
                    name: self.phones.get(&msisdn).map(|phone| phone.name.clone()).unwrap_or_default(),
                    reference: movement.reference.clone().unwrap_or_default(),
                    amount: movement.amount,
                    business: self.business_name(shortcode).to_owned(),
                })
            })
            .collect();
        Ok((rows, 0))
    }
}
