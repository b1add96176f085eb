//! Everything in the file, as plain rows.

use crate::fault::{fault, fault_on};
use crate::sql::query;
use crate::{SqliteStore, open};
use async_trait::async_trait;
use jirani_store::archive::{Archive, Kind, PAGE, Row, Snapshot, Table, Value, in_order};
use jirani_store::{StoreError, archive};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;

#[async_trait]
impl Archive for SqliteStore {
    async fn engine(&self) -> Result<String, StoreError> {
        Ok(format!("SQLite {}", rusqlite::version()))
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let connection = open::reader(self.readers.path())?;
        connection.execute_batch("BEGIN").map_err(fault)?;
        // The first question fixes the moment.
        let tables = tables(&connection)?;
        Ok(Box::new(Moment { connection, tables }))
    }

    async fn load(&self, table: Table, rows: Vec<Row>) -> Result<(), StoreError> {
        self.writer()?.load(table, rows).await
    }
}

/// A connection in a transaction that reads.
struct Moment {
    connection: Connection,
    tables: Vec<Table>,
}

#[async_trait]
impl Snapshot for Moment {
    fn tables(&self) -> &[Table] {
        &self.tables
    }

    async fn page(&mut self, table: usize, after: Option<&Row>) -> Result<Vec<Row>, StoreError> {
        let Some(table) = self.tables.get(table) else { return Ok(Vec::new()) };
        let key = names(table.key.iter());
        let beyond = after.map_or_else(String::new, |_| {
            format!("WHERE ({key}) > ({})", vec!["?"; table.key.len()].join(", "))
        });
        // Names are the database's own.
        let sql = format!(
            "SELECT {} FROM \"{}\" {beyond} ORDER BY {key} LIMIT {PAGE}",
            names(table.columns.iter().map(|(name, _)| name)),
            table.name
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(fault)?;
        let values = after.into_iter().flat_map(|row| table.key_of(row)).map(Bound);
        let mut found = statement.query(params_from_iter(values)).map_err(fault)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(fault)? {
            rows.push((0..table.columns.len()).map(|place| value_of(row, place)).collect::<Result<_, _>>()?);
        }
        Ok(rows)
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// A value as SQLite takes it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value_of(row: &rusqlite::Row<'_>, place: usize) -> Result<Value, StoreError> {
    let value = row.get_ref(place).map_err(fault)?;
    let text = |error| StoreError::Damaged { what: format!("a stored text: {error}") };
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(_) => value.as_str().map(|text| Value::Text(text.to_owned())).map_err(text),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Damaged { what: "a stored value of kind REAL".to_owned() }),
    }
}

/// Our tables, as SQLite lists them.
pub(crate) fn tables(connection: &Connection) -> Result<Vec<Table>, StoreError> {
    let columns = query(
        "SELECT tables.name, columns.name, columns.type, columns.pk
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite!_%' ESCAPE '!'
         AND tables.name <> '_sqlx_migrations' ORDER BY tables.name, columns.name",
    )
    .all(connection, |columns| {
        Ok((columns.text()?, columns.text()?, columns.text()?, columns.take::<i64>()?))
    })?;
    let references = query(
        "SELECT DISTINCT tables.name, other.\"table\" FROM sqlite_schema AS tables,
         pragma_foreign_key_list(tables.name) AS other
         WHERE tables.type = 'table' AND other.\"table\" <> tables.name ORDER BY 1, 2",
    )
    .all(connection, |columns| Ok((columns.text()?, columns.text()?)))?;
    let mut tables: BTreeMap<String, (Table, BTreeMap<i64, String>)> = BTreeMap::new();
    for (name, column, kind, place) in columns {
        let kind = match kind.as_str() {
            "INTEGER" => Kind::Integer,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            other => return Err(StoreError::Damaged { what: format!("a column of kind {other}") }),
        };
        let (table, key) = tables.entry(name.clone()).or_insert_with(|| {
            let table = Table { name, columns: Vec::new(), key: Vec::new(), refers_to: Vec::new() };
            (table, BTreeMap::new())
        });
        if place > 0 {
            key.insert(place, column.clone());
        }
        table.columns.push((column, kind));
    }
    for (name, other) in references {
        if let Some((table, _)) = tables.get_mut(&name) {
            table.refers_to.push(other);
        }
    }
    let keyed =
        |(table, key): (Table, BTreeMap<i64, String>)| Table { key: key.into_values().collect(), ..table };
    Ok(in_order(tables.into_values().map(keyed).collect()))
}

/// Adds rows to a table.
pub(crate) fn load(connection: &Connection, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
    archive::check_load(&tables(connection)?, table, rows)?;
    let sql = format!(
        "INSERT INTO \"{}\" ({}) VALUES ({})",
        table.name,
        names(table.columns.iter().map(|(name, _)| name)),
        vec!["?"; table.columns.len()].join(", ")
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault)?;
    for row in rows {
        statement
            .execute(params_from_iter(row.iter().map(Bound)))
            .map_err(|error| fault_on(error, || format!("a row of {}", table.name)))?;
    }
    Ok(())
}
