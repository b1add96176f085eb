//! A page of the list of payments.

use super::Reply;
use crate::callback::loose;
use crate::mpesa::SendError;
use crate::nairobi;
use crate::pull::{PullPage, PullRequest, PulledPayment};
use jirani_units::Timestamp;
use serde_json::Value;

/// Rows of one page that are read at most.
const ROWS_MAX: usize = 10_000;

impl Reply {
    /// The answer to a request for this page. The list is nested twice where it
    /// was seen; once is accepted as well, as are keys in any letter case.
    pub fn pull(&self, request: &PullRequest) -> Result<PullPage, SendError> {
        let code = self.text("ResponseCode").unwrap_or_default();
        match code.as_str() {
            // None in this window.
            "1001" if self.status() == 200 => return Ok(PullPage::default()),
            "1000" | "0" if self.status() == 200 => {}
            _ => return Err(self.send_error()),
        }
        let mut page = PullPage::default();
        let mut rows = 0_u32;
        for row in rows_of(self.json.get("Response")).take(ROWS_MAX) {
            rows = rows.saturating_add(1);
            match payment(row, request) {
                Some(payment) => page.payments.push(payment),
                None => page.unreadable = page.unreadable.saturating_add(1),
            }
        }
        page.next_offset = (rows > 0).then(|| request.offset.checked_add(rows)).flatten();
        Ok(page)
    }
}

fn rows_of(response: Option<&Value>) -> impl Iterator<Item = &Value> {
    let outer = match response {
        Some(Value::Array(outer)) => outer.as_slice(),
        Some(row @ Value::Object(_)) => std::slice::from_ref(row),
        _ => &[],
    };
    outer.iter().flat_map(|inner| match inner {
        Value::Array(inner) => inner.as_slice(),
        row => std::slice::from_ref(row),
    })
}

fn payment(row: &Value, request: &PullRequest) -> Option<PulledPayment> {
    let row = row.as_object()?;
    let field = |name: &str| {
        row.get(name).or_else(|| row.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v))
    };
    Some(PulledPayment {
        receipt: loose::text(field("transactionId"))?.parse().ok()?,
        amount: loose::amount(field("amount"))?,
        paid_at: loose::text(field("trxDate")).and_then(|text| moment(&text, request)),
        bill_reference: loose::text(field("billreference")).unwrap_or_default(),
        msisdn: loose::text(field("msisdn")).and_then(|text| text.parse().ok()),
        kind: loose::text(field("transactiontype")).unwrap_or_default(),
    })
}

fn moment(text: &str, request: &PullRequest) -> Option<Timestamp> {
    let local = nairobi::parse(text.trim_end_matches(['Z', 'z']))?;
    let inside = |at: Timestamp| (request.from.seconds()..=request.until.seconds()).contains(&at.seconds());
    let utc = local.plus_seconds(nairobi::OFFSET_S);
    Some(if !inside(local) && inside(utc) { utc } else { local })
}
