//! One slack for all readings of a meter: what one has claimed beyond its connection, the
//! next ones must wait for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use jirani_meter::{Reading, Registers};
use jirani_readings::{Ahead, Began, Latest, Rating, Refusal, Span, SpanReason, Terms, judge, virtual_of};
use jirani_units::{HouseholdId, MeterId, Timestamp};
use proptest::prelude::*;

const START: Timestamp = Timestamp(1_795_348_800_000_000);
const HASH: [u8; 8] = [5; 8];
/// A quarter more than 5 kW: 6,250 Wh in an hour, and 1,562 Wh of slack.
const RATED_W: u32 = 5_000;

fn all(wh: u64) -> Registers {
    Registers { import_wh: wh, export_wh: wh, generation_wh: wh }
}

/// A meter's accepted readings, one after another, as a gateway keeps them.
struct Said {
    span: Span,
    rated_w: u32,
    latest: Latest,
    /// When, and what the household's virtual registers were.
    points: Vec<(i64, u64)>,
}

impl Said {
    fn new(rated_w: u32) -> Self {
        let latest = Latest {
            epoch: 1,
            seq: 1,
            time: START,
            registers: all(1_000),
            hash: HASH,
            received_at: START,
            ahead: Ahead::default(),
        };
        let span = Span::original(HouseholdId(1), MeterId([1; 16]), [2; 32], 1);
        Self { span, rated_w, latest, points: vec![(0, 1_000)] }
    }

    /// The next reading: so many seconds after the start the registers are `wh` higher, in
    /// the same epoch or in a new one that goes on from them.
    fn say(&mut self, seconds: i64, wh: u64, new_epoch: bool) -> Result<(), Refusal> {
        let rating = Rating { export_w: self.rated_w, import_w: self.rated_w, panels_w: self.rated_w };
        let terms = Terms {
            span: Some(&self.span),
            epoch: self.span.epoch,
            rating,
            modulus_wh: None,
            slot_s: 900,
            firmware: &[],
        };
        let time = START.plus_seconds(seconds);
        let (epoch, seq) =
            if new_epoch { (self.latest.epoch + 1, 1) } else { (self.latest.epoch, self.latest.seq + 1) };
        let registers = all(self.latest.registers.import_wh + wh);
        let time_us = time.0.cast_unsigned();
        let previous = HASH;
        let reading =
            Reading { epoch, seq, time_us, interval_s: 60, registers, previous, ..Reading::default() };
        let verdict = judge(&reading, &terms, Some(&self.latest), time)?;
        if let Some(Began::Epoch { base, opening }) = verdict.began {
            let next = Span { epoch, from: time, reason: SpanReason::ResetProven, ..self.span.clone() };
            self.span = self.span.followed(next, base, opening).unwrap();
        }
        let ahead = verdict.ahead;
        self.latest = Latest { epoch, seq, time, registers, hash: HASH, received_at: time, ahead };
        self.points.push((seconds, virtual_of(&self.span.offsets, &registers).unwrap().export_wh));
        Ok(())
    }
}

#[test]
fn many_readings_share_one_slack_and_time_gives_it_back() {
    let mut said = Said::new(RATED_W);
    for (what, seconds, wh, new_epoch, fine) in [
        ("the slack, at once", 60, 1_600, false, true),
        ("the slack again", 120, 1_600, false, false),
        ("the slack again, in a new epoch", 180, 1_600, true, false),
        ("what the time allows", 240, 300, false, true),
        ("the slack again, after it", 300, 1_000, false, false),
        ("the slack again, after that in a new epoch", 360, 200, true, true),
        ("an hour at the rating", 3_960, 5_000, false, true),
        ("an hour of nothing", 7_560, 0, false, true),
        ("the slack, which is whole again", 7_620, 1_600, false, true),
        ("and used", 7_680, 1_600, false, false),
    ] {
        let said = said.say(seconds, wh, new_epoch).map_err(|refusal| refusal.code());
        assert_eq!(said, if fine { Ok(()) } else { Err("reading.implausible") }, "{what}");
    }
}

#[test]
fn what_is_ahead_is_not_forgotten_when_the_last_reading_is_read_from_the_store_again() {
    let rating = Rating { export_w: RATED_W, import_w: RATED_W, panels_w: RATED_W };
    let mut said = Said::new(RATED_W);
    said.say(60, 1_600, false).unwrap();
    let stored = Latest { ahead: Ahead::default(), ..said.latest };
    said.latest = said.latest.followed_by(stored, rating);
    assert_eq!(said.say(120, 1_600, false).unwrap_err().code(), "reading.implausible");

    // Another gateway has judged the next reading: its time has taken some away, no more.
    let other = Latest { seq: 3, time: START.plus_seconds(660), registers: all(2_600), ..stored };
    said.latest = said.latest.followed_by(other, rating);
    assert_eq!(said.say(720, 1_600, false).unwrap_err().code(), "reading.implausible");
    said.say(780, 1_000, false).unwrap();
}

proptest! {
    #[test]
    fn between_any_two_accepted_readings_lies_at_most_their_time_and_one_slack(
        steps in prop::collection::vec((1..4_000_i64, 0..4_000_u64, any::<bool>()), 1..60),
        rated_w in 100..10_000_u32,
    ) {
        let mut said = Said::new(rated_w);
        let mut seconds = 0;
        for (passed, wh, new_epoch) in steps {
            seconds += passed;
            let _ = said.say(seconds, wh, new_epoch);
        }
        for (place, (from, before)) in said.points.iter().enumerate() {
            for (until, after) in &said.points[place..] {
                let most = u128::from(rated_w) * 5 * u128::try_from(until - from + 900).unwrap();
                prop_assert!(u128::from(after - before) * 4 * 3_600 <= most, "{from} to {until}");
            }
        }
    }

    #[test]
    fn a_meter_within_its_connection_is_never_called_implausible_however_often_it_reads(
        steps in prop::collection::vec((1..4_000_i64, 0..=125_u64), 1..60),
        rated_w in 100..10_000_u32,
    ) {
        let mut said = Said::new(rated_w);
        let (mut seconds, mut counted) = (0, 0_u64);
        for (passed, percent) in steps {
            seconds += passed;
            // Hundredths of a watt-second.
            counted += u64::from(rated_w) * percent * passed.cast_unsigned();
            let told = said.points.last().unwrap().1 - 1_000;
            prop_assert_eq!(said.say(seconds, counted / 360_000 - told, false), Ok(()));
        }
    }
}
