//! What benches need to begin with a long history without living through it.

use crate::disk::{self, Change};
use crate::history::{Balances, Executed, Meta};
use crate::{Address, LocalnetConfig, LocalnetError};
use litesvm::types::TransactionMetadata;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::v0::LoadedAddresses;
use solana_message::{Message, MessageHeader, VersionedMessage};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;

/// Transactions per commit.
const TOGETHER: u64 = 2_048;
/// Addresses that take turns in being touched, beside the one that always is.
const TURNS: u64 = 1_000;

/// An address that every `turn`-th transaction of [`fill_history`] touches.
pub fn address(turn: u64) -> Address {
    let mut bytes = [0xbe; 32];
    bytes[..8].copy_from_slice(&(turn % TURNS).to_le_bytes());
    Address::new_from_array(bytes)
}

/// The address that every transaction of [`fill_history`] touches.
pub fn busy_address() -> Address {
    Address::new_from_array([0xbf; 32])
}

/// Adds `count` made-up transactions to the history of a chain that does not run,
/// five a slot, through the same commits as executed ones. Nobody signed them and no
/// account changes.
pub fn fill_history(config: &LocalnetConfig, count: u64) -> Result<(), LocalnetError> {
    let faucet = crate::Address::default();
    let (writer, _, stored) = disk::open(config, crate::genesis::hash(config, faucet))?;
    let mut change = Change::default();
    for seq in stored.last_seq + 1..=stored.last_seq + count {
        let mut bytes = [7; 64];
        bytes[..8].copy_from_slice(&seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        bytes[8..16].copy_from_slice(&seq.to_le_bytes());
        let signature = Signature::from(bytes);
        let message = Message {
            header: MessageHeader { num_required_signatures: 1, ..MessageHeader::default() },
            account_keys: vec![busy_address(), address(seq), address(seq + 1), Address::default()],
            instructions: vec![CompiledInstruction {
                program_id_index: 3,
                accounts: vec![0, 1, 2],
                data: vec![9; 12],
            }],
            ..Message::default()
        };
        let transaction =
            VersionedTransaction { signatures: vec![signature], message: VersionedMessage::Legacy(message) };
        let slot = stored.slot_ceiling + seq / 5;
        let balances = Balances { lamports: vec![1_000_000; 4], tokens: Vec::new() };
        let told = TransactionMetadata {
            logs: vec!["Program 11111111111111111111111111111111 success".to_owned(); 2],
            ..TransactionMetadata::default()
        };
        let meta = Meta::new(told, None, balances.clone(), balances, LoadedAddresses::default());
        let wire = wincode::serialize(&transaction).unwrap_or_default();
        let executed = Executed { seq, signature, slot, block_time: 1_700_000_000, bytes: wire, meta };
        change.executed.push((Arc::new(executed), transaction));
        change.slot_ceiling = Some(slot + 1);
        if seq.is_multiple_of(TOGETHER) {
            commit(&writer, config, &change)?;
            change = Change::default();
        }
    }
    commit(&writer, config, &change)
}

fn commit(writer: &disk::Writer, config: &LocalnetConfig, change: &Change) -> Result<(), LocalnetError> {
    writer.commit(change).map_err(|error| LocalnetError::Database {
        path: format!("{:?}", config.data_dir),
        reason: error.to_string(),
    })
}
