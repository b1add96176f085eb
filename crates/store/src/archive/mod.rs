//! Everything a store holds, as plain rows: for copies from one engine to another, for
//! backups and for proofs of equality.
//!
//! Promises: a [`Snapshot`] is of one moment, whatever is written meanwhile; its tables
//! are those that the database itself lists, so that none is forgotten, referenced ones
//! first; rows come in the order of their keys, columns in the order of their names, so
//! that two stores with the same content give the same bytes. Money is never loaded: the
//! journal is posted again through [`Store::commit`], which makes sequences, hashes and
//! balances anew, and these are then compared. Stands beside the trait that services
//! use; only the operator's commands know it.

mod backup;
mod copy;
mod fingerprint;

pub use backup::{read as read_backup, write as write_backup};
pub use copy::{Copied, CopyError, fill};
pub use fingerprint::{Fingerprint, fingerprint};

use crate::error::StoreError;
use crate::verbs::Store;
use async_trait::async_trait;

/// Tables that are made by posting transfers, never loaded.
pub const POSTED: [&str; 2] = ["transfers", "balances"];

/// Rows of a page.
pub const PAGE: usize = 1_000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number of 64 bits with a sign.
    Integer,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row: a value per column, in the order of the columns.
pub type Row = Vec<Value>;

/// A table as the database lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns by name, in the order of the names.
    pub columns: Vec<(String, Kind)>,
    /// The columns of its primary key, in the key's order.
    pub key: Vec<String>,
    /// Tables that it refers to, but for itself.
    pub refers_to: Vec<String>,
}

impl Table {
    /// Where a column stands in its rows.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| name == column)
    }

    /// The key's values of a row.
    pub fn key_of<'a>(&self, row: &'a Row) -> Vec<&'a Value> {
        self.key.iter().filter_map(|column| row.get(self.place(column)?)).collect()
    }
}

/// A store at one moment.
#[async_trait]
pub trait Snapshot: Send {
    /// Its tables, those that others refer to first.
    fn tables(&self) -> &[Table];
    /// The rows after `after` by key, at most [`PAGE`]; none is the end.
    async fn page(&mut self, table: usize, after: Option<&Row>) -> Result<Vec<Row>, StoreError>;
}

/// A store that can be read and filled as a whole.
#[async_trait]
pub trait Archive: Store {
    /// What the database calls itself: `SQLite 3.50.2`, `PostgreSQL 15.8 ...`.
    async fn engine(&self) -> Result<String, StoreError>;
    /// Everything, as of now.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;
    /// Adds rows to a table in one durable commit. `store.damaged` for a table that is
    /// [`POSTED`], not there, or has other columns.
    async fn load(&self, table: Table, rows: Vec<Row>) -> Result<(), StoreError>;
}

/// Puts tables into an order in which every one comes after those it refers to, by name
/// among equals.
pub fn in_order(mut tables: Vec<Table>) -> Vec<Table> {
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let next = tables
            .iter()
            .position(|table| {
                table.refers_to.iter().all(|name| ordered.iter().any(|earlier| earlier.name == *name))
            })
            // Tables that refer to each other in a ring have no order; there are none.
            .unwrap_or(0);
        ordered.push(tables.remove(next));
    }
    ordered
}

/// Refuses rows that `tables` has no place for.
pub fn check_load(tables: &[Table], table: &Table, rows: &[Row]) -> Result<(), StoreError> {
    let damaged = |what: &str| Err(StoreError::Damaged { what: format!("{what} {}", table.name) });
    if POSTED.contains(&table.name.as_str()) {
        return damaged("money is posted, never loaded into");
    }
    let Some(ours) = tables.iter().find(|ours| ours.name == table.name) else {
        return damaged("there is no table");
    };
    if ours.columns != table.columns {
        return damaged("there are other columns in");
    }
    let fits = |(value, (_, kind)): (&Value, &(String, Kind))| {
        matches!(
            (value, kind),
            (Value::Null, _)
                | (Value::Integer(_), Kind::Integer)
                | (Value::Text(_), Kind::Text)
                | (Value::Bytes(_), Kind::Bytes)
        )
    };
    let sound = |row: &Row| row.len() == ours.columns.len() && row.iter().zip(&ours.columns).all(fits);
    if rows.iter().all(sound) { Ok(()) } else { damaged("a row does not fit into") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, refers_to: &[&str]) -> Table {
        Table {
            name: name.to_owned(),
            columns: vec![("id".to_owned(), Kind::Integer), ("name".to_owned(), Kind::Text)],
            key: vec!["id".to_owned()],
            refers_to: refers_to.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let tables = vec![table("a", &["m"]), table("m", &["z"]), table("z", &[]), table("b", &[])];
        let order: Vec<String> = in_order(tables).into_iter().map(|table| table.name).collect();
        assert_eq!(order, ["b", "z", "m", "a"]);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let tables = [table("people", &[]), table("transfers", &[])];
        let row = vec![Value::Integer(1), Value::Text("x".to_owned())];
        check_load(&tables, &tables[0], std::slice::from_ref(&row)).unwrap();
        for (to, rows) in [
            (table("transfers", &[]), vec![row.clone()]),
            (table("strangers", &[]), vec![row]),
            (table("people", &[]), vec![vec![Value::Integer(1)]]),
            (table("people", &[]), vec![vec![Value::Integer(1), Value::Integer(2)]]),
        ] {
            let refused = check_load(&tables, &to, &rows);
            assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{}: {refused:?}", to.name);
        }
    }
}
