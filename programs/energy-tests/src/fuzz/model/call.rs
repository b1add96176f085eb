//! What every instruction asks of its accounts, written down a second time: the
//! program's own table is not used here.

use super::{Model, Verdict, Why, need};
use crate::fuzz::deed::{Deed, Party};
use crate::fuzz::place::Place;
use jirani_energy_interface::EnergyError as E;
use jirani_energy_interface::instruction::Tag;

/// Account by account: right (`s` signs, `w` changes, `b` both, `-` neither) and what it
/// must be (`.` anything, `c` Config, `h` household, `o` offer, `r` order, `m` marker, `e`
/// evidence, `t` of Token-2022, `S` `T` `E` the three programs).
fn table(tag: Tag) -> &'static str {
    match tag {
        Tag::Initialise => "s. b. -. w. w. -S -T -E",
        Tag::Configure | Tag::Pause | Tag::AcceptAdmin => "s. wc -E",
        Tag::HardStop => "s. wc wt -T -E",
        Tag::Enrol => "s. b. -c w. w. -t w. -S -T -E",
        Tag::ReplaceMeter | Tag::ChangeAuthority => "s. -c wh -E",
        Tag::CloseHousehold => "s. wc wh wt wt w. -T -E",
        Tag::Attest => "-c wt we -T -E",
        Tag::Adjust => "s. wc wt wh wt -T -E",
        Tag::PostOffer => "s. b. wc wh wt w. w. -t -S -T -E",
        Tag::CancelOffer => "s. -c wo wt wh wt wt w. -T -E",
        Tag::PlaceOrder => "s. b. wc wh w. -S -E",
        Tag::Settle => "s. b. wc wr wh wt wt w. w. -S -T -E",
        Tag::Release => "s. -c wr wh w. -E",
        Tag::Move => "s. -c wh wt wh wt wt -T -E",
        Tag::Withdraw | Tag::Deposit => "s. -c wh wt wt wt -T -E",
        Tag::CloseMarkers => "-c -E",
        Tag::Event => "",
    }
}

/// Which kind of record of ours a place is, and whether it is there.
impl Model {
    fn record(&self, place: Place) -> Option<u8> {
        match place {
            Place::Config => Some(b'c'),
            Place::Home(id) => self.homes.contains_key(&id).then_some(b'h'),
            Place::Offer(seller, id) => self.lots.contains_key(&(seller, id)).then_some(b'o'),
            Place::Order(buyer, id) => self.orders.contains_key(&(buyer, id)).then_some(b'r'),
            Place::Marker(..) => self.markers.contains_key(&place).then_some(b'm'),
            Place::Evidence(feeder) => self.evidence.contains_key(&feeder).then_some(b'e'),
            _ => None,
        }
    }

    /// Whether Token-2022 owns what lives there.
    pub(super) fn is_token(&self, place: Place) -> bool {
        matches!(place, Place::Mint | Place::FakeMint | Place::FakeVault | Place::FakeWallet)
            || self.tokens.contains_key(&place)
    }

    fn is(&self, party: &Party, what: u8) -> Verdict {
        let program = match what {
            b'.' => return Ok(()),
            b't' => return need(self.is_token(party.place), E::WrongOwner),
            b'S' => Some(Place::System),
            b'T' => Some(Place::Token),
            b'E' => Some(Place::Energy),
            _ => None,
        };
        if let Some(program) = program {
            return need(party.place == program, E::WrongProgram);
        }
        match self.record(party.place) {
            None => Err(E::WrongOwner.into()),
            Some(kind) => need(kind == what, E::WrongType),
        }
    }

    /// Checks the accounts one after the other.
    pub(super) fn check(&self, deed: &Deed, tag: Tag) -> Verdict {
        for (index, wanted) in table(tag).split(' ').filter(|wanted| !wanted.is_empty()).enumerate() {
            let [right, what] = *wanted.as_bytes() else { return Err(Why::Elsewhere) };
            let party = deed.parties.get(index).ok_or(Why::Ours(E::AccountsMissing))?;
            need(party.signs || !matches!(right, b's' | b'b'), E::MissingSigner)?;
            need(party.writable || !matches!(right, b'w' | b'b'), E::NotWritable)?;
            self.is(party, what)?;
        }
        Ok(())
    }

    /// A record that an instruction opens for writing after its table was checked: the
    /// accounts that repeat at its end.
    pub(super) fn opened(&self, party: &Party, what: u8) -> Verdict {
        need(party.writable, E::NotWritable)?;
        self.is(party, what)
    }

    /// Runs an instruction of the energy program.
    pub(super) fn energy_program(&mut self, deed: &Deed) -> Verdict {
        let tag = deed.data.first().copied().and_then(Tag::from_byte);
        match tag.ok_or(Why::Ours(E::UnknownInstruction))? {
            // Config exists, so it never happens twice; who asks wrongly hears that first.
            Tag::Initialise => self.initialise(deed),
            Tag::Configure => self.configure(deed),
            Tag::Pause => self.pause(deed),
            Tag::AcceptAdmin => self.accept_admin(deed),
            Tag::HardStop => self.hard_stop(deed),
            Tag::Enrol => self.enrol(deed),
            Tag::ReplaceMeter => self.replace_meter(deed),
            Tag::ChangeAuthority => self.change_authority(deed),
            Tag::CloseHousehold => self.close_household(deed),
            Tag::Attest => self.attest(deed),
            Tag::Adjust => self.adjust(deed),
            Tag::PostOffer => self.post_offer(deed),
            Tag::CancelOffer => self.cancel_offer(deed),
            Tag::PlaceOrder => self.place_order(deed),
            Tag::Settle => self.settle(deed),
            Tag::Release => self.release(deed),
            Tag::Move => self.move_energy(deed),
            Tag::Withdraw => self.withdraw(deed),
            Tag::Deposit => self.deposit(deed),
            Tag::CloseMarkers => self.close_markers(deed),
            Tag::Event => {
                let alone = deed.parties.len() == 1 && deed.parties[0].signs;
                need(alone, E::ForgedEvent)?;
                // Nobody but the program has Config's signature: this one is somebody else's.
                Err(E::WrongOwner.into())
            }
        }
    }

    /// The household at a place that was checked to be one.
    pub(super) fn home_at(place: Place) -> Verdict<u32> {
        if let Place::Home(id) = place { Ok(id) } else { Err(Why::Elsewhere) }
    }

    /// Whether a key acts for a household.
    pub(super) fn acts_for(&self, key: &jirani_energy_interface::Key, id: u32) -> bool {
        let home = &self.homes[&id];
        let right = if home.custodial { &self.rules.custodian.key } else { &home.authority };
        key == right && *right != [0; 32]
    }
}

/// The data as exactly one value.
pub(super) fn exactly<T: bytemuck::Pod>(data: &[u8]) -> Verdict<T> {
    bytemuck::try_pod_read_unaligned(data).map_err(|_| E::InvalidData.into())
}

/// The data as one value and what follows.
pub(super) fn head<T: bytemuck::Pod>(data: &[u8]) -> Verdict<(T, &[u8])> {
    let (head, rest) = data.split_at_checked(size_of::<T>()).ok_or(Why::Ours(E::InvalidData))?;
    Ok((exactly(head)?, rest))
}
