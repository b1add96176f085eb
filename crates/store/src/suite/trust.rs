//! Who vouches for a meter.

use super::samples::at;
use super::{Place, conflict, keep};
use crate::{AttestedMeterRecord, Change};
use jirani_units::{MeterId, Trust};

fn attested(byte: u8, device: &str) -> AttestedMeterRecord {
    AttestedMeterRecord { meter: MeterId([byte; 16]), device: device.to_owned(), since: at(1) }
}

pub async fn a_meter_that_the_site_signs_for_stays_one(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.attested_meters().await.unwrap(), []);
    keep(&store, vec![Change::AttestedMeter(attested(2, "b")), Change::AttestedMeter(attested(1, "a"))])
        .await;
    // The next start says it again, later.
    keep(&store, vec![Change::AttestedMeter(AttestedMeterRecord { since: at(9), ..attested(1, "a") })]).await;
    conflict(&store, vec![Change::AttestedMeter(attested(1, "b"))]).await;
    drop(store);
    let store = place.open().await;
    assert_eq!(store.attested_meters().await.unwrap(), [attested(1, "a"), attested(2, "b")]);
    for (meter, trust) in [
        (Some(MeterId([1; 16])), Trust::GatewayAttested),
        (Some(MeterId([3; 16])), Trust::DeviceSigned),
        (None, Trust::DeviceSigned),
    ] {
        assert_eq!(store.trust_of(meter).await.unwrap(), trust, "{meter:?}");
    }
}
