//! The chain of hashes: its bytes are fixed, and no change goes unseen.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use jirani_ledger::chain::{Alteration, Broken, GENESIS, Verifier, alteration, canonical_bytes, hash};
use jirani_ledger::{Account, Kind, Reason, Transfer, TransferId};
use jirani_units::{Cents, HouseholdId, Timestamp};

fn transfer(number: u8) -> Transfer {
    Transfer {
        id: TransferId([number; 16]),
        debit: Account::MpesaCollection,
        credit: Account::Household(HouseholdId(7)),
        amount: Cents(12_345),
        reason: Reason::Credit,
        kind: Kind::Posted,
        memo: format!("order {number}"),
        at: Timestamp(1_763_825_016_000_000),
    }
}

fn journal() -> Vec<(u64, Transfer, [u8; 32])> {
    let mut previous = GENESIS;
    (1..=5)
        .map(|sequence| {
            let transfer = transfer(u8::try_from(sequence).unwrap());
            previous = hash(&previous, sequence, &transfer);
            (sequence, transfer, previous)
        })
        .collect()
}

fn verify(journal: &[(u64, Transfer, [u8; 32])]) -> Result<(), Broken> {
    let mut verifier = Verifier::new();
    journal.iter().try_for_each(|(sequence, transfer, hash)| verifier.check(*sequence, transfer, hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Whoever recomputes the chain in another language starts from this.
#[test]
fn the_bytes_of_a_row_are_fixed() {
    let end = Transfer { kind: Kind::Post(TransferId([9; 16])), ..transfer(3) };
    let expected = concat!(
        "01",                               // format
        "0000000000000011",                 // sequence 17
        "03030303030303030303030303030303", // id
        "0000000100000000",                 // mpesa_collection
        "0000002800000007",                 // household/7
        "0000000000003039",                 // 123.45
        "0009",                             // credit
        "02",                               // post
        "09090909090909090909090909090909", // the hold
        "0006443083864e00",                 // 2025-11-22T15:23:36Z
        "00000007",                         // length of the memo
        "6f726465722033",                   // order 3
    );
    assert_eq!(hex(&canonical_bytes(17, &end)), expected);
}

/// Made by another program from the table of bytes in `docs/ledger.md`.
#[test]
fn the_chain_of_a_known_journal_is_fixed() {
    let hashes: Vec<String> = journal().iter().map(|(_, _, hash)| hex(hash)).collect();
    assert_eq!(
        hashes,
        [
            "5b818f3422aa99f82d53c1ebdfa9b89d941eca716512a420040d177d5d84f59d",
            "22dbf59bc81fef616582747065ab356a6dc05670eba1526621cd2f8bae424127",
            "84f541d3e73c23c82c5461b4d4b26e4721d6dd5c4e1815fc7e4103df62494246",
            "e4f913e3f2d9c42c7d26764e4a8238efb634695cce5febf4d4251602038f932e",
            "0768c86a7a3c7a14fa6f0999c6b0772940b132e39adb09bac03b6e6b40438f81",
        ]
    );
}

#[test]
fn what_was_done_to_a_row_is_told() {
    let told = |journal: &[(u64, Transfer, [u8; 32])], place: usize| {
        let (sequence, transfer, stored) = &journal[place];
        let next = journal.get(place + 1).map(|(_, transfer, hash)| (transfer, hash));
        alteration(&journal[place - 1].2, (*sequence, transfer, stored), next)
    };
    let mut content = journal();
    content[2].1.amount.0 += 1;
    assert_eq!(told(&content, 2), Alteration::Content);
    let mut hash_alone = journal();
    hash_alone[2].2 = [0; 32];
    assert_eq!(told(&hash_alone, 2), Alteration::Hash);
    let mut both = content;
    both[2].2 = [0; 32];
    assert_eq!(told(&both, 2), Alteration::History);
    let mut last = journal();
    last[4].1.memo.push('!');
    assert_eq!(told(&last, 4), Alteration::History);
}

#[test]
fn a_journal_that_nobody_touched_verifies() {
    assert_eq!(verify(&journal()), Ok(()));
    assert_eq!(verify(&[]), Ok(()));
}

#[test]
fn every_altered_field_is_found_at_its_row() {
    let alterations: [fn(&mut Transfer); 8] = [
        |t| t.id.0[15] ^= 1,
        |t| t.debit = Account::MpesaPayout,
        |t| t.credit = Account::Household(HouseholdId(8)),
        |t| t.amount.0 += 1,
        |t| t.reason = Reason::Sale,
        |t| t.kind = Kind::Hold,
        |t| t.memo.push(' '),
        |t| t.at.0 += 1,
    ];
    for alter in alterations {
        let mut journal = journal();
        alter(&mut journal[2].1);
        assert_eq!(verify(&journal), Err(Broken::Altered { sequence: 3 }));
    }
}

#[test]
fn a_row_with_a_hash_made_anew_breaks_the_next_one() {
    let mut journal = journal();
    journal[2].1.amount.0 += 1;
    journal[2].2 = hash(&journal[1].2, 3, &journal[2].1);
    assert_eq!(verify(&journal), Err(Broken::Altered { sequence: 4 }));
}

#[test]
fn missing_and_swapped_rows_are_found() {
    let mut dropped = journal();
    dropped.remove(1);
    assert_eq!(verify(&dropped), Err(Broken::Gap { expected: 2, found: 3 }));
    let mut swapped = journal();
    swapped.swap(1, 2);
    assert_eq!(verify(&swapped), Err(Broken::Gap { expected: 2, found: 3 }));
    let mut renumbered = journal();
    renumbered.remove(1);
    for (sequence, row) in (1..).zip(&mut renumbered) {
        row.0 = sequence;
    }
    assert_eq!(verify(&renumbered), Err(Broken::Altered { sequence: 2 }));
}
