//! Text messages about accounts, in both languages.

use jirani_store::Language;

/// The message with the code to sign in with.
pub fn code_message(code: &str, language: Language) -> String {
    match language {
        Language::En => {
            format!(
                "Jirani: {code} is your code to sign in. It is good for 5 minutes. Never tell it to anybody."
            )
        }
        Language::Sw => {
            format!(
                "Jirani: {code} ni nambari yako ya kuingia. Inatumika kwa dakika 5. Usimwambie mtu yeyote."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm;

    #[test]
    fn every_message_is_one_text() {
        for language in [Language::En, Language::Sw] {
            assert!(gsm::is_one_message(&code_message("999999", language)));
        }
    }
}
