//! Statements on a connection: prepared once, kept with the connection, run with the
//! values bound to them in order.

use crate::columns::Columns;
use crate::fault::fault;
use jirani_store::StoreError;
use rusqlite::types::ToSql;
use rusqlite::{Connection, params_from_iter};

/// A statement and its values.
pub(crate) struct Query<'q> {
    sql: &'static str,
    values: Vec<Box<dyn ToSql + 'q>>,
}

/// A statement without values yet.
pub(crate) fn query<'q>(sql: &'static str) -> Query<'q> {
    Query { sql, values: Vec::new() }
}

impl<'q> Query<'q> {
    /// Adds the value of the next place.
    pub(crate) fn bind(mut self, value: impl ToSql + 'q) -> Self {
        self.values.push(Box::new(value));
        self
    }

    /// Runs it; returns how many rows were written.
    pub(crate) fn execute(self, connection: &Connection) -> rusqlite::Result<usize> {
        connection.prepare_cached(self.sql)?.execute(params_from_iter(self.values))
    }

    /// All rows, as records.
    pub(crate) fn all<T>(self, connection: &Connection, record: Record<T>) -> Result<Vec<T>, StoreError> {
        let mut statement = connection.prepare_cached(self.sql).map_err(fault)?;
        let mut rows = statement.query(params_from_iter(self.values)).map_err(fault)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            records.push(record(&mut Columns::of(row))?);
        }
        Ok(records)
    }

    /// The row, if there is one, as a record.
    pub(crate) fn one<T>(self, connection: &Connection, record: Record<T>) -> Result<Option<T>, StoreError> {
        let mut statement = connection.prepare_cached(self.sql).map_err(fault)?;
        let mut rows = statement.query(params_from_iter(self.values)).map_err(fault)?;
        rows.next().map_err(fault)?.map(|row| record(&mut Columns::of(row))).transpose()
    }
}

/// From a row's columns to a record.
type Record<T> = fn(&mut Columns<'_>) -> Result<T, StoreError>;
