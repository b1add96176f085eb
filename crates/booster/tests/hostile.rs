//! Whatever rows, settings and stored models are thrown at it, it answers or
//! refuses: finite, never falling, no panic.
#![allow(clippy::unwrap_used, reason = "tests")]

use jirani_booster::{Level, Matrix, Model, Settings, train};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -10f32..10.0,
        1 => Just(f32::NAN),
        1 => Just(f32::NEG_INFINITY),
        1 => Just(f32::MAX),
        1 => Just(f32::MIN),
        1 => Just(-0.0),
        1 => Just(f32::MIN_POSITIVE / 2.0),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    (1u16..12, 0.01f32..=1.0, 2u8..=255, 1u32..9, 1u8..=100, 1u8..=100, any::<u64>()).prop_map(
        |(rounds, learning_rate, leaves, leaf_rows_min, row_percent, column_percent, seed)| Settings {
            rounds,
            learning_rate,
            leaves,
            leaf_rows_min,
            row_percent,
            column_percent,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_are_answered_with_finite_levels_that_never_fall(
        rows in proptest::collection::vec((proptest::array::uniform3(value()), -1e17f32..1e17), 1..120),
        settings in settings(),
        asked in proptest::collection::vec(proptest::array::uniform3(value()), 1..20),
    ) {
        let mut matrix = Matrix::new(3).unwrap();
        let mut targets = Vec::new();
        for (row, target) in &rows {
            matrix.push(row).unwrap();
            targets.push(*target);
        }
        let levels = [50, 500, 950].map(|permille| Level::from_permille(permille).unwrap());
        let model = train(&matrix, &targets, &levels, &settings).unwrap();
        let mut asked_for = Matrix::new(3).unwrap();
        let mut walked: Vec<Vec<f64>> = Vec::new();
        for row in &asked {
            asked_for.push(row).unwrap();
            let mut levels: Vec<f64> =
                levels.iter().map(|level| model.explain(row, *level).unwrap().unwrap().said).collect();
            prop_assert!(levels.iter().all(|said| said.is_finite()));
            levels.sort_by(f64::total_cmp);
            walked.push(levels);
        }
        let said = model.predict(&asked_for).unwrap();
        // Whether rows are asked together or one walks alone, the trees say the same.
        let scale = rows.iter().map(|(_, target)| f64::from(target.abs())).fold(1.0, f64::max);
        for (together, alone) in said.iter().zip(walked.iter().flatten()) {
            prop_assert!((f64::from(*together) - alone).abs() <= scale * 1e-4, "{} for {}", together, alone);
        }
        prop_assert_eq!(said.len(), asked.len() * 3);
        for levels in said.chunks_exact(3) {
            prop_assert!(levels.iter().all(|said| said.is_finite()));
            prop_assert!(levels.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }

    #[test]
    fn a_stored_model_with_any_bytes_changed_answers_or_is_refused(place in any::<prop::sample::Index>(), digit in 0u8..10) {
        let mut matrix = Matrix::new(2).unwrap();
        let mut targets = Vec::new();
        for step in 0..60_u8 {
            matrix.push(&[f32::from(step % 7), f32::from(step)]).unwrap();
            targets.push(f32::from(step % 11));
        }
        let settings = Settings { rounds: 4, leaf_rows_min: 3, ..Settings::default() };
        let model = train(&matrix, &targets, &[Level::MEDIAN], &settings).unwrap();
        let mut text = serde_json::to_string(&model).unwrap().into_bytes();
        let digits: Vec<usize> = (0..text.len()).filter(|&at| text[at].is_ascii_digit()).collect();
        text[digits[place.index(digits.len())]] = b'0' + digit;
        if let Ok(model) = serde_json::from_slice::<Model>(&text)
            && model.columns() == 2
        {
            prop_assert!(model.predict(&matrix).unwrap().iter().all(|said| !said.is_nan()));
        }
    }
}
