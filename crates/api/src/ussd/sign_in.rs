//! The code or PIN that stands before the menus: what the first answers of a session
//! mean. Pure; what only the store can say (was it right?) comes in as verdicts.

use jirani_store::Language;

/// Wrong ones in a row before the lock.
pub const TRIES: u32 = 3;
/// How long the lock lasts, in minutes.
pub const LOCK_MINUTES: u32 = 60;

/// What a number has to show first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Nothing is set: the first use.
    None,
    /// A code is on its way by text message.
    CodeSent,
    /// The PIN.
    Pin,
    /// Nothing, for so many minutes.
    Locked(u32),
}

/// What the store says of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong; so many tries are left.
    Wrong(u32),
    /// It cannot be one; not counted.
    Malformed,
    /// It is wrong, or comes too late: locked for so many minutes.
    Locked(u32),
}

/// A screen of this part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Which language? Two languages at once.
    Welcome,
    /// The code.
    Code,
    /// The code again: it was wrong, so many tries left; none counted if `None`.
    CodeAgain(Option<u32>),
    /// A PIN of one's own.
    Choose,
    /// Another PIN: that one is too easy, or no PIN.
    ChooseBetter,
    /// Another PIN: the two were not the same.
    ChooseSame,
    /// The PIN a second time.
    Repeat,
    /// The PIN.
    Pin,
    /// The PIN again: so many tries left; none counted if `None`.
    PinAgain(Option<u32>),
    /// How to get a new PIN.
    Forgotten,
    /// Locked for so many minutes.
    Locked(u32),
}

/// Where the first answers lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// To this screen.
    Show(Gate),
    /// To the store: is this answer right?
    Judge(usize),
    /// To a new code by text message, in this language if one was chosen.
    SendCode(Option<Language>),
    /// To this answer as the new PIN.
    Set(usize),
    /// Into the menus, with the answers from here on.
    In(usize),
}

/// Reads the first answers; `verdicts` are those on the first answers, in order.
pub fn sign_in(key: Key, inputs: &[&str], verdicts: &[Verdict]) -> SignIn {
    match key {
        Key::Locked(minutes) => SignIn::Show(Gate::Locked(minutes)),
        Key::None => match inputs.iter().find_map(|input| language(input)) {
            Some(language) => SignIn::SendCode(Some(language)),
            None => SignIn::Show(Gate::Welcome),
        },
        Key::CodeSent => match judged(inputs, verdicts) {
            Judged::Right(next) => choose(inputs, next),
            // Instead of a code: after the right one it is only no PIN.
            Judged::Open(index) if inputs.get(index) == Some(&"0") => SignIn::SendCode(None),
            Judged::Open(index) => SignIn::Judge(index),
            Judged::Locked(minutes) => SignIn::Show(Gate::Locked(minutes)),
            Judged::None => SignIn::Show(Gate::Code),
            Judged::Wrong(left) => SignIn::Show(Gate::CodeAgain(left)),
        },
        Key::Pin => match judged(inputs, verdicts) {
            Judged::Right(next) => SignIn::In(next),
            Judged::Open(index) if inputs.get(index) == Some(&"0") => SignIn::Show(Gate::Forgotten),
            Judged::Open(index) => SignIn::Judge(index),
            Judged::Locked(minutes) => SignIn::Show(Gate::Locked(minutes)),
            Judged::None => SignIn::Show(Gate::Pin),
            Judged::Wrong(left) => SignIn::Show(Gate::PinAgain(left)),
        },
    }
}

fn language(input: &str) -> Option<Language> {
    match input {
        "1" => Some(Language::Sw),
        "2" => Some(Language::En),
        _ => None,
    }
}

enum Judged {
    None,
    Right(usize),
    Open(usize),
    Wrong(Option<u32>),
    Locked(u32),
}

fn judged(inputs: &[&str], verdicts: &[Verdict]) -> Judged {
    let mut last = Judged::None;
    for index in 0..inputs.len() {
        last = match verdicts.get(index) {
            None => return Judged::Open(index),
            Some(Verdict::Right) => return Judged::Right(index + 1),
            Some(Verdict::Locked(minutes)) => return Judged::Locked(*minutes),
            Some(Verdict::Wrong(left)) => Judged::Wrong(Some(*left)),
            Some(Verdict::Malformed) => Judged::Wrong(None),
        };
    }
    last
}

/// A new PIN, typed twice.
fn choose(inputs: &[&str], from: usize) -> SignIn {
    let (mut chosen, mut gate) = (None, Gate::Choose);
    for (index, input) in inputs.iter().enumerate().skip(from) {
        match chosen {
            None if is_pin(input) && !is_easy(input) => {
                (chosen, gate) = (Some(*input), Gate::Repeat);
            }
            None => gate = Gate::ChooseBetter,
            Some(first) if first == *input => return SignIn::Set(index),
            Some(_) => (chosen, gate) = (None, Gate::ChooseSame),
        }
    }
    SignIn::Show(gate)
}

/// Four to six digits.
pub fn is_pin(text: &str) -> bool {
    (4..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The PINs tried first by whoever tries: one digit, or digits in a row.
pub fn is_easy(pin: &str) -> bool {
    let steps = || pin.as_bytes().windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0]));
    [0, 1, -1].iter().any(|step| steps().all(|other| other == *step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Locked, Malformed, Right, Wrong};

    fn of(key: Key, text: &str, verdicts: &[Verdict]) -> SignIn {
        sign_in(key, &super::super::inputs::split(text).unwrap(), verdicts)
    }

    #[test]
    fn the_first_use_asks_the_language_and_sends_a_code() {
        for (text, expected) in [
            ("", SignIn::Show(Gate::Welcome)),
            ("3", SignIn::Show(Gate::Welcome)),
            ("1", SignIn::SendCode(Some(Language::Sw))),
            ("3*2", SignIn::SendCode(Some(Language::En))),
        ] {
            assert_eq!(of(Key::None, text, &[]), expected, "{text}");
        }
    }

    #[test]
    fn a_right_code_lets_choose_a_pin_that_is_typed_twice() {
        let cases: [(&str, &[Verdict], SignIn); 17] = [
            ("", &[], SignIn::Show(Gate::Code)),
            ("0", &[], SignIn::SendCode(None)),
            ("111111*0", &[], SignIn::Judge(0)),
            ("111111*0", &[Wrong(2)], SignIn::SendCode(None)),
            ("123456*0", &[Right], SignIn::Show(Gate::ChooseBetter)),
            ("123456*0*2580", &[Right], SignIn::Show(Gate::Repeat)),
            ("111111", &[], SignIn::Judge(0)),
            ("111111", &[Wrong(2)], SignIn::Show(Gate::CodeAgain(Some(2)))),
            ("11", &[Malformed], SignIn::Show(Gate::CodeAgain(None))),
            ("111111*222222", &[Wrong(2)], SignIn::Judge(1)),
            ("1*2*3", &[Wrong(2), Wrong(1), Locked(60)], SignIn::Show(Gate::Locked(60))),
            ("123456", &[Right], SignIn::Show(Gate::Choose)),
            ("123456*1234", &[Right], SignIn::Show(Gate::ChooseBetter)),
            ("123456*2580", &[Right], SignIn::Show(Gate::Repeat)),
            ("123456*2580*2581", &[Right], SignIn::Show(Gate::ChooseSame)),
            ("123456*2580*2580", &[Right], SignIn::Set(2)),
            ("1*123456*9*2580*1*2580*2580", &[Malformed, Right], SignIn::Set(6)),
        ];
        for (text, verdicts, expected) in cases {
            assert_eq!(of(Key::CodeSent, text, verdicts), expected, "{text}");
        }
    }

    #[test]
    fn the_menus_open_behind_a_right_pin_only() {
        let cases: [(&str, &[Verdict], SignIn); 8] = [
            ("", &[], SignIn::Show(Gate::Pin)),
            ("0", &[], SignIn::Show(Gate::Forgotten)),
            ("2580", &[], SignIn::Judge(0)),
            ("2580", &[Right], SignIn::In(1)),
            ("2580*1", &[Right], SignIn::In(1)),
            ("2581*2580*1", &[Wrong(2)], SignIn::Judge(1)),
            ("2581*2580*1", &[Wrong(2), Right], SignIn::In(2)),
            ("1*1*1", &[Wrong(2), Wrong(1), Locked(60)], SignIn::Show(Gate::Locked(60))),
        ];
        for (text, verdicts, expected) in cases {
            assert_eq!(of(Key::Pin, text, verdicts), expected, "{text}");
        }
        assert_eq!(of(Key::Locked(5), "2580*1", &[Right]), SignIn::Show(Gate::Locked(5)));
    }

    #[test]
    fn easy_pins_are_no_pins() {
        for pin in ["0000", "1234", "4321", "999999", "123", "1234567", "12a4", "3456"] {
            assert!(!is_pin(pin) || is_easy(pin), "{pin}");
        }
        for pin in ["2580", "1357", "112233", "90210"] {
            assert!(is_pin(pin) && !is_easy(pin), "{pin}");
        }
    }
}
