//! One request of a phone: from what was dialled and typed to a screen.

use super::act::{Agreed, BEGUN_BY_PHONE, act, not_quoted};
use super::facts::{Bounds, BuyQuote, Energy, Facts, WithdrawQuote};
use super::inputs::split;
use super::pin::{Changed, Hasher, change, change_if, judge, key_of};
use super::rules;
use super::screen::Screen;
use super::session::{Print, Sessions};
use super::sign_in::{SignIn, sign_in};
use super::walk::{Command, Place, Walk, walk};
use super::words::{Outcome, Quoted, Refusal, code_message, gate, outcome, place, stranger};
use crate::app::App;
use crate::error::ApiError;
use crate::guard::rate::Buckets;
use crate::ports::{TradingError, TradingQuote};
use crate::view::nairobi::Day;
use jirani_ledger::Account;
use jirani_market::Want;
use jirani_notify::SmsOutcome;
use jirani_store::{Change, HandsetRecord, HouseholdKind, HouseholdRecord, Language, PayWith};
use jirani_units::{Msisdn, Timestamp, Wh};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio::time::Instant;

/// Codes sent to a number in a day of Nairobi.
const CODES_MAX: u32 = 5;
/// Offers of one household that are added up.
const OFFERS: u32 = 200;

/// Settings.
#[derive(Clone)]
pub struct UssdConfig {
    /// What people dial.
    pub service_code: String,
    /// What PINs are hashed with besides their salt.
    pub pepper: [u8; 32],
    /// How long a one-time code is good, in seconds of the service clock.
    pub code_s: u32,
    /// Requests of one number, a minute of real time; `None` for no limit.
    pub per_minute: Option<u32>,
    /// How long a screen waits for an outcome, the chain, or the gateway of text messages:
    /// a phone's network gives up after a few seconds.
    pub patience: Duration,
}

impl UssdConfig {
    /// Leaves room within two seconds for a PIN to be checked and for the network.
    pub const PATIENCE: Duration = Duration::from_millis(1_200);
}

impl std::fmt::Debug for UssdConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UssdConfig").field("service_code", &self.service_code).finish_non_exhaustive()
    }
}

/// What the menus remember and share.
pub struct Ussd {
    /// Settings.
    pub config: UssdConfig,
    hasher: Hasher,
    sessions: Sessions,
    numbers: Buckets<Msisdn>,
}

impl Ussd {
    /// Nothing is remembered yet; `secret` is drawn anew for every start.
    pub fn new(config: UssdConfig, secret: [u8; 32]) -> Self {
        Self {
            hasher: Hasher::new(config.pepper),
            sessions: Sessions::new(secret),
            numbers: Buckets::per_minute(config.per_minute),
            config,
        }
    }
}

/// A request as the gateway sends it.
#[derive(Clone)]
pub struct Dialled {
    /// The gateway's name of the session.
    pub session: String,
    /// Whose phone, as the gateway says.
    pub number: Msisdn,
    /// Everything typed so far. Holds a PIN: never logged, never kept.
    pub text: String,
}

/// The screen that answers.
pub async fn answer(app: &App, ussd: &Ussd, dialled: &Dialled) -> Screen {
    let now = Instant::now();
    if !ussd.numbers.take(dialled.number, now) {
        return sorry(Language::Sw);
    }
    let number = dialled.number.number().to_string();
    let session = ussd.sessions.print(&[&dialled.session, &number]);
    let turn = ussd.sessions.turn(session, now);
    let Ok(_turn) = turn.acquire().await else { return sorry(Language::Sw) };
    let asked = ussd.sessions.print(&["screen", &dialled.text]);
    if let Some(screen) = ussd.sessions.with(session, now, |memory| memory.screens.get(&asked).cloned()) {
        return screen;
    }
    match Request::read(app, ussd, dialled, session).await {
        Ok(screen) => {
            ussd.sessions.with(session, now, |memory| memory.keep(asked, screen.clone()));
            screen
        }
        Err(error) => {
            tracing::error!(code = error.code(), internal = error.for_log(), "a phone's request failed");
            sorry(Language::Sw)
        }
    }
}

fn sorry(language: Language) -> Screen {
    outcome(Outcome::Refused(Refusal::Busy), language)
}

/// One request of a household that is known.
struct Request<'a> {
    app: &'a App,
    ussd: &'a Ussd,
    session: Print,
    record: HouseholdRecord,
    inputs: Vec<&'a str>,
    /// Stands for the session in the keys of what is paid.
    name: String,
}

impl<'a> Request<'a> {
    async fn read(
        app: &'a App,
        ussd: &'a Ussd,
        dialled: &'a Dialled,
        session: Print,
    ) -> Result<Screen, ApiError> {
        let mut homes = app.deps.store.households_of_number(dialled.number).await?;
        homes.retain(|record| record.kind == HouseholdKind::Home);
        // Whose menu a shared number should open, nobody can say.
        let [record] = homes.as_slice() else { return Ok(stranger()) };
        let Some(inputs) = split(&dialled.text) else { return Ok(sorry(record.language)) };
        let name = Sha256::new()
            .chain_update(dialled.number.number().to_le_bytes())
            .chain_update(dialled.session.as_bytes())
            .finalize();
        let name = hex::encode(&name[..16]);
        Self { app, ussd, session, record: record.clone(), inputs, name }.way_in().await
    }

    /// Stands for the first answers, without being them.
    fn print(&self, kind: &str, answers: usize) -> Print {
        self.ussd.sessions.print(&[kind, &self.inputs[..answers].join("*")])
    }

    async fn way_in(self) -> Result<Screen, ApiError> {
        let language = self.record.language;
        let household = self.record.id;
        let stored = self.app.deps.store.handset(household).await?;
        let handset = stored.unwrap_or_else(|| HandsetRecord::new(household));
        let key = key_of(&handset, self.app.now());
        let mut verdicts = Vec::new();
        loop {
            match sign_in(key, &self.inputs, &verdicts) {
                SignIn::Show(shown) => return Ok(gate(shown, language)),
                SignIn::SendCode(chosen) => return self.send_code(chosen.unwrap_or(language)).await,
                SignIn::Set(index) => {
                    let pin = self.inputs[index];
                    return self.set_pin(pin).await;
                }
                SignIn::In(from) => return self.menus(from).await,
                SignIn::Judge(index) => {
                    let print = self.print("verdict", index + 1);
                    let now = Instant::now();
                    let known = self
                        .ussd
                        .sessions
                        .with(self.session, now, |memory| memory.verdicts.get(&print).copied());
                    let verdict = if let Some(verdict) = known {
                        verdict
                    } else {
                        let answer = self.inputs[index];
                        let verdict = judge(self.app, &self.ussd.hasher, household, answer).await?;
                        self.ussd
                            .sessions
                            .with(self.session, now, |memory| memory.verdicts.insert(print, verdict));
                        verdict
                    };
                    verdicts.push(verdict);
                }
            }
        }
    }

    async fn send_code(self, language: Language) -> Result<Screen, ApiError> {
        let (app, now) = (self.app, self.app.now());
        let Some(phones) = &app.deps.phones else { return Ok(sorry(language)) };
        let Some(msisdn) = self.record.msisdn else { return Ok(stranger()) };
        let day = Day::of(now).start();
        let stored = app.deps.store.handset(self.record.id).await?;
        if stored.is_some_and(|handset| sent_on(day, &handset) >= CODES_MAX) {
            return Ok(outcome(Outcome::NoMoreCodes, language));
        }
        // First: a code that is kept is sent, whatever else fails.
        if language != self.record.language {
            let spoken = HouseholdRecord { language, ..self.record.clone() };
            app.deps.store.commit(vec![Change::Household(spoken)]).await?;
        }
        let (code, salt) = draw(app);
        let kept = self.ussd.hasher.hash(&code, salt).await?;
        let until = now.plus_seconds(i64::from(self.ussd.config.code_s));
        let counted = change_if(app, self.record.id, |handset| {
            let sent = sent_on(day, handset);
            if sent >= CODES_MAX {
                return None;
            }
            (handset.codes_since, handset.codes_sent) = (day, sent + 1);
            (handset.code, handset.code_until) = (Some(kept.clone()), Some(until));
            Some(Vec::new())
        });
        if counted.await? == Changed::NotDue {
            return Ok(outcome(Outcome::NoMoreCodes, language));
        }
        let (sms, text) = (phones.sms.clone(), code_message(&code, language));
        let id = format!("code/{}", self.name);
        let busy = app.deps.clock.busy();
        let sending = tokio::spawn(async move {
            let outcome = sms.send(msisdn, &text, &id).await;
            drop(busy);
            outcome
        });
        let told = match tokio::time::timeout(self.ussd.config.patience, sending).await {
            Ok(Ok(SmsOutcome::Refused { .. } | SmsOutcome::NotTaken { .. })) => Outcome::CodeNotSent,
            _ => Outcome::CodeSent,
        };
        Ok(outcome(told, language))
    }

    async fn set_pin(self, pin: &str) -> Result<Screen, ApiError> {
        let (_, salt) = draw(self.app);
        let kept = self.ussd.hasher.hash(pin, salt).await?;
        change(self.app, self.record.id, |handset| {
            handset.pin = Some(kept.clone());
            (handset.code, handset.code_until, handset.wrong) = (None, None, 0);
        })
        .await?;
        Ok(outcome(Outcome::PinSet, self.record.language))
    }

    async fn menus(self, from: usize) -> Result<Screen, ApiError> {
        let language = self.record.language;
        let bounds = bounds(self.app);
        let Walk { place: at, misfit, steps } = walk(&self.inputs[from..], language, &bounds);
        let answers = from + steps;
        if let Place::Do(command) = at {
            let key = format!("{BEGUN_BY_PHONE}{}:{answers}", self.name);
            let agreed = self.agreed(command, answers);
            let done = act(self.app, &self.record, command, agreed, key, self.ussd.config.patience).await?;
            // A language that was changed is spoken at once.
            let language = match command {
                Command::Speak(spoken) => spoken,
                _ => language,
            };
            return Ok(outcome(done, language));
        }
        let quoted = match self.quote(at, answers).await? {
            Ok(quoted) => quoted,
            Err(refused) => return Ok(outcome(refused, language)),
        };
        let facts = self.facts(at, bounds).await?;
        if matches!(at, Place::Sell | Place::Auto) && facts.rules.is_none() {
            return Ok(outcome(Outcome::Refused(Refusal::NotOffered), language));
        }
        Ok(place(at, misfit, &facts, &quoted).unwrap_or_else(|| sorry(language)))
    }

    /// What the screen before this answer said.
    fn agreed(&self, command: Command, answers: usize) -> Agreed {
        let print = self.print("quote", answers - 1);
        self.ussd.sessions.with(self.session, Instant::now(), |memory| match command {
            Command::Buy(..) => memory.buys.get(&print).copied().map_or(Agreed::Nothing, Agreed::Buy),
            Command::Withdraw(_) => {
                memory.withdrawals.get(&print).copied().map_or(Agreed::Nothing, Agreed::Withdraw)
            }
            _ => Agreed::Nothing,
        })
    }

    /// The price of a screen that names one, remembered until it is agreed to.
    async fn quote(&self, at: Place, answers: usize) -> Result<Result<Quoted, Outcome>, ApiError> {
        let (trading, household) = (&self.app.deps.trading, self.record.id);
        let print = self.print("quote", answers);
        let now = Instant::now();
        match at {
            Place::BuyConfirm(want) => match self.buy_quote(want).await {
                Ok(quote) => {
                    self.ussd.sessions.with(self.session, now, |memory| memory.buys.insert(print, quote));
                    Ok(Ok(Quoted::Buy(quote)))
                }
                Err(error) => Ok(Err(not_quoted(&error))),
            },
            Place::WithdrawConfirm(amount) => match trading.payout_quote(household, amount).await {
                Ok((sent, charge)) => {
                    let quote = WithdrawQuote { sent, charge };
                    self.ussd
                        .sessions
                        .with(self.session, now, |memory| memory.withdrawals.insert(print, quote));
                    Ok(Ok(Quoted::Withdraw(quote)))
                }
                Err(error) => Ok(Err(not_quoted(&error))),
            },
            _ => Ok(Ok(Quoted::Nothing)),
        }
    }

    /// What it costs by M-Pesa; from balance, where an unpaid order may not hold so much.
    async fn buy_quote(&self, want: Want) -> Result<BuyQuote, TradingError> {
        let (trading, household) = (&self.app.deps.trading, self.record.id);
        let (quote, mpesa) = match trading.quote(household, want, PayWith::Mpesa).await {
            Err(error) if error.code == "market.unpaid_share" => {
                (trading.quote(household, want, PayWith::Balance).await?, false)
            }
            quoted => (quoted?, true),
        };
        let TradingQuote { energy, due, collect, retail, .. } = quote;
        Ok(BuyQuote { energy, due, collect, retail, mpesa })
    }

    async fn facts(&self, at: Place, bounds: Bounds) -> Result<Facts, ApiError> {
        let household = self.record.id;
        let balance = self.app.deps.store.balance(Account::Household(household)).await?;
        let energy = if at == Place::Balance { self.energy().await? } else { None };
        let rules = if matches!(at, Place::Sell | Place::Auto) {
            rules::read(self.app, household).await?
        } else {
            None
        };
        Ok(Facts { language: self.record.language, available: balance.available(), energy, bounds, rules })
    }

    /// What the chain says, if it says so in time.
    async fn energy(&self) -> Result<Option<Energy>, ApiError> {
        let (deps, household) = (&self.app.deps, self.record.id);
        let asked = tokio::time::timeout(self.ussd.config.patience, deps.chain.household(household));
        let Ok(Ok(on_chain)) = asked.await else { return Ok(None) };
        let offers = deps.store.offers_of(household, OFFERS).await?;
        let chain = on_chain.unwrap_or_default();
        Ok(Some(Energy {
            vault: chain.vault_wh,
            offered: offers.iter().map(jirani_store::OfferRecord::open_wh).sum::<Wh>(),
            shortfall: chain.shortfall_wh,
        }))
    }
}

/// Codes sent on this day.
fn sent_on(day: Timestamp, handset: &HandsetRecord) -> u32 {
    if handset.codes_since == day { handset.codes_sent } else { 0 }
}

/// A new code of six digits, and a salt.
fn draw(app: &App) -> (String, [u8; 16]) {
    let random = app.deps.tokens.draw().hash();
    let mut salt = [0; 16];
    salt.copy_from_slice(&random[..16]);
    let number = random[16..].iter().fold(0_u64, |number, byte| (number << 8 | u64::from(*byte)) % 1_000_000);
    (format!("{number:06}"), salt)
}

fn bounds(app: &App) -> Bounds {
    let tariff = app.config.tariffs.at(app.now());
    let on_top = tariff.grid_fee.0.saturating_add(tariff.tax.0);
    let least = jirani_units::Price(tariff.buy_back.0.saturating_add(on_top));
    Bounds { sell: (tariff.offer_price_min(), tariff.offer_price_max()), buy: (least, tariff.retail) }
}
