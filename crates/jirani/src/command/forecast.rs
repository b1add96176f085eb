//! `jirani forecast ...`: needs no settings and no running system, only a file.

use crate::cli::forecast::{BacktestArguments, DataArguments, ExplainArguments, ForecastCommand};
use crate::failure::Failure;
use anyhow::{Context as _, bail};
use jirani_backtest::page::page;
use jirani_backtest::report::{by_horizon, figures};
use jirani_backtest::{Method, Options, Protocol, Set, Trial, score};
use jirani_booster::Level;
use jirani_forecast::LEVELS;
use jirani_forecast::learn::{Plan, Scene};
use std::fs::File;
use std::io::BufReader;

/// Runs what was asked for.
pub fn run(command: &ForecastCommand) -> Result<(), Failure> {
    match command {
        ForecastCommand::Backtest(arguments) => backtest(arguments).map_err(Failure::Start),
        ForecastCommand::Explain(arguments) => explain(arguments).map_err(Failure::Start),
    }
}

fn read(arguments: &DataArguments) -> anyhow::Result<Set> {
    let name = arguments.data.display();
    let file = File::open(&arguments.data).with_context(|| format!("cannot read {name}"))?;
    let set = Set::read(BufReader::new(file), Options::default()).with_context(|| format!("in {name}"))?;
    if set.left_out > 0 {
        eprintln!("{} rows of {name} are no measurements and were left out", set.left_out);
    }
    Ok(set)
}

fn protocol(arguments: &DataArguments, levels: Vec<Level>) -> Protocol {
    let mut plan = Plan::standard(arguments.target.into(), levels);
    plan.settings.rounds = arguments.rounds;
    plan.settings.seed = arguments.seed;
    let by_place = arguments.place.map_or(0, jirani_forecast::Place::clock_offset_s);
    Protocol {
        target: arguments.target.into(),
        place: arguments.place,
        clock_offset_s: arguments.clock.map_or(by_place, |hours| hours * 3_600),
        horizon_days: 1,
        test_days: 1,
        hidden_days: 0,
        refit_days: 30,
        calibration_days: 28,
        plan,
        without: arguments.without.clone(),
    }
}

fn backtest(arguments: &BacktestArguments) -> anyhow::Result<()> {
    let set = read(&arguments.data)?;
    let mut levels: Vec<u16> = LEVELS.iter().map(|level| u16::from(*level) * 10).collect();
    // Offers are made at the newsvendor's level, which is none of the seven.
    levels.push(400);
    levels.sort_unstable();
    let levels: Result<Vec<Level>, _> = levels.into_iter().map(Level::from_permille).collect();
    let protocol = Protocol {
        horizon_days: arguments.horizon,
        test_days: arguments.days,
        refit_days: arguments.refit,
        ..protocol(&arguments.data, levels?)
    };
    let trial = Trial::run(&set, &protocol)?;
    if let Some(path) = &arguments.report {
        let title = format!("Backtest of {}", arguments.data.data.display());
        std::fs::write(path, page(&trial, &title))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if arguments.json {
        println!("{}", figures(&trial));
        return Ok(());
    }
    println!("{:<24}{:>10}{:>10}{:>10}", "", "loss", "error", "inside");
    for method in Method::ALL {
        let all = [(None, score(&trial, method, |_| true))];
        let parts = by_horizon(&trial, method).into_iter().map(|(hours, score)| (Some(hours), score));
        for (hours, score) in all.into_iter().chain(parts) {
            let name = hours.map_or(method.name().to_owned(), |hours| format!("  to {hours} h"));
            println!(
                "{name:<24}{:>10.4}{:>10.3}{:>10.2}",
                score.normalised_pinball, score.normalised_error, score.coverage_80
            );
        }
    }
    Ok(())
}

fn explain(arguments: &ExplainArguments) -> anyhow::Result<()> {
    let set = read(&arguments.data)?;
    let level = Level::from_permille(u16::from(arguments.level) * 10)?;
    let mut levels = vec![level, Level::MEDIAN];
    levels.sort_unstable();
    levels.dedup();
    let protocol = protocol(&arguments.data, levels);
    let Some(place) = set.homes.iter().position(|home| home.name == arguments.household) else {
        bail!("forecast.household: the file has no household {}", arguments.household);
    };
    let (learned, issued_at) = protocol.learned_for(&set, arguments.at)?;
    let home = protocol.home(&set, place).context("forecast.household: it is left out")?;
    let scene = Scene::new(&home, protocol.target, issued_at)
        .context("forecast.too_little_past: less than three days of it are known by then")?;
    let number = arguments.at.seconds().div_euclid(i64::from(set.step_s));
    let explained = learned.explain(&scene, number, level)?.context("forecast.level: not learned")?;
    if arguments.json {
        println!("{}", serde_json::to_string(&explained)?);
        return Ok(());
    }
    println!("{:>10.0} Wh  usual at this time of day", explained.usual_wh);
    println!("{:>10.0} Wh  an average slot", explained.average_wh);
    for mover in explained.movers.iter().take(12) {
        let value = mover.value.map_or("unknown".to_owned(), |value| format!("{value:.2}"));
        println!("{:>+10.0} Wh  {} = {value}", mover.added_wh, mover.column);
    }
    println!(
        "{:>+10.0} Wh  stretched by past forecasts, bounded by the sun and the rated power",
        explained.adjusted_wh
    );
    println!("{:>10.0} Wh  forecast at {} %", explained.said_wh, arguments.level);
    Ok(())
}
