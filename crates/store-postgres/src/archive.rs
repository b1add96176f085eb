//! Everything in the database, as plain rows.

use crate::PostgresStore;
use crate::fault::{fault, fault_on};
use async_trait::async_trait;
use jirani_store::archive::{Archive, Kind, PAGE, Row, Snapshot, Table, Value, in_order};
use jirani_store::{StoreError, archive};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _, Transaction};

#[async_trait]
impl Archive for PostgresStore {
    async fn engine(&self) -> Result<String, StoreError> {
        sqlx::query_scalar("SELECT version()").fetch_one(&self.readers).await.map_err(fault)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        // Who takes rows may be slow; who holds a snapshot keeps nobody from writing.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                     SET LOCAL idle_in_transaction_session_timeout = '10min'";
        let mut transaction = self.readers.begin_with(begin).await.map_err(fault)?;
        let tables = tables(&mut transaction).await?;
        Ok(Box::new(Moment { transaction, tables }))
    }

    async fn load(&self, table: Table, rows: Vec<Row>) -> Result<(), StoreError> {
        self.writer()?.load(table, rows).await
    }
}

/// A transaction that reads.
struct Moment {
    transaction: Transaction<'static, Postgres>,
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
            let places: Vec<String> = (1..=table.key.len()).map(|place| format!("${place}")).collect();
            format!("WHERE ({key}) > ({})", places.join(", "))
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
        rows.iter().map(|row| row_of(row, table)).collect()
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn bind<'q>(
    query: sqlx::query::Query<'q, Postgres, PgArguments>,
    value: &Value,
) -> sqlx::query::Query<'q, Postgres, PgArguments> {
    match value {
        // A key has no NULL.
        Value::Null => query.bind(None::<i64>),
        Value::Integer(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.clone()),
        Value::Bytes(bytes) => query.bind(bytes.clone()),
    }
}

fn row_of(row: &PgRow, table: &Table) -> Result<Row, StoreError> {
    let value = |(place, (_, kind)): (usize, &(String, Kind))| {
        let value = match kind {
            Kind::Integer => row.try_get::<Option<_>, _>(place).map(|value| value.map(Value::Integer)),
            Kind::Text => row.try_get::<Option<_>, _>(place).map(|value| value.map(Value::Text)),
            Kind::Bytes => row.try_get::<Option<_>, _>(place).map(|value| value.map(Value::Bytes)),
        };
        value.map(|value| value.unwrap_or(Value::Null)).map_err(fault)
    };
    table.columns.iter().enumerate().map(value).collect()
}

/// Our tables, as PostgreSQL lists them. The writers' own row is not part of what is kept.
pub(crate) async fn tables(connection: &mut PgConnection) -> Result<Vec<Table>, StoreError> {
    let rows = sqlx::query(
        "SELECT tables.relname::text, columns.attname::text, types.typname::text,
         coalesce(array_position(keys.indkey::int2[], columns.attnum), -1)::bigint
         FROM pg_class AS tables
         JOIN pg_attribute AS columns ON columns.attrelid = tables.oid AND columns.attnum > 0
             AND NOT columns.attisdropped
         JOIN pg_type AS types ON types.oid = columns.atttypid
         JOIN pg_index AS keys ON keys.indrelid = tables.oid AND keys.indisprimary
         WHERE tables.relkind = 'r' AND tables.relnamespace = current_schema()::regnamespace
         AND tables.relname NOT IN ('_sqlx_migrations', 'writer')
         ORDER BY tables.relname::text COLLATE \"C\", columns.attname::text COLLATE \"C\"",
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
            "int8" => Kind::Integer,
            "text" => Kind::Text,
            "bytea" => Kind::Bytes,
            other => return Err(StoreError::Damaged { what: format!("a column of kind {other}") }),
        };
        if let (Some(table), Some(key)) = (tables.last_mut(), keys.last_mut()) {
            if place >= 0 {
                key.push((place, column.clone()));
            }
            table.columns.push((column, kind));
        }
    }
    let references = sqlx::query(
        "SELECT DISTINCT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
         WHERE contype = 'f' AND conrelid <> confrelid AND connamespace = current_schema()::regnamespace
         ORDER BY 1, 2",
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

/// Adds rows to a table: an array per column.
pub(crate) async fn load(
    connection: &mut PgConnection,
    table: &Table,
    rows: &[Row],
) -> Result<(), StoreError> {
    archive::check_load(&tables(&mut *connection).await?, table, rows)?;
    let arrays: Vec<String> = (1..)
        .zip(&table.columns)
        .map(|(place, (_, kind))| match kind {
            Kind::Integer => format!("${place}::bigint[]"),
            Kind::Text => format!("${place}::text[]"),
            Kind::Bytes => format!("${place}::bytea[]"),
        })
        .collect();
    let sql = format!(
        "INSERT INTO \"{}\" ({}) SELECT * FROM unnest({})",
        table.name,
        names(table.columns.iter().map(|(name, _)| name)),
        arrays.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for (place, (_, kind)) in table.columns.iter().enumerate() {
        let column = rows.iter().map(|row| row.get(place));
        // Checked above: every value is of its column's kind, or nothing.
        query = match kind {
            Kind::Integer => query.bind(
                column
                    .map(|value| if let Some(Value::Integer(number)) = value { Some(*number) } else { None })
                    .collect::<Vec<_>>(),
            ),
            Kind::Text => query.bind(
                column
                    .map(|value| if let Some(Value::Text(text)) = value { Some(text.clone()) } else { None })
                    .collect::<Vec<_>>(),
            ),
            Kind::Bytes => query.bind(
                column
                    .map(
                        |value| {
                            if let Some(Value::Bytes(bytes)) = value { Some(bytes.clone()) } else { None }
                        },
                    )
                    .collect::<Vec<_>>(),
            ),
        };
    }
    query
        .execute(connection)
        .await
        .map_err(|error| fault_on(error, || format!("a row of {}", table.name)))?;
    Ok(())
}
