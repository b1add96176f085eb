//! Filling an empty store with what another one holds, and proving that both are equal.

use super::fingerprint::Print;
use super::{Archive, Fingerprint, POSTED, Row, Snapshot, Table, Value, fingerprint};
use crate::change::Change;
use crate::error::StoreError;
use jirani_ledger::{Account, Kind, Posting, Reason, Transfer, TransferId};
use jirani_units::{Cents, Timestamp};

/// What was copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Every table, equal in both stores.
    pub tables: Vec<Fingerprint>,
    /// Rows of the journal, posted again.
    pub transfers: u64,
}

/// The copy is not what it should be. The target is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target holds something.
    #[error("store.not_empty: the target already has {rows} rows in {table}; copy into an empty store only")]
    NotEmpty {
        /// Table.
        table: String,
        /// Rows in it.
        rows: u64,
    },
    /// The stores were made by different versions.
    #[error(
        "store.other_schema: the two stores differ in the table {table}; open both with this version first"
    )]
    OtherSchema {
        /// Table.
        table: String,
    },
    /// The journal did not post again as it stands.
    #[error(
        "store.not_reposted: journal row {sequence} was not posted again as it stands; run jirani store verify"
    )]
    NotReposted {
        /// Row.
        sequence: i64,
    },
    /// Both were read in full, and differ.
    #[error(
        "store.copy_differs: {table} has {from} rows in the source and {to} in the target, or other bytes in them; \
         do not use the target"
    )]
    Differs {
        /// Table.
        table: String,
        /// Rows in the source.
        from: u64,
        /// Rows in the target.
        to: u64,
    },
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fills `to`, which must be empty, with everything in `from`: loads rows, posts the
/// journal again, then compares every table byte by byte. `tell` hears of each table
/// that is done.
pub async fn fill(
    from: &mut dyn Snapshot,
    to: &dyn Archive,
    mut tell: impl FnMut(&Fingerprint) + Send,
) -> Result<Copied, CopyError> {
    let mut target = to.snapshot().await?;
    same_tables(from.tables(), target.tables())?;
    for print in fingerprint(target.as_mut()).await? {
        if print.rows > 0 {
            return Err(CopyError::NotEmpty { table: print.table, rows: print.rows });
        }
    }
    drop(target);

    let mut prints = Vec::new();
    for (place, table) in from.tables().to_vec().into_iter().enumerate() {
        let print = fill_table(from, to, place, &table).await?;
        tell(&print);
        prints.push(print);
    }

    let stored = fingerprint(to.snapshot().await?.as_mut()).await?;
    for ours in &prints {
        let theirs = stored.iter().find(|theirs| theirs.table == ours.table);
        if theirs != Some(ours) {
            let (table, from, to) = (ours.table.clone(), ours.rows, theirs.map_or(0, |theirs| theirs.rows));
            return Err(CopyError::Differs { table, from, to });
        }
    }
    let transfers = prints.iter().find(|print| print.table == POSTED[0]).map_or(0, |print| print.rows);
    Ok(Copied { tables: prints, transfers })
}

fn same_tables(from: &[Table], to: &[Table]) -> Result<(), CopyError> {
    let differing = from
        .iter()
        .find(|table| !to.iter().any(|other| other.name == table.name && other.columns == table.columns))
        .or_else(|| to.iter().find(|table| !from.iter().any(|other| other.name == table.name)));
    differing.map_or(Ok(()), |table| Err(CopyError::OtherSchema { table: table.name.clone() }))
}

async fn fill_table(
    from: &mut dyn Snapshot,
    to: &dyn Archive,
    place: usize,
    table: &Table,
) -> Result<Fingerprint, CopyError> {
    let mut print = Print::of(table);
    let mut last: Option<Row> = None;
    loop {
        let rows = from.page(place, last.as_ref()).await?;
        let Some(end) = rows.last().cloned() else { return Ok(print.finish()) };
        print.take(&rows);
        if table.name == POSTED[0] {
            post(to, table, &rows).await?;
        } else if !POSTED.contains(&table.name.as_str()) {
            to.load(table.clone(), rows).await?;
        }
        last = Some(end);
    }
}

async fn post(to: &dyn Archive, table: &Table, rows: &[Row]) -> Result<(), CopyError> {
    let transfers = rows.iter().map(|row| transfer(table, row)).collect::<Result<Vec<_>, _>>()?;
    let sequence = |place: usize| match rows.get(place).and_then(|row| row.get(table.place("sequence")?)) {
        Some(Value::Integer(sequence)) => *sequence,
        _ => 0,
    };
    let committed = match to.commit(transfers.into_iter().map(Change::Post).collect()).await {
        Err(StoreError::Refused { index, .. }) => {
            return Err(CopyError::NotReposted { sequence: sequence(index) });
        }
        committed => committed?,
    };
    match committed.postings.iter().position(|posting| *posting != Posting::Applied) {
        Some(place) => Err(CopyError::NotReposted { sequence: sequence(place) }),
        None => Ok(()),
    }
}

/// A transfer of a row of the journal.
fn transfer(table: &Table, row: &Row) -> Result<Transfer, StoreError> {
    let value = |column: &str| table.place(column).and_then(|place| row.get(place));
    let damaged = |what: &str| StoreError::Damaged { what: format!("a journal row has no known {what}") };
    let number = |column: &str| match value(column) {
        Some(Value::Integer(number)) => Ok(*number),
        _ => Err(damaged(column)),
    };
    let id = |column: &str| match value(column) {
        Some(Value::Bytes(bytes)) => {
            bytes[..].try_into().map(|id| Some(TransferId(id))).map_err(|_| damaged(column))
        }
        Some(Value::Null) => Ok(None),
        _ => Err(damaged(column)),
    };
    let account = |column: &str| Account::from_code(number(column)?).ok_or_else(|| damaged(column));
    let Some(Value::Text(memo)) = value("memo") else { return Err(damaged("memo")) };
    let reason = u16::try_from(number("reason")?).ok().and_then(Reason::from_code);
    let (code, hold) = (u8::try_from(number("kind")?).ok(), id("hold")?);
    Ok(Transfer {
        id: id("id")?.ok_or_else(|| damaged("id"))?,
        debit: account("debit")?,
        credit: account("credit")?,
        amount: Cents(number("amount_cents")?),
        reason: reason.ok_or_else(|| damaged("reason"))?,
        kind: code.and_then(|code| Kind::from_code(code, hold)).ok_or_else(|| damaged("kind"))?,
        memo: memo.clone(),
        at: Timestamp(number("at_us")?),
    })
}
