//! Statements that insert many rows at once: a statement costs two changes of
//! thread, whatever it carries.

/// One INSERT for sixty-four, eight and one row.
pub(super) struct Insert {
    pub(super) wide: &'static str,
    pub(super) middle: &'static str,
    pub(super) narrow: &'static str,
}

/// `head`, a number of times `row`, `tail`.
macro_rules! insert {
    ($head:literal, $row:literal, $tail:literal) => {
        $crate::write::sql::Insert {
            wide: concat!(
                $head,
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                ",",
                $crate::write::sql::eight!($row),
                $tail
            ),
            middle: concat!($head, $crate::write::sql::eight!($row), $tail),
            narrow: concat!($head, $row, $tail),
        }
    };
}
macro_rules! eight {
    ($row:literal) => {
        concat!($row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row)
    };
}
pub(super) use {eight, insert};

impl Insert {
    /// Cuts `rows` into pieces, each with the statement for as many.
    pub(super) fn pieces<'a, T>(&self, rows: &'a [T]) -> impl Iterator<Item = (&'static str, &'a [T])> {
        let (wide, rest) = rows.split_at(rows.len() - rows.len() % 64);
        let (middle, rest) = rest.split_at(rest.len() - rest.len() % 8);
        let (wide_sql, middle_sql, narrow_sql) = (self.wide, self.middle, self.narrow);
        wide.chunks(64)
            .map(move |piece| (wide_sql, piece))
            .chain(middle.chunks(8).map(move |piece| (middle_sql, piece)))
            .chain(rest.chunks(1).map(move |piece| (narrow_sql, piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::Insert;

    const COUNT: Insert = insert!("VALUES ", "(?)", "");

    #[test]
    fn every_row_is_in_one_piece_with_as_many_places() {
        for length in [0, 1, 7, 8, 63, 64, 65, 80, 137] {
            let rows: Vec<usize> = (0..length).collect();
            let mut seen = Vec::new();
            for (sql, piece) in COUNT.pieces(&rows) {
                assert_eq!(sql.matches('?').count(), piece.len());
                seen.extend_from_slice(piece);
            }
            assert_eq!(seen, rows);
        }
    }
}
