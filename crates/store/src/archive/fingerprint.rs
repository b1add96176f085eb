//! What a store holds, in a few bytes per table.

use super::{Row, Snapshot, Table, Value};
use crate::error::StoreError;
use sha2::{Digest as _, Sha256};

/// One table's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Table.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// SHA-256 over its canonical bytes: the names of the columns, then every row in the
    /// order of keys, each value as its kind (1 byte) and its bytes, those of text and
    /// bytes after their length (8 bytes). Numbers are big-endian.
    pub hash: [u8; 32],
}

/// Counts and hashes a table's rows as they come.
pub(super) struct Print {
    table: String,
    rows: u64,
    hash: Sha256,
}

impl Print {
    pub(super) fn of(table: &Table) -> Self {
        let mut hash = Sha256::new();
        for (name, _) in &table.columns {
            take(&mut hash, b't', name.as_bytes());
        }
        Self { table: table.name.clone(), rows: 0, hash }
    }

    pub(super) fn take(&mut self, rows: &[Row]) {
        for value in rows.iter().flatten() {
            match value {
                Value::Null => self.hash.update(b"n"),
                Value::Integer(number) => {
                    self.hash.update(b"i");
                    self.hash.update(number.to_be_bytes());
                }
                Value::Text(text) => take(&mut self.hash, b't', text.as_bytes()),
                Value::Bytes(bytes) => take(&mut self.hash, b'b', bytes),
            }
        }
        self.rows += rows.len() as u64;
    }

    pub(super) fn finish(self) -> Fingerprint {
        Fingerprint { table: self.table, rows: self.rows, hash: self.hash.finalize().into() }
    }
}

fn take(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Every table's fingerprint, in the order of the tables.
pub async fn fingerprint(snapshot: &mut dyn Snapshot) -> Result<Vec<Fingerprint>, StoreError> {
    let tables = snapshot.tables().to_vec();
    let mut prints = Vec::with_capacity(tables.len());
    for (place, table) in tables.iter().enumerate() {
        let mut print = Print::of(table);
        let mut last: Option<Row> = None;
        loop {
            let rows = snapshot.page(place, last.as_ref()).await?;
            if rows.is_empty() {
                break;
            }
            print.take(&rows);
            last = rows.into_iter().next_back();
        }
        prints.push(print.finish());
    }
    Ok(prints)
}
