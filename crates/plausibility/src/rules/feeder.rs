//! Feeder balance: what the source supplied and homes exported, less what homes imported, is
//! lost in wires. Energy that disappears with one meter's curve disappears behind that meter.
//!
//! The residual of each hour is explained by the feeder's flow (wires) and by one meter's
//! register (theft); both are freed of their means first, so what is lost standing still does
//! not matter. The register that explains most is accused when it explains enough of what the
//! flow leaves open (squared partial correlation) and the part that is missing is a real part
//! of it (slope). Integers throughout: sums of products of numbers below 2^20.

use crate::finding::{Finding, Rule, Severity};
use crate::policy::Policy;

/// Hours without which nothing is said: three days.
pub(super) const LEAST_HOURS: usize = 72;
/// What the accused's register may leave open at most, of what the next one leaves open, in
/// percent: two curves that fit alike accuse nobody. Exports follow the same sun, so that one of
/// them must stand out further.
const IMPORT_MARGIN_PERCENT: i128 = 80;
const EXPORT_MARGIN_PERCENT: i128 = 70;
/// Energy that must be missing in a day, in Wh: less is noise of many roundings.
const LEAST_WH_PER_DAY: i128 = 400;

/// One hour of a feeder of which everything is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeederHour {
    /// What the operator's own source supplied, in Wh; below zero when it took energy up.
    pub supply_wh: i64,
    /// Import, export and generation of every meter in Wh, always in the same order.
    pub meters: Vec<[u32; 3]>,
}

impl FeederHour {
    /// What disappeared.
    fn residual_wh(&self) -> i64 {
        let homes = self.meters.iter().map(|[import, export, _]| i64::from(*export) - i64::from(*import));
        self.supply_wh + homes.sum::<i64>()
    }

    /// What flowed.
    fn flow_wh(&self) -> i64 {
        let homes = self.meters.iter().map(|[import, export, _]| i64::from(*export) + i64::from(*import));
        homes.sum()
    }
}

/// The last days of a feeder, oldest first; a week is what the figures were measured with.
pub type FeederWindow<'a> = &'a [FeederHour];

/// Which of a meter's registers a feeder's missing energy follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accused {
    /// Nobody's: the feeder itself.
    Feeder,
    /// The meter at this place of [`FeederHour::meters`].
    Meter(usize),
}

/// Judges a feeder by its last days.
pub fn judge_feeder(window: FeederWindow<'_>, policy: &Policy) -> Vec<(Accused, Finding)> {
    let mut found = Vec::new();
    if let Some(finding) = loss(window, policy) {
        found.push((Accused::Feeder, policy.graded(finding)));
    }
    // Three days see what began lately; the whole window sees what is small.
    let lately = &window[window.len().saturating_sub(LEAST_HOURS)..];
    let accused = share(lately, policy).or_else(|| share(window, policy));
    if let Some((place, finding)) = accused {
        found.push((Accused::Meter(place), policy.graded(finding)));
    }
    found
}

/// The last day's losses against what wires may take.
fn loss(window: FeederWindow<'_>, policy: &Policy) -> Option<Finding> {
    let day = &window[window.len().checked_sub(24)?..];
    let residual: i64 = day.iter().map(FeederHour::residual_wh).sum();
    let flow: i64 = day.iter().map(FeederHour::flow_wh).sum();
    let most = flow * i64::from(policy.feeder_loss_permille) / 1_000 + 100;
    // Wires never give: what falls below a hundredth is a meter that counts too much.
    let least = -(flow / 100 + 100);
    (!(least..=most).contains(&residual)).then(|| Finding {
        rule: Rule::FeederLoss,
        severity: Severity::Note,
        evidence: vec![("lost_wh", residual), ("flow_wh", flow), ("most_wh", most)],
    })
}

/// What a register explains of a residual beside the flow.
pub(super) struct Explained {
    pub slope_permille: i128,
    pub fit_permille: i128,
}

/// A register's column of the window.
struct Suspect {
    place: usize,
    register: &'static str,
    explained: Explained,
    total_wh: i128,
}

const REGISTERS: [&str; 2] = ["of_import_permille", "of_export_permille"];

/// The window's sums, ready to be explained by any register.
pub(super) struct Residual<'a> {
    window: FeederWindow<'a>,
    missing: Vec<i128>,
    flow: Vec<i128>,
    shift: u32,
}

impl<'a> Residual<'a> {
    /// Of a window.
    pub fn of(window: FeederWindow<'a>) -> Self {
        let residual: Vec<i128> = window.iter().map(|hour| hour.residual_wh().into()).collect();
        let flow: Vec<i128> = window.iter().map(|hour| hour.flow_wh().into()).collect();
        let shift = shift_of(residual.iter().chain(&flow));
        Self { window, missing: centred(&residual, shift), flow: centred(&flow, shift), shift }
    }

    /// What a register explains, and its sum.
    pub fn explained_by(&self, place: usize, register: usize) -> Option<(Explained, i128)> {
        let told: Option<Vec<i128>> = self
            .window
            .iter()
            .map(|hour| Some(i128::from(*hour.meters.get(place)?.get(register)?)))
            .collect();
        let told = told?;
        let explained = explain(&self.missing, &self.flow, &centred(&told, self.shift))?;
        Some((explained, told.iter().sum()))
    }
}

fn share(window: FeederWindow<'_>, policy: &Policy) -> Option<(usize, Finding)> {
    if window.len() < LEAST_HOURS {
        return None;
    }
    let meters = window.first()?.meters.len();
    let residual = Residual::of(window);
    let (mut best, mut next_fit) = (None::<Suspect>, 0);
    for place in 0..meters {
        // A meter's better register stands for it.
        let registers = REGISTERS.iter().enumerate().filter_map(|(index, register)| {
            let (explained, total_wh) = residual.explained_by(place, index)?;
            Some(Suspect { place, register, explained, total_wh })
                .filter(|own| own.explained.slope_permille > 0)
        });
        let Some(own) = registers.max_by_key(|own| own.explained.fit_permille) else { continue };
        if best.as_ref().is_none_or(|best| own.explained.fit_permille > best.explained.fit_permille) {
            next_fit = best.map_or(0, |best| best.explained.fit_permille);
            best = Some(own);
        } else {
            next_fit = next_fit.max(own.explained.fit_permille);
        }
    }
    let Suspect { place, register, explained, total_wh } = best?;
    let days = i128::try_from(window.len()).unwrap_or(1).max(24) / 24;
    let missing_wh = total_wh * explained.slope_permille / 1_000 / days;
    let margin = if register == REGISTERS[0] { IMPORT_MARGIN_PERCENT } else { EXPORT_MARGIN_PERCENT };
    let stands_out = (1_000 - explained.fit_permille) * 100 <= (1_000 - next_fit) * margin;
    let guilty = explained.slope_permille >= i128::from(policy.feeder_share_permille)
        && explained.fit_permille >= i128::from(policy.feeder_fit_permille)
        && stands_out
        && missing_wh >= LEAST_WH_PER_DAY;
    let whole = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
    guilty.then(|| {
        let evidence = vec![
            (register, whole(explained.slope_permille)),
            ("explained_permille", whole(explained.fit_permille)),
            ("next_explained_permille", whole(next_fit)),
            ("missing_wh_per_day", whole(missing_wh)),
            ("hours", i64::try_from(window.len()).unwrap_or(i64::MAX)),
        ];
        (place, Finding { rule: Rule::FeederShare, severity: Severity::Hold, evidence })
    })
}

/// How many bits must go so that every number is below 2^20.
fn shift_of<'a>(values: impl Iterator<Item = &'a i128>) -> u32 {
    let most = values.map(|value| value.unsigned_abs()).max().unwrap_or(0);
    (128 - most.leading_zeros()).saturating_sub(20)
}

/// Times the count, less the sum: free of the mean without a fraction.
fn centred(values: &[i128], shift: u32) -> Vec<i128> {
    let values: Vec<i128> = values.iter().map(|value| value >> shift).collect();
    let sum: i128 = values.iter().sum();
    let count = i128::try_from(values.len()).unwrap_or(0);
    values.iter().map(|value| value * count - sum).collect()
}

/// What `told` explains of `residual` beside `flow`.
fn explain(residual: &[i128], flow: &[i128], told: &[i128]) -> Option<Explained> {
    let sum = |a: &[i128], b: &[i128]| -> i128 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    // A week's centred numbers are below 2^28, so sums of squares are below 2^64.
    let (ff, tt, rr) = (sum(flow, flow) >> 4, sum(told, told) >> 4, sum(residual, residual) >> 4);
    let (ft, fr, tr) = (sum(flow, told) >> 4, sum(flow, residual) >> 4, sum(told, residual) >> 4);
    let told_left = tt * ff - ft * ft;
    let residual_left = rr * ff - fr * fr;
    let together = tr * ff - ft * fr;
    // 2^120 at most; brought below 2^60 to be squared.
    let bits = 128 - told_left.max(residual_left).unsigned_abs().leading_zeros();
    let shift = bits.saturating_sub(55);
    let (told_left, residual_left, together) =
        (told_left >> shift, residual_left >> shift, together >> shift);
    if told_left <= 0 || residual_left <= 0 {
        return None;
    }
    let fit_permille = together * together / ((told_left * residual_left / 1_000).max(1));
    Some(Explained { slope_permille: together * 1_000 / told_left, fit_permille })
}
