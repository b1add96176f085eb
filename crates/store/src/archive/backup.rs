//! A store in a file, for any engine: lines of JSON.
//!
//! The first line says what it is; each table has a line with its columns, then a line
//! per row, in the order of [`Snapshot`]; the last line has the number of lines before
//! it and the SHA-256 of their bytes. Text stands as text, bytes as `{"x":"hex"}`,
//! numbers as numbers. A file without its last line, or with another byte anywhere, is
//! refused before anything is read into a store.

use super::{Kind, PAGE, Row, Snapshot, Table, Value};
use crate::error::StoreError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead, Seek, SeekFrom, Write};

/// The longest line that is read, in bytes: an order of magnitude above any row's.
const LINE_MAX: u64 = 64 * 1024 * 1024;
/// Version of the format.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    jirani_store_backup: u32,
    engine: String,
}

#[derive(Serialize, Deserialize)]
struct TableLine {
    table: String,
    columns: Vec<(String, char)>,
    key: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Tail {
    lines: u64,
    sha256: String,
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Integer => 'i',
        Kind::Text => 't',
        Kind::Bytes => 'b',
    }
}

fn unwritable(error: &std::io::Error) -> StoreError {
    StoreError::Unavailable { what: format!("the backup cannot be written: {error}") }
}

/// Writes everything in `snapshot` to `out`; gives the number of rows. `engine` is what
/// the database calls itself.
pub async fn write(
    snapshot: &mut dyn Snapshot,
    engine: &str,
    out: &mut (dyn Write + Send),
) -> Result<u64, StoreError> {
    let mut page = Page::default();
    page.line(&Head { jirani_store_backup: FORMAT, engine: engine.to_owned() })?;
    let mut rows_written = 0;
    for (place, table) in snapshot.tables().to_vec().into_iter().enumerate() {
        let columns = table.columns.iter().map(|(name, kind)| (name.clone(), letter(*kind))).collect();
        page.line(&TableLine { table: table.name, columns, key: table.key })?;
        let mut last: Option<Row> = None;
        loop {
            let rows = snapshot.page(place, last.as_ref()).await?;
            for row in &rows {
                page.line(&row.iter().map(json).collect::<Vec<_>>())?;
            }
            page.flush(out)?;
            rows_written += rows.len() as u64;
            let Some(end) = rows.into_iter().next_back() else { break };
            last = Some(end);
        }
    }
    page.flush(out)?;
    let tail = Tail { lines: page.lines, sha256: hex(&page.hash.clone().finalize()) };
    page.line(&tail)?;
    page.flush(out)?;
    Ok(rows_written)
}

/// Lines on their way out.
#[derive(Default)]
struct Page {
    bytes: Vec<u8>,
    lines: u64,
    hash: Sha256,
}

impl Page {
    fn line(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.bytes, line)
            .map_err(|error| StoreError::Damaged { what: format!("a row cannot be written: {error}") })?;
        self.bytes.push(b'\n');
        self.lines += 1;
        Ok(())
    }

    fn flush(&mut self, out: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        self.hash.update(&self.bytes);
        out.write_all(&self.bytes).map_err(|error| unwritable(&error))?;
        self.bytes.clear();
        Ok(())
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
        Value::Bytes(bytes) => serde_json::json!({ "x": hex(bytes) }),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len() / 2).map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()).collect()
}

fn value(json: serde_json::Value) -> Option<Value> {
    match json {
        serde_json::Value::Null => Some(Value::Null),
        serde_json::Value::Number(number) => number.as_i64().map(Value::Integer),
        serde_json::Value::String(text) => Some(Value::Text(text)),
        serde_json::Value::Object(object) => unhex(object.get("x")?.as_str()?).map(Value::Bytes),
        _ => None,
    }
}

fn damaged(line: u64, what: &str) -> StoreError {
    StoreError::Damaged { what: format!("line {line} of the backup {what}") }
}

/// Checks the whole of `file`, then gives it as a snapshot.
pub fn read<F: BufRead + Seek + Send + 'static>(mut file: F) -> Result<Box<dyn Snapshot>, StoreError> {
    let mut index = Index::default();
    let (mut line, mut number, mut place, mut hash) = (Vec::new(), 0, 0, Sha256::new());
    loop {
        let length = read_line(&mut file, &mut line, number + 1)?;
        if length == 0 {
            return Err(damaged(number + 1, "is missing: the file was cut off"));
        }
        // A row is an array, which would pass for the last line if it had its two values.
        let told = line.first() == Some(&b'{');
        if told && let Ok(tail) = serde_json::from_slice::<Tail>(&line) {
            let whole = tail.lines == number && tail.sha256 == hex(&hash.clone().finalize());
            if !whole || read_line(&mut file, &mut line, number + 2)? != 0 {
                return Err(damaged(
                    number + 1,
                    "says that other lines stand before it: the file was altered",
                ));
            }
            return Ok(Box::new(Backup { file, index, reading: None }));
        }
        number += 1;
        hash.update(&line);
        if number == 1 {
            match serde_json::from_slice::<Head>(&line) {
                Ok(Head { jirani_store_backup: FORMAT, .. }) if told => {}
                _ => return Err(damaged(1, "does not say that it is a backup of this version")),
            }
        } else if told {
            let table: TableLine =
                serde_json::from_slice(&line).map_err(|_| damaged(number, "is no table"))?;
            index.add(table, number, place + length)?;
        }
        place += length;
    }
}

/// Reads a line with its end; gives its length, 0 at the end of the file.
fn read_line(file: &mut dyn BufRead, line: &mut Vec<u8>, number: u64) -> Result<u64, StoreError> {
    line.clear();
    let length = std::io::Read::take(&mut *file, LINE_MAX)
        .read_until(b'\n', line)
        .map_err(|error| StoreError::Unavailable { what: format!("the backup cannot be read: {error}") })?;
    if length > 0 && line.last() != Some(&b'\n') {
        return Err(damaged(number, "has no end"));
    }
    Ok(length as u64)
}

/// Which tables a file has, and where their rows begin.
#[derive(Default)]
struct Index {
    tables: Vec<Table>,
    rows_at: Vec<u64>,
}

impl Index {
    fn add(&mut self, line: TableLine, number: u64, rows_at: u64) -> Result<(), StoreError> {
        let kind = |letter| match letter {
            'i' => Some(Kind::Integer),
            't' => Some(Kind::Text),
            'b' => Some(Kind::Bytes),
            _ => None,
        };
        let columns = line.columns.into_iter().map(|(name, letter)| Some((name, kind(letter)?)));
        let columns =
            columns.collect::<Option<_>>().ok_or_else(|| damaged(number, "has an unknown column"))?;
        self.tables.push(Table { name: line.table, columns, key: line.key, refers_to: Vec::new() });
        self.rows_at.push(rows_at);
        Ok(())
    }
}

/// A checked file.
struct Backup<F> {
    file: F,
    index: Index,
    /// The table whose rows come next from the file.
    reading: Option<usize>,
}

#[async_trait]
impl<F: BufRead + Seek + Send> Snapshot for Backup<F> {
    fn tables(&self) -> &[Table] {
        &self.index.tables
    }

    /// Rows come in the order of the file: `after` is only looked at to know the beginning.
    async fn page(&mut self, table: usize, after: Option<&Row>) -> Result<Vec<Row>, StoreError> {
        if after.is_none() {
            let rows_at = self.index.rows_at.get(table).copied().unwrap_or(u64::MAX);
            self.file.seek(SeekFrom::Start(rows_at)).map_err(|error| StoreError::Unavailable {
                what: format!("the backup cannot be read: {error}"),
            })?;
            self.reading = Some(table);
        }
        let (mut rows, mut line) = (Vec::new(), Vec::new());
        while self.reading == Some(table) && rows.len() < PAGE {
            let length = read_line(&mut self.file, &mut line, 0)?;
            if length == 0 || line.first() != Some(&b'[') {
                self.reading = None;
                break;
            }
            let row: Vec<serde_json::Value> =
                serde_json::from_slice(&line).map_err(|_| damaged(0, "is no row"))?;
            let row = row.into_iter().map(value).collect::<Option<Row>>();
            rows.push(row.ok_or_else(|| damaged(0, "has an unknown value"))?);
        }
        Ok(rows)
    }
}
