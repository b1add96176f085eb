//! Which events a transaction holds, and what an indexed event says.

use super::error::IndexError;
use super::history::{Call, Told};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::event::{DecodedEvent, EventKind};
use jirani_energy_interface::instruction::Tag;
use jirani_store::IndexedEvent;
use solana_address::Address;
use solana_signature::Signature;

/// The events of a transaction, in the order they were reported. The program calls
/// itself for each, signed by its Config: nobody else can.
pub fn events(
    program: &EnergyProgram,
    signature: &Signature,
    told: &Told,
) -> Result<Vec<IndexedEvent>, IndexError> {
    let mut events = Vec::new();
    for (place, call) in told.calls.iter().enumerate() {
        let (Some(inner), true) = (call.inner, is_event(program, call)) else { continue };
        let unknown = || IndexError::UnknownEvent(signature.to_string());
        let decoded = DecodedEvent::decode(&call.data).ok_or_else(unknown)?;
        let cause = cause(program, &told.calls[..place], call).ok_or_else(unknown)?;
        let attested = decoded.kind == EventKind::Attested;
        events.push(IndexedEvent {
            instruction: call.instruction,
            inner,
            kind: decoded.kind as u8,
            household: decoded.event.household_id,
            number: decoded.event.number,
            at: decoded.event.at,
            event: call.data.clone(),
            call: cause.data.clone(),
            accounts: if attested {
                Vec::new()
            } else {
                cause.accounts.iter().flat_map(Address::to_bytes).collect()
            },
        });
    }
    Ok(events)
}

fn is_event(program: &EnergyProgram, call: &Call) -> bool {
    call.program == program.id
        && call.data.first() == Some(&(Tag::Event as u8))
        && call.accounts.first() == Some(&program.config)
}

/// The call of the program that reported: the last one a level above.
fn cause<'a>(program: &EnergyProgram, earlier: &'a [Call], event: &Call) -> Option<&'a Call> {
    earlier
        .iter()
        .rev()
        .take_while(|call| call.instruction == event.instruction)
        .find(|call| call.height + 1 == event.height)
        .filter(|call| call.program == program.id)
}

/// An indexed event, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// What the program reported.
    pub decoded: DecodedEvent,
    /// Data of the instruction that caused it.
    pub call: Vec<u8>,
    /// Its accounts; empty for attestations.
    pub accounts: Vec<Address>,
}

impl Happened {
    /// Reads what was indexed; `None` when it was written by a newer version.
    pub fn read(event: &IndexedEvent) -> Option<Self> {
        let accounts = event
            .accounts
            .chunks_exact(32)
            .filter_map(|bytes| Some(Address::new_from_array(bytes.try_into().ok()?)))
            .collect();
        Some(Self { decoded: DecodedEvent::decode(&event.event)?, call: event.call.clone(), accounts })
    }

    /// The fixed part of the instruction's data, and what follows it.
    pub fn data<T: bytemuck::AnyBitPattern>(&self) -> Option<(T, &[u8])> {
        let (head, rest) = self.call.split_at_checked(size_of::<T>())?;
        Some((bytemuck::try_pod_read_unaligned(head).ok()?, rest))
    }

    /// What follows the fixed part, as a list.
    pub fn list<T: bytemuck::AnyBitPattern>(rest: &[u8]) -> Vec<T> {
        rest.chunks_exact(size_of::<T>())
            .filter_map(|bytes| bytemuck::try_pod_read_unaligned(bytes).ok())
            .collect()
    }
}
