//! The witness's door, and the one who knocks: one POST with a proposal, one signature
//! back. Between machines of two operators, so TLS in front of it, a token behind it,
//! and bounds on everything.

use super::{Asked, RefusedRow, Witness, WitnessError};
use crate::work::Work;
use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jirani_units::{HouseholdId, Timestamp, Wh};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use solana_address::Address;
use solana_signature::Signature;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Most bytes of a proposal: a slot of some thousand households.
pub const PROPOSAL_MAX: usize = 4 << 20;
/// Proposals looked at side by side; more are told to come again.
const AT_ONCE: usize = 4;
/// How long a look may take, on either side of the wire.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Most bytes of an answer: a refusal of every row of a transaction, with its reasons.
const ANSWER_MAX: usize = 32_768;
/// Most letters of a row's reason.
const WHY_MAX: usize = 200;
/// Shortest token: what cannot be guessed.
pub const TOKEN_MIN: usize = 24;

/// What a witness is asked to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Feeder.
    pub feeder: u16,
    /// End of the slot.
    pub slot_end: Timestamp,
    /// Rows of the transaction, in its order.
    pub rows: Vec<ProposedRow>,
    /// What the whole slot rests on, in household order.
    pub evidence: Vec<HouseholdEvidence>,
    /// The message to be signed.
    #[serde(with = "base64_bytes")]
    pub message: Vec<u8>,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedRow {
    /// Whose.
    pub household: HouseholdId,
    /// Export register.
    pub export_wh: Wh,
    /// Import register.
    pub import_wh: Wh,
}

/// The signed readings around a slot's end, oldest first: one at it, or one before and
/// one after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdEvidence {
    /// Whose.
    pub household: HouseholdId,
    /// As the meter signed them.
    pub readings: Vec<SignedBytes>,
}

/// A signed reading's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignedBytes(#[serde(with = "base64_bytes")] pub Vec<u8>);

/// Who looks at proposals.
#[async_trait]
pub trait Examiner: Send + Sync {
    /// Whose signatures it gives.
    fn key(&self) -> Address;
    /// Signs, or says why not.
    async fn examine(&self, proposal: &Proposal) -> Result<Signature, WitnessError>;
}

/// Who has the evidence of a slot.
#[async_trait]
pub trait EvidenceSource: Send + Sync {
    /// What a slot of a feeder rests on, in household order.
    async fn evidence(
        &self,
        feeder: u16,
        slot_end: Timestamp,
    ) -> Result<Vec<HouseholdEvidence>, WitnessError>;
}

/// The token that both sides know. Never printed.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// A token of at least [`TOKEN_MIN`] characters; `None` when it is shorter.
    pub fn new(token: &str) -> Option<Self> {
        (token.len() >= TOKEN_MIN).then(|| Self(Zeroizing::new(token.to_owned())))
    }

    fn is(&self, other: &[u8]) -> bool {
        // Hashed, so that not even the length shows in the time.
        Sha256::digest(self.0.as_bytes()).ct_eq(&Sha256::digest(other)).into()
    }
}

/// The door.
struct Door {
    token: Token,
    examiner: Arc<dyn Examiner>,
    places: Semaphore,
}

/// Answers on `listener` until cancelled: `POST /v1/cosign`, `GET /v1/key` (whose
/// signatures these are), `GET /health`.
pub async fn serve(
    listener: TcpListener,
    token: Token,
    examiner: Arc<dyn Examiner>,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let door = Arc::new(Door { token, examiner, places: Semaphore::new(AT_ONCE) });
    let app = Router::new()
        .route("/v1/cosign", post(cosign))
        .route("/v1/key", get(key))
        .route("/health", get(async || "ok"))
        .layer(DefaultBodyLimit::max(PROPOSAL_MAX))
        .with_state(door);
    axum::serve(listener, app).with_graceful_shutdown(cancel.cancelled_owned()).await
}

/// Whether the asker has our token.
fn refused(door: &Door, headers: &HeaderMap) -> Option<Response> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .unwrap_or_default();
    (!door.token.is(given)).then(|| no(StatusCode::UNAUTHORIZED, "witness.token: the token is not ours"))
}

async fn key(State(door): State<Arc<Door>>, headers: HeaderMap) -> Response {
    refused(&door, &headers)
        .unwrap_or_else(|| Json(KeyAnswer { key: door.examiner.key().to_string() }).into_response())
}

async fn cosign(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refusal) = refused(&door, &headers) {
        return refusal;
    }
    let Ok(_place) = door.places.try_acquire() else {
        return no(StatusCode::SERVICE_UNAVAILABLE, "witness.busy: come again");
    };
    let proposal: Proposal = match serde_json::from_slice(&body) {
        Ok(proposal) => proposal,
        Err(error) => return no(StatusCode::BAD_REQUEST, &format!("witness.malformed: {error}")),
    };
    match tokio::time::timeout(TIMEOUT, door.examiner.examine(&proposal)).await {
        Ok(Ok(signature)) => Json(Answer { signature: signature.to_string() }).into_response(),
        Ok(Err(WitnessError::Refused(why))) => {
            tracing::warn!(feeder = proposal.feeder, slot_end = %proposal.slot_end, why, "not signed");
            no(StatusCode::UNPROCESSABLE_ENTITY, &why)
        }
        Ok(Err(WitnessError::RefusedRows(rows))) => {
            let message = "witness.refused_rows: the rows that are named are not signed".to_owned();
            for row in &rows {
                tracing::warn!(
                    feeder = proposal.feeder, slot_end = %proposal.slot_end, household = %row.household,
                    why = row.why, "a row is not signed"
                );
            }
            (StatusCode::UNPROCESSABLE_ENTITY, Json(Complaint { message, rows: bounded(rows) }))
                .into_response()
        }
        Ok(Err(error)) => no(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Err(_) => no(StatusCode::SERVICE_UNAVAILABLE, "witness.slow: the look took too long"),
    }
}

fn no(status: StatusCode, message: &str) -> Response {
    let message = message.chars().take(1_000).collect();
    (status, Json(Complaint { message, rows: Vec::new() })).into_response()
}

/// Rows that another machine names, as many and as long as a transaction's can be.
fn bounded(rows: Vec<RefusedRow>) -> Vec<RefusedRow> {
    let rows = rows.into_iter().take(Work::ATTEST_ROWS_MAX);
    rows.map(|row| RefusedRow { why: row.why.chars().take(WHY_MAX).collect(), ..row }).collect()
}

#[derive(Serialize, Deserialize)]
struct Answer {
    signature: String,
}

#[derive(Serialize, Deserialize)]
struct KeyAnswer {
    key: String,
}

#[derive(Serialize, Deserialize)]
struct Complaint {
    message: String,
    /// The rows it is about, if the others would be signed without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<RefusedRow>,
}

/// A witness behind a URL.
pub struct HttpWitness {
    url: url::Url,
    token: Token,
    key: Address,
    evidence: Arc<dyn EvidenceSource>,
    http: reqwest::Client,
}

impl HttpWitness {
    /// The witness with `key` at `url` (`https://witness.example:8443`). Connects with
    /// the first question.
    pub fn new(
        url: &str,
        token: Token,
        key: Address,
        evidence: Arc<dyn EvidenceSource>,
    ) -> Result<Self, WitnessError> {
        let url = url::Url::parse(url)
            .and_then(|url| url.join("/"))
            .map_err(|error| WitnessError::Unreachable(format!("the witness's URL is none ({error})")))?;
        let builder = reqwest::Client::builder().timeout(TIMEOUT);
        // A proxy that the environment names does not lead to this machine.
        let builder = if crate::node::is_local(&url) { builder.no_proxy() } else { builder };
        let http = builder
            .build()
            .map_err(|error| WitnessError::Unreachable(format!("no HTTP client ({error})")))?;
        Ok(Self { url, token, key, evidence, http })
    }
}

impl HttpWitness {
    /// Asks whether it answers, takes our token and has the key we expect.
    pub async fn look(&self) -> Result<(), WitnessError> {
        let answer: KeyAnswer = self.ask(self.http.get(self.at("/v1/key")?)).await?;
        if answer.key == self.key.to_string() {
            return Ok(());
        }
        Err(WitnessError::Unreachable(format!(
            "the witness signs with {}, not with {}; correct witness.key",
            answer.key, self.key
        )))
    }

    fn at(&self, path: &str) -> Result<url::Url, WitnessError> {
        self.url
            .join(path)
            .map_err(|error| WitnessError::Unreachable(format!("the witness's URL is none ({error})")))
    }

    /// Asks under our token; reads no more than an answer may be long.
    async fn ask<T: DeserializeOwned>(&self, question: reqwest::RequestBuilder) -> Result<T, WitnessError> {
        let away = |error: reqwest::Error| {
            WitnessError::Unreachable(format!("the witness does not answer ({})", error.without_url()))
        };
        let mut response = question.bearer_auth(&*self.token.0).send().await.map_err(away)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(WitnessError::Unreachable("the witness's answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        if response.status() == StatusCode::OK {
            return serde_json::from_slice(&body)
                .map_err(|_| WitnessError::Unreachable("the witness's answer is none".to_owned()));
        }
        let complaint = serde_json::from_slice::<Complaint>(&body)
            .unwrap_or_else(|_| Complaint { message: response.status().to_string(), rows: Vec::new() });
        Err(match response.status() {
            StatusCode::UNPROCESSABLE_ENTITY if complaint.rows.is_empty() => {
                WitnessError::Refused(complaint.message)
            }
            StatusCode::UNPROCESSABLE_ENTITY => WitnessError::RefusedRows(bounded(complaint.rows)),
            _ => WitnessError::Unreachable(complaint.message),
        })
    }
}

#[async_trait]
impl Witness for HttpWitness {
    fn key(&self) -> Address {
        self.key
    }

    async fn cosign(&self, asked: &Asked<'_>) -> Result<Signature, WitnessError> {
        let rows = asked.rows.iter().map(|row| ProposedRow {
            household: row.household,
            export_wh: row.export_wh,
            import_wh: row.import_wh,
        });
        let proposal = Proposal {
            feeder: asked.feeder,
            slot_end: asked.slot_end,
            rows: rows.collect(),
            evidence: self.evidence.evidence(asked.feeder, asked.slot_end).await?,
            message: asked.message.to_vec(),
        };
        let answer: Answer = self.ask(self.http.post(self.at("/v1/cosign")?).json(&proposal)).await?;
        answer
            .signature
            .parse()
            .map_err(|_| WitnessError::Unreachable("the witness's answer is no signature".to_owned()))
    }
}

/// Bytes as base64 in JSON.
mod base64_bytes {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}
