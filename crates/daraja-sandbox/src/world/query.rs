//! What an STK query answers: late, odd or wrong on order.

use super::{World, prompt};
use crate::action::Action;
use crate::config::InFlight;
use crate::draw::{Draw, Purpose};
use crate::refusal::Refusal;
use jirani_units::Msisdn;

/// What a query answers.
#[derive(Clone, Debug)]
pub struct QueryAnswer {
    /// M-Pesa's other id.
    pub merchant_request_id: String,
    /// Result code.
    pub code: String,
    /// Its text, as queries word it.
    pub description: &'static str,
}

/// A query has its own words for some codes.
fn text(code: &str) -> &'static str {
    match code {
        "1032" => "Request Cancelled by user.",
        "1037" => "DS timeout user cannot be reached.",
        other => prompt::callback_text(other),
    }
}

impl World {
    /// The phone of a prompt.
    pub fn phone_of(&self, checkout_request_id: &str) -> Option<Msisdn> {
        let prompt = self.prompts.get(self.by_checkout_id.get(checkout_request_id)?)?;
        Some(prompt.push.msisdn)
    }

    /// Answers a query of this shortcode; also says which prompt it is about.
    pub fn query(
        &mut self,
        shortcode: &str,
        checkout_request_id: &str,
        action: Option<&Action>,
    ) -> Result<(QueryAnswer, u64), Refusal> {
        self.known(shortcode)?;
        match action {
            Some(Action::Processing) => return Err(Refusal::being_processed()),
            Some(Action::Empty) => return Err(Refusal::empty()),
            Some(Action::TooEarly) => return Err(Refusal::field("CheckoutRequestID")),
            Some(Action::Unknown) => return Err(Refusal::unknown_transaction()),
            _ => {}
        }
        let seq = *self.by_checkout_id.get(checkout_request_id).ok_or_else(Refusal::unknown_transaction)?;
        let prompt = self.prompts.get(&seq).filter(|prompt| prompt.push.shortcode == shortcode);
        let prompt = prompt.ok_or_else(Refusal::unknown_transaction)?;
        let merchant_request_id = prompt.merchant_request_id.clone();
        let known = prompt.result.as_ref().map(|ending| ending.code.clone());
        let code = match (action, known) {
            (Some(Action::Pending), _) => "4999".to_owned(),
            (Some(Action::Contradict), Some(code)) if code == "0" => "1032".to_owned(),
            (Some(Action::Contradict), Some(_)) => "0".to_owned(),
            (_, Some(code)) => code,
            (_, None) => self.in_flight(seq)?,
        };
        Ok((QueryAnswer { merchant_request_id, description: text(&code), code }, seq))
    }

    /// The answer while nothing is known: a code, or an error.
    fn in_flight(&mut self, seq: u64) -> Result<String, Refusal> {
        let shape = match self.config.in_flight {
            InFlight::Mixed => {
                let nth = self.next_seq();
                match Draw::new(self.config.seed, Purpose::InFlight, seq, nth).per_mille() % 3 {
                    0 => InFlight::Processing,
                    1 => InFlight::Pending,
                    _ => InFlight::Empty,
                }
            }
            fixed => fixed,
        };
        match shape {
            InFlight::Pending => Ok("4999".to_owned()),
            InFlight::Empty => Err(Refusal::empty()),
            InFlight::Processing | InFlight::Mixed => Err(Refusal::being_processed()),
        }
    }
}
