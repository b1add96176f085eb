//! `jirani reconcile`, `jirani review ...`, `jirani float ...` and `jirani tariff ...`: asked of the running
//! system, which alone may write.

use crate::cli::desk::{
    FloatArguments, FloatCommand, NodeArguments, ReconcileArguments, ReviewArguments, ReviewCommand,
    TariffArguments, TariffCommand,
};
use crate::cli::meter::{DecideArguments, FindingsArguments};
use crate::config::Config;
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use comfy_table::{Table, presets};
use jirani_statement::minute_in_nairobi;
use jirani_units::{Cents, Timestamp};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// The longest wait for an answer: a comparison asks M-Pesa.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running system, as one operator sees it.
pub(super) struct Desk {
    client: Client,
    base: String,
    token: String,
}

impl Desk {
    pub(super) async fn open(config: &Config, node: &NodeArguments) -> anyhow::Result<Self> {
        let base = node.node.clone().unwrap_or_else(|| format!("http://{}", config.http.listen));
        let base = base.trim_end_matches('/').to_owned();
        let client = Client::builder().timeout(PATIENCE).build()?;
        if let Some(token) = &node.token {
            return Ok(Self { client, base, token: token.clone() });
        }
        let body = json!({"operator": true, "operator_name": node.operator});
        let asked = client.post(format!("{base}/api/v1/demo/session")).json(&body).send().await;
        let answer = asked.with_context(|| {
            format!("desk.no_node: {base} does not answer; start it, or name it by --node")
        })?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Err(anyhow!(
                "desk.no_session: this system is no demonstration; put the token of your session into JIRANI_OPERATOR_TOKEN"
            ));
        }
        let session = read(answer).await?;
        let token =
            session["token"].as_str().context("desk.no_session: the system gave no token")?.to_owned();
        Ok(Self { client, base, token })
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.client.request(method, self.url(path)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request.send().await.context("desk.no_answer: the system does not answer")?).await
    }

    async fn wish(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(self.url(path)).bearer_auth(&self.token);
        let request = request.header("Idempotency-Key", key).json(body);
        read(request.send().await.context("desk.no_answer: the system does not answer")?).await
    }

    async fn upload(&self, path: &str, csv: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.client.post(self.url(path)).bearer_auth(&self.token);
        let request = request.header("Content-Type", "text/csv").body(csv);
        read(request.send().await.context("desk.no_answer: the system does not answer")?).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/operator/{path}", self.base)
    }
}

async fn read(answer: Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let body: Value =
        answer.json().await.with_context(|| format!("desk.no_answer: {status} without JSON"))?;
    if status.is_success() {
        return Ok(body);
    }
    let text = |name: &str| body[name].as_str().unwrap_or("unknown").to_owned();
    Err(anyhow!("{}: {}", text("code"), text("message")))
}

/// Compares M-Pesa's books with the ledger and prints what was found. Exits 1 when
/// something stands apart.
pub async fn reconcile(config: &Config, arguments: &ReconcileArguments) -> Result<(), Failure> {
    let file = match &arguments.statement {
        Some(path) => {
            let read = std::fs::read(path);
            Some(
                read.with_context(|| format!("desk.no_file: cannot read {}", path.display()))
                    .map_err(Failure::Start)?,
            )
        }
        None => None,
    };
    let desk = Desk::open(config, &arguments.node).await.map_err(Failure::Start)?;
    let found = match file {
        Some(csv) => {
            desk.upload(&format!("reconciliation/statement?{}", arguments.account.query()), csv).await
        }
        None => desk.ask(Method::POST, "reconciliation", None).await,
    };
    let found = found.map_err(Failure::Run)?;
    if arguments.node.json {
        println!("{found}");
    } else {
        show(&found);
    }
    match found["summary"]["apart"].as_u64() {
        Some(0) => Ok(()),
        _ => {
            Err(Failure::Run(anyhow!("desk.apart: M-Pesa's books and ours differ; see `jirani review list`")))
        }
    }
}

/// The desk.
pub async fn review(config: &Config, arguments: &ReviewArguments) -> Result<(), Failure> {
    let desk = Desk::open(config, &arguments.node).await.map_err(Failure::Start)?;
    let answer = match &arguments.command {
        ReviewCommand::List => desk.ask(Method::GET, "reviews", None).await,
        ReviewCommand::History => desk.ask(Method::GET, "reviews/proposals", None).await,
        ReviewCommand::Propose { review, decision, note } => {
            let decision: Value = serde_json::from_str(decision)
                .context("desk.no_decision: the decision is not JSON")
                .map_err(Failure::Start)?;
            let body = json!({"review": review, "decision": decision, "note": note});
            desk.ask(Method::POST, "reviews/propose", Some(&body)).await
        }
        ReviewCommand::Approve { proposal } => {
            desk.ask(Method::POST, &format!("reviews/proposals/{proposal}/approve"), None).await
        }
        ReviewCommand::Reject { proposal } => {
            desk.ask(Method::POST, &format!("reviews/proposals/{proposal}/reject"), None).await
        }
    };
    let answer = answer.map_err(Failure::Run)?;
    if arguments.node.json {
        println!("{answer}");
        return Ok(());
    }
    match &arguments.command {
        ReviewCommand::List => list(&answer),
        ReviewCommand::History => history(answer.as_array().map(Vec::as_slice).unwrap_or_default()),
        _ => history(&[answer]),
    }
    Ok(())
}

/// Moves float, or lists the moves.
pub async fn float(config: &Config, arguments: &FloatArguments) -> Result<(), Failure> {
    let desk = Desk::open(config, &arguments.node).await.map_err(Failure::Start)?;
    let answer = match &arguments.command {
        None | Some(FloatCommand::List) => desk.ask(Method::GET, "float", None).await,
        Some(FloatCommand::Move { amount, key }) => {
            let key = key
                .clone()
                .unwrap_or_else(|| format!("cli-{}", hex::encode(&crate::system::entropy()[..16])));
            desk.wish("float", &key, &json!({"amount_cents": amount * 100})).await
        }
    };
    let answer = answer.map_err(Failure::Run)?;
    if arguments.node.json {
        println!("{answer}");
    } else if answer.is_array() {
        moves(rows(&answer));
    } else {
        moves(&[answer]);
    }
    Ok(())
}

fn moves(moves: &[Value]) {
    let mut listed = table(&["number", "amount", "state", "receipt", "asked by", "at", "ended", "why"]);
    for one in moves {
        listed.add_row([
            text(&one["number"]),
            money(&one["amount_cents"]),
            text(&one["state"]),
            text(&one["receipt"]),
            text(&one["asked_by"]),
            text(&one["asked_at"]),
            text(&one["ended_at"]),
            text(&one["failure"]),
        ]);
    }
    println!("{listed}");
}

/// Dated tariffs: listed, or announced.
pub async fn tariff(config: &Config, arguments: &TariffArguments) -> Result<(), Failure> {
    let desk = Desk::open(config, &arguments.node).await.map_err(Failure::Start)?;
    let answer = match &arguments.command {
        None | Some(TariffCommand::List) => desk.ask(Method::GET, "tariffs", None).await,
        Some(TariffCommand::Announce { from, retail, buy_back, grid_fee, tax, key }) => {
            let key = key.clone().unwrap_or_else(|| hex::encode(&crate::system::entropy()[..16]));
            let body = json!({
                "from": from,
                "retail_cents_per_kwh": retail,
                "buy_back_cents_per_kwh": buy_back,
                "grid_fee_cents_per_kwh": grid_fee,
                "tax_cents_per_kwh": tax,
            });
            desk.wish("tariffs", &key, &body).await
        }
    };
    let answer = answer.map_err(Failure::Run)?;
    if arguments.node.json {
        println!("{answer}");
    } else if answer.is_array() {
        tariffs(rows(&answer));
    } else {
        tariffs(&[answer]);
    }
    Ok(())
}

fn tariffs(tariffs: &[Value]) {
    let mut listed = table(&[
        "number",
        "from",
        "until",
        "state",
        "retail",
        "buy-back",
        "grid fee",
        "tax",
        "by",
        "announced",
    ]);
    for one in tariffs {
        let prices = &one["tariff"];
        listed.add_row([
            text(&one["number"]),
            moment(&one["from"]),
            moment(&one["until"]),
            text(&one["state"]).replace('_', " "),
            money(&prices["retail_cents_per_kwh"]),
            money(&prices["buy_back_cents_per_kwh"]),
            money(&prices["grid_fee_cents_per_kwh"]),
            money(&prices["tax_cents_per_kwh"]),
            text(&one["announced_by"]),
            moment(&one["announced_at"]),
        ]);
    }
    println!("{listed}");
}

/// What meters said and cannot be taken as it is.
pub async fn findings(config: &Config, arguments: &FindingsArguments) -> Result<(), Failure> {
    let desk = Desk::open(config, &arguments.node).await.map_err(Failure::Start)?;
    let path = if arguments.all { "findings?limit=200" } else { "findings?limit=200&open=true" };
    let answer = desk.ask(Method::GET, path, None).await.map_err(Failure::Run)?;
    if arguments.node.json {
        println!("{answer}");
    } else {
        found(rows(&answer["findings"]));
    }
    Ok(())
}

/// Decides about one of them.
pub async fn decide(config: &Config, arguments: &DecideArguments) -> Result<(), Failure> {
    let desk = Desk::open(config, &arguments.node).await.map_err(Failure::Start)?;
    let body = json!({"decision": arguments.decision.word(), "note": arguments.note});
    let path = format!("findings/{}/decide", arguments.finding);
    let answer = desk.ask(Method::POST, &path, Some(&body)).await.map_err(Failure::Run)?;
    if arguments.node.json {
        println!("{answer}");
    } else {
        found(&[answer]);
    }
    Ok(())
}

fn found(findings: &[Value]) {
    let mut listed =
        table(&["number", "household", "until", "rule", "severity", "state", "evidence", "by", "note"]);
    for one in findings {
        listed.add_row([
            text(&one["number"]),
            text(&one["household_id"]),
            moment(&one["until"]),
            text(&one["rule"]),
            text(&one["severity"]),
            text(&one["state"]),
            one["evidence"].to_string(),
            text(&one["decided_by"]),
            text(&one["note"]),
        ]);
    }
    println!("{listed}");
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}

/// Text of a field, empty when it has none.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn money(value: &Value) -> String {
    value.as_i64().map_or_else(|| "-".to_owned(), |cents| Cents(cents).to_string())
}

/// A moment as people in Nairobi tell it.
fn moment(value: &Value) -> String {
    let at = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    at.map_or_else(|| text(value), minute_in_nairobi)
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn show(found: &Value) {
    let summary = &found["summary"];
    println!(
        "Reconciliation {} from {} until {}",
        summary["number"],
        moment(&summary["from"]),
        moment(&summary["until"])
    );
    let mut groups = table(&["group", "lines", "sum", "< 1 h", "< 1 day", "< 1 week", "older"]);
    let matched = &found["matched"];
    groups.add_row(vec!["matched".to_owned(), text(&matched["count"]), money(&matched["amount_cents"])]);
    for name in ["only_ours", "only_theirs", "different"] {
        let group = &found[name];
        let mut row = vec![
            name.replace('_', " "),
            text(&group["total"]["count"]),
            money(&group["total"]["amount_cents"]),
        ];
        row.extend(rows(&group["ages"]).iter().map(|age| text(&age["count"])));
        groups.add_row(row);
    }
    println!("{groups}");
    let mut books =
        table(&["accounts", "known", "ours", "M-Pesa's", "difference", "explained", "unexplained"]);
    for book in rows(&found["books"]) {
        let accounts: Vec<String> = rows(&book["accounts"]).iter().map(text).collect();
        books.add_row(vec![
            accounts.join(", "),
            text(&book["scope"]),
            money(&book["ours"]["closing_cents"]),
            money(&book["theirs"]["closing_cents"]),
            money(&book["difference_cents"]),
            money(&book["explained_cents"]),
            money(&book["unexplained_cents"]),
        ]);
    }
    println!("{books}");
    let mut lines = table(&["group", "account", "kind", "receipt", "ours", "M-Pesa's", "at", "about"]);
    for name in ["only_ours", "only_theirs", "different"] {
        for line in rows(&found[name]["lines"]) {
            lines.add_row(vec![
                name.replace('_', " "),
                text(&line["account"]),
                text(&line["kind"]),
                text(&line["receipt"]),
                money(&line["ours_cents"]),
                money(&line["theirs_cents"]),
                text(&line["at"]),
                text(&line["about"]),
            ]);
        }
    }
    if !lines.is_empty() {
        println!("{lines}");
    }
}

fn list(reviews: &Value) {
    let mut waiting = table(&["review", "what", "since", "seen", "proposal"]);
    for review in rows(reviews) {
        let proposal = &review["proposal"];
        let proposed = if proposal.is_null() {
            String::new()
        } else {
            format!(
                "{}: {} ({})",
                proposal["number"],
                text(&proposal["text"]),
                text(&proposal["proposed_by"])
            )
        };
        waiting.add_row([
            text(&review["key"]),
            text(&review["code"]),
            moment(&review["opened_at"]),
            text(&review["detail"]),
            proposed,
        ]);
    }
    println!("{waiting}");
}

fn history(proposals: &[Value]) {
    let mut decided = table(&["number", "review", "decision", "by", "state", "decided by", "note"]);
    for proposal in proposals {
        decided.add_row([
            text(&proposal["number"]),
            text(&proposal["review"]),
            text(&proposal["text"]),
            text(&proposal["proposed_by"]),
            text(&proposal["state"]),
            text(&proposal["decided_by"]),
            text(&proposal["note"]),
        ]);
    }
    println!("{decided}");
}
