//! Every instruction as the interface builds it.

use crate::address;
use crate::json::{Json, text};
use jirani_energy_interface::client::{
    Adjustment, Attestation, AttestationRow, Enrolment, FillAccounts, InitialConfig, NewOffer, NewOrder,
    Replacement, Section,
};
use jirani_energy_interface::event::{AttestedRow, Event, EventKind, RowStatus};
use jirani_energy_interface::instruction::{
    AdjustData, AmountData, AttestData, AuthorityAction, ChangeAuthorityData, ConfigureData, EnrolData,
    FillData, HardStopData, InitialiseData, PauseData, PlaceOrderData, PlainData, PostOfferData, ReleaseData,
    ReleaseReason, ReplaceMeterData, RowData, SettleData, Tag,
};
use jirani_energy_interface::state::{
    ATTESTORS_MAX, CappedKey, Caps, HouseholdKind, Limits, ORACLES_MAX, OracleSet, Tariff,
};
use jirani_energy_interface::{EnergyProgram, Proof, accounts};
use serde_json::{Map, Value, json};
use solana_instruction::{AccountMeta, Instruction};

const TARIFF: Tariff = Tariff { retail: 3000, buy_back: 500, grid_fee: 600, tax: 480 };
const FILLS: [FillAccounts; 2] = [
    FillAccounts { seller_id: 8, offer_id: 21, energy_wh: 1500, price: 1800 },
    FillAccounts { seller_id: 9, offer_id: 22, energy_wh: 2500, price: 1900 },
];

/// How many accounts of which name follow the fixed ones.
type Repeated<'a> = &'a [(&'a str, usize)];

/// All instructions of a deployment.
pub fn all(program: &EnergyProgram) -> Vec<Value> {
    let mut vectors = operator(program);
    vectors.extend(households(program));
    vectors.extend(trade(program));
    vectors.extend(events(program));
    for tag in Tag::ALL {
        let name = format!("{tag:?}");
        assert!(vectors.iter().any(|vector| vector["name"] == name.as_str()), "{name} has no vector");
    }
    vectors
}

fn operator(program: &EnergyProgram) -> Vec<Value> {
    let initial = InitialConfig::simple(address(1), address(2), address(3), address(4), TARIFF);
    let mut vectors = vec![
        fixed::<InitialiseData>(Tag::Initialise, &program.initialise(address(5), address(6), &initial)),
        fixed::<PauseData>(Tag::Pause, &program.pause(address(1), true)),
        fixed::<PauseData>(Tag::Pause, &program.pause(address(1), false)),
        fixed::<PlainData>(Tag::AcceptAdmin, &program.accept_admin(address(7))),
        fixed::<HardStopData>(Tag::HardStop, &program.hard_stop(address(1), true)),
    ];
    let mut oracles = OracleSet::single([9; 32]);
    oracles.members = std::array::from_fn(|i| [u8::try_from(i + 1).unwrap(); 32]);
    oracles.count = u8::try_from(ORACLES_MAX).unwrap();
    oracles.threshold = 5;
    let mut attestors = [CappedKey::NONE; ATTESTORS_MAX];
    attestors[2] = CappedKey::new([8; 32], u64::MAX, 2);
    let sections = [
        Section::Tariff(TARIFF),
        Section::Limits(Limits::default()),
        Section::Oracles(oracles),
        Section::Attestors(attestors),
        Section::Custodian(CappedKey::new([7; 32], 1, u64::MAX)),
        Section::PauseKey(address(11)),
        Section::PendingAdmin(address(12)),
        Section::Caps(Caps::default()),
    ];
    vectors.extend(sections.iter().map(|section| {
        let instruction = program.configure(address(1), section);
        let (mut args, value) = split::<ConfigureData>(&instruction.data);
        args.insert("value".to_owned(), hex::encode(value).into());
        vector(Tag::Configure, &instruction, args, &[])
    }));
    vectors
}

fn households(program: &EnergyProgram) -> Vec<Value> {
    let enrolment = Enrolment {
        household_id: 77,
        kind: HouseholdKind::Generator,
        feeder: 513,
        authority: Some(address(20)),
        meter_key: [21; 32],
        meter_epoch: 3,
        export_rating_w: 5000,
        import_rating_w: u32::MAX,
        initial_export_wh: u64::MAX,
        initial_import_wh: 12_345,
    };
    let custodial = Enrolment { authority: None, kind: HouseholdKind::Home, ..enrolment };
    let replacement = Replacement {
        household_id: 77,
        meter_key: [22; 32],
        meter_epoch: 4,
        export_rating_w: 6000,
        import_rating_w: 7000,
        initial_export_wh: 1,
        initial_import_wh: 2,
    };
    let adjustment = Adjustment {
        household_id: 77,
        oracle_version: 6,
        oracles: &[address(31), address(32)],
        export_wh: 100,
        import_wh: 200,
        adjusted_export_wh: 300,
        adjusted_import_wh: 400,
        reason: [33; 32],
    };
    let adjust = program.adjust(address(1), &adjustment);
    let wallet = address(40);
    vec![
        fixed::<EnrolData>(Tag::Enrol, &program.enrol(address(5), address(1), &enrolment)),
        fixed::<EnrolData>(Tag::Enrol, &program.enrol(address(5), address(1), &custodial)),
        fixed::<ReplaceMeterData>(Tag::ReplaceMeter, &program.replace_meter(address(1), &replacement)),
        fixed::<ChangeAuthorityData>(
            Tag::ChangeAuthority,
            &program.change_authority(address(20), 77, AuthorityAction::Propose, Some(address(23))),
        ),
        fixed::<ChangeAuthorityData>(
            Tag::ChangeAuthority,
            &program.change_authority(address(23), 77, AuthorityAction::Accept, None),
        ),
        fixed::<PlainData>(Tag::CloseHousehold, &program.close_household(address(1), 77, address(5))),
        vector(Tag::Adjust, &adjust, split::<AdjustData>(&adjust.data).0, &[("oracles", 2)]),
        fixed::<AmountData>(Tag::Move, &program.move_energy(address(20), 77, 78, 1000)),
        fixed::<AmountData>(Tag::Withdraw, &program.withdraw(address(20), 77, wallet, u64::MAX)),
        fixed::<AmountData>(Tag::Deposit, &program.deposit(address(20), 77, wallet, 1)),
        attest(program),
    ]
}

fn attest(program: &EnergyProgram) -> Value {
    let row =
        |household_id| AttestationRow { household_id, meter_epoch: 9, export_wh: 7, import_wh: u64::MAX };
    let instruction = program.attest(&Attestation {
        feeder: 513,
        slot_end: -900,
        evidence_root: [34; 32],
        oracle_version: 6,
        oracles: &[address(31), address(32), address(35)],
        rows: &[row(1), row(2)],
    });
    let (mut args, rows) = split::<AttestData>(&instruction.data);
    args.insert("row_data".to_owned(), items::<RowData>(rows));
    vector(Tag::Attest, &instruction, args, &[("oracles", 3), ("households_and_vaults", 4)])
}

fn trade(program: &EnergyProgram) -> Vec<Value> {
    let offer =
        NewOffer { seller_id: 8, offer_id: 21, energy_wh: 4000, price: 1800, expires_at: 1_800_000_000 };
    let order = NewOrder { buyer_id: 77, order_id: 5, fee: 600, tax: 480, fills: &FILLS };
    let place = program.place_order(address(5), address(20), &order);
    let (mut args, fills) = split::<PlaceOrderData>(&place.data);
    args.insert("fill_data".to_owned(), items::<FillData>(fills));
    let proof = Proof::transfer([36; 32]);
    let settle = program.settle(address(5), address(3), 77, 5, &FILLS, &proof, 1_700_000_000, address(37));
    let release = program.release(address(3), 77, 5, &FILLS[..1], ReleaseReason::PaidShort, address(37));
    let close = program.close_markers(&[(proof, address(37)), (Proof::receipt([38; 32]), address(39))]);
    vec![
        fixed::<PostOfferData>(Tag::PostOffer, &program.post_offer(address(5), address(20), &offer)),
        fixed::<PlainData>(Tag::CancelOffer, &program.cancel_offer(address(20), 8, 21, address(37))),
        vector(Tag::PlaceOrder, &place, args, &[("offers", 2)]),
        vector(Tag::Settle, &settle, split::<SettleData>(&settle.data).0, &[("offers_and_escrows", 4)]),
        vector(Tag::Release, &release, split::<ReleaseData>(&release.data).0, &[("offers", 1)]),
        vector(
            Tag::CloseMarkers,
            &close,
            split::<PlainData>(&close.data).0,
            &[("markers_and_rent_payers", 4)],
        ),
    ]
}

/// What the program sends itself, one of each kind.
fn events(program: &EnergyProgram) -> Vec<Value> {
    let row = |household_id, status: RowStatus| AttestedRow {
        household_id,
        status: status as u8,
        reserved: [0; 3],
        minted_wh: 5,
        burned_wh: 6,
        shortfall_wh: 7,
    };
    let rows = [row(1, RowStatus::Applied), row(2, RowStatus::Overflow)];
    let event = |kind: EventKind| {
        let attested = kind == EventKind::Attested;
        let event = Event {
            detail: if attested { 2 } else { 1 },
            household_id: 77,
            number: u64::MAX,
            energy_wh: 1,
            burned_wh: 2,
            cents: 3,
            subject: [41; 32],
            ..Event::new(kind, -1)
        };
        let mut data = bytemuck::bytes_of(&event).to_vec();
        if attested {
            data.extend_from_slice(bytemuck::cast_slice(&rows));
        }
        let accounts = vec![AccountMeta::new_readonly(program.config, true)];
        let instruction = Instruction { program_id: program.id, accounts, data };
        let (mut args, rows) = split::<Event>(&instruction.data);
        args.insert("attested_rows".to_owned(), items::<AttestedRow>(rows));
        vector(Tag::Event, &instruction, args, &[])
    };
    EventKind::ALL.into_iter().map(event).collect()
}

/// A vector of an instruction that is all fixed.
fn fixed<T: Json>(tag: Tag, instruction: &Instruction) -> Value {
    let (args, rest) = split::<T>(&instruction.data);
    assert!(rest.is_empty());
    vector(tag, instruction, args, &[])
}

fn vector(tag: Tag, instruction: &Instruction, args: impl Into<Value>, repeated: Repeated<'_>) -> Value {
    let args = args.into();
    let specs = accounts::of(tag);
    let (named, mut rest) = instruction.accounts.split_at(specs.len());
    let named: Map<_, _> = specs
        .iter()
        .zip(named)
        .map(|(spec, meta)| (spec.name.to_owned(), Value::from(text(meta.pubkey))))
        .collect();
    let mut lists = Map::new();
    for (name, count) in repeated {
        let (these, others) = rest.split_at(*count);
        lists.insert((*name).to_owned(), these.iter().map(|meta| text(meta.pubkey)).collect());
        rest = others;
    }
    assert!(rest.is_empty(), "every account has a name");
    let metas: Vec<_> = instruction
        .accounts
        .iter()
        .map(|meta| json!([text(meta.pubkey), meta.is_signer, meta.is_writable]))
        .collect();
    json!({
        "program": text(instruction.program_id),
        "name": format!("{tag:?}"),
        "accounts": named,
        "repeated": lists,
        "args": args,
        "metas": metas,
        "data": hex::encode(&instruction.data),
    })
}

fn split<T: Json>(data: &[u8]) -> (Map<String, Value>, &[u8]) {
    let (head, rest) = data.split_at(size_of::<T>());
    let Value::Object(fields) = bytemuck::pod_read_unaligned::<T>(head).json() else { unreachable!() };
    (fields, rest)
}

fn items<T: Json>(data: &[u8]) -> Value {
    data.chunks_exact(size_of::<T>()).map(|item| bytemuck::pod_read_unaligned::<T>(item).json()).collect()
}
