//! The statements of an upload: each is a relation `sent` of rows and what is done with it.

mod cascade;
mod check;
mod conflict;
mod deferred;
mod delete;
mod each;
mod grant;
mod lock;
mod outcome;
mod read;
mod relay;
mod rows;
mod unseen;
mod write;

pub(super) use check::Stored;
pub(super) use each::RefusedRows;
pub(super) use outcome::{lock, receipts};
pub(super) use relay::relayed;
pub(super) use rows::Room;
pub(super) use unseen::References;

use super::UploadTable;
use super::sent::{Cells, Sent};
use super::session::Session;
use crate::backend::SyncBackend;
use crate::connection::runner::Runner;
use crate::download::table_sql::TableSql;
use crate::statement::Statement;
use crate::table::{ColumnDefinition, TableDefinition};
use crate::wire::WireBackend;
use diesel::QueryResult;

/// The column of [`Sent`] with a row's place.
const PLACE: &str = "sent.\"~n\"";

/// The id of a row, column by column.
pub(super) type Id<'v, DB> = &'v [<DB as WireBackend>::WireValue];

/// Rows of these ids, beside their places.
fn of_ids<'v, DB: SyncBackend>(
    definition: &'v TableDefinition,
    ids: &[Id<'v, DB>],
) -> Sent<'v, DB> {
    let mut sent = Sent::new(ids.len());
    for (part, column) in definition.ids().enumerate() {
        let values = ids.iter().map(|id| id.get(part)).collect();
        sent.add(column.name.clone(), Cells::Values(&column.name, values));
    }
    sent
}

/// The pieces of SQL that name a table's columns.
fn names(definition: &'static TableDefinition) -> QueryResult<TableSql> {
    TableSql::new(definition)
        .map_err(|error| diesel::result::Error::QueryBuilderError(Box::new(error)))
}

/// That what goes by `alias` has the id of a row of `sent`.
fn same_id(definition: &TableDefinition, alias: &str) -> String {
    let parts = definition
        .ids()
        .map(|column| format!("{alias}.{0} = sent.{0}", column.quoted()));
    parts.collect::<Vec<_>>().join(" and ")
}

/// The id columns of what goes by `alias`.
fn ids(definition: &TableDefinition, alias: &str) -> String {
    list(
        definition
            .ids()
            .map(|column| format!("{alias}.{}", column.quoted())),
    )
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// What a flag beside column `name` is called.
fn flag(column: &ColumnDefinition) -> String {
    format!("~{}", column.name)
}

impl<'s, R: Runner> Session<'_, 's, R> {
    fn table(&self, table: usize) -> &UploadTable<'s, R::Backend> {
        &self.tables[table]
    }

    /// Runs a statement that answers nothing.
    async fn perform(&mut self, statement: Statement<'_, R::Backend>) -> QueryResult<()> {
        self.runner.ask(statement).await.map(drop)
    }
}

/// `count` rows in portions that a statement of `columns` columns takes.
fn portions<DB: SyncBackend>(
    count: usize,
    columns: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    let most = DB::most_rows(columns).clamp(1, count.max(1));
    (0..count)
        .step_by(most)
        .map(move |first| first..(first + most).min(count))
}
