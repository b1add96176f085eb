//! Customers paying a shortcode: the money, its message, its validation, its
//! confirmation.

use super::changes::Kind;
use super::{CallbackKind, News, Whom, World, bodies};
use crate::action::{Action, Target};
use crate::book::{Account, MovementKind};
use crate::config::Registration;
use crate::refusal::Refusal;
use aws_lc_rs::digest::{SHA256, digest};
use jirani_units::{Cents, Msisdn};
use serde::{Deserialize, Serialize};

/// Version of the C2B API that registered the addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum C2bVersion {
    /// Tells the phone as SHA-256 in hexadecimal.
    V1,
    /// Tells the phone masked, `2547 ***** 126`.
    #[default]
    V2,
}

/// Where C2B notices of a shortcode go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct C2bUrls {
    /// Confirmations.
    pub confirmation: String,
    /// Validation requests, where validation is on.
    pub validation: String,
    /// Whether a payment goes through when validation is silent
    /// (`ResponseType` "Completed").
    #[serde(default)]
    pub silence_accepts: bool,
    /// The API's version.
    #[serde(default)]
    pub version: C2bVersion,
}

/// A payment to a shortcode.
#[derive(Clone, Copy)]
pub struct Payment<'a> {
    /// Who pays.
    pub msisdn: Msisdn,
    /// The shortcode.
    pub shortcode: &'a str,
    /// How much.
    pub shillings: i64,
    /// The account reference, as shown and typed.
    pub reference: &'a str,
    /// Whether it is for a till.
    pub buy_goods: bool,
}

/// Why a customer cannot pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentProblem {
    /// Not enough money.
    Insufficient,
    /// Less than one shilling.
    TooSmall,
    /// More than one transaction may move.
    TooLarge,
    /// More than the customer may pay on one day.
    DailyLimit,
}

impl PaymentProblem {
    /// M-Pesa's result code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Insufficient => "1",
            Self::TooSmall => "2",
            Self::TooLarge => "3",
            Self::DailyLimit => "4",
        }
    }
}

/// What became of a payment by hand.
pub enum Begun {
    /// It is paid: the receipt.
    Paid(String),
    /// It cannot be.
    Refused(PaymentProblem),
    /// The business does not want it, or said nothing where silence refuses.
    NotAccepted,
    /// The business is to be asked.
    Ask {
        /// The receipt it will have.
        receipt: String,
        /// Where.
        url: String,
        /// What.
        body: String,
        /// Whether silence accepts.
        silence_accepts: bool,
    },
}

impl World {
    /// Registers C2B addresses.
    pub fn register_c2b(&mut self, shortcode: &str, urls: C2bUrls) -> Result<((), u64), Refusal> {
        self.known(shortcode)?;
        if self.config.registration == Registration::Once && self.c2b_urls.contains_key(shortcode) {
            return Err(Refusal::urls_registered());
        }
        self.changes.put(Kind::C2bUrls, shortcode, &urls);
        self.c2b_urls.insert(shortcode.to_owned(), urls);
        Ok(((), 0))
    }

    /// Deletes C2B addresses, as the portal's self service does; whether there
    /// were any.
    pub fn unregister_c2b(&mut self, shortcode: &str) -> Option<C2bUrls> {
        self.changes.remove(Kind::C2bUrls, shortcode);
        self.c2b_urls.remove(shortcode)
    }

    /// The C2B addresses of a shortcode.
    pub fn c2b_urls(&self, shortcode: &str) -> Option<&C2bUrls> {
        self.c2b_urls.get(shortcode)
    }

    /// A payment made without a prompt, by hand or by Daraja's simulator.
    pub fn begin_payment(&mut self, payment: &Payment<'_>) -> Result<Begun, Refusal> {
        self.known(payment.shortcode)?;
        self.room()?;
        self.room_for(payment.msisdn)?;
        self.phone_mut(payment.msisdn);
        let urls =
            self.c2b_urls.get(payment.shortcode).filter(|_| self.validates(payment.shortcode)).cloned();
        let Some(urls) = urls else { return Ok(self.finish_payment(payment, None)) };
        if let Err(problem) = self.judge_payment(payment) {
            return Ok(Begun::Refused(problem));
        }
        let lost = self.take_fault(Target::C2bValidation, Whom::both(payment.msisdn, payment.shortcode));
        if lost.is_some_and(|actions| actions.iter().any(|action| *action == Action::Lose)) {
            return Ok(if urls.silence_accepts {
                self.finish_payment(payment, None)
            } else {
                Begun::NotAccepted
            });
        }
        let receipt = self.next_receipt();
        let body = self.confirmation(payment, &receipt, urls.version, None);
        Ok(Begun::Ask { receipt, url: urls.validation, body, silence_accepts: urls.silence_accepts })
    }

    /// Makes the payment, under the receipt it was validated with.
    pub fn finish_payment(&mut self, payment: &Payment<'_>, receipt: Option<String>) -> Begun {
        let about = self.next_seq();
        match self.pay_as(payment, receipt) {
            Ok(receipt) => {
                let mut lane = Vec::new();
                self.owe_confirmation(&mut lane, about, payment, &receipt);
                self.send(lane);
                Begun::Paid(receipt)
            }
            Err(problem) => Begun::Refused(problem),
        }
    }

    /// What is against a payment; tops the customer up where that is allowed.
    fn judge_payment(&mut self, payment: &Payment<'_>) -> Result<(Cents, Cents, Cents), PaymentProblem> {
        let limits = self.config.limits;
        let amount = Cents::from_shillings(payment.shillings).ok_or(PaymentProblem::TooLarge)?;
        let (customer, business) = self.config.paybill_charge(payment.shillings);
        let (paid_today, _) = self.today(payment.msisdn);
        if payment.shillings < 1 {
            Err(PaymentProblem::TooSmall)
        } else if payment.shillings > limits.transaction {
            Err(PaymentProblem::TooLarge)
        } else if paid_today.0.saturating_add(amount.0) > limits.daily.saturating_mul(100) {
            Err(PaymentProblem::DailyLimit)
        } else if self.has_money(payment.msisdn, Cents(amount.0 + customer.0)) {
            Ok((amount, customer, business))
        } else {
            Err(PaymentProblem::Insufficient)
        }
    }

    /// Moves the money and writes the message.
    pub(super) fn pay(&mut self, payment: &Payment<'_>) -> Result<String, PaymentProblem> {
        self.pay_as(payment, None)
    }

    fn pay_as(&mut self, payment: &Payment<'_>, receipt: Option<String>) -> Result<String, PaymentProblem> {
        let (amount, customer, business) = self.judge_payment(payment)?;
        let receipt = receipt.unwrap_or_else(|| self.next_receipt());
        let payer = || Account::Customer(payment.msisdn);
        let proof = (Some(receipt.as_str()), Some(payment.reference));
        let landing = self.landing(payment.shortcode);
        let charged = (payer(), Account::Revenue);
        let borne = (Account::charges(payment.shortcode), Account::Revenue);
        self.book.move_money(self.now, MovementKind::PayBill, (payer(), landing), amount, proof);
        self.book.move_money(self.now, MovementKind::CustomerCharge, charged, customer, proof);
        self.book.move_money(self.now, MovementKind::PayBillCharge, borne, business, proof);
        self.count_today(payment.msisdn, (amount, Cents::ZERO));
        let balance = self.balance(payment.msisdn);
        let name = self.business_name(payment.shortcode);
        let told = (balance, customer);
        let text = bodies::paid_message(&receipt, amount, name, payment.reference, self.now, told);
        self.message(payment.msisdn, text);
        Ok(receipt)
    }

    fn confirmation(
        &self,
        payment: &Payment<'_>,
        receipt: &str,
        version: C2bVersion,
        funds: Option<Cents>,
    ) -> String {
        let phone = match version {
            C2bVersion::V1 => hashed(payment.msisdn),
            C2bVersion::V2 => bodies::masked(payment.msisdn),
        };
        bodies::confirmation(&bodies::Confirmation {
            receipt,
            at: self.now,
            amount: Cents(payment.shillings.saturating_mul(100)),
            shortcode: payment.shortcode,
            reference: payment.reference,
            funds,
            phone,
            buy_goods: payment.buy_goods,
            name: self.phones.get(&payment.msisdn).map_or("", |phone| &phone.name),
        })
    }

    pub(super) fn owe_confirmation(
        &mut self,
        lane: &mut Vec<u64>,
        about: u64,
        payment: &Payment<'_>,
        receipt: &str,
    ) {
        let Some(urls) = self.c2b_urls.get(payment.shortcode).cloned() else { return };
        let funds = self.book.balance(&self.landing(payment.shortcode));
        let body = self.confirmation(payment, receipt, urls.version, Some(funds));
        let news = News {
            kind: CallbackKind::C2b,
            about,
            whom: Whom::both(payment.msisdn, payment.shortcode),
            url: &urls.confirmation,
            due_at: self.now,
        };
        self.owe(lane, news, &body);
    }
}

/// SHA-256 of `254712000126` in hexadecimal.
fn hashed(msisdn: Msisdn) -> String {
    use std::fmt::Write as _;
    let digest = digest(&SHA256, msisdn.number().to_string().as_bytes());
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
