//! Records to keep.

use crate::{
    AttestedRow, CallbackKind, CollectionRecord, CollectionState, HouseholdKind, HouseholdRecord, Language,
    NewCallback, OfferRecord, OfferState, OrderRecord, OrderState, OutboxRecord, OutboxState, PayWith,
    PayoutRecord, PayoutState, QuarantineRow, ReadingRow, ReceiptRecord, ReceiptUse, SessionRecord,
    SessionRole, SlotRecord,
};
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId};
use jirani_market::Fill;
use jirani_units::{
    Cents, HouseholdId, MeterId, Msisdn, OfferId, OrderId, PayoutId, Price, Reference, Timestamp, Wh,
};

pub fn at(second: i64) -> Timestamp {
    Timestamp(1_763_825_016_000_001 + second * 1_000_000)
}

pub fn msisdn() -> Msisdn {
    "0712345678".parse().unwrap()
}

pub fn household(id: u32) -> HouseholdRecord {
    HouseholdRecord {
        id: HouseholdId(id),
        kind: HouseholdKind::Home,
        alias: format!("Nyumba {id}"),
        name: "Amina Wanjirũ".to_owned(),
        msisdn: Some(msisdn()),
        language: Language::Sw,
        meter: Some(meter(id)),
        meter_key: [7; 32],
        meter_epoch: u32::MAX,
        export_rating_w: 5_000,
        import_rating_w: 9_200,
        pv_rated_w: 3_300,
        feeder: u16::MAX,
        chain_address: Some([9; 32]),
        enrolled_at: at(0),
        version: 0,
    }
}

pub fn meter(id: u32) -> MeterId {
    let mut bytes = [0xff; 16];
    bytes[..4].copy_from_slice(&id.to_be_bytes());
    MeterId(bytes)
}

pub fn offer(id: u64) -> OfferRecord {
    OfferRecord {
        id: OfferId(id),
        seller: HouseholdId(1),
        energy_wh: Wh(4_000),
        reserved_wh: Wh(500),
        sold_wh: Wh(1_000),
        price: Price(1_500),
        expires_at: at(3_600),
        state: OfferState::Open,
        refusal: None,
        signature: Some("5sig".to_owned()),
        key: format!("offer-{id}"),
        created_at: at(1),
        version: 0,
    }
}

pub fn fill(offer: u64, seller: u32) -> Fill {
    Fill { offer: OfferId(offer), seller: HouseholdId(seller), energy_wh: u32::MAX, price: Price(1_500) }
}

pub fn order(id: u64) -> OrderRecord {
    OrderRecord {
        id: OrderId(id),
        buyer: HouseholdId(2),
        fills: vec![fill(1, 1), fill(2, 3)],
        fee: Price(300),
        tax: Price(200),
        due: Cents(2_099),
        pay_with: PayWith::Mpesa,
        state: OrderState::Planned,
        release_reason: None,
        refusal: None,
        deadline: None,
        proof: None,
        paid_at: None,
        placed_signature: None,
        final_signature: None,
        key: format!("order-{id}"),
        created_at: at(2),
        final_at: None,
        version: 0,
    }
}

pub fn collection(order: u64) -> CollectionRecord {
    CollectionRecord {
        order: OrderId(order),
        payer: HouseholdId(2),
        msisdn: msisdn(),
        amount: Cents(2_100),
        reference: Reference::from_entropy(order),
        secret: format!("{order:032x}"),
        checkout_request_id: None,
        state: CollectionState::Planned,
        receipt: None,
        created_at: at(3),
        next_check_at: Some(at(4)),
        checks: 2,
        version: 0,
    }
}

pub fn receipt(number: u64) -> ReceiptRecord {
    ReceiptRecord {
        receipt: format!("UJ{number:08}").parse().unwrap(),
        amount: Cents(2_100),
        paid_at: at(4),
        payer: Some(HouseholdId(2)),
        used_for: ReceiptUse::Order(OrderId(number)),
        received_at: at(5),
        version: 0,
    }
}

pub fn payout(id: u64) -> PayoutRecord {
    PayoutRecord {
        id: PayoutId(id),
        household: HouseholdId(1),
        msisdn: msisdn(),
        amount: Cents(5_500),
        sent: Cents(5_000),
        charge: Cents(500),
        attempt: 1,
        originator_id: format!("originator-{id}"),
        secret: format!("{id:032x}"),
        conversation_id: None,
        state: PayoutState::Planned,
        receipt: None,
        key: format!("payout-{id}"),
        created_at: at(6),
        final_at: None,
        version: 0,
    }
}

pub fn session(role: SessionRole) -> SessionRecord {
    SessionRecord {
        token_hash: [3; 32],
        role,
        operator: None,
        device: [3; 16],
        device_name: None,
        pin_at: None,
        created_at: at(7),
        expires_at: at(8),
        version: 0,
    }
}

pub fn reading(household: u32, epoch: u32, seq: u64) -> ReadingRow {
    // Registers and times of a number that no meter reaches do not matter.
    let steps = seq & 0xff_ffff;
    let second = i64::try_from(steps).unwrap() * 900;
    ReadingRow {
        meter: meter(household),
        epoch,
        seq,
        household: HouseholdId(household),
        time: at(second),
        import_wh: Wh(3 * steps),
        export_wh: Wh(2 * steps),
        generation_wh: Wh(4 * steps),
        power_w: -1_200,
        bytes: format!("{household}/{epoch}/{seq}").into_bytes(),
        received_at: at(second + 1),
    }
}

pub fn quarantined(number: u8) -> QuarantineRow {
    QuarantineRow {
        meter: number.is_multiple_of(2).then(|| meter(number.into())),
        code: "reading.bad_signature".to_owned(),
        detail: format!("number {number}"),
        bytes: vec![number, 0, 255],
        received_at: at(number.into()),
    }
}

pub fn slot(feeder: u16, number: i64, households: u32) -> SlotRecord {
    let row = |household: u32| AttestedRow {
        household: HouseholdId(household),
        export_wh: Wh(u64::from(household) + 10),
        import_wh: Wh(u64::from(household) + 20),
        estimated: household.is_multiple_of(2),
    };
    SlotRecord {
        feeder,
        end: at(900 * number),
        evidence_root: [5; 32],
        rows: (1..=households).map(row).collect(),
        signatures: Vec::new(),
        attested_at: None,
    }
}

pub fn landed(mut slot: SlotRecord) -> SlotRecord {
    slot.signatures = vec![format!("first/{}", slot.end), "second".to_owned()];
    slot.attested_at = Some(slot.end.plus_seconds(30));
    slot
}

pub fn callback(number: u8) -> NewCallback {
    let kinds = [
        CallbackKind::StkResult,
        CallbackKind::C2bConfirmation,
        CallbackKind::B2cResult,
        CallbackKind::B2cTimeout,
        CallbackKind::Answer,
        CallbackKind::AnswerTimeout,
    ];
    NewCallback {
        kind: kinds[usize::from(number) % kinds.len()],
        secret: format!("{number:032x}"),
        body: vec![b'{', 0, 0xff, number],
        source: "196.201.214.200".to_owned(),
        received_at: at(number.into()),
    }
}

pub fn outbox(key: &str, state: OutboxState) -> OutboxRecord {
    OutboxRecord {
        key: key.to_owned(),
        signature: format!("signature of {key}"),
        bytes: vec![1, 2, 3],
        work: vec![4, 5],
        signed: 2,
        last_valid_block_height: 150,
        state,
        compute_units: 20_000,
        fee_lamports: 5_000,
        report: vec![6],
        landed_at: Some(at(8)),
        retry_at: Some(at(7)),
        created_at: at(9),
    }
}

/// Money from M-Pesa to a household, under an id made from `name`.
pub fn deposit(name: &str, household: u32, cents: i64) -> Transfer {
    Transfer {
        id: TransferId::derive("deposit", name.as_bytes()),
        debit: Account::MpesaCollection,
        credit: Account::Household(HouseholdId(household)),
        amount: Cents(cents),
        reason: Reason::Credit,
        kind: Kind::Posted,
        memo: format!("deposit {name}"),
        at: at(10),
    }
}

/// Money out of a household's balance, under an id made from `name`.
pub fn draw(name: &str, household: u32, cents: i64, kind: Kind) -> Transfer {
    Transfer {
        id: TransferId::derive("draw", name.as_bytes()),
        debit: Account::Household(HouseholdId(household)),
        credit: Account::MpesaPayout,
        reason: Reason::Payout,
        kind,
        ..deposit(name, household, cents)
    }
}
