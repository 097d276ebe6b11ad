//! Looking at what was written: the rows as triggers and types made them.

use super::read::{other_id, registers_of};
use super::write::{is_everywhere, written};
use super::{PLACE, flag, names, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::connection::runner::Runner;
use crate::connection::{Flow, PacedRows, TakeRows};
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, Storage, quoted};
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::plan::{Act, RowPlan};
use crate::upload::sent::Cells;
use crate::upload::session::{Failure, Session};
use chrono::{DateTime, Utc};
use diesel::result::Error;
use diesel::row::Row;
use std::collections::HashSet;

/// A row after it was written.
#[derive(Debug, Clone, Default)]
pub(in crate::upload) struct Stored {
    /// There is one under the id.
    pub(in crate::upload) is_there: bool,
    /// It came into being by the change, not by somebody else's insert under the id.
    pub(in crate::upload) is_ours: bool,
    /// It is soft-deleted.
    pub(in crate::upload) is_deleted: bool,
    /// Its id, where that is another text than the sent one.
    pub(in crate::upload) other_id: Option<String>,
    /// The registers as they lie in the row; not known where nobody could have kept it from being written.
    pub(in crate::upload) written: Option<Option<String>>,
    pub(in crate::upload) is_visible: bool,
    pub(in crate::upload) stamp: Option<DateTime<Utc>>,
    /// The columns that hold something else than was sent.
    pub(in crate::upload) differing: Vec<String>,
}

impl<R: Runner> Session<'_, '_, R> {
    /// The rows that were written, by their places in `plan`.
    pub(in crate::upload) async fn check(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<Vec<(usize, Stored)>, Failure> {
        let is_soft = self.tables[plan.table].definition.deleted().is_some();
        let known: HashSet<usize> = plan.stored.iter().map(|(place, _)| *place).collect();
        let places: Vec<usize> = (0..plan.rows.len())
            .filter(|place| match plan.rows[*place].act {
                Act::Insert | Act::Update => true,
                Act::Delete(_) => is_soft && plan.rows[*place].found.is_stored,
                Act::Nothing | Act::DeleteAgain(_) => false,
            })
            .filter(|place| !known.contains(place))
            .collect();
        let rows: Vec<&RowPlan<'_, '_, R::Backend>> =
            places.iter().map(|place| &plan.rows[*place]).collect();
        let upload = &self.tables[plan.table];
        let definition = upload.definition;
        let types = self.around.types(plan.table);
        let columns = written(definition, &rows);
        let sql = names(definition)?;
        let mut stored = StoredRows {
            storage: sql.storage,
            columns: columns.clone(),
            rows: vec![Stored::default(); rows.len()],
        };
        for portion in
            portions::<R::Backend>(rows.len(), 2 * columns.len() + definition.ids().count() + 2)
        {
            let first = portion.start;
            let rows = &rows[portion];
            let all: Vec<_> = rows.iter().filter_map(|row| row.id()).collect();
            let mut sent = of_ids::<R::Backend>(definition, &all);
            sent.add(
                "~existence",
                Cells::Texts(
                    rows.iter()
                        .map(|row| row.registers.existence().to_string())
                        .collect(),
                ),
            );
            let differs = |column: &&ColumnDefinition| {
                let name = column.quoted();
                let differs = R::Backend::differs(
                    &format!("{}.{name}", sql.name),
                    &format!("sent.{name}"),
                    types.is_comparable(&column.name),
                );
                match is_everywhere(column, rows) {
                    true => differs,
                    false => format!("sent.{} and {differs}", quoted(&flag(column))),
                }
            };
            for column in &columns {
                let values = rows.iter().map(|row| {
                    row.cell(column)
                        .and_then(|cell| cell.value.as_ref().as_ref())
                });
                sent.add(
                    column.name.clone(),
                    Cells::Values(&column.name, values.collect()),
                );
                if !is_everywhere(column, rows) {
                    sent.add(
                        flag(column),
                        Cells::Flags(rows.iter().map(|row| row.cell(column).is_some()).collect()),
                    );
                }
            }
            let differing: Vec<String> = columns.iter().map(differs).collect();
            let shown: Vec<String> = differing
                .iter()
                .map(|differs| format!("case when {differs} then '1' else '0' end"))
                .collect();
            let differing = match columns.is_empty() {
                true => "null".into(),
                false => format!(
                    "case when {} then {} end",
                    differing.join(" or "),
                    shown.join(" || ")
                ),
            };
            let (mut statement, _) = sent.statement(types);
            statement.sql(format!(
                "select cast({PLACE} + {first} as bigint), {stamp}, \
                 cast(case when coalesce({existence}, '') = sent.\"~existence\" then 1 else 0 end as bigint), \
                 cast({differing} as text), {other_id}, cast({name}.{COLUMN} as text), \
                 cast(case when {deleted} then 1 else 0 end as bigint), cast(case when 1 = 1",
                stamp = sql.stamp,
                other_id = other_id::<R::Backend>(definition, &sql.name),
                deleted = sql.deleted().unwrap_or_else(|| "1 = 0".into()),
                name = sql.name,
                existence = R::Backend::existence(&format!("{}.{COLUMN}", sql.name)),
            ));
            self.push_visible(plan.table, &mut statement);
            statement.sql(format!(
                " then 1 else 0 end as bigint) from sent join {} on {}",
                sql.name,
                same_id(definition, &sql.name),
            ));
            self.runner.run(statement, &mut stored).await?;
        }
        Ok(places.into_iter().zip(stored.rows).collect())
    }
}

impl Stored {
    /// A row that is what was sent.
    pub(super) fn plain(stamp: Option<DateTime<Utc>>) -> Self {
        Stored {
            is_there: true,
            is_ours: true,
            is_visible: true,
            stamp,
            ..Stored::default()
        }
    }
}

/// Takes what a statement that writes returns: what tells a row, its stamp, and whether it is visible.
pub(super) struct ReturnedRows<N> {
    pub(super) storage: Storage,
    /// The number of the row that a text tells.
    pub(super) number: N,
    /// The rows; one that doesn't come was not written.
    pub(super) stored: Vec<Option<Stored>>,
}

impl<DB: SyncBackend, N: Fn(&str) -> Option<usize> + Send> TakeRows<DB> for ReturnedRows<N> {
    type Error = Error;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Error> {
        let told = DB::text(row, 0)?.unwrap_or_default();
        if let Some(stored) = (self.number)(&told).and_then(|number| self.stored.get_mut(number)) {
            let stamp =
                DB::instant(row, 1, self.storage)?.and_then(DateTime::from_timestamp_micros);
            *stored = Some(Stored {
                is_visible: DB::integer(row, 2)? == Some(1),
                ..Stored::plain(stamp)
            });
        }
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend, N: Fn(&str) -> Option<usize> + Send> PacedRows<DB> for ReturnedRows<N> {}

/// Takes rows after they were written.
struct StoredRows {
    storage: Storage,
    columns: Vec<&'static ColumnDefinition>,
    rows: Vec<Stored>,
}

impl<DB: SyncBackend> TakeRows<DB> for StoredRows {
    type Error = Error;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Error> {
        let place = DB::integer(row, 0)?.and_then(|place| usize::try_from(place).ok());
        let Some(stored) = place.and_then(|place| self.rows.get_mut(place)) else {
            return Ok(Flow::Next);
        };
        let differing = DB::text(row, 3)?.unwrap_or_default();
        let differing = self
            .columns
            .iter()
            .zip(differing.bytes())
            .filter(|(_, flag)| *flag == b'1');
        *stored = Stored {
            is_there: true,
            is_ours: DB::integer(row, 2)? == Some(1),
            is_deleted: DB::integer(row, 6)? == Some(1),
            other_id: DB::text(row, 4)?,
            written: Some(registers_of::<DB>(row, 5)?),
            is_visible: DB::integer(row, 7)? == Some(1),
            stamp: DB::instant(row, 1, self.storage)?.and_then(DateTime::from_timestamp_micros),
            differing: differing.map(|(column, _)| column.name.clone()).collect(),
        };
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for StoredRows {}
