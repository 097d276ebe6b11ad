//! Reading what decides on changes.

use super::{Id, PLACE, ids, names, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::connection::{Flow, PacedRows, TakeRows};
use crate::download::table_sql::TableSql;
use crate::register::{COLUMN, Registers};
use crate::statement::Statement;
use crate::table::{ColumnDefinition, Storage, TableDefinition, quoted};
use crate::upload::UploadBackend;
use crate::upload::UploadTable;
use crate::upload::admit::Admitted;
use crate::upload::decide::Held;
use crate::upload::found::Found;
use crate::upload::session::{Failure, Session};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::result::Error;
use diesel::row::Row;

/// What a query calls the table of deletions.
const GONE: &str = "carburetor_gone";

impl<R: Runner> Session<'_, '_, R> {
    /// What the database holds under the ids of these changes, in their order. Nobody else writes the rows that are there from here on.
    pub(in crate::upload) async fn find(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let mut known: Vec<Option<Found>> = changes
            .iter()
            .map(|change| self.locked[change.at].take())
            .collect();
        let unknown: Vec<_> = changes
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|(change, _)| *change)
            .collect();
        // They were used before, by a try that failed or by a former change of the row; somebody may have inserted others since. These are out of the
        // order, so that waiting for them may end in a deadlock, with which the upload begins anew.
        let looked = self.look(table, &unknown).await?;
        let missing = known.iter_mut().filter(|known| known.is_none());
        for (known, looked) in missing.zip(looked) {
            *known = Some(looked);
        }
        Ok(known.into_iter().flatten().collect())
    }

    /// What the database holds under the ids of `changes`, each of another row of one table; where rows are locked, it locks them.
    pub(super) async fn look(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        match R::Backend::LOCK_ROWS {
            Some(kinds) => self.lock(table, changes, kinds).await,
            None => {
                let ids: Vec<_> = changes.iter().map(|change| change.id.as_slice()).collect();
                self.read(table, &ids).await
            }
        }
    }

    /// Rows and deletions under these ids, in one statement.
    async fn read(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let mut read = Vec::with_capacity(ids.len());
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let ids = &ids[portion];
            let sent = of_ids::<R::Backend>(definition, ids);
            let (mut statement, binds) = sent.statement(self.around.types(table));
            let granted = self.own.granted(table);
            let gone = deleted(upload, binds + 1, granted.as_ref());
            push_stored(upload, &sql, granted, &mut statement);
            statement.sql(format!(
                ", {gone} from sent left join {} {GONE} on {} left join {} on {}",
                R::Backend::register_table(definition),
                same_id(definition, GONE),
                sql.name,
                same_id(definition, &sql.name),
            ));
            let mut found = FoundRows::new(definition, sql.storage, ids.len());
            self.runner.run(statement, &mut found).await?;
            read.append(&mut found.rows);
        }
        Ok(read)
    }

    /// Locks the rows with these ids that are there, and says what they are like.
    pub(super) async fn lock_stored(
        &mut self,
        table: usize,
        of: &[Id<'_, R::Backend>],
        lock: &str,
    ) -> Result<Vec<Found>, Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let mut found = FoundRows::new(definition, sql.storage, of.len());
        let (mut statement, _) =
            of_ids::<R::Backend>(definition, of).statement(self.around.types(table));
        push_stored(upload, &sql, self.own.granted(table), &mut statement);
        statement.sql(format!(
            ", cast(null as text), cast(0 as bigint) from {name} join sent on {} order by {}{lock}{}",
            same_id(definition, &sql.name),
            ids(definition, &sql.name),
            quoted(&definition.table),
            name = sql.name,
        ));
        self.runner.run(statement, &mut found).await?;
        Ok(found.rows)
    }

    /// Locks the deletions under these ids, and takes them into account in `found`.
    pub(super) async fn lock_deleted(
        &mut self,
        table: usize,
        of: &[Id<'_, R::Backend>],
        lock: &str,
        found: &mut [Found],
    ) -> Result<(), Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let (mut statement, binds) =
            of_ids::<R::Backend>(definition, of).statement(self.around.types(table));
        // The scope's conditions are written for the table itself; a query of it that never runs gives them their binds.
        statement.sql(format!(
            ", never as (select 1 from {} where 1 = 0",
            definition.sql_name()
        ));
        let granted = self.own.granted(table);
        let gone = deleted(upload, binds + 1, granted.as_ref());
        upload.visibility.push_granting(&mut statement, granted);
        statement.sql(format!(
            ") select cast({PLACE} as bigint), {gone} from sent join {} {GONE} on {} order by {}{lock}{GONE}",
            R::Backend::register_table(definition),
            same_id(definition, GONE),
            ids(definition, GONE),
        ));
        self.runner
            .run(statement, &mut Deletions { definition, found })
            .await
    }
}

/// Asks for the place of a row, whether it is there, its stamp, its registers, whether it is soft-deleted and visible, and its id where that is
/// another text than the sent one.
fn push_stored<'u, DB: SyncBackend>(
    upload: &'u UploadTable<'_, DB>,
    sql: &TableSql,
    granted: Option<String>,
    statement: &mut Statement<'u, DB>,
) {
    let is_stored = match upload.definition.ids().next() {
        Some(id) => format!("{}.{} is not null", sql.name, id.quoted()),
        None => "1 = 0".into(),
    };
    let deleted = sql.deleted().unwrap_or_else(|| "1 = 0".into());
    statement.sql(format!(
        "select cast({PLACE} as bigint), cast(case when {is_stored} then 1 else 0 end as bigint), {stamp}, \
         cast({name}.{COLUMN} as text), cast(case when {deleted} then 1 else 0 end as bigint), cast(case when {is_stored}",
        stamp = sql.stamp,
        name = sql.name,
    ));
    upload.visibility.push_granting(statement, granted);
    statement.sql(format!(
        " then 1 else 0 end as bigint), {}",
        other_id::<DB>(upload.definition, &sql.name)
    ));
}

/// The clock of a deletion, and whether the scope showed its row; the binds begin at `bind`.
fn deleted<DB: SyncBackend>(
    upload: &UploadTable<'_, DB>,
    bind: usize,
    granted: Option<&String>,
) -> String {
    format!(
        "{GONE}.carburetor_clock, cast(case when 1 = 1{} then 1 else 0 end as bigint)",
        upload.visibility.over_from(GONE, bind, granted)
    )
}

/// The id of the row `alias` as text, where it is another text than the sent one, which the database takes for the same; NULL otherwise.
pub(super) fn other_id<DB: SyncBackend>(definition: &TableDefinition, alias: &str) -> String {
    let differ: Vec<String> = definition
        .ids()
        .map(ColumnDefinition::quoted)
        .map(|id| DB::is_other_text(&format!("{alias}.{id}"), &format!("sent.{id}")))
        .collect();
    format!(
        "case when {} then {} end",
        differ.join(" or "),
        id_text::<DB>(definition, alias)
    )
}

/// The id of the row `alias` as text.
pub(super) fn id_text<DB: SyncBackend>(definition: &TableDefinition, alias: &str) -> String {
    let texts = definition
        .ids()
        .map(|id| DB::text_of(&format!("{alias}.{}", id.quoted())));
    texts.collect::<Vec<_>>().join(" || ', ' || ")
}

/// Takes what the database holds.
struct FoundRows {
    definition: &'static TableDefinition,
    storage: Storage,
    rows: Vec<Found>,
}

impl FoundRows {
    fn new(definition: &'static TableDefinition, storage: Storage, rows: usize) -> Self {
        FoundRows {
            definition,
            storage,
            rows: vec![Found::UNKNOWN; rows],
        }
    }
}

impl<DB: SyncBackend> TakeRows<DB> for FoundRows {
    type Error = Failure;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Failure> {
        let flag = |column| DB::integer(row, column).map(|flag| flag == Some(1));
        let place = DB::integer(row, 0)?.and_then(|place| usize::try_from(place).ok());
        let Some(found) = place.and_then(|place| self.rows.get_mut(place)) else {
            return Ok(Flow::Next);
        };
        let is_stored = flag(1)?;
        let stamp =
            DB::instant(row, 2, self.storage)?.and_then(DateTime::<Utc>::from_timestamp_micros);
        *found = Found {
            is_stored,
            is_visible: flag(5)?,
            stamp,
            ..Found::UNKNOWN
        };
        if is_stored {
            let written = registers_of::<DB>(row, 3)?;
            let registers = Registers::parse(written.as_deref(), stamp);
            let deleted = self
                .definition
                .deleted()
                .filter(|_| flag(4).unwrap_or(false));
            found.registers = Some(registers.clone());
            found.written = written;
            found.other_id = DB::text(row, 6)?;
            found.held = match deleted {
                Some(column) => Held::Gone(registers.column(&column.name)),
                None => Held::Live { stamp, registers },
            };
        }
        if let Some(clock) = DB::text(row, 7)? {
            let clock = clock.parse().unwrap_or(Clock::ZERO);
            found.after(self.definition, clock, flag(8)?);
        }
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for FoundRows {}

/// A row's registers as they are stored, in `column`; bytes that are no text are no registers.
pub(super) fn registers_of<'r, DB: SyncBackend>(
    row: &impl Row<'r, DB>,
    column: usize,
) -> QueryResult<Option<String>> {
    match DB::text(row, column) {
        Err(Error::DeserializationError(_)) => Ok(Some(String::new())),
        read => read,
    }
}

/// Takes deletions: the place of an id, the clock, and whether the scope showed the row.
struct Deletions<'f> {
    definition: &'static TableDefinition,
    found: &'f mut [Found],
}

impl<DB: SyncBackend> TakeRows<DB> for Deletions<'_> {
    type Error = Failure;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Failure> {
        let place = DB::integer(row, 0)?.and_then(|place| usize::try_from(place).ok());
        let clock = DB::text(row, 1)?.and_then(|clock| clock.parse().ok());
        let is_visible = DB::integer(row, 2)? == Some(1);
        if let Some(found) = place.and_then(|place| self.found.get_mut(place)) {
            found.after(self.definition, clock.unwrap_or(Clock::ZERO), is_visible);
        }
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for Deletions<'_> {}
