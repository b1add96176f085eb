//! What stands before the menus: language, code, PIN.

use super::of;
use crate::ussd::screen::Screen;
use crate::ussd::sign_in::Gate;
use jirani_store::Language;

/// A screen of the way in.
pub fn gate(gate: Gate, language: Language) -> Screen {
    let say = |en: String, sw: String| of(language, en, sw);
    match gate {
        Gate::Welcome => Screen::ask("Jirani\n1 Kiswahili\n2 English"),
        Gate::Code => Screen::ask(say(
            "Enter the code we sent you by SMS.\n0 Send a new code".into(),
            "Andika nambari tuliyokutumia kwa SMS.\n0 Tuma nambari mpya".into(),
        )),
        Gate::CodeAgain(left) => Screen::ask(say(
            format!("That is not the code.{} Enter it again.\n0 Send a new code", left_en(left)),
            format!("Hiyo si nambari sahihi.{} Andika tena.\n0 Tuma nambari mpya", left_sw(left)),
        )),
        Gate::Choose => Screen::ask(say(
            "Choose a PIN of 4 to 6 digits. Never tell it to anybody.".into(),
            "Chagua PIN ya tarakimu 4 hadi 6. Usimwambie mtu yeyote.".into(),
        )),
        Gate::ChooseBetter => Screen::ask(say(
            "Choose another PIN: 4 to 6 digits, not in a row and not all the same.".into(),
            "Chagua PIN nyingine: tarakimu 4 hadi 6, zisifuatane wala zisifanane zote.".into(),
        )),
        Gate::ChooseSame => Screen::ask(say(
            "The two PINs were not the same. Choose a PIN of 4 to 6 digits.".into(),
            "PIN mbili hazikufanana. Chagua PIN ya tarakimu 4 hadi 6.".into(),
        )),
        Gate::Repeat => Screen::ask(say("Enter the same PIN again.".into(), "Andika PIN hiyo tena.".into())),
        Gate::Pin => Screen::ask(say(
            "Jirani\nEnter your PIN.\n0 Forgot PIN".into(),
            "Jirani\nAndika PIN yako.\n0 Nimesahau PIN".into(),
        )),
        Gate::PinAgain(left) => Screen::ask(say(
            format!("Wrong PIN.{} Enter your PIN.", left_en(left)),
            format!("PIN si sahihi.{} Andika PIN yako.", left_sw(left)),
        )),
        Gate::Forgotten => Screen::end(say(
            "Ask your operator to clear your PIN. Then dial again and choose a new one.".into(),
            "Mwombe mwendeshaji afute PIN yako. Kisha piga tena na uchague mpya.".into(),
        )),
        Gate::Locked(minutes) => Screen::end(say(
            format!("Locked after wrong tries. Dial again in {minutes} min."),
            format!("Imefungwa baada ya majaribio yasiyo sahihi. Piga tena baada ya dakika {minutes}."),
        )),
    }
}

fn left_en(left: Option<u32>) -> String {
    match left {
        None => String::new(),
        Some(1) => " 1 try left.".into(),
        Some(left) => format!(" {left} tries left."),
    }
}

fn left_sw(left: Option<u32>) -> String {
    match left {
        None => String::new(),
        Some(1) => " Jaribio 1 limebaki.".into(),
        Some(left) => format!(" Majaribio {left} yamebaki."),
    }
}

/// For a number that is no household's, or several households': nothing is said of
/// whether it is known.
pub fn stranger() -> Screen {
    Screen::end(
        "Jirani: namba hii haitumiki hapa. Muulize mwendeshaji.\nThis number cannot be used here. Ask your operator.",
    )
}

/// The text message with a one-time code.
pub fn code_message(code: &str, language: Language) -> String {
    of(
        language,
        format!("Jirani: your code is {code}. Dial again and enter it. Never tell it to anybody."),
        format!("Jirani: nambari yako ni {code}. Piga tena uiandike. Usimwambie mtu yeyote."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm;

    #[test]
    fn every_screen_of_the_way_in_fits_in_both_languages() {
        let gates = [
            Gate::Welcome,
            Gate::Code,
            Gate::CodeAgain(None),
            Gate::CodeAgain(Some(1)),
            Gate::CodeAgain(Some(2)),
            Gate::Choose,
            Gate::ChooseBetter,
            Gate::ChooseSame,
            Gate::Repeat,
            Gate::Pin,
            Gate::PinAgain(None),
            Gate::PinAgain(Some(1)),
            Gate::PinAgain(Some(2)),
            Gate::Forgotten,
            Gate::Locked(60),
        ];
        for one in gates {
            let [en, sw] = [Language::En, Language::Sw].map(|language| gate(one, language).to_string());
            assert!(gsm::is_one_screen(&en), "{en}");
            assert!(gsm::is_one_screen(&sw), "{sw}");
            assert!(en != sw || one == Gate::Welcome, "{en}");
        }
        assert!(gsm::is_one_screen(&stranger().to_string()));
        for language in [Language::En, Language::Sw] {
            assert!(gsm::is_one_message(&code_message("999999", language)));
        }
    }
}
