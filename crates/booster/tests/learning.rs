//! What the booster promises, asked through its public doors.
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use jirani_booster::{BoosterError, Level, Matrix, Model, Settings, Table, pinball, quantile, train};

const QUICK: Settings = Settings {
    rounds: 60,
    learning_rate: 0.1,
    leaves: 15,
    leaf_rows_min: 20,
    row_percent: 100,
    column_percent: 100,
    seed: 7,
};

fn levels() -> Vec<Level> {
    [100, 500, 900].map(|permille| Level::from_permille(permille).unwrap()).to_vec()
}

/// Even numbers between 0 and 1 that follow from nothing but their place.
fn even(place: usize) -> f32 {
    let mixed = (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1_u64 << 24) as f32
}

fn table(rows: usize, row: impl Fn(usize) -> [f32; 2], target: impl Fn(usize) -> f32) -> (Matrix, Vec<f32>) {
    let mut matrix = Matrix::new(2).unwrap();
    for place in 0..rows {
        matrix.push(&row(place)).unwrap();
    }
    (matrix, (0..rows).map(target).collect())
}

/// The target is between 0 and twice the first column; the second says nothing.
fn fan(rows: usize) -> (Matrix, Vec<f32>) {
    let x = |place: usize| 1.0 + 9.0 * even(3 * place);
    table(rows, |place| [x(place), even(3 * place + 1)], |place| 2.0 * x(place) * even(3 * place + 2))
}

#[test]
fn the_same_rows_and_seed_give_the_same_model_and_another_seed_another() {
    let (matrix, targets) = fan(2_000);
    let settings = Settings { row_percent: 60, column_percent: 60, ..QUICK };
    let first = train(&matrix, &targets, &levels(), &settings).unwrap();
    assert_eq!(first, train(&matrix, &targets, &levels(), &settings).unwrap());
    let other = train(&matrix, &targets, &levels(), &Settings { seed: 8, ..settings }).unwrap();
    assert_ne!(first, other);
}

#[test]
fn where_every_target_is_the_same_every_level_says_it() {
    let (matrix, targets) = table(300, |place| [even(place), f32::NAN], |_| 4.25);
    let model = train(&matrix, &targets, &levels(), &QUICK).unwrap();
    assert!(model.predict(&matrix).unwrap().iter().all(|said| (said - 4.25).abs() < 1e-6));
}

#[test]
fn where_no_column_says_anything_the_levels_are_the_quantiles_of_the_targets() {
    let (matrix, targets) = table(4_000, |_| [1.0, f32::NAN], |place| even(place) * 100.0);
    let model = train(&matrix, &targets, &levels(), &QUICK).unwrap();
    let said = &model.predict(&matrix).unwrap()[..3];
    for (said, share) in said.iter().zip([0.1, 0.5, 0.9]) {
        let wanted = quantile(&mut targets.clone(), share);
        assert!((said - wanted).abs() < 0.05, "{said} for {wanted}");
    }
}

#[test]
fn a_spread_that_grows_with_a_column_is_learned_at_every_level() {
    let (matrix, targets) = fan(20_000);
    let model = train(&matrix, &targets, &levels(), &QUICK).unwrap();
    let mut asked = Matrix::new(2).unwrap();
    for x in [2.0, 5.0, 9.0] {
        asked.push(&[x, 0.5]).unwrap();
    }
    let said = model.predict(&asked).unwrap();
    for (x, said) in [2.0_f32, 5.0, 9.0].iter().zip(said.chunks_exact(3)) {
        for (share, said) in [0.1, 0.5, 0.9].iter().zip(said) {
            assert!((said / (2.0 * x) - share).abs() < 0.08, "{said} of {x} at {share}");
        }
    }
}

#[test]
fn what_rises_is_said_to_rise() {
    let (matrix, targets) =
        table(6_000, |place| [even(2 * place) * 8.0, 0.0], |place| (even(2 * place) * 8.0).powi(2));
    let model = train(&matrix, &targets, &[Level::MEDIAN], &QUICK).unwrap();
    let mut asked = Matrix::new(2).unwrap();
    for step in 0..16_u8 {
        asked.push(&[f32::from(step) / 2.0, 0.0]).unwrap();
    }
    let said = model.predict(&asked).unwrap();
    assert!(said.windows(2).all(|pair| pair[0] <= pair[1]), "{said:?}");
    assert!(said[0] < 3.0 && said[15] > 48.0, "{said:?}");
}

#[test]
fn what_is_missing_is_learned_from_too() {
    let missing = |place: usize| place.is_multiple_of(3);
    let row = |place| [if missing(place) { f32::NAN } else { even(place) }, 0.0];
    let (matrix, targets) = table(3_000, row, |place| if missing(place) { 50.0 } else { even(place) });
    let model = train(&matrix, &targets, &[Level::MEDIAN], &QUICK).unwrap();
    let mut asked = Matrix::new(2).unwrap();
    for value in [f32::NAN, f32::INFINITY, 0.5] {
        asked.push(&[value, 0.0]).unwrap();
    }
    let said = model.predict(&asked).unwrap();
    assert!(said[0] > 45.0 && said[1] > 45.0 && said[2] < 5.0, "{said:?}");
}

#[test]
fn leaves_say_by_how_much_and_not_only_how_often() {
    // One row in five is a thousand: the slope alone would step by at most 1 a round.
    let (matrix, targets) = table(
        2_000,
        |place| [if place.is_multiple_of(5) { 1.0 } else { 0.0 }, 0.0],
        |place| {
            if place.is_multiple_of(5) { 1_000.0 } else { 0.0 }
        },
    );
    let model = train(&matrix, &targets, &[Level::MEDIAN], &QUICK).unwrap();
    let said = model.predict(&matrix).unwrap();
    assert!(said[0] > 990.0 && said[1] < 10.0, "{:?}", &said[..2]);
}

#[test]
fn learning_lowers_the_loss_on_rows_never_seen() {
    let (matrix, targets) = fan(8_000);
    let mut seen = Matrix::new(2).unwrap();
    let mut unseen = Matrix::new(2).unwrap();
    for (place, row) in matrix.iter().enumerate() {
        if place < 6_000 { &mut seen } else { &mut unseen }.push(row).unwrap();
    }
    let model = train(&seen, &targets[..6_000], &levels(), &QUICK).unwrap();
    let said = model.predict(&unseen).unwrap();
    let (mut loss, mut plain) = (0.0, 0.0);
    for (said, &truth) in said.chunks_exact(3).zip(&targets[6_000..]) {
        for (share, &said) in [0.1, 0.5, 0.9].iter().zip(said) {
            loss += pinball(*share, f64::from(said), f64::from(truth));
            let usual = quantile(&mut targets[..6_000].to_vec(), *share);
            plain += pinball(*share, f64::from(usual), f64::from(truth));
        }
    }
    assert!(loss < 0.85 * plain, "{loss} against {plain}");
}

#[test]
fn an_explanation_adds_up_and_names_the_column_that_matters() {
    let (matrix, targets) = fan(4_000);
    let model = train(&matrix, &targets, &levels(), &QUICK).unwrap();
    let row = [9.5, 0.5];
    let found = model.explain(&row, Level::from_permille(900).unwrap()).unwrap().unwrap();
    let mut asked = Matrix::new(2).unwrap();
    asked.push(&row).unwrap();
    let said = f64::from(model.predict(&asked).unwrap()[2]);
    assert!((found.said - said).abs() < 1e-3, "{} for {said}", found.said);
    assert!((found.base + found.columns.iter().sum::<f64>() - found.said).abs() < 1e-9);
    assert!(found.columns[0] > 4.0 && found.columns[1].abs() < 1.0, "{found:?}");
    assert_eq!(model.explain(&row, Level::from_permille(250).unwrap()).unwrap(), None);
}

#[test]
fn a_stored_model_answers_as_before_and_a_foreign_one_is_refused() {
    let (matrix, targets) = fan(1_000);
    let model = train(&matrix, &targets, &levels(), &QUICK).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    let read: Model = serde_json::from_str(&text).unwrap();
    assert_eq!(read.predict(&matrix).unwrap(), model.predict(&matrix).unwrap());
    let newer = text.replacen("\"booster_version\":1", "\"booster_version\":2", 1);
    let error = serde_json::from_str::<Model>(&newer).unwrap_err().to_string();
    assert!(error.starts_with("booster.version"), "{error}");
    for (sound, broken) in [("\"column\":0", "\"column\":9"), ("\"left\":1", "\"left\":0")] {
        let text = text.replacen(sound, broken, 1);
        let error = serde_json::from_str::<Model>(&text).unwrap_err().to_string();
        assert!(error.starts_with("booster.corrupt"), "{broken}: {error}");
    }
}

#[test]
fn models_of_one_table_are_asked_with_rows_binned_once_and_each_level_has_its_own_targets() {
    let (matrix, targets) = fan(2_000);
    let table = Table::of(&matrix).unwrap();
    let plain = table.learn(&levels(), |_| (&targets[..]).into(), &QUICK).unwrap();
    assert_eq!(plain, train(&matrix, &targets, &levels(), &QUICK).unwrap());
    let mirrored = |level: Level| {
        let sign = if level == Level::MEDIAN { -1.0 } else { 1.0 };
        targets.iter().map(|target| sign * target).collect()
    };
    let own = table.learn(&levels(), mirrored, &QUICK).unwrap();
    assert!(own.shares_bins(&plain));
    let rows = plain.rows(&matrix).unwrap();
    let (plain, own) = (plain.answer(&rows).unwrap(), own.answer(&rows).unwrap());
    for (plain, own) in plain.chunks_exact(3).zip(own.chunks_exact(3)) {
        assert!((plain[0] - own[0]).abs() < 1e-6 && (plain[2] - own[2]).abs() < 1e-6);
        assert!(own[1] < 0.0 && (plain[1] + own[1]).abs() < 2.0, "{plain:?} {own:?}");
    }
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let (matrix, targets) = fan(100);
    let empty = Matrix::new(2).unwrap();
    assert_eq!(train(&empty, &[], &levels(), &QUICK).unwrap_err(), BoosterError::NoRows);
    assert_eq!(train(&matrix, &targets[1..], &levels(), &QUICK).unwrap_err(), BoosterError::Targets);
    let mut wrong = targets.clone();
    wrong[3] = f32::NAN;
    assert_eq!(train(&matrix, &wrong, &levels(), &QUICK).unwrap_err(), BoosterError::Targets);
    assert_eq!(train(&matrix, &targets, &[], &QUICK).unwrap_err(), BoosterError::TooLarge);
    let twice = [Level::MEDIAN, Level::MEDIAN];
    assert_eq!(train(&matrix, &targets, &twice, &QUICK).unwrap_err(), BoosterError::TooLarge);
    let lazy = Settings { rounds: 0, ..QUICK };
    assert!(matches!(train(&matrix, &targets, &levels(), &lazy), Err(BoosterError::Settings(_))));
    assert_eq!(Matrix::new(0).unwrap_err(), BoosterError::TooLarge);
    assert_eq!(
        Matrix::new(3).unwrap().push(&[1.0]).unwrap_err(),
        BoosterError::RowWidth { found: 1, wanted: 3 }
    );
    assert_eq!(Level::from_permille(1_000).unwrap_err(), BoosterError::Level);
}
