//! The walk from the first message to the relay and back, told as stories; and what no
//! sequence of events may ever do.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_market::nairobi;
use jirani_market::shortfall::{
    Account, Deferral, Event, InstalmentDue, Policy, Protection, Relay, RelayPosition, ShortfallError, Step,
    StepKind, apply,
};
use jirani_units::{Cents, HouseholdId, Price, Timestamp, Wh};
use proptest::prelude::*;

/// 09:00 in Nairobi.
fn morning() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

fn hours(hours: i64) -> Timestamp {
    morning().plus_seconds(3_600 * hours)
}

/// A household with a limit of KSh 100 at 35.00 per kWh, and its story so far.
struct Story {
    account: Account,
    told: Vec<StepKind>,
}

impl Story {
    fn begin() -> Self {
        let account = Account::new(HouseholdId(7), Cents(10_000), Price(3_500));
        Self { account, told: Vec::new() }
    }

    fn event(&mut self, event: Event, at: Timestamp) -> Vec<StepKind> {
        let (next, steps) = apply(&self.account, &Policy::default(), event, at).unwrap();
        self.account = next;
        let kinds: Vec<StepKind> = steps.iter().map(|step: &Step| step.kind).collect();
        self.told.extend(&kinds);
        kinds
    }

    fn owes(&mut self, wh: u64, available: i64, at: Timestamp) -> Vec<StepKind> {
        let (shortfall, available) = (Wh(wh), Cents(available));
        self.event(Event::Attested { through: at, shortfall, available, retail: Price(3_500) }, at)
    }

    /// Beyond the limit, warned a day before, cut at 10:00 the next day.
    fn cut() -> Self {
        let mut story = Self::begin();
        story.owes(2_400, 0, hours(0));
        story.owes(3_000, 0, hours(25));
        story.event(Event::RelayReported(RelayPosition::Open), hours(25));
        assert_eq!(story.account.relay, Relay::Open);
        story
    }
}

#[test]
fn messages_come_at_half_and_at_eighty_percent_once() {
    let mut story = Story::begin();
    assert_eq!(story.owes(1_428, 0, hours(0)), [], "49.98 are not half of 100.00");
    let half = StepKind::Warned { percent: 50, exposure: Cents(5_002), limit: Cents(10_000) };
    assert_eq!(story.owes(1_429, 0, hours(1)), [half]);
    assert_eq!(story.owes(1_500, 0, hours(2)), []);
    let most = StepKind::Warned { percent: 80, exposure: Cents(8_001), limit: Cents(10_000) };
    assert_eq!(story.owes(2_286, 0, hours(3)), [most]);
    assert_eq!(story.owes(2_300, 0, hours(4)), []);
    // Paid and owed again on the same day: known already. On another day: told again.
    story.owes(0, 0, hours(5));
    assert_eq!(story.owes(2_300, 0, hours(6)), []);
    story.owes(0, 0, hours(7));
    assert_eq!(story.owes(2_300, 0, hours(30)).len(), 1, "one message, though both marks are passed");
}

#[test]
fn who_can_pay_is_never_cut_for_want_of_a_seller() {
    let mut story = Story::begin();
    assert_eq!(story.owes(20_000, 70_000, hours(0)), [], "20 kWh owed at 35.00, KSh 700 in hand");
    assert_eq!(story.account.exposure(), Cents(0));
    assert_eq!(story.owes(20_000, 62_000, hours(1)).len(), 1);
}

#[test]
fn at_the_limit_the_relay_opens_by_day_a_day_after_the_message() {
    let mut story = Story::begin();
    story.owes(2_400, 0, hours(0));
    let reached =
        StepKind::LimitReached { because: Deferral::Notice, exposure: Cents(10_500), limit: Cents(10_000) };
    assert_eq!(story.owes(3_000, 0, hours(2)), [reached]);
    assert_eq!(story.owes(3_000, 0, hours(3)), [], "said once");
    let opens = story.owes(3_100, 0, hours(24));
    let exposure = Cents(10_850);
    // 09:00 the next day; void from 16:00 on.
    let not_after = hours(31);
    assert_eq!(opens, [StepKind::RelayOpens { command: 1, not_after, exposure, limit: Cents(10_000) }]);
    assert_eq!(nairobi::hour(not_after), 16);
    // A report from before the command arrived is not its answer.
    assert_eq!(story.event(Event::RelayReported(RelayPosition::Closed), hours(24)), []);
    let off = story.event(Event::RelayReported(RelayPosition::Open), hours(24));
    assert_eq!(off, [StepKind::RelayConfirmed(RelayPosition::Open)]);
}

#[test]
fn power_is_never_cut_at_night() {
    let mut story = Story::begin();
    story.owes(2_400, 0, hours(0));
    // 20:00 the next day.
    let reached = story.owes(3_000, 0, hours(35));
    assert!(matches!(reached[..], [StepKind::LimitReached { because: Deferral::Night, .. }]), "{reached:?}");
    assert_eq!(story.event(Event::Tick, hours(46)), [], "07:00");
    assert!(matches!(story.event(Event::Tick, hours(47))[..], [StepKind::RelayOpens { .. }]), "08:00");
}

#[test]
fn a_command_that_did_not_reach_the_meter_by_day_is_void_at_night() {
    let mut story = Story::begin();
    story.owes(2_400, 0, hours(0));
    story.owes(3_000, 0, hours(30));
    assert!(matches!(story.account.relay, Relay::Opening { .. }));
    let night = story.event(Event::Tick, hours(31));
    assert!(matches!(
        night[..],
        [StepKind::OpeningLapsed { command: 1 }, StepKind::LimitReached { because: Deferral::Night, .. }]
    ));
    // The meter may have heard it all the same: it is told to close.
    assert_eq!((story.account.relay, story.account.commands), (Relay::Closing, 2));
}

#[test]
fn protected_customers_and_clinics_are_never_cut_and_are_told_why() {
    for (protection, why) in [
        (Protection::Clinic, Deferral::Clinic),
        (Protection::Customer(None), Deferral::Protected),
        (Protection::Customer(Some(hours(900))), Deferral::Protected),
    ] {
        let mut story = Story::begin();
        story.event(Event::ProtectionSet(protection), hours(0));
        story.owes(2_400, 0, hours(0));
        let reached = story.owes(90_000, 0, hours(50));
        assert!(matches!(reached[..], [StepKind::LimitReached { because, .. }] if because == why));
        assert_eq!(story.account.relay, Relay::Closed);
    }
    // A protection that is granted to somebody who is cut brings the light back; one that ended is none.
    let mut story = Story::cut();
    let granted = story.event(Event::ProtectionSet(Protection::Clinic), hours(26));
    assert_eq!(
        granted[..2],
        [StepKind::ProtectionSet(Protection::Clinic), StepKind::RelayCloses { command: 2 }]
    );
    story.event(Event::ProtectionSet(Protection::Customer(Some(hours(48)))), hours(27));
    story.event(Event::RelayReported(RelayPosition::Closed), hours(27));
    assert!(matches!(story.owes(3_000, 0, hours(48))[..], [StepKind::RelayOpens { .. }]));
}

#[test]
fn payment_closes_the_relay_in_the_same_step() {
    let mut story = Story::cut();
    assert_eq!(story.event(Event::Paid(Cents(400)), hours(26)), [], "101.00 are still owed");
    assert_eq!(story.event(Event::Paid(Cents(101)), hours(26)), [StepKind::RelayCloses { command: 2 }]);
    assert_eq!(
        story.event(Event::RelayReported(RelayPosition::Open), hours(26)),
        [],
        "said before the command came"
    );
    let closed = story.event(Event::RelayReported(RelayPosition::Closed), hours(26));
    assert_eq!(closed, [StepKind::RelayConfirmed(RelayPosition::Closed)]);
    assert_eq!(story.event(Event::RelayReported(RelayPosition::Closed), hours(27)), []);
}

#[test]
fn neighbours_tokens_that_meet_the_shortfall_close_the_relay_too() {
    let mut story = Story::cut();
    assert_eq!(story.owes(2_000, 0, hours(26)), [StepKind::RelayCloses { command: 2 }]);
}

#[test]
fn emergency_credit_brings_the_light_back_once_and_is_repaid_first() {
    let mut story = Story::cut();
    let granted = story.event(Event::EmergencyAsked, hours(26));
    assert_eq!(granted, [StepKind::EmergencyGranted(Cents(5_000)), StepKind::RelayCloses { command: 2 }]);
    let again = apply(&story.account, &Policy::default(), Event::EmergencyAsked, hours(27));
    assert_eq!(again, Err(ShortfallError::EmergencyOwed(Cents(5_000))));
    // Of the next 80.00 the first 50.00 repay it.
    let paid = story.event(Event::Paid(Cents(8_000)), hours(28));
    assert_eq!(paid, [StepKind::EmergencyRepaid(Cents(5_000))]);
    assert_eq!((story.account.emergency_owed, story.account.available), (Cents(0), Cents(8_000)));
    let mut careless = Story::begin();
    careless.owes(2_000, 0, hours(0));
    let refused = apply(&careless.account, &Policy::default(), Event::EmergencyAsked, hours(1));
    assert_eq!(refused, Err(ShortfallError::EmergencyNotNeeded));
}

#[test]
fn old_debt_is_paid_by_instalments_and_no_longer_cuts() {
    let mut story = Story::cut();
    let agreed = story.event(Event::InstalmentsAgreed { each: Cents(3_500), every_days: 7 }, hours(26));
    let (energy, owed, each) = (Wh(3_000), Cents(10_500), Cents(3_500));
    assert_eq!(
        agreed,
        [StepKind::InstalmentsAgreed { energy, owed, each }, StepKind::RelayCloses { command: 2 }]
    );
    let due = |week: i64| hours(26 + 24 * 7 * week);
    assert_eq!(story.owes(3_000, 5_000, due(1)), [], "it is due until its energy is bought");
    let bought = InstalmentDue { energy: Wh(1_000), at_most: each };
    assert_eq!(story.account.instalment_due(due(1)), Some(bought));
    // A neighbour sold it for less.
    let paid = StepKind::InstalmentPaid { paid: Cents(2_800), energy: Wh(1_000) };
    assert_eq!(story.event(paid_for(2_800, 1_000), due(1)), [paid]);
    assert_eq!(story.account.old_debt.unwrap().owed, Cents(7_000));
    assert_eq!(story.account.available, Cents(2_200));
    assert_eq!(story.account.exposure(), Cents(-2_200), "what is set aside does not count");
    assert_eq!(story.account.instalment_due(due(1)), None);
    // One missed, one paid at the next date, one last: done.
    assert_eq!(story.owes(2_000, 0, due(2)), [StepKind::InstalmentMissed(each)]);
    assert_eq!(story.event(Event::Paid(Cents(3_500)), due(2)), []);
    assert_eq!(story.account.instalment_due(due(2)), None, "a missed one is not made up for");
    assert_eq!(story.owes(2_000, 3_500, due(3)), []);
    story.event(paid_for(3_500, 1_000), due(3));
    assert_eq!(story.owes(1_000, 4_000, due(4)), []);
    let last = story.event(paid_for(3_500, 1_000), due(4));
    assert_eq!(last, [StepKind::InstalmentPaid { paid: each, energy: Wh(1_000) }, StepKind::InstalmentsDone]);
    assert_eq!((story.account.shortfall, story.account.available), (Wh(0), Cents(500)));
}

/// An instalment's energy was bought.
fn paid_for(paid: i64, energy: u64) -> Event {
    Event::InstalmentPaid { paid: Cents(paid), energy: Wh(energy) }
}

#[test]
fn instalments_that_do_not_divide_the_debt_end_it_all_the_same() {
    let mut story = Story::cut();
    story.event(Event::InstalmentsAgreed { each: Cents(1_000), every_days: 1 }, hours(26));
    let (mut owed, mut bought) = (3_000, Vec::new());
    for day in 1..20 {
        let at = hours(26 + 24 * day);
        story.owes(owed, 5_000, at);
        let Some(due) = story.account.instalment_due(at) else { break };
        // At retail it costs no more than it may.
        let cost = (due.energy.0 * 3_500).div_ceil(1_000);
        assert!(i64::try_from(cost).unwrap() <= due.at_most.0 && due.at_most.0 <= 1_000, "{due:?}");
        story.event(paid_for(due.at_most.0, due.energy.0), at);
        owed -= due.energy.0;
        bought.push(due.energy.0);
    }
    assert_eq!((owed, bought.len(), story.account.old_debt), (0, 11, None), "{bought:?}");
}

#[test]
fn a_dearer_retail_buys_less_with_each_instalment_and_keeps_the_agreement() {
    let mut story = Story::cut();
    story.event(Event::InstalmentsAgreed { each: Cents(3_500), every_days: 7 }, hours(26));
    let (at, retail) = (hours(26 + 24 * 7), Price(4_000));
    let (shortfall, available) = (Wh(3_000), Cents(5_000));
    story.event(Event::Attested { through: at, shortfall, available, retail }, at);
    let due = story.account.instalment_due(at).unwrap();
    assert_eq!((due.energy, due.at_most), (Wh(875), Cents(3_500)));
}

#[test]
fn debt_that_was_met_otherwise_needs_no_more_instalments() {
    let mut story = Story::cut();
    story.event(Event::InstalmentsAgreed { each: Cents(3_500), every_days: 7 }, hours(26));
    assert_eq!(story.owes(0, 0, hours(30)), [StepKind::InstalmentsDone]);
    assert_eq!(story.owes(500, 0, hours(31)), [], "new debt counts as any");
    assert_eq!(story.account.exposure(), Cents(1_750));
}

#[test]
fn emergency_credit_pays_no_instalment() {
    let mut story = Story::cut();
    story.event(Event::EmergencyAsked, hours(26));
    story.event(Event::InstalmentsAgreed { each: Cents(3_500), every_days: 1 }, hours(26));
    let missed = story.owes(3_000, 5_000, hours(51));
    assert_eq!(missed, [StepKind::InstalmentMissed(Cents(3_500))]);
    assert_eq!(story.account.instalment_due(hours(75)), None);
}

#[test]
fn an_agreement_that_is_not_kept_ends_and_the_debt_counts_again() {
    let mut story = Story::cut();
    story.event(Event::InstalmentsAgreed { each: Cents(3_500), every_days: 7 }, hours(26));
    story.event(Event::RelayReported(RelayPosition::Closed), hours(26));
    let mut steps = Vec::new();
    for week in 1..=3 {
        steps = story.owes(3_000, 0, hours(26 + 24 * 7 * week));
    }
    assert_eq!(
        steps[..2],
        [StepKind::InstalmentMissed(Cents(3_500)), StepKind::InstalmentsEnded(Cents(10_500))]
    );
    assert!(steps.iter().any(|step| matches!(step, StepKind::Warned { percent: 80, .. })));
    assert!(!steps.iter().any(|step| matches!(step, StepKind::RelayOpens { .. })), "a day's notice first");
}

#[test]
fn a_dispute_keeps_the_light_on_for_a_week_once_a_month() {
    let mut story = Story::begin();
    story.owes(2_400, 0, hours(0));
    story.event(Event::Disputed(1), hours(1));
    let reached = story.owes(3_000, 0, hours(25));
    assert!(matches!(reached[..], [StepKind::LimitReached { because: Deferral::Dispute, .. }]));
    let again = apply(&story.account, &Policy::default(), Event::Disputed(2), hours(26));
    assert_eq!(again, Err(ShortfallError::NotDisputable));
    story.owes(3_000, 0, hours(24 * 7));
    let week = story.owes(3_000, 0, hours(24 * 7 + 2));
    assert!(matches!(week[..], [StepKind::RelayOpens { .. }]), "{week:?}");
    // Answered, and disputed again too soon: recorded, but it does not bring a week more.
    assert_eq!(story.event(Event::Resolved, hours(24 * 8))[0], StepKind::Resolved(1));
    story.owes(0, 0, hours(24 * 8));
    story.event(Event::RelayReported(RelayPosition::Closed), hours(24 * 8));
    story.owes(3_000, 0, hours(24 * 9));
    assert_eq!(story.event(Event::Disputed(2), hours(24 * 9)), [StepKind::Disputed(2)]);
    assert!(matches!(story.owes(3_000, 0, hours(24 * 10))[..], [StepKind::RelayOpens { .. }]));
}

#[test]
fn on_old_readings_nobody_is_cut() {
    let mut story = Story::begin();
    story.owes(3_000, 0, hours(0));
    let later = story.event(Event::Tick, hours(24));
    assert!(
        matches!(later[..], [StepKind::LimitReached { because: Deferral::OldReadings, .. }]),
        "{later:?}"
    );
    // An attestation that comes late never overwrites a newer one.
    story.owes(0, 0, hours(48));
    let (through, shortfall) = (hours(30), Wh(9_000));
    story.event(Event::Attested { through, shortfall, available: Cents(0), retail: Price(3_500) }, hours(49));
    assert_eq!(story.account.shortfall, Wh(0));
}

#[test]
fn what_is_refused_changes_nothing_and_says_why() {
    let story = Story::begin();
    for (event, code) in [
        (Event::Paid(Cents(0)), "shortfall.amount_not_positive"),
        (Event::LimitSet(Cents(-1)), "shortfall.limit_negative"),
        (Event::EmergencyAsked, "shortfall.emergency_not_needed"),
        (Event::InstalmentsAgreed { each: Cents(1), every_days: 7 }, "shortfall.nothing_owed"),
        (paid_for(1, 1), "shortfall.no_instalment_due"),
        (Event::Disputed(1), "shortfall.not_disputable"),
        (Event::Disputed(0), "shortfall.not_disputable"),
        (Event::Resolved, "shortfall.no_dispute"),
    ] {
        let refusal = apply(&story.account, &Policy::default(), event, hours(0)).unwrap_err();
        assert_eq!(refusal.code(), code);
        assert!(refusal.to_string().starts_with(&format!("{code}: ")));
    }
    let mut owing = Story::begin();
    owing.owes(3_000, 0, hours(0));
    for (each, every_days) in [(201, 7), (3_500, 0), (3_500, 32)] {
        let event = Event::InstalmentsAgreed { each: Cents(each), every_days };
        let refusal = apply(&owing.account, &Policy::default(), event, hours(0)).unwrap_err();
        assert_eq!(refusal, ShortfallError::InstalmentsOutOfBounds { least: Cents(202) });
    }
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0u64..6_000, 0i64..9_000).prop_map(|(shortfall, available)| Event::Attested {
            through: Timestamp(0), shortfall: Wh(shortfall), available: Cents(available), retail: Price(3_500),
        }),
        2 => (1i64..9_000).prop_map(|amount| Event::Paid(Cents(amount))),
        2 => prop_oneof![Just(RelayPosition::Open), Just(RelayPosition::Closed)].prop_map(Event::RelayReported),
        1 => Just(Event::EmergencyAsked),
        1 => (1i64..5_000, 0u16..10)
            .prop_map(|(each, every_days)| Event::InstalmentsAgreed { each: Cents(each), every_days }),
        1 => prop_oneof![
            Just(Protection::None), Just(Protection::Clinic), Just(Protection::Customer(None))
        ].prop_map(Event::ProtectionSet),
        1 => (0i64..20_000).prop_map(|limit| Event::LimitSet(Cents(limit))),
        1 => (0u64..20).prop_map(Event::Disputed),
        2 => (0i64..5_000, 0u64..3_000).prop_map(|(paid, energy)| paid_for(paid, energy)),
        1 => Just(Event::Resolved),
        3 => Just(Event::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_happens_the_protections_hold(
        story in prop::collection::vec((events(), 0i64..2_000), 1..60)
    ) {
        let policy = Policy::default();
        let mut account = Account::new(HouseholdId(7), Cents(10_000), Price(3_500));
        let mut now = morning();
        let mut warned: Option<Timestamp> = None;
        let mut number = 0;
        for (event, minutes) in story {
            now = now.plus_seconds(60 * minutes);
            let event = match event {
                Event::Attested { shortfall, available, retail, .. } => {
                    Event::Attested { through: now, shortfall, available, retail }
                }
                other => other,
            };
            let Ok((next, steps)) = apply(&account, &policy, event, now) else { continue };
            prop_assert_eq!(&apply(&account, &policy, event, now), &Ok((next, steps.clone())));
            for step in &steps {
                number += 1;
                prop_assert_eq!(step.number, number);
                prop_assert!(!step.to_string().is_empty());
                match step.kind {
                    StepKind::Warned { percent: 80, .. } => warned = Some(now),
                    StepKind::RelayOpens { not_after, exposure, limit, .. } => {
                        prop_assert!((8..16).contains(&nairobi::hour(now)));
                        prop_assert_eq!((nairobi::hour(not_after), nairobi::day(not_after)), (16, nairobi::day(now)));
                        prop_assert_eq!(next.protection, Protection::None);
                        prop_assert!(exposure >= limit && exposure == next.exposure() && exposure.0 > 0);
                        prop_assert!(warned.is_some_and(|warned| now.since(warned) >= 86_400_000_000));
                    }
                    _ => {}
                }
            }
            // Money is only ever moved where a step says so.
            if let Event::Paid(amount) = event {
                let used: i64 = steps.iter().map(|step| match step.kind {
                    StepKind::EmergencyRepaid(paid) => paid.0,
                    _ => 0,
                }).sum();
                prop_assert_eq!(next.available.0, account.available.0 + amount.0 - used);
            }
            prop_assert!(next.available.0 >= 0 && next.emergency_owed.0 >= 0);
            // Nobody who pays enough or is protected stays in the dark.
            if next.exposure() < next.limit || next.protection != Protection::None {
                let dark = matches!(next.relay, Relay::Open | Relay::Opening { .. });
                prop_assert!(!dark, "{:?}", next);
            }
            account = next;
        }
    }
}
