//! The writes of a plan, each row by itself, to see which of them the database refuses.

use super::delete::deletion;
use super::write::groups;
use crate::connection::runner::Runner;
use crate::statement::Statement;
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::plan::{Act, RowPlan};
use crate::upload::rejection::is_of_rows;
use crate::upload::sent::Sent;
use crate::upload::session::{Failure, Session};
use crate::upload::told::Told;
use crate::wire::WireError;
use diesel::result::{DatabaseErrorKind as Kind, Error};

/// Where inserts and updates take turns more often than this, each kind is tried by itself, in the order of the clocks: a statement for every turn would take
/// longer than the rest of the upload.
const TURNS: usize = 100;

/// The places of rows, with what the database says of them.
pub(in crate::upload) type RefusedRows = Vec<(usize, Error)>;

impl<R: Runner> Session<'_, '_, R> {
    /// Tries the inserts and updates of `plan`, in the order of their clocks: of two that want the same, the earlier one gets it.
    pub(in crate::upload) async fn write_each(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
        is_checked: bool,
    ) -> Result<RefusedRows, Failure> {
        let definition = self.table(plan.table).definition;
        let groups = groups(definition, plan);
        let inserts = groups.iter().enumerate();
        let inserts =
            inserts.flat_map(|(kind, (_, rows))| rows.iter().map(move |row| (kind, *row)));
        let updates = self.updated(plan).into_iter();
        let updates = updates.map(|row| (groups.len(), row));
        let mut rows: Vec<_> = inserts.chain(updates).collect();
        rows.sort_by_key(|(_, row)| row.judged.first().map(|judged| judged.change.clock()));
        let is_alike = |(one, _): &(usize, _), (other, _): &(usize, _)| one == other;
        if rows.chunk_by(is_alike).count() > TURNS {
            rows.sort_by_key(|(kind, _)| *kind);
        }
        let mut refused = Vec::new();
        for alike in rows.chunk_by(is_alike) {
            let rows: Vec<_> = alike.iter().map(|(_, row)| *row).collect();
            let columns = alike.first().and_then(|(kind, _)| groups.get(*kind));
            let columns = columns.map(|(columns, _)| columns);
            let told = self.try_rows(
                plan.table,
                &rows,
                is_checked,
                |session, rows| match columns {
                    Some(columns) => session.insertion(definition, columns, rows),
                    None => session.overwriting(definition, rows),
                },
            );
            refused.extend(told.await?);
        }
        Ok(refused)
    }

    /// Tries the deletions of `plan`.
    pub(in crate::upload) async fn delete_each(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
        is_checked: bool,
    ) -> Result<RefusedRows, Failure> {
        let definition = self.table(plan.table).definition;
        let rows = plan.rows.iter();
        let rows: Vec<&RowPlan<'_, '_, R::Backend>> = rows
            .filter(|row| matches!(row.act, Act::Delete(_)))
            .collect();
        if definition.deleted().is_some() {
            return Ok(Vec::new());
        }
        let told = self.try_rows(plan.table, &rows, is_checked, |_, rows| {
            let ids: Vec<_> = rows.iter().filter_map(|row| row.id()).collect();
            deletion::<R::Backend>(definition, &ids)
        });
        told.await
    }

    /// Tries `rows` with what `write` makes of them: all in one block, or each in a statement of its own.
    async fn try_rows<'v, 'a, 'c>(
        &mut self,
        table: usize,
        rows: &[&'v RowPlan<'a, 'c, R::Backend>],
        is_checked: bool,
        write: impl Fn(&Self, &[&'v RowPlan<'a, 'c, R::Backend>]) -> (Sent<'v, R::Backend>, String),
    ) -> Result<RefusedRows, Failure> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (sent, text) = write(self, rows);
        if let Some(told) = self.each(table, sent, &text, is_checked).await? {
            return Ok(of(rows, told));
        }
        let mut refused = Vec::new();
        for row in rows {
            let (sent, text) = write(self, &[*row]);
            let told = self.one(table, sent, text).await?;
            refused.extend(told.map(|error| (row.place, error)));
        }
        Ok(refused)
    }

    /// Runs `text` for the one row of `sent`; what the database says if it fails.
    async fn one(
        &mut self,
        table: usize,
        sent: Sent<'_, R::Backend>,
        text: String,
    ) -> Result<Option<Error>, Failure> {
        let (mut statement, _) = sent.statement(self.around.types(table));
        statement.sql(text);
        match self.perform(statement).await {
            Ok(()) => Ok(None),
            Err(error) if is_of_rows(&error) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs `text` for each row of `sent`; what is told of those that fail, by their numbers. None where each takes a statement of its own.
    async fn each(
        &mut self,
        table: usize,
        sent: Sent<'_, R::Backend>,
        text: &str,
        is_checked: bool,
    ) -> Result<Option<RefusedRows>, Failure> {
        let types = self.around.types(table);
        let Some((given, block)) = R::Backend::each(sent, types, text, is_checked) else {
            return Ok(None);
        };
        self.perform(given).await?;
        self.runner.execute(&block).await?;
        let told = Statement::of("select pg_catalog.current_setting('carburetor.told')");
        let told = self.runner.ask(told).await?.value().unwrap_or_default();
        let unread = |error: serde_json::Error| WireError::new(error.to_string());
        let told: Vec<String> = serde_json::from_str(&told).map_err(unread)?;
        let mut refused = Vec::with_capacity(told.len());
        for told in told {
            let (number, state, message, constraint, column) =
                serde_json::from_str::<(usize, String, String, String, String)>(&told)
                    .map_err(unread)?;
            let named = |name: String| Some(name).filter(|name| !name.is_empty());
            let told = Told {
                message,
                constraint: named(constraint),
                column: named(column),
            };
            refused.push((number, Error::DatabaseError(kind(&state), Box::new(told))));
        }
        Ok(Some(refused))
    }
}

/// The places of rows by their numbers among `rows`.
fn of<DB: crate::backend::SyncBackend>(
    rows: &[&RowPlan<'_, '_, DB>],
    told: RefusedRows,
) -> RefusedRows {
    let told = told.into_iter();
    told.filter_map(|(number, error)| Some((rows.get(number)?.place, error)))
        .collect()
}

/// What Diesel makes of a state.
fn kind(state: &str) -> Kind {
    match state {
        "23001" => Kind::RestrictViolation,
        "23502" => Kind::NotNullViolation,
        "23503" => Kind::ForeignKeyViolation,
        "23505" => Kind::UniqueViolation,
        "23514" => Kind::CheckViolation,
        "23P01" => Kind::ExclusionViolation,
        _ => Kind::Unknown,
    }
}
