//! One screen, and how Africa's Talking wants it.

use std::fmt;

/// What a phone shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The text, at most 178 characters of GSM 03.38: with the word before it, 182.
    pub text: String,
    /// Whether an answer is waited for.
    pub then: Then,
}

/// What follows a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// An answer is waited for.
    Answer,
    /// The session is over.
    End,
}

impl Screen {
    /// A screen that waits for an answer.
    pub fn ask(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Answer }
    }

    /// A last screen.
    pub fn end(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::End }
    }
}

impl fmt::Display for Screen {
    /// The first word says what follows (Africa's Talking, USSD).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.then {
            Then::Answer => "CON",
            Then::End => "END",
        };
        write!(f, "{word} {}", self.text)
    }
}
