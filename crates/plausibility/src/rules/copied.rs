//! Copied: two homes under one sun generate alike, but do not cook at the same minute. Import
//! and export of a day are compared, as directions: a scaled copy points the same way. Import
//! must be alike by itself, too: the exports of equal panels on parallel roofs are, of homes
//! that use little, without anybody's doing.

use crate::finding::{Finding, Rule, Severity};
use crate::policy::Policy;
use crate::profile::{Day, HOURS, History};

/// Hours with import that a day must have to be anybody's own.
const TELLING_HOURS: usize = 8;
const LEAST_WH: u32 = 20;
/// No home moves more in an hour, in Wh; keeps sums of products small.
const MOST_WH: u32 = 1 << 24;
/// Days of the past against which a day is found strange.
const PAST_DAYS: usize = 7;

/// A day's import, then its export, in Wh.
struct Curve([u64; 2 * HOURS]);

impl Curve {
    fn of(day: &Day) -> Option<Self> {
        let mut flows = [0; 2 * HOURS];
        let mut telling = 0;
        for hour in 0..HOURS {
            let [import_wh, export_wh, _] = day.registers(hour)?;
            telling += usize::from(import_wh >= LEAST_WH);
            flows[hour] = import_wh.min(MOST_WH).into();
            flows[HOURS + hour] = export_wh.min(MOST_WH).into();
        }
        (telling >= TELLING_HOURS).then_some(Self(flows))
    }
}

/// 48 products below 2^48 each: below 2^54.
fn product(ours: &[u64], theirs: &[u64]) -> u64 {
    ours.iter().zip(theirs).map(|(a, b)| a * b).sum()
}

/// How alike two days are: the lesser of what import alone and all together are.
fn alike_ppm(Curve(ours): &Curve, Curve(theirs): &Curve) -> u32 {
    cosine_ppm(&ours[..HOURS], &theirs[..HOURS]).min(cosine_ppm(ours, theirs))
}

/// Squared cosine in millionths.
fn cosine_ppm(ours: &[u64], theirs: &[u64]) -> u32 {
    let cross = u128::from(product(ours, theirs));
    let squares = u128::from(product(ours, ours)) * u128::from(product(theirs, theirs));
    // Import of at least 20 Wh in eight hours: squares are beyond a million.
    let ppm = (cross * cross).checked_div(squares / 1_000_000);
    ppm.and_then(|ppm| u32::try_from(ppm).ok()).unwrap_or(0)
}

/// How far a day's import and export are from the nearest day of the meter's last week, in thousandths
/// of its energy.
fn strangeness(day: &Day, history: &History) -> u64 {
    let apart_from = |past: &Day| {
        let (mut apart, mut sum) = (0_u64, 0_u64);
        for hour in 0..HOURS {
            let (Some(today), Some(then)) = (day.registers(hour), past.registers(hour)) else { continue };
            for register in 0..2 {
                apart += u64::from(today[register].abs_diff(then[register]));
                sum += u64::from(then[register]);
            }
        }
        apart * 1_000 / sum.max(1)
    };
    history.days().rev().take(PAST_DAYS).map(apart_from).min().unwrap_or(0)
}

/// Looks for days that are alike among the meters of a feeder: pairs of a day and the history
/// before it, in any order. Of two that are alike, the one that is stranger to its own past is
/// named, by its place. Cost: half the square of the meters times 48 multiplications.
pub fn judge_copies(meters: &[(&Day, &History)], policy: &Policy) -> Vec<(usize, Finding)> {
    let curves: Vec<(usize, Curve)> = meters
        .iter()
        .enumerate()
        .filter_map(|(place, (day, _))| Curve::of(day).map(|curve| (place, curve)))
        .collect();
    let mut found: Vec<(usize, Finding)> = Vec::new();
    for (index, (one, ours)) in curves.iter().enumerate() {
        for (other, theirs) in &curves[index + 1..] {
            let ppm = alike_ppm(ours, theirs);
            if ppm < policy.copied_ppm {
                continue;
            }
            let strange = |place: usize| strangeness(meters[place].0, meters[place].1);
            let (copier, original) =
                if strange(*one) > strange(*other) { (*one, *other) } else { (*other, *one) };
            if found.iter().any(|(place, _)| *place == copier) {
                continue;
            }
            let evidence = [
                ("alike_ppm", u64::from(ppm)),
                ("strangeness_permille", strange(copier)),
                ("originals_strangeness_permille", strange(original)),
                // Replaced by the household's number by who knows it.
                ("original", u64::try_from(original).unwrap_or(0)),
            ];
            found.push((copier, policy.graded(Finding::new(Rule::Copied, Severity::Hold, &evidence))));
        }
    }
    found
}
