//! Homes to try the rules on: real ones, and made-up ones for tests without data.

use jirani_forecast::Place;
use jirani_forecast::clear_sky::haurwitz;
use jirani_forecast::solar::sun_position;
use jirani_units::Timestamp;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a home generated and used in an hour, in Wh; `None` where data has a hole.
pub type TrueHour = Option<(u32, u32)>;

/// Panels in W and hours by name, an hour by its number since 1970.
type Rows = BTreeMap<String, (u32, BTreeMap<i64, (u32, u32)>)>;

/// A home.
#[derive(Clone, Debug)]
pub struct Home {
    pub name: String,
    pub panels_w: u32,
    pub hours: Vec<TrueHour>,
}

/// Homes of one place, hour by hour from the same moment.
#[derive(Clone, Debug)]
pub struct Homes {
    pub place: Place,
    pub start: Timestamp,
    pub all: Vec<Home>,
}

/// Where the real data is, or why there is none.
pub fn data_folder() -> Result<PathBuf, String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let named = std::env::var_os("JIRANI_DATA").map(PathBuf::from);
    let folder = named.unwrap_or(beside);
    if folder.join("citylearn2022_fontana_hourly.csv").is_file() {
        Ok(folder)
    } else {
        Err(format!("no real data in {}; name its folder in JIRANI_DATA", folder.display()))
    }
}

/// The 17 homes of Fontana, or those among them that `keep` names.
pub fn fontana(folder: &Path, keep: impl Fn(&str) -> bool) -> Homes {
    let mut rows: Rows = BTreeMap::new();
    for row in csv::Reader::from_path(folder.join("citylearn2022_fontana_hourly.csv")).unwrap().records() {
        let row = row.unwrap();
        let hour = row[0].parse::<Timestamp>().unwrap().0 / 3_600_000_000;
        let home = rows.entry(row[1].to_owned()).or_default();
        home.0 = wh(&row[4]);
        home.1.insert(hour, (wh(&row[2]), wh(&row[3])));
    }
    rows.retain(|name, _| keep(name));
    homes_of("34.09,-117.44", rows)
}

/// The home in Sydney, half-hours made hours.
pub fn ausgrid(folder: &Path) -> Homes {
    let mut hours: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
    for row in csv::Reader::from_path(folder.join("ausgrid12_30min.csv")).unwrap().records() {
        let row = row.unwrap();
        let hour = hours.entry(row[0].parse::<Timestamp>().unwrap().0 / 3_600_000_000).or_default();
        hour.0 += wh(&row[2]);
        hour.1 += wh(&row[3]);
    }
    homes_of("-33.87,151.21", BTreeMap::from([("ausgrid-12".to_owned(), (1_040, hours))]))
}

fn homes_of(place: &str, rows: Rows) -> Homes {
    let first = rows.values().filter_map(|(_, hours)| hours.keys().next()).min().copied().unwrap();
    let last = rows.values().filter_map(|(_, hours)| hours.keys().next_back()).max().copied().unwrap();
    let homes = rows.into_iter().map(|(name, (panels_w, hours))| Home {
        name,
        panels_w,
        hours: (first..=last).map(|hour| hours.get(&hour).copied()).collect(),
    });
    Homes { place: place.parse().unwrap(), start: Timestamp(first * 3_600_000_000), all: homes.collect() }
}

/// kWh or kW with decimals as whole Wh or W.
fn wh(text: &str) -> u32 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let decimals: String = decimals.chars().chain("0000".chars()).take(4).collect();
    let tenths: u32 = whole.parse::<u32>().unwrap() * 10_000 + decimals.parse::<u32>().unwrap();
    (tenths + 5) / 10
}

/// Made-up homes at Kitonyoni: one sky with clouds that come and go, panels that face
/// different ways a little, people who cook when they cook.
pub fn made_up(seed: u64, count: usize, days: usize) -> Homes {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start: Timestamp = "2026-01-01T21:00:00Z".parse().unwrap();
    let mut cloud = 0.5_f64;
    let skies: Vec<f64> = (0..days * 24)
        .map(|hour| {
            cloud = (0.85 * cloud + 0.15 * rng.random_range(0.0..1.0) + rng.random_range(-0.12..0.12))
                .clamp(0.0, 1.0);
            let middle = start.plus_seconds(i64::try_from(hour).unwrap() * 3_600 + 1_800);
            haurwitz(sun_position(Place::KITONYONI, middle).cos_zenith()) * (1.0 - 0.7 * cloud.powi(2))
        })
        .collect();
    let homes = (0..count).map(|index| {
        let panels_w = [1_000, 2_000, 3_000, 4_000][index % 4];
        let quality = rng.random_range(0.70..0.85);
        let lean = rng.random_range(-0.15..0.15);
        let (base, size) = (rng.random_range(30.0..150.0), rng.random_range(200.0..900.0));
        let hours = skies.iter().enumerate().map(|(hour, irradiance)| {
            let local = f64::from(u32::try_from(hour % 24).unwrap());
            let facing = 1.0 + lean * (local - 12.0) / 6.0;
            let flicker = rng.random_range(0.93..1.0);
            let generation = f64::from(panels_w) * irradiance / 1_000.0 * quality * facing * flicker;
            let evening = (-((local - 19.5) / 2.0).powi(2)).exp();
            let noon = 0.4 * (-((local - 12.5) / 2.5).powi(2)).exp();
            let load =
                base * rng.random_range(0.7..1.3) + size * (evening + noon) * rng.random_range(0.3..1.4);
            Some((whole(generation.min(f64::from(panels_w))), whole(load)))
        });
        Home { name: format!("made-up-{index}"), panels_w, hours: hours.collect() }
    });
    Homes { place: Place::KITONYONI, start, all: homes.collect() }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, 1e6) as u32
}
