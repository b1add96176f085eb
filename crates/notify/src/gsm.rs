//! How long a text is in the alphabet of text messages.
//!
//! GSM 03.38 (3GPP TS 23.038, section 6.2.1): characters of the basic table take one
//! place of seven bits, those of its extension two, and one outside both makes the
//! whole message UCS-2, which holds 70 characters and costs as much as 160.

/// What one text message holds, in places of seven bits.
pub const MESSAGE_MAX: usize = 160;
/// What one USSD screen holds: 160 octets are 182 places of seven bits.
pub const SCREEN_MAX: usize = 182;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Places that a text takes; `None` when a character of it is in neither table.
pub fn places(text: &str) -> Option<usize> {
    text.chars().try_fold(0, |places, character| {
        if BASIC.contains(character) {
            Some(places + 1)
        } else if EXTENSION.contains(character) {
            Some(places + 2)
        } else {
            None
        }
    })
}

/// Whether one text message holds it.
pub fn is_one_message(text: &str) -> bool {
    places(text).is_some_and(|places| places <= MESSAGE_MAX)
}

/// Whether one USSD screen holds it.
pub fn is_one_screen(text: &str) -> bool {
    places(text).is_some_and(|places| places <= SCREEN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_table_has_its_127_characters_and_the_escape_is_none_of_them() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
        assert_eq!(places("\u{1b}"), None);
    }

    #[test]
    fn length_is_counted_in_places() {
        for (text, expected) in [
            ("", Some(0)),
            ("Salio: KSh 1,234.50", Some(19)),
            ("[1]", Some(5)),
            ("€", Some(2)),
            ("Ünïcode", None),
            ("`", None),
            ("\u{201c}hi\u{201d}", None),
        ] {
            assert_eq!(places(text), expected, "{text}");
        }
        assert!(is_one_message(&"x".repeat(160)) && !is_one_message(&"x".repeat(161)));
        assert!(!is_one_message(&"^".repeat(81)));
        assert!(is_one_screen(&"x".repeat(182)) && !is_one_screen(&"x".repeat(183)));
    }
}
