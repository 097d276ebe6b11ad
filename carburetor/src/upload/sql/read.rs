//! Locking rows and reading what decides on their changes.

use super::{Id, PLACE, ids as ids_of, names, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::connection::{Flow, PacedRows, TakeRows};
use crate::download::table_sql::TableSql;
use crate::register::{COLUMN, Registers};
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, quoted};
use crate::upload::UploadBackend;
use crate::upload::UploadTable;
use crate::upload::admit::Admitted;
use crate::upload::decide::{Held, Kind};
use crate::upload::error::UploadError;
use crate::upload::plan::Found;
use crate::upload::session::{Failure, Session};
use chrono::{DateTime, Utc};
use diesel::row::Row;

impl<R: Runner> Session<'_, '_, R> {
    /// Locks the rows of all `changes` that exist, in one order for all uploads: tables, then ids.
    pub(in crate::upload) async fn lock_rows(
        &mut self,
        changes: &[Admitted<'_, R::Backend>],
    ) -> Result<(), Failure> {
        if R::Backend::LOCK_ROWS.is_none() {
            return Ok(());
        }
        for table in self.order.clone() {
            let of_table = changes.iter().filter(|change| change.table == table);
            let mut first: Vec<_> = of_table.collect();
            first.sort_by(|one, other| one.key.cmp(&other.key));
            first.dedup_by(|one, other| one.key == other.key);
            let locked = self.lock(table, &first).await?;
            for (change, found) in first.into_iter().zip(locked) {
                self.locked[change.at] = Some(found);
            }
        }
        Ok(())
    }

    /// Locks the rows of `changes`, each another one of one table, and says what they are like; none where there is no row to lock.
    async fn lock(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Option<Found>>, Failure> {
        let Some(kinds) = R::Backend::LOCK_ROWS.filter(|_| !changes.is_empty()) else {
            return Ok(vec![None; changes.len()]);
        };
        let ids: Vec<_> = changes.iter().map(|change| change.id.as_slice()).collect();
        // One kind of lock for all rows of the table: in two statements they would be taken in another order.
        let deletes = changes.iter().any(|change| change.kind == Kind::Delete);
        let lock = kinds[usize::from(!deletes)];
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let mut found = FoundRows::new(definition, sql.storage, ids.len());
        let (mut statement, _) =
            of_ids::<R::Backend>(definition, &ids).statement(self.around.types(table));
        push_stored(upload, &sql, &mut statement);
        statement.sql(format!(
            ", cast(null as text), cast(0 as bigint) from {name} join sent on {} order by {}{lock}{}",
            same_id(definition, &sql.name),
            ids_of(definition, &sql.name),
            quoted(&definition.table),
            name = sql.name,
        ));
        self.runner.run(statement, &mut found).await?;
        let found = found.rows.into_iter();
        Ok(found
            .map(|found| found.is_stored.then_some(found))
            .collect())
    }

    /// What the database holds under the ids of these changes, in their order. Nobody else writes the rows that are there from here on.
    pub(in crate::upload) async fn find(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let mut known: Vec<Option<Option<Found>>> = changes
            .iter()
            .map(|change| self.locked[change.at].take())
            .collect();
        let unlocked: Vec<_> = changes
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|(change, _)| *change)
            .collect();
        // They were used before, by a try that failed or by a former change of the row; somebody may have inserted others since. These are out of the
        // order, so that waiting for them may end in a deadlock, with which the upload begins anew.
        let locked = self.lock(table, &unlocked).await?;
        let unknown = known.iter_mut().filter(|known| known.is_none());
        for (known, locked) in unknown.zip(locked) {
            *known = Some(locked);
        }
        let known: Vec<Option<Found>> = known.into_iter().map(Option::flatten).collect();
        let absent = changes
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none());
        let ids: Vec<_> = absent.map(|(change, _)| change.id.as_slice()).collect();
        let mut read = self.read(table, &ids).await?.into_iter();
        let found = known.into_iter().map(|known| known.or_else(|| read.next()));
        Ok(found.map(|found| found.unwrap_or(Found::UNKNOWN)).collect())
    }

    /// What the database holds under these ids, in their order. Where rows are locked these have none, and only deletions are looked for: should
    /// somebody insert one meanwhile, then inserting it again says so.
    async fn read(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let is_absent = R::Backend::LOCK_ROWS.is_some();
        let gone = "carburetor_gone";
        let mut read = Vec::with_capacity(ids.len());
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let ids = &ids[portion];
            let sent = of_ids::<R::Backend>(definition, ids);
            let (mut statement, binds) = sent.statement(self.around.types(table));
            push_stored(upload, &sql, &mut statement);
            statement.sql(format!(
                ", {gone}.carburetor_clock, cast(case when 1 = 1{over} then 1 else 0 end as bigint) \
                 from sent {join} {register} {gone} on {gone_same} left join {name} on {same}",
                over = upload.visibility.over_from(gone, binds + 1),
                join = if is_absent { "join" } else { "left join" },
                register = R::Backend::register_table(definition),
                gone_same = same_id(definition, gone),
                name = sql.name,
                same = match is_absent {
                    true => "1 = 0".into(),
                    false => same_id(definition, &sql.name),
                },
            ));
            let mut found = FoundRows::new(definition, sql.storage, ids.len());
            self.runner.run(statement, &mut found).await?;
            read.append(&mut found.rows);
        }
        Ok(read)
    }
}

/// Asks for the place of a row, whether it is there, its stamp, its registers, and whether it is soft-deleted and visible.
fn push_stored<'u, DB: SyncBackend>(
    upload: &'u UploadTable<'_, DB>,
    sql: &TableSql,
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
    upload.visibility.push(statement);
    statement.sql(" then 1 else 0 end as bigint)");
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
            held: Held::Unknown,
            is_stored,
            is_visible: flag(5)?,
            stamp,
            registers: None,
        };
        if is_stored {
            let registers =
                Registers::parse(DB::text(row, 3)?.as_deref(), stamp).map_err(|error| {
                    UploadError::Registers {
                        table: self.definition.key(),
                        problem: error.0,
                    }
                })?;
            let deleted = self
                .definition
                .deleted()
                .filter(|_| flag(4).unwrap_or(false));
            found.registers = Some(registers.clone());
            found.held = match deleted {
                Some(column) => Held::Gone(registers.column(&column.name)),
                None => Held::Live { stamp, registers },
            };
        } else if let Some(clock) = DB::text(row, 6)? {
            found.held = Held::Gone(clock.parse().unwrap_or(Clock::ZERO));
            found.is_visible = flag(7)?;
        }
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for FoundRows {}
