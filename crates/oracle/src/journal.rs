//! What is written down about meters: holds, and remarks on what they say.

use crate::known::Known;
use jirani_readings::Remark;
use jirani_store::{
    Change, HouseholdRecord, MeterEventRow, MeterPurpose, MeterRecord, MeterState, Store, StoreError,
};
use jirani_units::{MeterId, Timestamp};
use std::collections::HashMap;

/// The same remark on the same meter is written down once in so long, s.
const AGAIN_S: i64 = 86_400;
/// Who writes.
const GATEWAY: &str = "gateway";

/// When what was written down last.
#[derive(Default)]
pub(crate) struct Remarked(HashMap<(MeterId, Remark), Timestamp>);

impl Remarked {
    /// What of these is to be written down.
    pub(crate) fn rows(
        &self,
        remarks: &[(MeterId, Remark, u64)],
        known: &Known,
        now: Timestamp,
    ) -> Vec<Change> {
        let mut rows: HashMap<(MeterId, Remark), Change> = HashMap::new();
        for &(meter, remark, seq) in remarks {
            let key = (meter, remark);
            let lately = self.0.get(&key).is_some_and(|at| now.since(*at) < AGAIN_S * 1_000_000);
            if lately || rows.contains_key(&key) {
                continue;
            }
            let household = known.meter(meter).map(|enrolled| enrolled.household);
            let detail = format!("reading {seq}: {}", remark.sentence());
            let (by, code) = (GATEWAY.to_owned(), remark.code().to_owned());
            rows.insert(
                key,
                Change::MeterEvent(MeterEventRow { meter, household, at: now, by, code, detail }),
            );
        }
        rows.into_values().collect()
    }

    pub(crate) fn remember(&mut self, remarks: &[(MeterId, Remark, u64)], now: Timestamp) {
        for &(meter, remark, _) in remarks {
            let at = self.0.entry((meter, remark)).or_insert(now);
            if now.since(*at) >= AGAIN_S * 1_000_000 {
                *at = now;
            }
        }
    }
}

/// Holds a meter: nothing more of it is attested until a person decides. Nothing when it
/// is held already, or nobody's.
pub(crate) async fn hold(
    store: &dyn Store,
    meter: MeterId,
    code: &str,
    now: Timestamp,
) -> Result<Vec<Change>, StoreError> {
    let record = match store.meter(meter).await? {
        Some(record) => record,
        None => match store.households().await?.into_iter().find(|record| record.meter == Some(meter)) {
            Some(household) => enrolled_before(meter, &household),
            None => return Ok(Vec::new()),
        },
    };
    if record.held.is_some() {
        return Ok(Vec::new());
    }
    let household = Some(record.household);
    let detail = "two different readings bear one number: both are kept, and nothing more of this meter is \
                  attested until an operator decides"
        .to_owned();
    let (by, at) = (GATEWAY.to_owned(), now);
    Ok(vec![
        Change::Meter(Box::new(MeterRecord { held: Some(code.to_owned()), ..record })),
        Change::MeterEvent(MeterEventRow { meter, household, at, by, code: code.to_owned(), detail }),
    ])
}

/// The enrolment of a meter that counted before there were enrolments.
pub(crate) fn enrolled_before(meter: MeterId, household: &HouseholdRecord) -> MeterRecord {
    MeterRecord {
        meter,
        key: household.meter_key,
        household: household.id,
        purpose: MeterPurpose::Enrol,
        state: MeterState::Active,
        replaces: None,
        epoch: household.meter_epoch,
        modulus_wh: None,
        opening: jirani_meter::Registers::default(),
        trust: "device".to_owned(),
        draft: None,
        nonce: None,
        claimed_by: "enrolment".to_owned(),
        claimed_at: household.enrolled_at,
        challenged_at: None,
        answered_at: None,
        approved_by: None,
        approved_at: None,
        reason: String::new(),
        held: None,
        request: None,
        version: 0,
    }
}
