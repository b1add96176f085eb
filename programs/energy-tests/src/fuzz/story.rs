//! Tells what happened, line by line, to a person.

use super::chain::Answer;
use super::deed::{Deed, Party};
use super::place::Place;
use jirani_energy_interface::instruction::{
    AdjustData, AmountData, AttestData, ChangeAuthorityData, ConfigureData, FillData, PlaceOrderData,
    PostOfferData, ReleaseData, RowData, SettleData, Tag,
};

/// A place as people call it.
fn name(place: Place) -> String {
    match place {
        Place::Home(id) => format!("household {id}"),
        Place::Vault(id) => format!("vault {id}"),
        Place::Offer(seller, id) => format!("offer {seller}/{id}"),
        Place::Escrow(seller, id) => format!("escrow {seller}/{id}"),
        Place::Order(buyer, id) => format!("order {buyer}/{id}"),
        Place::Marker(receipt, hash) => {
            let number = u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
            format!("marker of {} {number}", if receipt { "receipt" } else { "transfer" })
        }
        Place::Actor(actor) => format!("{actor:?}"),
        Place::Wallet(actor) => format!("wallet of {actor:?}"),
        other => format!("{other:?}"),
    }
}

fn read<T: bytemuck::Pod>(data: &[u8]) -> Option<T> {
    bytemuck::try_pod_read_unaligned(data.get(..size_of::<T>())?).ok()
}

/// The numbers of an instruction.
fn figures(tag: Tag, data: &[u8]) -> Option<String> {
    Some(match tag {
        Tag::Attest => {
            let head: AttestData = read(data)?;
            let rows = data.get(size_of::<AttestData>()..)?.chunks_exact(size_of::<RowData>());
            let rows: Vec<String> = rows
                .filter_map(read::<RowData>)
                .map(|row| {
                    format!("export {} import {} Wh epoch {}", row.export_wh, row.import_wh, row.meter_epoch)
                })
                .collect();
            format!("slot ends {}, oracle set {}: {}", head.slot_end, head.oracle_version, rows.join("; "))
        }
        Tag::Adjust => {
            let data: AdjustData = read(data)?;
            format!("export {} import {} Wh", data.export_wh, data.import_wh)
        }
        Tag::PostOffer => {
            let data: PostOfferData = read(data)?;
            format!(
                "number {}, {} Wh at {}, until {}",
                data.offer_id, data.energy_wh, data.price, data.expires_at
            )
        }
        Tag::PlaceOrder => {
            let head: PlaceOrderData = read(data)?;
            let fills = data.get(size_of::<PlaceOrderData>()..)?.chunks_exact(8).filter_map(read::<FillData>);
            let fills: Vec<String> =
                fills.map(|fill| format!("{} Wh at {}", fill.energy_wh, fill.price)).collect();
            format!("number {}, fee {}, tax {}: {}", head.order_id, head.fee, head.tax, fills.join(", "))
        }
        Tag::Settle => {
            let data: SettleData = read(data)?;
            let hash = data.proof;
            let number = u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
            format!("proof {number} of kind {}, paid at {}", data.proof_kind, data.paid_at)
        }
        Tag::Release => format!("reason {}", read::<ReleaseData>(data)?.reason),
        Tag::Move | Tag::Withdraw | Tag::Deposit => format!("{} Wh", read::<AmountData>(data)?.energy_wh),
        Tag::Configure => format!("section {}", read::<ConfigureData>(data)?.section),
        Tag::ChangeAuthority => {
            let action = read::<ChangeAuthorityData>(data)?.action;
            ["?", "propose", "cancel", "accept"].get(usize::from(action)).copied().unwrap_or("?").to_owned()
        }
        Tag::Pause | Tag::HardStop => if data.get(1) == Some(&1) { "stop" } else { "go on" }.to_owned(),
        _ => String::new(),
    })
}

/// One instruction.
pub fn deed(deed: &Deed) -> String {
    let who: Vec<String> =
        deed.parties.iter().filter(|party| party.signs).map(|party| name(party.place)).collect();
    let silent = |party: &&Party| {
        let usual =
            matches!(party.place, Place::Config | Place::Mint | Place::System | Place::Token | Place::Energy);
        !party.signs && !usual
    };
    let with: Vec<String> = deed.parties.iter().filter(silent).map(|party| name(party.place)).collect();
    let what = match deed.program {
        Place::Energy => match deed.data.first().copied().and_then(Tag::from_byte) {
            Some(tag) => {
                format!("{tag:?} {}", figures(tag, &deed.data).unwrap_or_else(|| "(spoiled data)".to_owned()))
            }
            None => "an unknown instruction".to_owned(),
        },
        Place::Token => format!("Token-2022 {:?}", deed.data),
        other => format!("{other:?} {:?}", deed.data),
    };
    let who = if who.is_empty() { "nobody".to_owned() } else { who.join(" and ") };
    format!("{who}: {what} [{}]", with.join(", "))
}

/// What came of a transaction.
pub fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Landed => "landed".to_owned(),
        Answer::Refused(at, Ok(error)) => format!("instruction {} refused, {}", at + 1, error.code()),
        Answer::Refused(at, Err(error)) => format!("instruction {} refused, {error}", at + 1),
    }
}
