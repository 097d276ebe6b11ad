//! Rows on their way into the database: a relation of typed columns that a statement can join.

use crate::backend::SyncBackend;
use crate::statement::Statement;
use crate::table::quoted;
use crate::wire::WireBackend;

/// Rows by column, in a statement the relation `sent`. Every column has as many cells as there are rows.
pub(crate) struct Sent<'v, DB: WireBackend> {
    #[cfg_attr(
        not(feature = "sqlite"),
        allow(dead_code, reason = "PostgreSQL takes whole columns")
    )]
    pub(crate) rows: usize,
    pub(crate) columns: Vec<SentColumn<'v, DB>>,
}

/// One column of [`Sent`].
pub(crate) struct SentColumn<'v, DB: WireBackend> {
    /// Its name within the relation.
    pub(crate) name: String,
    pub(crate) cells: Cells<'v, DB>,
}

/// The values of one column of [`Sent`].
pub(crate) enum Cells<'v, DB: WireBackend> {
    /// Values of the table's column of this name.
    Values(
        #[cfg_attr(
            not(feature = "postgres-backend"),
            allow(dead_code, reason = "SQLite's binds have no type")
        )]
        &'v str,
        Vec<Option<&'v DB::WireValue>>,
    ),
    Numbers(Vec<i64>),
    Texts(Vec<String>),
    Flags(Vec<bool>),
}

impl<'v, DB: SyncBackend> Sent<'v, DB> {
    /// Rows with no columns but their places.
    pub(crate) fn new(rows: usize) -> Self {
        let places = (0..rows).filter_map(|place| i64::try_from(place).ok());
        let mut sent = Sent {
            rows,
            columns: Vec::new(),
        };
        sent.add("~n", Cells::Numbers(places.collect()));
        sent
    }

    pub(crate) fn add(&mut self, name: impl Into<String>, cells: Cells<'v, DB>) {
        let name = name.into();
        self.columns.push(SentColumn { name, cells });
    }

    /// A statement that begins with this relation, and how many binds it has.
    pub(crate) fn statement(self, types: &super::Types) -> (Statement<'v, DB>, usize) {
        self.begin("with", types)
    }

    /// The same for a query that may name itself.
    pub(crate) fn recursive(self, types: &super::Types) -> (Statement<'v, DB>, usize) {
        self.begin("with recursive", types)
    }

    fn begin(self, with: &str, types: &super::Types) -> (Statement<'v, DB>, usize) {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        let mut statement = Statement::of(format!("{with} sent ({}) as (", names.join(", ")));
        let binds = DB::push_sent(self, types, &mut statement);
        statement.sql(") ");
        (statement, binds)
    }
}
