//! A year of the market alone: no meters, chain, sockets or payments.
//!
//! `cargo run --release -p jirani-market --example village_year` runs 80 made-up homes for
//! 365 days of 15-minute slots (`-- --households N --days N`) and prints a line of JSON.
//! `-- real` runs the 17 homes of `../shared/data` or `JIRANI_DATA`, an hour per slot,
//! prints a table of what each saved against the tariff alone, and with a path behind it
//! writes the plot of docs/market.md. Every slot's bills and report are checked on the way.
#![allow(clippy::unwrap_used, reason = "a measurement, not a service")]

#[path = "../tests/village/mod.rs"]
mod village;

use jirani_market::rule::Rules;
use jirani_units::{Slot, Timestamp, Wh};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use village::{Home, Village, made_up_village, rules};

/// What a home of the real data keeps before it sells: some hours of its load.
const KEEP_REAL: Wh = Wh(5_000);
/// Homes whose PV is known to be broken.
const BROKEN: [&str; 2] = ["fontana-14", "fontana-15"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "real") {
        real(arguments.get(1).map(Path::new));
    } else {
        let after = |name: &str, default: u64| {
            let place = arguments.iter().position(|argument| argument == name);
            place.and_then(|place| arguments.get(place + 1)?.parse().ok()).unwrap_or(default)
        };
        made_up_year(after("--households", 80), after("--days", 365));
    }
}

fn made_up_year(homes: u64, days: u64) {
    let begin = Instant::now();
    let village = made_up_village(homes, days);
    let seconds = begin.elapsed().as_secs_f64();
    let mut saved: Vec<i64> = village.homes.iter().map(Home::saved).collect();
    saved.sort_unstable();
    println!(
        "{}",
        serde_json::json!({
            "homes": homes,
            "days": days,
            "wall_s": (seconds * 100.0).round() / 100.0,
            "orders": village.trades,
            "traded_kwh": village.traded_wh / 1_000,
            "operator_sold_kwh": village.operator_sold_wh / 1_000,
            "bought_back_kwh": village.bought_back_wh / 1_000,
            "mean_price_cents_per_kwh": village.price_sum / village.priced_slots.max(1),
            "saved_cents_least": saved.first(),
            "saved_cents_median": saved.get(saved.len() / 2),
            "saved_cents_most": saved.last(),
        })
    );
}

/// Hour by hour, (import, export) in Wh of each home.
type Hours = BTreeMap<Timestamp, BTreeMap<String, (u64, u64)>>;

fn data() -> Option<PathBuf> {
    let name = "citylearn2022_fontana_hourly.csv";
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folders = [std::env::var_os("JIRANI_DATA").map(PathBuf::from), Some(beside)];
    folders.into_iter().flatten().map(|folder| folder.join(name)).find(|path| path.exists())
}

/// `1.2345` kWh as Wh, exact to the Wh and without a float.
fn wh(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<3}");
    whole.parse::<i64>().unwrap() * 1_000 + fraction[..3].parse::<i64>().unwrap()
}

fn read(path: &Path) -> Hours {
    let mut hours = Hours::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let net = wh(&row[3]) - wh(&row[2]);
        let flow = if net > 0 { (net.unsigned_abs(), 0) } else { (0, net.unsigned_abs()) };
        hours.entry(row[0].parse().unwrap()).or_default().insert(row[1].to_owned(), flow);
    }
    hours
}

fn real(plot: Option<&Path>) {
    let Some(path) = data() else {
        eprintln!(
            "no data: put citylearn2022_fontana_hourly.csv into ../shared/data, or name its folder in JIRANI_DATA"
        );
        return;
    };
    let hours = read(&path);
    let names: Vec<String> = {
        let mut names: Vec<String> = hours.values().flat_map(BTreeMap::keys).cloned().collect();
        names.sort();
        names.dedup();
        names
    };
    let set: Vec<Rules> = (0..names.len() as u64).map(|home| rules(home, KEEP_REAL)).collect();
    let mut village = Village::new(set, 1);
    for (start, flows) in &hours {
        // An hour that a home lacks (a day of changing clocks) is an hour of nothing.
        let flows: Vec<_> = names.iter().map(|name| flows.get(name).copied().unwrap_or((0, 0))).collect();
        village.step(Slot { start: *start, length_s: 3_600 }, &flows);
    }
    table(&names, &village);
    if let Some(plot) = plot {
        std::fs::write(plot, svg(&names, &village)).unwrap();
    }
}

fn shillings(cents: i64) -> String {
    jirani_units::Cents(cents).to_string()
}

fn table(names: &[String], village: &Village) {
    println!(
        "| home | drawn kWh | pushed kWh | bought kWh | sold kWh | saved in the year | of that by trade | of the tariff's bill |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, home) in names.iter().zip(&village.homes) {
        let alone = i64::try_from(home.import * 35 / 10).unwrap() - i64::try_from(home.export).unwrap();
        println!(
            "| {name}{} | {} | {} | {} | {} | {} | {} | {} |",
            if BROKEN.contains(&name.as_str()) { " (broken PV)" } else { "" },
            home.import / 1_000,
            home.export / 1_000,
            home.total.bought.0 / 1_000,
            home.total.sold.0 / 1_000,
            shillings(home.saved()),
            shillings(home.trade_gain),
            if alone > 0 { format!("{} %", 100 * home.saved() / alone) } else { "earns".to_owned() },
        );
    }
    for (what, without) in [("all", &[][..]), ("without broken PV", &BROKEN[..])] {
        let mut saved: Vec<(i64, i64)> = (names.iter().zip(&village.homes))
            .filter(|(name, _)| !without.contains(&name.as_str()))
            .map(|(_, home)| (home.saved(), home.trade_gain))
            .collect();
        saved.sort_unstable();
        let count = i64::try_from(saved.len()).unwrap();
        println!(
            "\n{what}: {count} homes, worst {}, median {}, best {}, mean {}; by trade alone mean {}, worst {}",
            shillings(saved[0].0),
            shillings(saved[saved.len() / 2].0),
            shillings(saved[saved.len() - 1].0),
            shillings(saved.iter().map(|pair| pair.0).sum::<i64>() / count),
            shillings(saved.iter().map(|pair| pair.1).sum::<i64>() / count),
            shillings(saved.iter().map(|pair| pair.1).min().unwrap()),
        );
    }
    println!(
        "\n{} orders, {} kWh among neighbours, {} kWh of the operator at retail, {} kWh bought back, mean price {}",
        village.trades,
        village.traded_wh / 1_000,
        village.operator_sold_wh / 1_000,
        village.bought_back_wh / 1_000,
        jirani_units::Price(u32::try_from(village.price_sum / village.priced_slots.max(1)).unwrap()),
    );
}

/// Bars of what each home saved: own energy used later, and trade.
fn svg(names: &[String], village: &Village) -> String {
    let most = village.homes.iter().map(Home::saved).max().unwrap().max(1);
    let mut homes: Vec<(&String, &Home)> = names.iter().zip(&village.homes).collect();
    homes.sort_by_key(|(_, home)| -home.saved());
    let height = 78 + 24 * homes.len();
    let mut bars = String::new();
    for (row, (name, home)) in homes.iter().enumerate() {
        let y = 66 + 24 * row;
        let width = |cents: i64| 480 * cents.max(0) / most;
        let (all, trade) = (width(home.saved()), width(home.trade_gain.min(home.saved())));
        let broken = if BROKEN.contains(&name.as_str()) { " *" } else { "" };
        let _ = writeln!(
            bars,
            "<text x=\"110\" y=\"{}\" text-anchor=\"end\">{name}{broken}</text>\
             <rect x=\"120\" y=\"{y}\" width=\"{all}\" height=\"16\" fill=\"#f2b134\"/>\
             <rect x=\"120\" y=\"{y}\" width=\"{trade}\" height=\"16\" fill=\"#16697a\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            y + 13,
            126 + all,
            y + 13,
            shillings(home.saved() / 100 * 100).trim_end_matches(".00"),
        );
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" fill=\"#1b1b1b\"><title>Saved in a year against the tariff alone</title>\
         <rect width=\"720\" height=\"{height}\" fill=\"#fff\"/>\
         <text x=\"16\" y=\"22\" font-size=\"15\" font-weight=\"600\">Saved in a year against the tariff alone</text>\
         <rect x=\"16\" y=\"36\" width=\"12\" height=\"12\" fill=\"#16697a\"/><text x=\"34\" y=\"46\">by trade</text>\
         <rect x=\"106\" y=\"36\" width=\"12\" height=\"12\" fill=\"#f2b134\"/>\
         <text x=\"124\" y=\"46\">own energy used later</text><text x=\"290\" y=\"46\">* broken PV</text>\n{bars}</svg>\n"
    )
}
