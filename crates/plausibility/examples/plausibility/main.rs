//! How often the rules cry wolf on honest homes, and how many wolves they see: `cargo xtask
//! bench plausibility`. Chosen on the train span, reported on the other.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench: what it cannot read ends it")]

mod frauds;
mod homes;
mod trial;
mod world;

use frauds::Fraud;
use homes::Homes;
use jirani_plausibility::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;
use trial::{Caught, Honest};
use world::{Skies, World};

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10);
    let policy = Policy::default();
    let mut figures = json!({ "seeds": seeds });
    match homes::data_folder() {
        Err(why) => {
            eprintln!("{why}: only made-up homes are measured");
        }
        Ok(folder) => {
            let low = |name: &str| name < "fontana-10";
            let train = homes::fontana(&folder, low);
            let half = train.all[0].hours.len() / 2;
            figures["train"] = span("train: fontana-01 to -09, Aug to Jan", &train, 0..half, seeds, &policy);
            let held = homes::fontana(&folder, |name| !low(name));
            let end = held.all[0].hours.len();
            figures["held_out"] =
                span("held out: fontana-10 to -17, Feb to Jul", &held, half..end, seeds, &policy);
            let sydney = homes::ausgrid(&folder);
            let end = sydney.all[0].hours.len();
            figures["held_out_sydney"] = span("held out: ausgrid-12, a year", &sydney, 0..end, 0, &policy);
        }
    }
    let made_up = homes::made_up(1, 8, 120);
    figures["made_up"] = span("made up: 8 homes, 120 days", &made_up, 0..120 * 24, seeds, &policy);
    figures["cost_us_per_meter_day"] = json!(cost(&policy));
    eprintln!("cost: {} us per meter and day", figures["cost_us_per_meter_day"]);
    println!("{figures}");
}

fn span(name: &str, homes: &Homes, span: std::ops::Range<usize>, seeds: u64, policy: &Policy) -> Value {
    let skies = Skies::over(homes);
    let honest = trial::honest(homes, &skies, span.clone(), policy);
    eprintln!("{name}");
    tell_honest(homes, &honest);
    let caught = if seeds > 0 { trial::frauds(homes, &skies, span, seeds, policy) } else { BTreeMap::new() };
    for (fraud, caught) in &caught {
        tell_caught(*fraud, caught);
    }
    let frauds: serde_json::Map<String, Value> =
        caught.iter().map(|(fraud, caught)| (fraud.name().to_owned(), caught_of(caught))).collect();
    let by_home: BTreeMap<String, usize> = honest.alarms.iter().fold(BTreeMap::new(), |mut sum, alarm| {
        let key = format!("{} {}", homes.all[alarm.place].name, alarm.finding.rule.id());
        *sum.entry(key).or_default() += 1;
        sum
    });
    json!({
        "meter_months": honest.meter_months,
        "false_alarms": honest.alarms.len(),
        "false_alarms_per_meter_month": honest.per_meter_month(),
        "by_home": by_home,
        "frauds": frauds,
    })
}

fn tell_honest(homes: &Homes, honest: &Honest) {
    eprintln!(
        "  honest: {} alarms in {:.1} meter-months = {:.3} a month",
        honest.alarms.len(),
        honest.meter_months,
        honest.per_meter_month()
    );
    for alarm in &honest.alarms {
        let name = &homes.all[alarm.place].name;
        let at = homes.start.plus_seconds(i64::try_from(alarm.hour).unwrap() * 3_600);
        eprintln!("    {name} {at} {} {:?}", alarm.finding.rule.id(), alarm.finding.evidence);
    }
}

fn tell_caught(fraud: Fraud, caught: &Caught) {
    let mut days = caught.days.clone();
    days.sort_unstable();
    let at = |percent: usize| days.get(days.len() * percent / 100).map_or(0, |day| *day);
    let rules: Vec<String> = caught.rules.iter().map(|(rule, n)| format!("{} {n}", rule.id())).collect();
    eprintln!(
        "  {:>22} {:5.1} % of {:3}, days p50 {} p90 {}, others held {} {:?}: {}",
        fraud.name(),
        caught.percent(),
        caught.trials,
        at(50),
        at(90),
        caught.innocent,
        caught.others,
        rules.join(", ")
    );
}

fn caught_of(caught: &Caught) -> Value {
    let mut days = caught.days.clone();
    days.sort_unstable();
    let at = |percent: usize| days.get(days.len() * percent / 100).copied();
    json!({
        "trials": caught.trials, "caught": caught.days.len(), "caught_percent": caught.percent(),
        "days_p50": at(50), "days_p90": at(90), "others_held": caught.innocent,
        "rules": caught.rules.iter().map(|(rule, n)| (rule.id(), *n)).collect::<BTreeMap<_, _>>(),
    })
}

/// What a day of a meter costs among 100 on a feeder, in microseconds.
fn cost(policy: &Policy) -> f64 {
    let homes = homes::made_up(2, 100, 35);
    let skies = Skies::over(&homes);
    let world = World::honest(&homes, &skies, 1);
    let begin = Instant::now();
    let alarms = world.judge(0..35 * 24, 0, None, policy);
    let spent = begin.elapsed();
    assert!(alarms.len() < 1_000_000);
    (spent.as_secs_f64() * 1e6 / 3_500.0 * 10.0).round() / 10.0
}
