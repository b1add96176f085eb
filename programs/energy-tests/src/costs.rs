//! What every instruction costs on the ELF, measured as a story that uses each once.

use crate::world::{Landed, START, TARIFF, World, key};
use jirani_energy_interface::client::{Adjustment, FillAccounts, Replacement, Section};
use jirani_energy_interface::instruction::{AuthorityAction, ReleaseReason};
use jirani_energy_interface::state::{Caps, OracleSet};
use jirani_energy_interface::{ATTEST_ROWS_MAX, Proof, attest_rows_that_fit};
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// What one instruction costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What was done.
    pub what: String,
    /// Compute units, calls to other programs included.
    pub units: u64,
    /// Bytes of a transaction of format v1 with nothing else in it.
    pub bytes: usize,
    /// Signatures, the fee payer's among them.
    pub signatures: u64,
}

/// Every instruction once, in the order of a household's life.
pub fn table() -> Vec<Cost> {
    let mut table = Table::default();
    beginnings(&mut table);
    trade(&mut table);
    changes(&mut table);
    wallet_and_records(&mut table);
    attestations(&mut table);
    table.0
}

#[derive(Default)]
struct Table(Vec<Cost>);

impl Table {
    fn add(&mut self, what: &str, landed: &Landed) {
        self.0.push(Cost {
            what: what.to_owned(),
            units: landed.units,
            bytes: landed.bytes,
            signatures: landed.fee / 5000,
        });
    }

    fn send(&mut self, world: &mut World, what: &str, instruction: Instruction, signers: &[Keypair]) {
        let signers: Vec<_> = signers.iter().collect();
        let landed = world.send(&[instruction], &signers).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        self.add(what, &landed);
    }
}

fn keys<const N: usize>(keys: [&Keypair; N]) -> [Keypair; N] {
    keys.map(Keypair::insecure_clone)
}

fn fill(offer_id: u64, energy_wh: u32) -> FillAccounts {
    FillAccounts { seller_id: 1, offer_id, energy_wh, price: 1500 }
}

fn seller_and_buyer() -> World {
    let mut world = World::new();
    world.enrol([1, 2]);
    world.wait(900);
    world.attest(&[(1, 5000, 0), (2, 0, 0)]);
    world
}

fn beginnings(table: &mut Table) {
    let mut world = World::bare();
    let initialise = world.initialise(&world.initial_config());
    let signers = keys([&world.keys.payer, &world.keys.upgrade]);
    table.send(&mut world, "initialise", initialise, &signers);
    table.add("enrol (first of a feeder)", &world.enrol_as(&World::enrolment(1)).expect("enrolled"));
    table.add("enrol", &world.enrol_as(&World::enrolment(2)).expect("enrolled"));
}

fn trade(table: &mut Table) {
    let mut world = seller_and_buyer();
    let now = START + 900;
    for id in 1..=4 {
        let landed = world.post(&world.new_offer(1, id, 500, 1500)).expect("posted");
        if id == 1 {
            table.add("post offer", &landed);
        }
    }
    table.add("place order, 1 fill", &world.place(2, 1, &[fill(1, 50)]).expect("placed"));
    let settled = world.settle(2, 1, &[fill(1, 50)], &Proof::receipt([1; 32]), now).expect("settled");
    table.add("settle, 1 fill", &settled);
    let fills = [1, 2, 3, 4].map(|id| fill(id, 50));
    table.add("place order, 4 fills", &world.place(2, 2, &fills).expect("placed"));
    let settled = world.settle(2, 2, &fills, &Proof::receipt([2; 32]), now).expect("settled");
    table.add("settle, 4 fills", &settled);
    let place = world.order(2, 3, &fills);
    let settle = world.settlement(2, 3, &fills, &Proof::transfer([3; 32]), now);
    let [payer, custodian, attestor] = keys([&world.keys.payer, &world.keys.custodian, &world.keys.attestor]);
    let both = world.send(&[place, settle], &[&payer, &custodian, &attestor]).expect("settled");
    table.add("place and settle, 4 fills", &both);
    world.place(2, 4, &fills).expect("placed");
    let released = world.release_as(&attestor, 2, 4, &fills, ReleaseReason::PaymentRefused);
    table.add("release, 4 fills", &released.expect("released"));
    world.place(2, 5, &[fill(1, 50)]).expect("placed");
    let released = world.release_as(&attestor, 2, 5, &[fill(1, 50)], ReleaseReason::PaymentRefused);
    table.add("release, 1 fill", &released.expect("released"));
    table.add("cancel offer", &world.cancel(1, 1).expect("cancelled"));
    world.wait(31 * 86_400);
    let markers = [(Proof::receipt([1; 32]), payer.pubkey()), (Proof::receipt([2; 32]), payer.pubkey())];
    let close = world.program.close_markers(&markers[..1]);
    table.send(&mut world, "close markers, 1", close, &[]);
}

fn changes(table: &mut Table) {
    let mut world = seller_and_buyer();
    let [admin, pause, next] = keys([&world.keys.admin, &world.keys.pause, &key(77)]);
    let program = world.program;
    let own = [admin.insecure_clone()];
    table.send(&mut world, "configure", program.configure(admin.pubkey(), &Section::Tariff(TARIFF)), &own);
    let oracles = OracleSet::single(world.keys.oracle.pubkey().to_bytes());
    let rotate = program.configure(admin.pubkey(), &Section::Oracles(oracles));
    table.send(&mut world, "configure, oracle set", rotate, &own);
    table.send(&mut world, "pause", program.pause(pause.pubkey(), true), &[pause]);
    table.send(&mut world, "hard stop", program.hard_stop(admin.pubkey(), true), &own);
    world.send(&[program.hard_stop(admin.pubkey(), false)], &[&admin]).expect("lifted");
    world.send(&[program.pause(admin.pubkey(), false)], &[&admin]).expect("resumed");
    let replacement = Replacement {
        household_id: 1,
        meter_key: [9; 32],
        meter_epoch: 2,
        export_rating_w: 10_000,
        import_rating_w: 10_000,
        initial_export_wh: 7,
        initial_import_wh: 7,
    };
    table.send(&mut world, "replace meter", program.replace_meter(admin.pubkey(), &replacement), &own);
    let propose = program.change_authority(admin.pubkey(), 1, AuthorityAction::Propose, Some(next.pubkey()));
    table.send(&mut world, "propose authority", propose, &own);
    world.wait(48 * 3600);
    let accept = program.change_authority(next.pubkey(), 1, AuthorityAction::Accept, None);
    table.send(&mut world, "accept authority", accept, &[next.insecure_clone()]);
    let close = program.close_household(admin.pubkey(), 2, world.keys.payer.pubkey());
    table.send(&mut world, "close household", close, &own);
    let propose = program.configure(admin.pubkey(), &Section::PendingAdmin(next.pubkey()));
    world.send(&[propose], &[&admin]).expect("proposed");
    table.send(&mut world, "accept admin", program.accept_admin(next.pubkey()), &[next]);
}

fn wallet_and_records(table: &mut Table) {
    let mut world = World::new();
    let owner = key(78);
    for id in [1, 2] {
        let mut enrolment = World::enrolment(id);
        enrolment.authority = Some(owner.pubkey());
        world.enrol_as(&enrolment).expect("enrolled");
    }
    world.wait(900);
    world.attest(&[(1, 5000, 0), (2, 0, 100)]);
    let program = world.program;
    let [admin, oracle] = keys([&world.keys.admin, &world.keys.oracle]);
    let adjustment = Adjustment {
        household_id: 1,
        oracle_version: 1,
        oracles: &[oracle.pubkey()],
        export_wh: 10,
        import_wh: 0,
        adjusted_export_wh: 0,
        adjusted_import_wh: 0,
        reason: [1; 32],
    };
    table.send(
        &mut world,
        "adjust",
        program.adjust(admin.pubkey(), &adjustment),
        &[admin.insecure_clone(), oracle],
    );
    let caps = Caps { withdrawal_wh: 1000, ..Caps::default() };
    world.send(&[program.configure(admin.pubkey(), &Section::Caps(caps))], &[&admin]).expect("allowed");
    let own = [owner.insecure_clone()];
    table.send(&mut world, "move, burning a shortfall", program.move_energy(owner.pubkey(), 1, 2, 200), &own);
    let wallet = open_wallet(&mut world, &owner.pubkey());
    table.send(&mut world, "withdraw", program.withdraw(owner.pubkey(), 1, wallet, 500), &own);
    table.send(&mut world, "deposit", program.deposit(owner.pubkey(), 1, wallet, 500), &own);
}

/// An eKWh token account of `owner` with nothing in it, outside the program.
fn open_wallet(world: &mut World, owner: &Address) -> Address {
    let vault = world.program.vault(&world.program.household(1));
    let mut account = world.svm.get_account(&vault).expect("a vault");
    account.data[32..64].copy_from_slice(owner.as_ref());
    account.data[64..72].fill(0);
    let wallet = Address::new_from_array([0x77; 32]);
    world.svm.set_account(wallet, account).expect("a wallet");
    wallet
}

fn attestations(table: &mut Table) {
    let mut world = village();
    table.add("attest, 1 row that mints", &attest_all(&mut world, 1, 1000, 0));
    table.add("attest, 28 rows that mint", &attest_all(&mut world, 28, 1000, 0));
    table.add("attest, 28 rows that burn", &attest_all(&mut world, 28, 0, 100));
    table.add("attest, 28 rows that move nothing", &attest_all(&mut world, 28, 0, 0));
}

fn village() -> World {
    let mut world = World::new();
    world.enrol(1..=u32::try_from(ATTEST_ROWS_MAX).expect("few"));
    world
}

/// Attests the first `households`: `export` and `import` are added to their registers.
/// The oracle pays the fee itself: one signature.
fn attest_all(world: &mut World, households: u32, export: u64, import: u64) -> Landed {
    let rows: Vec<_> = (1..=households)
        .map(|id| {
            let household = world.household(id);
            (id, household.meter_export_wh + export, household.meter_import_wh + import)
        })
        .collect();
    world.wait(900);
    let attest = world.attestation(world.now(), &rows);
    let oracle = world.keys.oracle.insecure_clone();
    world.svm.airdrop(&oracle.pubkey(), 1_000_000_000).expect("lamports");
    world.send_paid_by(&oracle, &[attest], &[]).expect("attested")
}

/// What the benches and bounds are about, beside the table.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Rows of one attestation that landed, with one oracle.
    pub rows_one_oracle: usize,
    /// The same with three oracles, all needed.
    pub rows_three_oracles: usize,
    /// Units of one more row, the dearer of minting and burning.
    pub units_per_row: u64,
    /// Lamports of 28 rows by one oracle that pays its own fee.
    pub lamports_28_rows: u64,
    /// Orders of one fill that settled in one transaction of format v1.
    pub settles_v1: usize,
    /// The same in 1,232 bytes of a v0 transaction without lookup tables.
    pub settles_v0: usize,
}

/// Measures them.
pub fn bounds() -> Bounds {
    let mut world = village();
    let one = attest_all(&mut world, 1, 1000, 0);
    let mint = attest_all(&mut world, 28, 1000, 0);
    let burn = attest_all(&mut world, 28, 0, 100);
    let more = u64::try_from(ATTEST_ROWS_MAX - 1).expect("few");
    Bounds {
        rows_one_oracle: mint.rows().len(),
        rows_three_oracles: rows_with_three_oracles(),
        units_per_row: (mint.units.max(burn.units) - one.units).div_ceil(more),
        lamports_28_rows: mint.fee,
        settles_v1: (1..=16).take_while(|count| settle_together(*count).is_some()).count(),
        settles_v0: (1..=16)
            .take_while(|count| settle_together(*count).is_some_and(|bytes| bytes <= 1232))
            .count(),
    }
}

fn rows_with_three_oracles() -> usize {
    let mut world = village();
    let oracles = [key(61), key(62), key(63)];
    let mut set = OracleSet::single(oracles[0].pubkey().to_bytes());
    (set.threshold, set.count) = (3, 3);
    for (member, oracle) in set.members.iter_mut().zip(&oracles) {
        *member = oracle.pubkey().to_bytes();
    }
    let admin = world.keys.admin.insecure_clone();
    let rotate = world.program.configure(admin.pubkey(), &Section::Oracles(set));
    world.send(&[rotate], &[&admin]).expect("rotated");
    world.wait(900);
    let rows: Vec<_> = (1..=u32::try_from(attest_rows_that_fit(3)).expect("few"))
        .map(|household_id| jirani_energy_interface::client::AttestationRow {
            household_id,
            meter_epoch: 1,
            export_wh: 1000,
            import_wh: 0,
        })
        .collect();
    let attest = world.program.attest(&jirani_energy_interface::client::Attestation {
        feeder: 1,
        slot_end: world.now(),
        evidence_root: [7; 32],
        oracle_version: 2,
        oracles: &oracles.each_ref().map(Signer::pubkey),
        rows: &rows,
    });
    let landed = world.send(&[attest], &oracles.each_ref()).expect("attested by three");
    landed.rows().iter().filter(|row| row.status == 0).count()
}

/// Settles `count` orders of one fill and of different buyers in one transaction; gives
/// its bytes, `None` when they do not fit.
fn settle_together(count: u32) -> Option<usize> {
    let mut world = World::new();
    world.enrol(1..=count + 1);
    world.wait(900);
    world.attest(&[(1, 9000, 0)]);
    let now = world.now();
    let mut settles = Vec::new();
    for buyer in 2..=count + 1 {
        let id = u64::from(buyer);
        world.post(&world.new_offer(1, id, 100, 1500)).expect("posted");
        world.place(buyer, id, &[fill(id, 100)]).expect("placed");
        let mut hash = [3; 32];
        hash[..4].copy_from_slice(&buyer.to_le_bytes());
        settles.push(world.settlement(buyer, id, &[fill(id, 100)], &Proof::receipt(hash), now));
    }
    let [payer, attestor] = keys([&world.keys.payer, &world.keys.attestor]);
    world.send_paid_by(&payer, &settles, &[&attestor]).ok().map(|landed| landed.bytes)
}

/// Units of settling an order of one fill, for `count` proofs that look random.
pub fn settle_units(count: u64) -> Vec<u64> {
    let mut world = seller_and_buyer();
    let mut units: Vec<u64> = (1..=count)
        .map(|id| {
            world.post(&world.new_offer(1, id, 1, 1500)).expect("posted");
            world.place(2, id, &[fill(id, 1)]).expect("placed");
            let mut hash = [0xa5; 32];
            for (i, part) in hash.chunks_exact_mut(8).enumerate() {
                let seed = (id << 2 | i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                part.copy_from_slice(&(seed ^ seed >> 31).to_le_bytes());
            }
            let now = world.now();
            let landed = world.settle(2, id, &[fill(id, 1)], &Proof::receipt(hash), now).expect("settled");
            world.cancel(1, id).expect("cancelled");
            landed.units
        })
        .collect();
    units.sort_unstable();
    units
}
