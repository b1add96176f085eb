//! What people do in stories: enrol, attest, post, order, settle, pause.

use crate::world::{Landed, Refusal, TARIFF, World, key};
use jirani_energy_interface::client::{
    Attestation, AttestationRow, Enrolment, FillAccounts, NewOffer, NewOrder, Section,
};
use jirani_energy_interface::instruction::ReleaseReason;
use jirani_energy_interface::state::HouseholdKind;
use jirani_energy_interface::{Proof, programs, token};
use solana_account::Account;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeMap;

impl World {
    /// Puts tokens from nowhere into an account, as a stranger's transfer would,
    /// taken from `from`.
    pub fn move_tokens(&mut self, from: &Address, to: &Address, wh: u64) {
        for (address, gain) in [(from, false), (to, true)] {
            let mut account: Account = self.svm.get_account(address).expect("a token account");
            let balance = token::amount(&account.data).expect("a token account");
            let balance = if gain { balance + wh } else { balance - wh };
            account.data[64..72].copy_from_slice(&balance.to_le_bytes());
            self.svm.set_account(*address, account).expect("set");
        }
    }

    /// How a household of these stories is enrolled: custodial, 10 kW both ways.
    pub fn enrolment(id: u32) -> Enrolment {
        Enrolment {
            household_id: id,
            kind: HouseholdKind::Home,
            feeder: 1,
            authority: None,
            meter_key: [id.to_le_bytes()[0]; 32],
            meter_epoch: 1,
            export_rating_w: 10_000,
            import_rating_w: 10_000,
            initial_export_wh: 0,
            initial_import_wh: 0,
        }
    }

    /// Enrols households.
    pub fn enrol(&mut self, ids: impl IntoIterator<Item = u32>) {
        for id in ids {
            self.enrol_as(&Self::enrolment(id)).expect("enrolled");
        }
    }

    /// Enrols one household.
    pub fn enrol_as(&mut self, enrolment: &Enrolment) -> Result<Landed, Box<Refusal>> {
        let enrol = self.program.enrol(self.keys.payer.pubkey(), self.keys.admin.pubkey(), enrolment);
        let (payer, admin) = (self.keys.payer.insecure_clone(), self.keys.admin.insecure_clone());
        self.send(&[enrol], &[&payer, &admin])
    }

    /// The instruction that attests `(household, export, import)` at a slot's end.
    pub fn attestation(&self, slot_end: i64, rows: &[(u32, u64, u64)]) -> Instruction {
        let rows: Vec<_> = rows
            .iter()
            .map(|(household_id, export_wh, import_wh)| AttestationRow {
                household_id: *household_id,
                meter_epoch: 1,
                export_wh: *export_wh,
                import_wh: *import_wh,
            })
            .collect();
        self.program.attest(&Attestation {
            feeder: 1,
            slot_end,
            evidence_root: [7; 32],
            oracle_version: 1,
            oracles: &[self.keys.oracle.pubkey()],
            rows: &rows,
        })
    }

    /// Attests registers at the present moment.
    pub fn attest(&mut self, rows: &[(u32, u64, u64)]) -> Landed {
        let attest = self.attestation(self.now(), rows);
        let oracle = self.keys.oracle.insecure_clone();
        self.send(&[attest], &[&oracle]).expect("attested")
    }

    /// A new offer that expires in an hour.
    pub fn new_offer(&self, seller_id: u32, offer_id: u64, energy_wh: u64, price: u32) -> NewOffer {
        NewOffer { seller_id, offer_id, energy_wh, price, expires_at: self.now() + 3600 }
    }

    /// Posts an offer as the custodian.
    pub fn post(&mut self, offer: &NewOffer) -> Result<Landed, Box<Refusal>> {
        let post = self.program.post_offer(self.keys.payer.pubkey(), self.keys.custodian.pubkey(), offer);
        let (payer, custodian) = (self.keys.payer.insecure_clone(), self.keys.custodian.insecure_clone());
        self.send(&[post], &[&payer, &custodian])
    }

    /// Cancels an offer as `caller`.
    pub fn cancel_as(&mut self, caller: &Keypair, seller: u32, id: u64) -> Result<Landed, Box<Refusal>> {
        let cancel = self.program.cancel_offer(caller.pubkey(), seller, id, self.keys.payer.pubkey());
        self.send(&[cancel], &[caller])
    }

    /// Cancels an offer as the custodian.
    pub fn cancel(&mut self, seller: u32, id: u64) -> Result<Landed, Box<Refusal>> {
        self.cancel_as(&self.keys.custodian.insecure_clone(), seller, id)
    }

    /// The instruction that places an order at the tariff's fee and tax.
    pub fn order(&self, buyer_id: u32, order_id: u64, fills: &[FillAccounts]) -> Instruction {
        let order = NewOrder { buyer_id, order_id, fee: TARIFF.grid_fee, tax: TARIFF.tax, fills };
        self.program.place_order(self.keys.payer.pubkey(), self.keys.custodian.pubkey(), &order)
    }

    /// Places an order as the custodian.
    pub fn place(&mut self, buyer: u32, order: u64, fills: &[FillAccounts]) -> Result<Landed, Box<Refusal>> {
        let place = self.order(buyer, order, fills);
        let (payer, custodian) = (self.keys.payer.insecure_clone(), self.keys.custodian.insecure_clone());
        self.send(&[place], &[&payer, &custodian])
    }

    /// The instruction that settles an order.
    pub fn settlement(
        &self,
        buyer: u32,
        order: u64,
        fills: &[FillAccounts],
        proof: &Proof,
        paid_at: i64,
    ) -> Instruction {
        let payer = self.keys.payer.pubkey();
        self.program.settle(payer, self.keys.attestor.pubkey(), buyer, order, fills, proof, paid_at, payer)
    }

    /// Settles an order as the attestor.
    pub fn settle(
        &mut self,
        buyer: u32,
        order: u64,
        fills: &[FillAccounts],
        proof: &Proof,
        paid_at: i64,
    ) -> Result<Landed, Box<Refusal>> {
        let settle = self.settlement(buyer, order, fills, proof, paid_at);
        let (payer, attestor) = (self.keys.payer.insecure_clone(), self.keys.attestor.insecure_clone());
        self.send(&[settle], &[&payer, &attestor])
    }

    /// Releases an order as `caller`.
    pub fn release_as(
        &mut self,
        caller: &Keypair,
        buyer: u32,
        order: u64,
        fills: &[FillAccounts],
        reason: ReleaseReason,
    ) -> Result<Landed, Box<Refusal>> {
        let payer = self.keys.payer.pubkey();
        let release = self.program.release(caller.pubkey(), buyer, order, fills, reason, payer);
        self.send(&[release], &[caller])
    }

    /// Changes a section of Config as the admin.
    pub fn configure(&mut self, section: &Section) -> Result<Landed, Box<Refusal>> {
        let admin = self.keys.admin.insecure_clone();
        let configure = self.program.configure(admin.pubkey(), section);
        self.send(&[configure], &[&admin])
    }

    /// Stops the mint itself, or lifts that, as the admin.
    pub fn hard_stop(&mut self, stopped: bool) -> Result<Landed, Box<Refusal>> {
        let admin = self.keys.admin.insecure_clone();
        let stop = self.program.hard_stop(admin.pubkey(), stopped);
        self.send(&[stop], &[&admin])
    }

    /// Enrols a household that signs for itself.
    pub fn enrol_owned(&mut self, id: u32, owner: &Keypair) {
        let enrolment = Enrolment { authority: Some(owner.pubkey()), ..Self::enrolment(id) };
        self.enrol_as(&enrolment).expect("enrolled");
    }

    /// The address of a household's vault.
    pub fn vault_of(&self, id: u32) -> Address {
        self.program.vault(&self.program.household(id))
    }

    /// Opens an empty eKWh account outside of the program, at the address of key
    /// `number`: a vault's twin that belongs to `owner`. Some household must exist.
    pub fn open_wallet(&mut self, number: u8, owner: &Address) -> Address {
        let (_, mut account) = self
            .svm
            .get_program_accounts(&programs::TOKEN_2022)
            .into_iter()
            .find(|(address, _)| *address != self.program.mint)
            .expect("a vault to copy");
        account.data[32..64].copy_from_slice(owner.as_ref());
        account.data[64..72].fill(0);
        let address = key(number).pubkey();
        self.svm.set_account(address, account).expect("set");
        address
    }

    /// Every account of the program and of Token-2022, to see that nothing changed.
    pub fn snapshot(&self) -> BTreeMap<Address, Account> {
        [self.program.id, programs::TOKEN_2022]
            .iter()
            .flat_map(|owner| self.svm.get_program_accounts(owner))
            .collect()
    }

    /// Lamports at an address.
    pub fn lamports(&self, address: &Address) -> u64 {
        self.svm.get_balance(address).unwrap_or(0)
    }

    /// Pauses or resumes as `caller`.
    pub fn pause_as(&mut self, caller: &Keypair, paused: bool) -> Result<Landed, Box<Refusal>> {
        let pause = self.program.pause(caller.pubkey(), paused);
        self.send(&[pause], &[caller])
    }
}
