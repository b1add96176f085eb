//! Every sentence of the menus, in both languages, side by side.

mod gate;
mod outcome;
mod place;

pub use gate::{code_message, gate, stranger};
pub use outcome::{Outcome, Refusal, follow_up, outcome};
pub use place::{Quoted, place};

use jirani_store::Language;

/// The sentence of a language.
fn of(language: Language, en: String, sw: String) -> String {
    match language {
        Language::En => en,
        Language::Sw => sw,
    }
}
