//! A household and what its meter counted.

use super::rules::Daily;
use super::{Numbers, Why};
use jirani_energy_interface::Key;

/// Energy that may still be attested, watt-seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What it fills at, W.
    pub rating: u32,
    /// What is in it, J.
    pub joules: u128,
}

impl Bucket {
    /// What a new household gets: a day at its rating, or less when a bucket is smaller.
    pub fn of_a_day(rating: u32, bucket_s: u32) -> Self {
        Self { rating, joules: u128::from(rating) * u128::from(bucket_s.min(86_400)) }
    }

    /// Fills for some seconds, up to its brim.
    pub fn filled(self, seconds: i64, bucket_s: u32) -> Self {
        let seconds = u128::from(seconds.max(0).unsigned_abs());
        let brim = u128::from(self.rating) * u128::from(bucket_s);
        Self { joules: (self.joules + u128::from(self.rating) * seconds).min(brim), ..self }
    }

    /// Takes energy out.
    pub fn less(self, wh: u64) -> Option<Self> {
        Some(Self { joules: self.joules.checked_sub(u128::from(wh) * 3600)?, ..self })
    }

    /// Another rating: nothing is gained by it.
    pub fn refitted(self, rating: u32, bucket_s: u32) -> Self {
        Self { rating, joules: self.joules.min(u128::from(rating) * u128::from(bucket_s)) }
    }
}

/// A household.
#[derive(Clone, Debug)]
pub struct Home {
    /// Kind.
    pub kind: u8,
    /// Feeder.
    pub feeder: u16,
    /// Who signs, unless custodial.
    pub authority: Key,
    /// Whether the custodian signs.
    pub custodial: bool,
    /// Who is proposed, and from when that may be accepted.
    pub proposed: Option<(Key, i64)>,
    /// Meter.
    pub meter: Key,
    /// Epoch of its registers.
    pub epoch: u32,
    /// Its registers as attested: export, import, Wh.
    pub registers: (u64, u64),
    /// Export and import buckets.
    pub buckets: (Bucket, Bucket),
    /// Attested since enrolment, Wh.
    pub attested: (u64, u64),
    /// Adjusted, Wh.
    pub adjusted: (u64, u64),
    /// Minted, gross, Wh.
    pub minted: u64,
    /// Burned, gross, Wh.
    pub burned: u64,
    /// Owed, Wh.
    pub owes: u64,
    /// End of the last attested slot.
    pub last_slot: i64,
    /// When it was enrolled.
    pub enrolled_at: i64,
    /// Offers' numbers.
    pub offer_numbers: Numbers,
    /// Orders' numbers.
    pub order_numbers: Numbers,
    /// Who paid its rent.
    pub rent_payer: Key,
    /// Withdrawals of today.
    pub withdrawn: Daily,
    /// Orders left unpaid, and on which day.
    pub unpaid: (u32, i64),
}

impl Home {
    /// Burns what is owed out of what is at hand; gives how much.
    pub fn pay(&mut self, at_hand: u64) -> Result<u64, Why> {
        let paid = self.owes.min(at_hand);
        self.owes -= paid;
        self.burned = self.burned.checked_add(paid).ok_or(Why::Elsewhere)?;
        Ok(paid)
    }

    /// Orders left unpaid today.
    pub fn unpaid_today(&self, now: i64) -> u32 {
        if now.div_euclid(86_400) > self.unpaid.1 { 0 } else { self.unpaid.0 }
    }

    /// One more order was left unpaid.
    pub fn leave_unpaid(&mut self, now: i64) {
        self.unpaid = (self.unpaid_today(now) + 1, self.unpaid.1.max(now.div_euclid(86_400)));
    }
}
