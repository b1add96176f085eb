//! Statements that insert many rows at once: a statement costs two changes of
//! thread, whatever it carries.

/// Rows in the wide form of a statement.
pub(super) const WIDE: usize = 16;

/// `head` with sixteen times `row`, then `tail`; and with one.
macro_rules! wide_and_narrow {
    ($head:literal, $row:literal, $tail:literal) => {
        (
            concat!(
                $head, $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row,
                ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row,
                $tail
            ),
            concat!($head, $row, $tail),
        )
    };
}
pub(super) use wide_and_narrow;

/// Cuts `rows` into pieces of [`WIDE`] and of one, each with its statement.
pub(super) fn pieces<'a, T>(
    statements: (&'static str, &'static str),
    rows: &'a [T],
) -> impl Iterator<Item = (&'static str, &'a [T])> {
    let whole = rows.len() - rows.len() % WIDE;
    let (wide, rest) = rows.split_at(whole);
    wide.chunks(WIDE)
        .map(move |piece| (statements.0, piece))
        .chain(rest.chunks(1).map(move |one| (statements.1, one)))
}
