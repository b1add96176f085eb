//! What the site and the role say to each other: JSON over HTTPS, under a bearer
//! secret. docs/inbox.md describes it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;

/// `GET`: kept callbacks after a number.
pub const CALLBACKS: &str = "/inbox/v1/callbacks";
/// `POST`: they are on the site's disk, up to a number.
pub const ACKNOWLEDGED: &str = "/inbox/v1/acknowledged";

/// Callbacks of one answer at most.
pub const BATCH_MAX: u32 = 100;
/// The longest wait for the first callback, in seconds.
pub const WAIT_S_MAX: u32 = 25;
/// The longest answer that a site reads, in bytes: a full batch of the longest
/// callbacks, in base64, with their headers.
pub const ANSWER_MAX: usize = 12 << 20;
/// The shortest bearer secret: what cannot be guessed.
pub const TOKEN_MIN: usize = 24;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The file that `after` is a number of; of another file everything is asked
    /// for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<String>,
    /// The last callback the site has on disk; 0 for none.
    #[serde(default)]
    pub after: u64,
    /// At most this many, 1 to [`BATCH_MAX`].
    #[serde(default)]
    pub limit: Option<u32>,
    /// How long to wait for the first, in seconds, up to [`WAIT_S_MAX`].
    #[serde(default)]
    pub wait_s: Option<u32>,
}

/// Kept callbacks, the earliest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Name of the role's file: numbers of another file mean nothing here.
    pub inbox: String,
    /// The callbacks.
    pub callbacks: Vec<Kept>,
}

/// One kept callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// 1, 2, 3, ...; never given twice, with gaps.
    pub seq: u64,
    /// Path it was posted to, with its secret.
    pub path: String,
    /// Where it came from, as the role's gate saw it.
    pub source: String,
    /// How long ago it came, in milliseconds: the two machines' clocks may differ.
    pub age_ms: u64,
    /// Its headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body as it came.
    #[serde(with = "base64_text")]
    pub body: Vec<u8>,
}

/// All up to `through` is on the site's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Name of the file.
    pub inbox: String,
    /// The last number.
    pub through: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Callbacks that the role keeps no longer.
    pub forgotten: u64,
}

/// Whether two secrets are the same, in a time that says nothing about where
/// they differ or how long they are.
pub fn same_secret(one: &str, other: &str) -> bool {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(one).as_slice().ct_eq(digest(other).as_slice()).into()
}

mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_on_the_wire() {
        let batch = Batch {
            inbox: "a1".to_owned(),
            callbacks: vec![Kept {
                seq: 7,
                path: "/hooks/stk/s".to_owned(),
                source: "196.201.212.69".to_owned(),
                age_ms: 12,
                headers: BTreeMap::from([("businessshortcode".to_owned(), "174379".to_owned())]),
                body: b"{}".to_vec(),
            }],
        };
        let text = r#"{"inbox":"a1","callbacks":[{"seq":7,"path":"/hooks/stk/s","source":"196.201.212.69","age_ms":12,"headers":{"businessshortcode":"174379"},"body":"e30="}]}"#;
        assert_eq!(serde_json::to_string(&batch).unwrap(), text);
        assert_eq!(serde_json::from_str::<Batch>(text).unwrap(), batch);
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(same_secret("abc", "abc"));
        for other in ["", "ab", "abd", "abcd"] {
            assert!(!same_secret("abc", other));
        }
    }
}
