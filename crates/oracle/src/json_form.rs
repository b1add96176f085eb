//! The native reading in JSON, for experiments.
//!
//! `{"payload": "<base64>", "signature": "<base64>"}`, or an array of these: the payload is
//! the exact deterministic CBOR of a reading's fields, the signature the Ed25519 signature
//! of its COSE Sig_structure ([`jirani_meter`]). It is only another envelope: what is
//! verified, kept and proven is the COSE_Sign1 that the two parts belong to, byte for byte
//! the same as if it had come as such. docs/devices.md shows one in a few lines of Python.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jirani_meter::sign1::PAYLOAD_MAX;
use jirani_meter::{MESSAGE_READINGS_MAX, WireError};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Envelopes {
    One(Envelope),
    Many(Vec<Envelope>),
}

/// Whether a message is JSON. No message of readings begins like this: `{` and `[` are heads
/// of CBOR texts, and a message is an array.
pub fn is_json(message: &[u8]) -> bool {
    matches!(message.first(), Some(b'{' | b'['))
}

/// The signed readings of a JSON message, each as the COSE_Sign1 it stands for. Nothing is
/// verified; the caller has bounded its size.
pub fn readings(message: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    let malformed = WireError::Malformed("JSON readings are {\"payload\": base64, \"signature\": base64}");
    let envelopes = match serde_json::from_slice(message).map_err(|_| malformed)? {
        Envelopes::One(one) => vec![one],
        Envelopes::Many(many) if many.is_empty() => return Err(malformed),
        Envelopes::Many(many) if many.len() > MESSAGE_READINGS_MAX => {
            return Err(WireError::TooLarge { what: "a message's array", limit: MESSAGE_READINGS_MAX });
        }
        Envelopes::Many(many) => many,
    };
    envelopes.iter().map(|envelope| sign1(envelope).ok_or(malformed)).collect()
}

fn sign1(envelope: &Envelope) -> Option<Vec<u8>> {
    let payload = STANDARD.decode(&envelope.payload).ok()?;
    let signature: [u8; 64] = STANDARD.decode(&envelope.signature).ok()?.try_into().ok()?;
    let length = u8::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_MAX)?;
    // Tag 18, an array of four, the protected header {1: -8}, an empty unprotected one.
    let mut bytes = vec![0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0];
    match length {
        0..24 => bytes.push(0x40 | length),
        _ => bytes.extend([0x58, length]),
    }
    bytes.extend(payload);
    bytes.extend([0x58, 64]);
    bytes.extend(signature);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_meter::{Ed25519Signer, READING_CONTEXT, Reading, Sign1};

    #[test]
    fn the_json_form_is_the_same_reading_byte_for_byte() {
        let signer = Ed25519Signer::from_seed(&[7; 32]);
        let reading = Reading { meter: signer.name(), seq: 1, ..Reading::default() };
        let signed = reading.sign(&signer).unwrap();
        let parts = Sign1::read_all(signed.bytes.as_slice()).unwrap();
        let one = format!(
            r#"{{"payload":"{}","signature":"{}"}}"#,
            STANDARD.encode(parts.payload),
            STANDARD.encode(parts.signature)
        );
        assert!(is_json(one.as_bytes()) && !is_json(signed.bytes.as_slice()));
        assert_eq!(readings(one.as_bytes()).unwrap(), [signed.bytes.as_slice()]);
        assert_eq!(readings(format!("[{one},{one}]").as_bytes()).unwrap().len(), 2);
        let (decoded, parts) = Reading::decode(signed.bytes.as_slice()).unwrap();
        let key = jirani_meter::PublicKey::from_bytes(&jirani_meter::Signer::public_key(&signer)).unwrap();
        assert_eq!((decoded, parts.verify(&key, READING_CONTEXT)), (reading, Ok(())));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let long = format!(
            r#"{{"payload":"{}","signature":"{}"}}"#,
            STANDARD.encode([0; 256]),
            STANDARD.encode([0; 64])
        );
        let many = format!("[{}]", vec![r#"{"payload":"","signature":""}"#; 65].join(","));
        for text in [
            "{",
            "[]",
            "{}",
            r#"{"payload":"","signature":""}"#,
            r#"{"payload":"*","signature":"AA=="}"#,
            r#"{"payload":"","signature":"","x":1}"#,
            &long,
            &many,
        ] {
            assert!(readings(text.as_bytes()).is_err(), "{text}");
        }
    }
}
