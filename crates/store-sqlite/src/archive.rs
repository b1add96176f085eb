//! Everything in the file, as plain rows.

use crate::SqliteStore;
use crate::fault::fault;
use async_trait::async_trait;
use jirani_store::archive::{Archive, Kind, PAGE, Row, Snapshot, Table, Value, in_order};
use jirani_store::{StoreError, archive};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, Sqlite, SqliteConnection, Transaction, TypeInfo as _, ValueRef as _};

#[async_trait]
impl Archive for SqliteStore {
    async fn engine(&self) -> Result<String, StoreError> {
        let version: String =
            sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&self.readers).await.map_err(fault)?;
        Ok(format!("SQLite {version}"))
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let mut transaction = self.readers.begin().await.map_err(fault)?;
        // The first question fixes the moment.
        let tables = tables(&mut transaction).await?;
        Ok(Box::new(Moment { transaction, tables }))
    }

    async fn load(&self, table: Table, rows: Vec<Row>) -> Result<(), StoreError> {
        self.writer()?.load(table, rows).await
    }
}

/// A transaction that reads.
struct Moment {
    transaction: Transaction<'static, Sqlite>,
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
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for value in after.into_iter().flat_map(|row| table.key_of(row)) {
            query = bind(query, value);
        }
        let rows = query.fetch_all(&mut *self.transaction).await.map_err(fault)?;
        rows.iter().map(row_of).collect()
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn bind<'q>(
    query: sqlx::query::Query<'q, Sqlite, SqliteArguments>,
    value: &Value,
) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Integer(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.clone()),
        Value::Bytes(bytes) => query.bind(bytes.clone()),
    }
}

fn row_of(row: &SqliteRow) -> Result<Row, StoreError> {
    (0..row.len())
        .map(|place| {
            let value = row.try_get_raw(place).map_err(fault)?;
            let kind = value.type_info().name().to_owned();
            match (value.is_null(), kind.as_str()) {
                (true, _) => Ok(Value::Null),
                (_, "INTEGER") => row.try_get(place).map(Value::Integer).map_err(fault),
                (_, "TEXT") => row.try_get(place).map(Value::Text).map_err(fault),
                (_, "BLOB") => row.try_get(place).map(Value::Bytes).map_err(fault),
                (_, other) => Err(StoreError::Damaged { what: format!("a stored value of kind {other}") }),
            }
        })
        .collect()
}

/// Our tables, as SQLite lists them.
pub(crate) async fn tables(connection: &mut SqliteConnection) -> Result<Vec<Table>, StoreError> {
    let rows = sqlx::query(
        "SELECT tables.name, columns.name, columns.type, columns.pk
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite!_%' ESCAPE '!'
         AND tables.name <> '_sqlx_migrations' ORDER BY tables.name, columns.name",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(fault)?;
    let mut tables: Vec<Table> = Vec::new();
    let mut keys: Vec<Vec<(i64, String)>> = Vec::new();
    for row in &rows {
        let name: String = row.try_get(0).map_err(fault)?;
        let (column, kind): (String, String) =
            (row.try_get(1).map_err(fault)?, row.try_get(2).map_err(fault)?);
        let place: i64 = row.try_get(3).map_err(fault)?;
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table { name, columns: Vec::new(), key: Vec::new(), refers_to: Vec::new() });
            keys.push(Vec::new());
        }
        let kind = match kind.as_str() {
            "INTEGER" => Kind::Integer,
            "TEXT" => Kind::Text,
            "BLOB" => Kind::Bytes,
            other => return Err(StoreError::Damaged { what: format!("a column of kind {other}") }),
        };
        if let (Some(table), Some(key)) = (tables.last_mut(), keys.last_mut()) {
            if place > 0 {
                key.push((place, column.clone()));
            }
            table.columns.push((column, kind));
        }
    }
    let references = sqlx::query(
        "SELECT DISTINCT tables.name, other.\"table\" FROM sqlite_schema AS tables,
         pragma_foreign_key_list(tables.name) AS other
         WHERE tables.type = 'table' AND other.\"table\" <> tables.name ORDER BY 1, 2",
    )
    .fetch_all(connection)
    .await
    .map_err(fault)?;
    for row in &references {
        let (name, other): (String, String) =
            (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.refers_to.push(other);
        }
    }
    for (table, mut key) in tables.iter_mut().zip(keys) {
        key.sort_unstable();
        table.key = key.into_iter().map(|(_, column)| column).collect();
    }
    Ok(in_order(tables))
}

/// Values of one statement at most.
const VALUES: usize = 16_384;

/// Adds rows to a table.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), StoreError> {
    archive::check_load(&tables(&mut *connection).await?, table, rows)?;
    let width = table.columns.len().max(1);
    for piece in rows.chunks((VALUES / width).max(1)) {
        let places = format!("({})", vec!["?"; width].join(", "));
        let sql = format!(
            "INSERT INTO \"{}\" ({}) VALUES {}",
            table.name,
            names(table.columns.iter().map(|(name, _)| name)),
            vec![places.as_str(); piece.len()].join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for value in piece.iter().flatten() {
            query = bind(query, value);
        }
        query
            .execute(&mut *connection)
            .await
            .map_err(|error| crate::fault::fault_on(error, || format!("a row of {}", table.name)))?;
    }
    Ok(())
}
