//! Writing rows.

use super::check::{ReturnedRows, Stored};
use super::read::id_text;
use super::{PLACE, flag, ids, list, names, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::register::COLUMN;
use crate::statement::Statement;
use crate::table::{ColumnDefinition, Storage, TableDefinition, quoted};
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::plan::{Act, RowPlan};
use crate::upload::sent::{Cells, Sent};
use crate::upload::session::{Failure, Session, Transaction};
use std::collections::HashMap;

/// The columns of [`Sent`] with the registers, and whether the row is soft-deleted.
const REGISTERS: &str = "~registers";
const DELETED: &str = "~deleted";

type Rows<'p, 'a, 'c, DB> = Vec<&'p RowPlan<'a, 'c, DB>>;

/// What is known of rows that were inserted.
pub(in crate::upload) struct Inserted {
    /// By their places.
    pub(in crate::upload) stored: Vec<(usize, Stored)>,
    /// The ids that the rows have at these places, where they may be others than those that were sent and the database says so.
    pub(in crate::upload) ids: HashMap<usize, String>,
}

impl<'u, 's, R: Runner> Session<'u, 's, R> {
    /// Inserts the rows that aren't there, those with the same columns together.
    pub(in crate::upload) async fn insert(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<Inserted, Failure> {
        let definition = self.table(plan.table).definition;
        let (mut stored, mut ids) = (Vec::new(), HashMap::new());
        for (columns, rows) in groups(definition, plan) {
            for portion in
                portions::<R::Backend>(rows.len(), columns.len() + definition.ids().count() + 2)
            {
                let rows = &rows[portion];
                let inserted: Vec<_> = definition.ids().chain(columns.iter().copied()).collect();
                let (sent, text) = self.insertion(definition, &columns, rows);
                let (mut statement, _) = sent.statement(self.around.types(plan.table));
                statement.sql(text);
                // A relation that is no row's own can't be returned: the clock of the existence tells the rows that came into being.
                let row = format!("{}.{COLUMN}", definition.sql_name());
                let row = R::Backend::existence(&row);
                let clocks = rows.iter().map(|row| row.registers.existence());
                let numbers: HashMap<Clock, usize> =
                    clocks.enumerate().map(|(at, clock)| (clock, at)).collect();
                let number = |clock: &str| numbers.get(&clock.parse().ok()?).copied();
                // A trigger that stands before the row may have given it another id.
                if !self.around.is_plain(plan.table, &inserted) && !R::Backend::WRITES_STAMPS {
                    let id = id_text::<R::Backend>(definition, &definition.sql_name());
                    statement.sql(format!(" returning cast({row} as text), {id}"));
                    for line in self.runner.ask(statement).await?.rows() {
                        let mut texts = line.into_iter().flatten();
                        let row = texts.next().and_then(|clock| rows.get(number(&clock)?));
                        ids.extend(row.zip(texts.next()).map(|(row, id)| (row.place, id)));
                    }
                    continue;
                }
                stored.extend(
                    self.returning(plan.table, &inserted, statement, &row, rows, number)
                        .await?,
                );
            }
        }
        Ok(Inserted { stored, ids })
    }

    /// What inserts `rows`, which have these columns.
    pub(super) fn insertion<'v>(
        &self,
        definition: &'v TableDefinition,
        columns: &[&'v ColumnDefinition],
        rows: &[&'v RowPlan<'_, '_, R::Backend>],
    ) -> (Sent<'v, R::Backend>, String) {
        let mut into: Vec<String> = definition
            .ids()
            .chain(columns.iter().copied())
            .map(ColumnDefinition::quoted)
            .collect();
        let mut values: Vec<String> = into.iter().map(|column| format!("sent.{column}")).collect();
        into.push(quoted(COLUMN));
        values.push(registers::<R::Backend>());
        if let Some(stamp) = definition.stamp().filter(|_| R::Backend::WRITES_STAMPS) {
            into.push(stamp.quoted());
            values.push(R::Backend::moment(stamp.storage));
        }
        let text = format!(
            "insert{} into {} ({}) select {} from sent where true order by {} on conflict ({}) do nothing",
            self.or_fail(),
            definition.sql_name(),
            into.join(", "),
            values.join(", "),
            ids(definition, "sent"),
            list(definition.ids().map(ColumnDefinition::quoted)),
        );
        (self.sent(definition, columns, rows, false), text)
    }

    /// Writes the columns of rows that are there.
    pub(in crate::upload) async fn update(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<Vec<(usize, Stored)>, Failure> {
        self.overwrite(plan.table, &self.updated(plan)).await
    }

    /// The rows of `plan` that are updated.
    pub(super) fn updated<'p, 'a, 'c>(
        &self,
        plan: &'p TablePlan<'a, 'c, R::Backend>,
    ) -> Rows<'p, 'a, 'c, R::Backend> {
        // A soft deletion is an update.
        let is_soft = self.table(plan.table).definition.deleted().is_some();
        let rows = plan.rows.iter().filter(|row| {
            row.act == Act::Update
                || is_soft && row.found.is_stored && matches!(row.act, Act::Delete(_))
        });
        rows.collect()
    }

    /// Writes columns and registers of `rows`.
    async fn overwrite(
        &mut self,
        table: usize,
        rows: &[&RowPlan<'_, '_, R::Backend>],
    ) -> Result<Vec<(usize, Stored)>, Failure> {
        let definition = self.table(table).definition;
        let columns = written(definition, rows);
        let mut stored = Vec::new();
        for portion in
            portions::<R::Backend>(rows.len(), 2 * columns.len() + definition.ids().count() + 3)
        {
            let rows = &rows[portion];
            let (sent, text) = self.overwriting(definition, rows);
            let (mut statement, _) = sent.statement(self.around.types(table));
            statement.sql(text);
            let number = |place: &str| place.parse().ok();
            stored.extend(
                self.returning(table, &columns, statement, PLACE, rows, number)
                    .await?,
            );
        }
        Ok(stored)
    }

    /// What writes columns and registers of `rows`.
    pub(super) fn overwriting<'v>(
        &self,
        definition: &'static TableDefinition,
        rows: &[&'v RowPlan<'_, '_, R::Backend>],
    ) -> (Sent<'v, R::Backend>, String) {
        let columns = written(definition, rows);
        let name = definition.sql_name();
        let mut set: Vec<String> = columns
            .iter()
            .map(|column| {
                let column_name = column.quoted();
                match is_everywhere(column, rows) {
                    true => format!("{column_name} = sent.{column_name}"),
                    false => format!(
                        "{column_name} = case when sent.{} then sent.{column_name} else {name}.{column_name} end",
                        quoted(&flag(column))
                    ),
                }
            })
            .collect();
        set.push(format!(
            "{} = {}",
            quoted(COLUMN),
            registers::<R::Backend>()
        ));
        if let Some(deleted) = definition.deleted() {
            set.push(format!(
                "{} = case when sent.{} then {} else {} end",
                deleted.quoted(),
                quoted(DELETED),
                R::Backend::moment(deleted.storage),
                if deleted.storage == Storage::Boolean {
                    "false"
                } else {
                    "null"
                },
            ));
        }
        if let Some(stamp) = definition.stamp().filter(|_| R::Backend::WRITES_STAMPS) {
            set.push(format!(
                "{} = {}",
                stamp.quoted(),
                R::Backend::moment(stamp.storage)
            ));
        }
        let text = format!(
            "update{} {name} set {} from sent where {}",
            self.or_fail(),
            set.join(", "),
            same_id(definition, &name)
        );
        (self.sent(definition, &columns, rows, true), text)
    }

    /// Runs a statement that writes `rows`, and says what is known of them without another look: nothing, where somebody's triggers or the types of
    /// `columns` may have made something else of them, and nothing of rows that were not written. `number` tells by what `row` says which of `rows` it is.
    async fn returning<'v>(
        &mut self,
        table: usize,
        columns: &[&ColumnDefinition],
        mut statement: Statement<'v, R::Backend>,
        row: &str,
        rows: &[&RowPlan<'_, '_, R::Backend>],
        number: impl Fn(&str) -> Option<usize> + Send,
    ) -> Result<Vec<(usize, Stored)>, Failure>
    where
        's: 'v,
        'u: 'v,
    {
        let upload = &self.tables[table];
        let is_plain = self.around.is_plain(table, columns);
        if !is_plain || R::Backend::WRITES_STAMPS {
            self.perform(statement).await?;
            let is_known = is_plain && upload.visibility.is_everything() && !self.has_deleted;
            let stored = rows
                .iter()
                .map(|row| (row.place, Stored::plain(self.around.instant())));
            return Ok(stored.filter(|_| is_known).collect());
        }
        let sql = names(upload.definition)?;
        statement.sql(format!(
            " returning cast({row} as text), {}, cast(case when 1 = 1",
            sql.stamp
        ));
        self.push_visible(table, &mut statement);
        statement.sql(" then 1 else 0 end as bigint)");
        let mut returned = ReturnedRows {
            storage: sql.storage,
            number,
            stored: vec![None; rows.len()],
        };
        self.runner.run(statement, &mut returned).await?;
        let rows = rows.iter().zip(returned.stored);
        Ok(rows
            .filter_map(|(row, stored)| Some((row.place, stored?)))
            .collect())
    }

    /// What a statement says after its verb: where the whole transaction begins anew when it fails, that it leaves no way back for itself.
    fn or_fail(&self) -> &'static str {
        match self.transaction {
            Transaction::Whole => R::Backend::OR_FAIL,
            Transaction::Own | Transaction::Checked | Transaction::Callers => "",
        }
    }

    /// Writes the registers of the rows at `places` once more.
    pub(in crate::upload) async fn register_again(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
        places: &[usize],
    ) -> Result<(), Failure> {
        let definition = self.table(plan.table).definition;
        let rows: Rows<'_, '_, '_, R::Backend> =
            places.iter().map(|place| &plan.rows[*place]).collect();
        for portion in portions::<R::Backend>(rows.len(), definition.ids().count() + 2) {
            let sent = self.sent(definition, &[], &rows[portion], false);
            let (mut statement, _) = sent.statement(self.around.types(plan.table));
            let name = definition.sql_name();
            statement.sql(format!(
                "update {name} set {} = {} from sent where {}",
                quoted(COLUMN),
                registers::<R::Backend>(),
                same_id(definition, &name)
            ));
            self.perform(statement).await?;
        }
        Ok(())
    }

    /// `rows` with their ids, registers and `columns`.
    fn sent<'v>(
        &self,
        definition: &'v TableDefinition,
        columns: &[&'v ColumnDefinition],
        rows: &[&'v RowPlan<'_, '_, R::Backend>],
        is_update: bool,
    ) -> Sent<'v, R::Backend> {
        let all: Vec<_> = rows.iter().filter_map(|row| row.id()).collect();
        let mut sent = of_ids::<R::Backend>(definition, &all);
        let now = self.around.now();
        sent.add(
            REGISTERS,
            Cells::Texts(rows.iter().map(|row| row.registers.stored(now)).collect()),
        );
        for column in columns {
            let values = rows.iter().map(|row| {
                row.cell(column)
                    .and_then(|cell| cell.value.as_ref().as_ref())
            });
            sent.add(
                column.name.clone(),
                Cells::Values(&column.name, values.collect()),
            );
            if is_update && !is_everywhere(column, rows) {
                sent.add(
                    flag(column),
                    Cells::Flags(rows.iter().map(|row| row.cell(column).is_some()).collect()),
                );
            }
        }
        if is_update && definition.deleted().is_some() {
            let deleted = rows.iter().map(|row| matches!(row.act, Act::Delete(_)));
            sent.add(DELETED, Cells::Flags(deleted.collect()));
        }
        sent
    }
}

/// The registers of `sent` as the table's column takes them.
fn registers<DB: SyncBackend>() -> String {
    format!("cast(sent.\"{REGISTERS}\" as {})", DB::REGISTERS_TYPE)
}

/// The rows of `plan` that are inserted, those with the same columns together.
pub(super) fn groups<'p, 'a, 'c, DB: SyncBackend>(
    definition: &'static TableDefinition,
    plan: &'p TablePlan<'a, 'c, DB>,
) -> Vec<(Vec<&'static ColumnDefinition>, Rows<'p, 'a, 'c, DB>)> {
    let mut groups: Vec<(Vec<&ColumnDefinition>, Rows<'p, 'a, 'c, DB>)> = Vec::new();
    for row in plan.rows.iter().filter(|row| row.act == Act::Insert) {
        let columns = written(definition, &[row]);
        match groups.iter_mut().find(|(known, _)| *known == columns) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((columns, vec![row])),
        }
    }
    groups
}

/// The columns that any of `rows` writes, in the model's order.
pub(super) fn written<DB: SyncBackend>(
    definition: &'static TableDefinition,
    rows: &[&RowPlan<'_, '_, DB>],
) -> Vec<&'static ColumnDefinition> {
    let is_written = |column: &&ColumnDefinition| rows.iter().any(|row| row.cell(column).is_some());
    definition.downloaded().filter(is_written).collect()
}

/// Whether all of `rows` write `column`.
pub(super) fn is_everywhere<DB: SyncBackend>(
    column: &ColumnDefinition,
    rows: &[&RowPlan<'_, '_, DB>],
) -> bool {
    rows.iter().all(|row| row.cell(column).is_some())
}
