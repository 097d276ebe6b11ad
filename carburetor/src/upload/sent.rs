//! Rows on their way into the database: a relation of typed columns that a statement can join.

use crate::wire::WireBackend;

/// Rows by column. Every column has as many cells as `rows`.
pub(crate) struct Sent<DB: WireBackend> {
    pub(crate) rows: usize,
    pub(crate) columns: Vec<SentColumn<DB>>,
}

/// One column of [`Sent`].
pub(crate) struct SentColumn<DB: WireBackend> {
    /// Its name within the relation.
    pub(crate) name: String,
    pub(crate) cells: Cells<DB>,
}

/// The values of one column of [`Sent`].
pub(crate) enum Cells<DB: WireBackend> {
    /// The values of a column of the table, of that column's type.
    Values {
        /// Where the type is found in the table's [`Types`].
        column: String,
        values: Vec<Option<DB::WireValue>>,
    },
    Numbers(Vec<i64>),
    Texts(Vec<Option<String>>),
    Flags(Vec<bool>),
}
