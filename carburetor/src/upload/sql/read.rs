//! Locking rows and reading what decides on their changes.

use super::{Id, PLACE, ids, names, of_ids, portions, same_id};
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
use crate::upload::session::{Failure, Session, Transaction};
use chrono::{DateTime, Utc};
use diesel::row::Row;
use std::collections::BTreeMap;

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
            let mut rows: BTreeMap<&[u8], (Id<'_, R::Backend>, bool)> = BTreeMap::new();
            for change in changes.iter().filter(|change| change.table == table) {
                let row = rows.entry(&change.key).or_insert((&change.id, false));
                row.1 |= change.kind == Kind::Delete;
            }
            if rows.is_empty() {
                continue;
            }
            let deletes = rows.values().any(|(_, deletes)| *deletes);
            let (keys, all): (Vec<_>, Vec<_>) =
                rows.into_iter().map(|(key, (id, _))| (key, id)).unzip();
            let found = self.lock(table, &all, deletes, "").await?;
            // Nobody else writes them from here on; of the others nothing is known yet.
            let found = keys
                .into_iter()
                .zip(found)
                .filter(|(_, found)| found.is_stored);
            self.locked
                .extend(found.map(|(key, found)| ((table, key.to_vec()), found)));
        }
        Ok(())
    }

    /// Locks those of the rows that exist and reads them as they are then. One kind of lock for all of them: in two statements they would be taken
    /// in another order.
    async fn lock(
        &mut self,
        table: usize,
        all: &[Id<'_, R::Backend>],
        deletes: bool,
        and: &str,
    ) -> Result<Vec<Found>, Failure> {
        let lock = R::Backend::LOCK_ROWS.map_or("", |kinds| kinds[usize::from(!deletes)]);
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let mut found = FoundRows::new(definition, sql.storage, all.len());
        let (mut statement, _) =
            of_ids::<R::Backend>(definition, all).statement(self.around.types(table));
        push_stored(upload, &sql, 0, &mut statement);
        statement.sql(format!(
            ", cast(null as text), cast(0 as bigint) from {name} join sent on {} order by {}{lock}{}{and}",
            same_id(definition, &sql.name),
            ids(definition, &sql.name),
            quoted(&definition.table),
            name = sql.name,
        ));
        self.runner.run(statement, &mut found).await?;
        Ok(found.rows)
    }

    /// What the database holds under the ids of these changes, in their order.
    pub(in crate::upload) async fn find(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let known: Vec<Option<Found>> = changes
            .iter()
            .map(|change| self.locked.remove(&(table, change.key.clone())))
            .collect();
        let missing = changes
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none());
        let missing: Vec<_> = missing.map(|(change, _)| *change).collect();
        let mut read = self.read_locked(table, &missing).await?.into_iter();
        let found = known.into_iter().map(|known| known.or_else(|| read.next()));
        Ok(found.map(|found| found.unwrap_or(Found::UNKNOWN)).collect())
    }

    /// What the database holds under the ids of changes whose rows were not there when rows were locked. Those that came into being since are locked
    /// before anything is decided: what somebody else writes to them would be lost. They are out of the order, so that waiting for them may end in a
    /// deadlock; an upload that may begin anew doesn't wait.
    async fn read_locked(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let all: Vec<_> = changes.iter().map(|change| change.id.as_slice()).collect();
        let mut found = self.read(table, &all).await?;
        let places: Vec<usize> = (0..found.len())
            .filter(|place| found[*place].is_stored && R::Backend::LOCK_ROWS.is_some())
            .collect();
        if places.is_empty() {
            return Ok(found);
        }
        let deletes = places
            .iter()
            .any(|place| changes[*place].kind == Kind::Delete);
        let late: Vec<_> = places.iter().map(|place| all[*place]).collect();
        let and = match self.transaction {
            Transaction::Callers => "",
            _ => " skip locked",
        };
        let locked = self.lock(table, &late, deletes, and).await?;
        for (place, locked) in places.iter().zip(locked) {
            if !locked.is_stored {
                return Err(Failure::Raced(table));
            }
            found[*place] = locked;
        }
        Ok(found)
    }

    /// What the database holds under these ids, in their order.
    async fn read(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let mut found = FoundRows::new(definition, sql.storage, ids.len());
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let first = portion.start;
            let sent = of_ids::<R::Backend>(definition, &ids[portion]);
            let (mut statement, binds) = sent.statement(self.around.types(table));
            push_stored(upload, &sql, first, &mut statement);
            let gone = "carburetor_gone";
            statement.sql(format!(
                ", {gone}.carburetor_clock, cast(case when 1 = 1{over} then 1 else 0 end as bigint) \
                 from sent left join {name} on {same} left join {register} {gone} on {gone_same}",
                over = upload.visibility.over_from(gone, binds + 1),
                name = sql.name,
                same = same_id(definition, &sql.name),
                register = R::Backend::register_table(definition),
                gone_same = same_id(definition, gone),
            ));
            self.runner.run(statement, &mut found).await?;
        }
        Ok(found.rows)
    }
}

/// Asks for the place of a row, whether it is there, its stamp, its registers, and whether it is soft-deleted and visible.
fn push_stored<'u, DB: SyncBackend>(
    upload: &'u UploadTable<'_, DB>,
    sql: &TableSql,
    first: usize,
    statement: &mut Statement<'u, DB>,
) {
    let is_stored = match upload.definition.ids().next() {
        Some(id) => format!("{}.{} is not null", sql.name, id.quoted()),
        None => "1 = 0".into(),
    };
    let deleted = sql.deleted().unwrap_or_else(|| "1 = 0".into());
    statement.sql(format!(
        "select cast({PLACE} + {first} as bigint), cast(case when {is_stored} then 1 else 0 end as bigint), {stamp}, \
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
