//! Every account of the program, with another value in every field, and at its
//! numbers' largest.

use crate::json::Json;
use jirani_energy_interface::ProofKind;
use jirani_energy_interface::state::{
    Config, Evidence, Household, HouseholdKind, Marker, Offer, OfferState, Order, PauseLevel, Record,
};
use serde_json::{Value, json};

/// Name, bytes and values of each.
pub fn all() -> Vec<Value> {
    [counting as fn(usize) -> u8, |_| 255]
        .into_iter()
        .flat_map(|byte| {
            [
                vector("Config", byte, config),
                vector("Household", byte, household),
                vector("Offer", byte, offer),
                vector("Order", byte, |order: &mut Order| order.reserved = [0; 24]),
                vector("Marker", byte, marker),
                vector("Evidence", byte, |evidence: &mut Evidence| evidence.reserved0 = 0),
            ]
        })
        .collect()
}

/// A record filled with those bytes, then made one that the program could write.
fn vector<T: Record + Json>(name: &str, byte: fn(usize) -> u8, mend: fn(&mut T)) -> Value {
    let mut bytes: Vec<u8> = (0..T::LEN).map(byte).collect();
    (bytes[0], bytes[1]) = (T::DISCRIMINATOR, T::VERSION);
    let mut record = bytemuck::pod_read_unaligned(&bytes);
    mend(&mut record);
    let bytes = bytemuck::bytes_of(&record);
    assert!(T::is(bytes), "{name} must be one that the program takes");
    json!({ "type": name, "data": hex::encode(bytes), "fields": record.json() })
}

/// No two neighbours alike, so that fields cannot be exchanged.
fn counting(i: usize) -> u8 {
    u8::try_from((i * 37 + 11) % 251).unwrap()
}

fn config(config: &mut Config) {
    config.paused = PauseLevel::Hard as u8;
    config.reserved0 = [0; 3];
    config.oracles.reserved = [0; 2];
    for key in config.attestors.iter_mut().chain([&mut config.custodian]) {
        key.reserved = 0;
    }
    config.caps.reserved = 0;
    config.adjusted.reserved = 0;
    config.reserved = [0; 19];
}

fn household(household: &mut Household) {
    household.kind = HouseholdKind::Battery as u8;
    household.reserved0 = 0;
    household.withdrawn.reserved = 0;
    household.reserved = [0; 2];
}

fn offer(offer: &mut Offer) {
    offer.state = OfferState::Closing as u8;
    offer.reserved0 = [0; 3];
    offer.reserved = [0; 32];
}

fn marker(marker: &mut Marker) {
    marker.kind = ProofKind::Transfer as u8;
    marker.reserved0 = 0;
}
