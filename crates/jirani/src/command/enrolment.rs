//! `jirani meter claim`, `list`, `approve` and their kind: asked of the running system,
//! which alone may write.

use super::desk::Desk;
use crate::cli::desk::NodeArguments;
use crate::cli::meter::{ClaimArguments, IdentityArguments, MeterCommand, NamedArguments};
use crate::config::Config;
use crate::failure::Failure;
use comfy_table::{Table, presets};
use jirani_units::MeterId;
use reqwest::Method;
use serde_json::{Value, json};

/// What is asked: the way, the body, and who asks.
struct Wish<'a> {
    node: &'a NodeArguments,
    method: Method,
    path: String,
    body: Option<Value>,
}

/// Asks, and prints the answer.
pub async fn run(config: &Config, command: MeterCommand) -> Result<(), Failure> {
    let Some(wish) = wish(&command) else { return Ok(()) };
    let desk = Desk::open(config, wish.node).await.map_err(Failure::Start)?;
    let answer = desk.ask(wish.method, &wish.path, wish.body.as_ref()).await.map_err(Failure::Run)?;
    if wish.node.json {
        println!("{answer}");
    } else {
        print(&command, &answer);
    }
    Ok(())
}

fn wish(command: &MeterCommand) -> Option<Wish<'_>> {
    let get = |node, path: String| Wish { node, method: Method::GET, path, body: None };
    let post = |node, path: String, body| Wish { node, method: Method::POST, path, body };
    let named = |named: &NamedArguments, verb: &str| format!("meters/{}/{verb}", named.meter);
    let reason = |named: &NamedArguments| Some(json!({"reason": named.reason}));
    Some(match command {
        MeterCommand::Prove(_)
        | MeterCommand::Verify(_)
        | MeterCommand::Segments(_)
        | MeterCommand::Command(_)
        | MeterCommand::SignFirmware(_)
        | MeterCommand::Findings(_)
        | MeterCommand::Decide(_) => return None,
        MeterCommand::List(flags) => get(&flags.node, "meters".to_owned()),
        MeterCommand::History(flags) => get(&flags.node, named(flags, "history")),
        MeterCommand::Claim(flags) => post(&flags.node, "meters/claim".to_owned(), Some(claim(flags))),
        MeterCommand::Replace(flags) => {
            let body = Some(identity(&flags.identity));
            post(&flags.node, format!("meters/{}/replace", flags.meter), body)
        }
        MeterCommand::Rotate(flags) => {
            let body = Some(identity(&flags.identity));
            post(&flags.node, format!("meters/{}/rotate", flags.meter), body)
        }
        MeterCommand::Challenge(flags) => post(&flags.node, named(flags, "challenge"), None),
        MeterCommand::Approve(flags) => {
            let body = Some(json!({"revision": flags.revision}));
            post(&flags.node, format!("meters/{}/approve", flags.meter), body)
        }
        MeterCommand::Reject(flags) => post(&flags.node, named(flags, "reject"), reason(flags)),
        MeterCommand::Retire(flags) => post(&flags.node, named(flags, "retire"), reason(flags)),
        MeterCommand::Release(flags) => post(&flags.node, named(flags, "release"), reason(flags)),
        MeterCommand::Firmware(flags) => {
            post(&flags.node, "meters/firmware".to_owned(), Some(json!({"allowed": flags.allowed})))
        }
        MeterCommand::Epoch(flags) => {
            let opening = json!({
                "import_wh": flags.opening_import_wh, "export_wh": flags.opening_export_wh,
                "generation_wh": flags.opening_generation_wh,
            });
            let body = json!({"epoch": flags.epoch, "opening": opening, "reason": flags.reason});
            post(&flags.node, format!("meters/{}/epoch", flags.meter), Some(body))
        }
    })
}

fn identity(flags: &IdentityArguments) -> Value {
    let opening = json!({
        "import_wh": flags.opening_import_wh, "export_wh": flags.opening_export_wh,
        "generation_wh": flags.opening_generation_wh,
    });
    json!({
        "identity": flags.identity, "epoch": flags.epoch, "modulus_wh": flags.modulus_wh,
        "opening": opening, "reason": flags.reason,
    })
}

fn claim(flags: &ClaimArguments) -> Value {
    let meter = identity(&flags.identity);
    if let Some(household) = flags.household {
        return json!({"meter": meter, "household_id": household, "home": null});
    }
    let home = json!({
        "alias": flags.alias, "name": flags.name, "msisdn": flags.msisdn, "swahili": flags.swahili,
        "feeder": flags.feeder, "export_rating_w": flags.export_rating_w,
        "import_rating_w": flags.import_rating_w, "pv_rated_w": flags.pv_rated_w,
    });
    json!({"meter": meter, "household_id": null, "home": home})
}

fn print(command: &MeterCommand, answer: &Value) {
    match command {
        MeterCommand::List(_) => list(answer.as_array().map(Vec::as_slice).unwrap_or_default()),
        MeterCommand::History(_) => history(answer),
        MeterCommand::Firmware(_) => println!("{}", answer["allowed"]),
        MeterCommand::Claim(_) | MeterCommand::Replace(_) | MeterCommand::Rotate(_) => {
            list(std::slice::from_ref(&answer["meter"]));
            println!("Type into the meter:  broker_password {}", text(&answer["broker_password"]));
            println!("                      gateway {}", text(&answer["gateway_key"]));
            if let Ok(meter) = text(&answer["meter"]["meter_id"]).parse::<MeterId>() {
                println!("Then:                 jirani meter challenge {meter}");
            }
        }
        _ => list(std::slice::from_ref(answer)),
    }
}

fn list(meters: &[Value]) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        "Meter",
        "Household",
        "State",
        "Trust",
        "Held",
        "Asked",
        "Revision",
        "Epoch",
        "Last seen",
        "Refused",
    ]);
    for meter in meters {
        let refused = meter["refused"].as_array().map(Vec::as_slice).unwrap_or_default();
        let refused: Vec<String> =
            refused.iter().map(|row| format!("{} {}", row["count"], text(&row["code"]))).collect();
        table.add_row([
            text(&meter["meter_id"]),
            meter["household_id"].to_string(),
            text(&meter["state"]),
            text(&meter["trust"]),
            text(&meter["held"]),
            asked(meter),
            meter["revision"].to_string(),
            meter["epoch"].to_string(),
            text(&meter["last_seen"]),
            refused.join(", "),
        ]);
    }
    println!("{table}");
}

/// What an operator asks for about a meter, with the figures that another one is to approve.
fn asked(meter: &Value) -> String {
    let request = &meter["request"];
    if request.is_null() {
        return if text(&meter["state"]) == "answered" { claimed(meter) } else { String::new() };
    }
    let mut told = vec![format!("{} by {}", text(&request["wish"]), text(&request["asked_by"]))];
    if let Some(epoch) = request["epoch"].as_u64() {
        told.push(format!("{epoch} from {}", registers(&request["opening"])));
    }
    if let Some(by) = request["approved_by"].as_str() {
        told.push(format!("approved by {by}"));
    }
    told.join(", ")
}

/// A claim whose meter has proven its key, with the figures that another one is to approve.
fn claimed(meter: &Value) -> String {
    let mut told = vec![
        format!("{} by {}", text(&meter["purpose"]), text(&meter["claimed_by"])),
        format!("from {}", registers(&meter["opening"])),
    ];
    if let Some(old) = meter["replaces"].as_str() {
        told.push(format!("in the place of {old}"));
    }
    if let Some(modulus) = meter["modulus_wh"].as_u64() {
        told.push(format!("begins again at {modulus} Wh"));
    }
    let home = &meter["new_household"];
    if !home.is_null() {
        told.push(format!(
            "{} on feeder {}, phone {}, exports {} W, imports {} W, panels {} W",
            text(&home["name"]),
            home["feeder"],
            text(&home["phone"]),
            home["export_rating_w"],
            home["import_rating_w"],
            home["pv_rated_w"],
        ));
    }
    told.join(", ")
}

fn registers(opening: &Value) -> String {
    let wh = |register: &str| opening[register].as_u64().unwrap_or_default();
    format!("{}, {}, {} Wh", wh("import_wh"), wh("export_wh"), wh("generation_wh"))
}

fn history(answer: &Value) {
    let rows = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    for row in rows("events") {
        table.add_row(["at", "by", "code", "detail"].map(|column| text(&row[column])));
    }
    println!("{table}");
    let mut spans = Table::new();
    spans.load_preset(presets::NOTHING);
    spans.set_header(["Span", "Meter", "Epoch", "From", "Import +", "Export +", "Why"]);
    for row in rows("spans") {
        spans.add_row([
            row["number"].to_string(),
            text(&row["meter_id"]),
            row["epoch"].to_string(),
            text(&row["from"]),
            row["offset_import_wh"].to_string(),
            row["offset_export_wh"].to_string(),
            text(&row["reason"]),
        ]);
    }
    println!("{spans}");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
