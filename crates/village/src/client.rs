//! The HTTP API, as anybody's client sees it. One session per household.

use crate::registry::msisdn_of;
use crate::trader::{Door, HomeNow, HomeRules, OwnOffer, PayWith, PriceBounds, QuoteNow, Refusal};
use jirani_units::HouseholdId;
use reqwest::{Method, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Real time a request may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The PIN of every simulated person; the emulator takes any but 0000.
const PIN: &str = "1234";
/// Own offers asked for.
const OFFERS: u32 = 50;

/// A client with its sessions.
pub struct ApiClient {
    http: reqwest::Client,
    base: String,
    /// The emulated phones, when people answer their own prompts.
    phones: Option<String>,
    tokens: HashMap<HouseholdId, String>,
}

#[derive(serde::Deserialize)]
struct Ordered {
    state: String,
}

/// One request.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    body: Option<Value>,
    key: Option<&'a str>,
}

#[derive(serde::Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

#[derive(serde::Deserialize)]
struct Session {
    token: String,
}

#[derive(serde::Deserialize)]
struct Config {
    tariff: PriceBounds,
}

impl ApiClient {
    /// A client of the API at `base` (`http://127.0.0.1:8080`).
    pub fn new(base: &str) -> Result<Self, reqwest::Error> {
        // The API is on this machine or beside it: never through a proxy.
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), phones: None, tokens: HashMap::new() })
    }

    /// Homes answer the prompts of their own orders at these phones
    /// (`http://127.0.0.1:8090`): prompts of anybody else are left alone.
    pub fn with_phones(mut self, phones: Option<String>) -> Self {
        self.phones = phones;
        self
    }

    /// Types the PIN for the prompt that was just asked for. A prompt that is not
    /// there, or is answered by somebody else, is none of our business.
    async fn type_pin(&self, who: HouseholdId) {
        let (Some(phones), Some(msisdn)) = (&self.phones, msisdn_of(who)) else { return };
        let url = format!("{phones}/sandbox/phones/{}/answer", msisdn.number());
        let answer = self.http.post(url).json(&json!({ "action": "pay", "pin": PIN })).send().await;
        if let Err(error) = answer {
            tracing::debug!(household = %who, "the phone did not answer: {error}");
        }
    }

    async fn ask<T: DeserializeOwned>(&mut self, who: HouseholdId, ask: Ask<'_>) -> Result<T, Refusal> {
        let token = match self.tokens.get(&who) {
            Some(token) => token.clone(),
            None => self.sign_in(who).await?,
        };
        match self.send(&ask, Some(&token)).await {
            // The session is over; a new one, once.
            Err((StatusCode::UNAUTHORIZED, _)) => {
                let token = self.sign_in(who).await?;
                self.send(&ask, Some(&token)).await.map_err(|(_, refusal)| refusal)
            }
            answer => answer.map_err(|(_, refusal)| refusal),
        }
    }

    async fn sign_in(&mut self, who: HouseholdId) -> Result<String, Refusal> {
        let body = Some(json!({ "household_id": who.0 }));
        let ask = Ask { method: Method::POST, path: "/api/v1/demo/session", body, key: None };
        let session: Session = self.send(&ask, None).await.map_err(|(_, refusal)| refusal)?;
        self.tokens.insert(who, session.token.clone());
        Ok(session.token)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        token: Option<&str>,
    ) -> Result<T, (StatusCode, Refusal)> {
        let mut request = self.http.request(ask.method.clone(), format!("{}{}", self.base, ask.path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = ask.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let lost = |error: reqwest::Error| {
            let status = error.status().unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            (status, Refusal { code: "village.unreachable".to_owned(), message: error.to_string() })
        };
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(lost);
        }
        let refusal = match response.json::<Problem>().await {
            Ok(Problem { code, detail }) => Refusal { code, message: detail },
            Err(_) => Refusal { code: format!("http.{}", status.as_u16()), message: status.to_string() },
        };
        Err((status, refusal))
    }

    async fn get<T: DeserializeOwned>(&mut self, who: HouseholdId, path: &str) -> Result<T, Refusal> {
        self.ask(who, Ask { method: Method::GET, path, body: None, key: None }).await
    }

    async fn post<T: DeserializeOwned>(
        &mut self,
        who: HouseholdId,
        path: &str,
        key: Option<&str>,
        body: Value,
    ) -> Result<T, Refusal> {
        self.ask(who, Ask { method: Method::POST, path, body: Some(body), key }).await
    }
}

impl Door for ApiClient {
    async fn prices(&mut self) -> Result<PriceBounds, Refusal> {
        let ask = Ask { method: Method::GET, path: "/api/v1/config", body: None, key: None };
        let config: Config = self.send(&ask, None).await.map_err(|(_, refusal)| refusal)?;
        Ok(config.tariff)
    }

    async fn home(&mut self, who: HouseholdId) -> Result<HomeNow, Refusal> {
        self.get(who, "/api/v1/me/home").await
    }

    async fn rule(&mut self, who: HouseholdId, rules: HomeRules) -> Result<(), Refusal> {
        let sell = json!({ "keep_wh": rules.keep_wh, "floor_cents_per_kwh": rules.floor, "acting": "act" });
        let buy = json!({
            "in_hand_wh": null,
            "price_max_cents_per_kwh": rules.price_max,
            "budget_per_day_cents": rules.budget_cents,
            "acting": "act",
        });
        let body = Some(json!({ "sell": sell, "buy": buy }));
        let ask = Ask { method: Method::PUT, path: "/api/v1/me/rules", body, key: None };
        self.ask::<IgnoredAny>(who, ask).await.map(|_| ())
    }

    async fn offers(&mut self, who: HouseholdId) -> Result<Vec<OwnOffer>, Refusal> {
        self.get(who, &format!("/api/v1/me/offers?limit={OFFERS}")).await
    }

    async fn offer(
        &mut self,
        who: HouseholdId,
        key: &str,
        energy_wh: u64,
        price: u32,
        expires_in_s: u32,
    ) -> Result<(), Refusal> {
        let body =
            json!({ "energy_wh": energy_wh, "price_cents_per_kwh": price, "expires_in_s": expires_in_s });
        self.post::<IgnoredAny>(who, "/api/v1/me/offers", Some(key), body).await.map(|_| ())
    }

    async fn cancel(&mut self, who: HouseholdId, offer: u64) -> Result<(), Refusal> {
        let path = format!("/api/v1/me/offers/{offer}");
        let ask = Ask { method: Method::DELETE, path: &path, body: None, key: None };
        self.ask::<IgnoredAny>(who, ask).await.map(|_| ())
    }

    async fn quote(&mut self, who: HouseholdId, energy_wh: u64) -> Result<QuoteNow, Refusal> {
        self.post(who, "/api/v1/me/quotes", None, json!({ "energy_wh": energy_wh })).await
    }

    async fn order(
        &mut self,
        who: HouseholdId,
        key: &str,
        energy_wh: u64,
        pay_with: PayWith,
        max_due_cents: i64,
    ) -> Result<(), Refusal> {
        let body = json!({ "energy_wh": energy_wh, "pay_with": pay_with, "max_due_cents": max_due_cents });
        let ordered: Ordered = self.post(who, "/api/v1/me/orders", Some(key), body).await?;
        if pay_with == PayWith::Mpesa && ordered.state == "awaiting_payment" {
            self.type_pin(who).await;
        }
        Ok(())
    }

    async fn withdraw(&mut self, who: HouseholdId, key: &str, amount_cents: i64) -> Result<(), Refusal> {
        let body = json!({ "amount_cents": amount_cents });
        self.post::<IgnoredAny>(who, "/api/v1/me/payouts", Some(key), body).await.map(|_| ())
    }
}
