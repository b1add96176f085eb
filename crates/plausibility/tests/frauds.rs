//! Honest months raise nothing to speak of, and frauds are caught: on made-up homes always, on
//! the real ones where their data is.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, dead_code, reason = "tests")]

#[path = "../examples/plausibility/frauds.rs"]
mod frauds;
#[path = "../examples/plausibility/homes.rs"]
mod homes;
#[path = "../examples/plausibility/trial.rs"]
mod trial;
#[path = "../examples/plausibility/world.rs"]
mod world;

use homes::Homes;
use jirani_plausibility::Policy;
use world::Skies;

/// At most one false alarm per meter and month; nine frauds of ten caught.
fn holds(homes: &Homes, span: std::ops::Range<usize>, seeds: u64) {
    let (skies, policy) = (Skies::over(homes), Policy::default());
    let honest = trial::honest(homes, &skies, span.clone(), &policy);
    assert!(honest.per_meter_month() <= 1.0, "{:?}", honest.alarms);
    let found = trial::frauds(homes, &skies, span, seeds, &policy);
    let (mut trials, mut caught) = (0, 0);
    for (fraud, found) in &found {
        assert!(found.trials > 0, "{} was never tried", fraud.name());
        // Few trials each: the share of all is what must reach nine tenths.
        assert!(found.percent() >= 75.0, "{}: {:.0} % of {}", fraud.name(), found.percent(), found.trials);
        trials += found.trials;
        caught += found.days.len();
    }
    assert!(caught * 10 >= trials * 9, "{caught} of {trials}");
}

#[test]
fn made_up_homes_are_left_alone_and_their_frauds_are_caught() {
    holds(&homes::made_up(7, 8, 80), 0..80 * 24, 1);
}

#[test]
fn homes_of_fontana_that_no_threshold_was_chosen_on_are_left_alone_and_their_frauds_are_caught() {
    let folder = match homes::data_folder() {
        Ok(folder) => folder,
        Err(why) => {
            eprintln!("skipped: {why}");
            return;
        }
    };
    let homes = homes::fontana(&folder, |name| name >= "fontana-10");
    let end = homes.all[0].hours.len();
    holds(&homes, end / 2..end, 2);
}
