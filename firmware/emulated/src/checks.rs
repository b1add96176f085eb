//! Makes every golden vector with the meter's own code and compares.

use crate::machine::Console;
use crate::vectors::{
    ACKS, ANSWERS, CHALLENGES, COMMANDS, GATEWAY, Key, MAKER, MESSAGES, METER, ORDERS, READINGS, REFUSED,
    RELEASES,
};
use core::fmt::Write as _;
use jirani_meter::{
    Ack, Challenge, ChallengeAnswer, Command, Ed25519Signer, PublicKey, READING_CONTEXT, Reading, Sign1,
    SignedRelease, Signer as _, WireError, message,
};

/// What was compared, and what differed.
#[derive(Default)]
pub struct Tally {
    /// Vectors compared.
    pub vectors: u32,
    /// Those that were not as they should be; each was named on the console.
    pub differences: u32,
}

impl Tally {
    fn note(&mut self, what: &str, name: &str, holds: bool) {
        self.vectors += 1;
        if !holds {
            self.differences += 1;
            let _ = writeln!(Console, "error: {what} \"{name}\" differs");
        }
    }
}

/// Makes and checks them all.
pub fn all(meter: &Ed25519Signer, gateway: &Ed25519Signer) -> Result<Tally, WireError> {
    let mut tally = Tally::default();
    let maker = &Ed25519Signer::from_seed(&MAKER.seed);
    for (name, signer, key) in
        [("meter", meter, &METER), ("gateway", gateway, &GATEWAY), ("maker", maker, &MAKER)]
    {
        tally.note("key", name, is_key(signer, key));
    }
    let (meter_public, gateway_public) =
        (PublicKey::from_bytes(&METER.public)?, PublicKey::from_bytes(&GATEWAY.public)?);
    for case in READINGS {
        let made = case.reading.sign(meter)?.bytes.as_slice() == case.signed
            && case.reading.encode()?.as_slice() == case.payload;
        let read = Reading::decode(case.signed).and_then(|(reading, signed)| {
            signed.verify(&meter_public, READING_CONTEXT)?;
            Ok(reading == case.reading)
        });
        tally.note("reading", case.name, made && read == Ok(true));
    }
    for case in ACKS {
        let made = case.ack.sign(gateway)?.as_slice() == case.signed;
        let read = Ack::open(case.signed, &gateway_public) == Ok(case.ack);
        tally.note("acknowledgement", case.name, made && read && carries(case.signed, case.payload));
    }
    for case in COMMANDS.iter().chain(ORDERS) {
        let made = case.command.sign(gateway)?.as_slice() == case.signed;
        let read = Command::open(case.signed, &gateway_public) == Ok(case.command);
        tally.note("command", case.name, made && read && carries(case.signed, case.payload));
    }
    let maker_public = PublicKey::from_bytes(&MAKER.public)?;
    for case in RELEASES {
        let made = case.release.sign(maker)?;
        let read = SignedRelease::from_bytes(case.signed).and_then(|read| {
            read.verify(&maker_public)?;
            Ok(read == made && made.to_bytes()?.as_slice() == case.signed)
        });
        tally.note("release", case.name, read == Ok(true) && carries(case.signed, case.payload));
    }
    for case in CHALLENGES {
        let made = case.challenge.sign(gateway)?.as_slice() == case.signed;
        let read = Challenge::open(case.signed, &gateway_public) == Ok(case.challenge);
        tally.note("challenge", case.name, made && read && carries(case.signed, case.payload));
    }
    for case in ANSWERS {
        let made = ChallengeAnswer::sign(case.nonce, meter)?.as_slice() == case.signed;
        let answer = ChallengeAnswer { meter: METER.name, nonce: case.nonce, public_key: METER.public };
        let read = ChallengeAnswer::open(case.signed) == Ok(answer);
        tally.note("answer", case.name, made && read && carries(case.signed, case.payload));
    }
    for case in MESSAGES {
        tally.note("message", case.name, holds(case.bytes, case.readings));
    }
    for case in REFUSED {
        let refused = Reading::decode(case.bytes)
            .and_then(|(_, signed)| signed.verify(&meter_public, READING_CONTEXT))
            .err()
            .map(|error| error.code());
        tally.note("refusal", case.name, refused == Some(case.code));
    }
    Ok(tally)
}

fn is_key(signer: &Ed25519Signer, key: &Key) -> bool {
    signer.public_key() == key.public && signer.name() == key.name
}

fn carries(signed: &[u8], payload: &[u8]) -> bool {
    Sign1::read_all(signed).is_ok_and(|signed| signed.payload == payload)
}

/// Whether a message is made of the named readings, in order.
fn holds(bytes: &[u8], names: &[&str]) -> bool {
    let Ok(mut readings) = message::split(bytes) else { return false };
    let all = names.iter().all(|name| {
        let expected = READINGS.iter().find(|case| case.name == *name).map(|case| case.signed);
        readings.next().and_then(Result::ok).map(|signed| signed.bytes) == expected
    });
    all && readings.next().is_none()
}
