//! The paths M-Pesa calls back on.

use jirani_store::CallbackKind;

/// The longest body of a callback that is taken, in bytes. Real ones have less
/// than 2,000.
pub const BODY_MAX: usize = 64 * 1024;

/// The longest secret of a path; ours have 32 characters.
const SECRET_MAX: usize = 64;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// A callback to be kept.
    Kept(CallbackKind),
    /// A C2B validation request: always answered yes and never kept, because
    /// money that nobody expected becomes balance.
    Validation,
}

impl Door {
    /// The door and the secret of a path; `None` for any other path.
    pub fn of(path: &str) -> Option<(Self, &str)> {
        let mut parts = path.strip_prefix("/hooks/")?.split('/');
        let (family, secret, rest) = (parts.next()?, parts.next()?, parts.next());
        if parts.next().is_some() || !is_secret(secret) {
            return None;
        }
        let door = match (family, rest) {
            ("stk", None) => Self::Kept(CallbackKind::StkResult),
            ("b2c", Some("result")) => Self::Kept(CallbackKind::B2cResult),
            ("b2c", Some("timeout")) => Self::Kept(CallbackKind::B2cTimeout),
            ("c2b", Some("confirmation")) => Self::Kept(CallbackKind::C2bConfirmation),
            ("answer", Some("result")) => Self::Kept(CallbackKind::Answer),
            ("answer", Some("timeout")) => Self::Kept(CallbackKind::AnswerTimeout),
            ("c2b", Some("validation")) => Self::Validation,
            _ => return None,
        };
        Some((door, secret))
    }
}

/// Whether a secret is written as ours are: letters, digits and `-`.
pub fn is_secret(text: &str) -> bool {
    (1..=SECRET_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_doors() {
        let kept = |kind| Some((Door::Kept(kind), "abc-1"));
        assert_eq!(Door::of("/hooks/stk/abc-1"), kept(CallbackKind::StkResult));
        assert_eq!(Door::of("/hooks/b2c/abc-1/result"), kept(CallbackKind::B2cResult));
        assert_eq!(Door::of("/hooks/b2c/abc-1/timeout"), kept(CallbackKind::B2cTimeout));
        assert_eq!(Door::of("/hooks/c2b/abc-1/confirmation"), kept(CallbackKind::C2bConfirmation));
        assert_eq!(Door::of("/hooks/answer/abc-1/result"), kept(CallbackKind::Answer));
        assert_eq!(Door::of("/hooks/answer/abc-1/timeout"), kept(CallbackKind::AnswerTimeout));
        assert_eq!(Door::of("/hooks/c2b/abc-1/validation"), Some((Door::Validation, "abc-1")));
        let long = format!("/hooks/stk/{}", "a".repeat(65));
        for path in [
            "",
            "/",
            "/hooks/",
            "/hooks/stk",
            "/hooks/stk/",
            "/hooks/stk/a/b",
            "/hooks/stk/a%2e",
            "/hooks/stk/../x",
            "/hooks/b2c/a",
            "/hooks/b2c/a/other",
            "/hooks/b2c/a/result/x",
            "/hooks/sms/a",
            "/api/hooks/stk/a",
            &long,
        ] {
            assert_eq!(Door::of(path), None, "{path}");
        }
    }
}
