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
use crate::upload::session::{Failure, Session};
use chrono::{DateTime, Utc};
use diesel::row::Row;
use std::collections::BTreeMap;

impl<R: Runner> Session<'_, '_, R> {
    /// Locks the rows of all `changes` that exist, in one order for all uploads: tables, then ids.
    pub(in crate::upload) async fn lock_rows(
        &mut self,
        changes: &[Admitted<'_, R::Backend>],
    ) -> Result<(), Failure> {
        let Some(kinds) = R::Backend::LOCK_ROWS else {
            return Ok(());
        };
        for table in self.order.clone() {
            let mut rows: BTreeMap<&[u8], (Id<'_, R::Backend>, bool)> = BTreeMap::new();
            for change in changes.iter().filter(|change| change.table == table) {
                let row = rows.entry(&change.key).or_insert((&change.id, false));
                row.1 |= change.kind == Kind::Delete;
            }
            if rows.is_empty() {
                continue;
            }
            // One kind of lock for all rows of the table: in two statements they would be taken in another order.
            let deletes = rows.values().any(|(_, deletes)| *deletes);
            let lock = kinds[usize::from(!deletes)];
            let upload = &self.tables[table];
            let definition = upload.definition;
            let sql = names(definition)?;
            let (keys, all): (Vec<_>, Vec<_>) =
                rows.into_iter().map(|(key, (id, _))| (key, id)).unzip();
            let mut found = FoundRows::new(definition, sql.storage, all.len());
            let (mut statement, _) =
                of_ids::<R::Backend>(definition, &all).statement(self.around.types(table));
            push_stored(upload, &sql, &mut statement);
            statement.sql(format!(
                ", cast(null as text), cast(0 as bigint) from {name} join sent on {} order by {}{lock}{}",
                same_id(definition, &sql.name),
                ids(definition, &sql.name),
                quoted(&definition.table),
                name = sql.name,
            ));
            self.runner.run(statement, &mut found).await?;
            // Nobody else writes those that are there from here on.
            let found = keys.into_iter().zip(found.rows).map(|(key, found)| {
                let found = found.is_stored.then_some(found);
                (key.to_vec(), found)
            });
            self.locked.insert(table, found.collect());
        }
        Ok(())
    }

    /// What the database holds under the ids of these changes, in their order.
    pub(in crate::upload) async fn find(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
    ) -> Result<Vec<Found>, Failure> {
        let mut found = vec![Found::UNKNOWN; changes.len()];
        let (mut unread, mut absent) = (Vec::new(), Vec::new());
        let mut locked = self.locked.get_mut(&table);
        for (place, change) in changes.iter().enumerate() {
            match locked.as_mut().and_then(|rows| rows.remove(&change.key)) {
                Some(Some(known)) => found[place] = known,
                Some(None) => absent.push((place, change.id.as_slice())),
                None => unread.push((place, change.id.as_slice())),
            }
        }
        self.read(table, &unread, false, &mut found).await?;
        // Should somebody have inserted one of them meanwhile, then inserting it again says so.
        self.read(table, &absent, true, &mut found).await?;
        Ok(found)
    }

    /// Puts what the database holds under ids to their places in `found`. Of rows that are absent only the deletions are looked for.
    async fn read(
        &mut self,
        table: usize,
        rows: &[(usize, Id<'_, R::Backend>)],
        absent: bool,
        found: &mut [Found],
    ) -> Result<(), Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let gone = "carburetor_gone";
        let register = R::Backend::register_table(definition);
        for portion in portions::<R::Backend>(rows.len(), definition.ids().count() + 1) {
            let rows = &rows[portion];
            let ids: Vec<_> = rows.iter().map(|(_, id)| *id).collect();
            let sent = of_ids::<R::Backend>(definition, &ids);
            let (mut statement, binds) = sent.statement(self.around.types(table));
            push_stored(upload, &sql, &mut statement);
            statement.sql(format!(
                ", {gone}.carburetor_clock, cast(case when 1 = 1{over} then 1 else 0 end as bigint) \
                 from sent {join} {register} {gone} on {gone_same} left join {name} on {same}",
                over = upload.visibility.over_from(gone, binds + 1),
                join = if absent { "join" } else { "left join" },
                gone_same = same_id(definition, gone),
                name = sql.name,
                same = same_id(definition, &sql.name),
            ));
            let mut taken = FoundRows::new(definition, sql.storage, ids.len());
            self.runner.run(statement, &mut taken).await?;
            for ((place, _), taken) in rows.iter().zip(taken.rows) {
                found[*place] = taken;
            }
        }
        Ok(())
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
