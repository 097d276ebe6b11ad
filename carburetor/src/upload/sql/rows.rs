//! The rows that outcomes and conflicts show.

use super::{Id, PLACE, names, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::connection::runner::Runner;
use crate::connection::{Flow, PacedRows, TakeRows};
use crate::download::unreadable::id_in;
use crate::outcome::Outcomes;
use crate::table::{Storage, TableDefinition};
use crate::upload::error::UploadError;
use crate::upload::session::{Failure, Session};
use crate::wire::json::{separate, write_key};
use crate::wire::{Codec, WireError};
use chrono::{DateTime, Utc};
use diesel::row::Row;
use serde_json::{Map, Value};

/// A row that the scope shows.
#[derive(Clone)]
pub(in crate::upload) struct Shown {
    /// As it travels; what of it can't is missing.
    pub(in crate::upload) row: Map<String, Value>,
    pub(in crate::upload) stamp: Option<DateTime<Utc>>,
    /// What can't travel.
    pub(in crate::upload) unreadable: Option<WireError>,
}

/// How many bytes rows may have.
#[derive(Clone, Copy)]
pub(in crate::upload) struct Room {
    limit: usize,
    left: usize,
}

impl Default for Room {
    fn default() -> Self {
        Room::of(usize::MAX)
    }
}

impl Room {
    pub(in crate::upload) fn of(limit: usize) -> Self {
        Room { limit, left: limit }
    }

    /// What is left of it after these answers.
    pub(in crate::upload) fn without(self, answers: &Outcomes) -> Self {
        if self.left == usize::MAX {
            return self;
        }
        let rows = answers.outcomes.iter().filter_map(|one| one.row.as_ref());
        let bytes = rows.map(|row| serde_json::to_vec(row).map_or(0, |json| json.len()));
        let left = self.left.saturating_sub(bytes.sum());
        Room { left, ..self }
    }

    fn take(&mut self, bytes: usize) -> Result<(), UploadError> {
        let limit = self.limit;
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(UploadError::LongAnswer { limit })?;
        Ok(())
    }
}

impl<R: Runner> Session<'_, '_, R> {
    /// The rows with these ids, as far as the scope shows them.
    pub(in crate::upload) async fn rows(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
        room: &mut Room,
    ) -> Result<Vec<Option<Shown>>, Failure> {
        let upload = &self.tables[table];
        let definition = upload.definition;
        let sql = names(definition)?;
        let mut rows = ShownRows {
            definition,
            codecs: upload.codecs,
            storage: sql.storage,
            rows: vec![None; ids.len()],
            room,
        };
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let first = portion.start;
            let sent = of_ids::<R::Backend>(definition, &ids[portion]);
            let (mut statement, _) = sent.statement(self.around.types(table));
            statement.sql(format!(
                "select cast({PLACE} + {first} as bigint), {}, {} from sent join {} on {} where 1 = 1",
                sql.stamp,
                sql.columns(&sql.name),
                sql.name,
                same_id(definition, &sql.name),
            ));
            if let Some(deleted) = sql.deleted() {
                statement.sql(format!(" and not {deleted}"));
            }
            self.push_visible(table, &mut statement);
            self.runner.run(statement, &mut rows).await?;
        }
        Ok(rows.rows)
    }
}

/// Takes rows and makes JSON of them.
struct ShownRows<'r, DB: SyncBackend> {
    definition: &'static TableDefinition,
    codecs: &'static [Codec<DB>],
    storage: Storage,
    rows: Vec<Option<Shown>>,
    room: &'r mut Room,
}

impl<DB: SyncBackend> TakeRows<DB> for ShownRows<'_, DB> {
    type Error = Failure;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Failure> {
        let place = DB::integer(row, 0)?.and_then(|place| usize::try_from(place).ok());
        let stamp = DB::instant(row, 1, self.storage)?.and_then(DateTime::from_timestamp_micros);
        let mut json = b"{".to_vec();
        let mut unreadable = None;
        for ((number, column), codec) in self.definition.downloaded().enumerate().zip(self.codecs) {
            let at = |error: WireError| error.at(&self.definition.wire_name, &column.name);
            let field = row
                .get(number + 2)
                .ok_or_else(|| at(WireError::new("not in the result")))?;
            let before = json.len();
            separate(&mut json);
            write_key(&column.name, &mut json);
            if let Err(error) = DB::write(codec, &field, &mut json) {
                json.truncate(before);
                unreadable.get_or_insert(at(error));
            }
        }
        json.push(b'}');
        self.room.take(json.len())?;
        let row: Map<String, Value> = serde_json::from_slice(&json).map_err(|error| {
            WireError::new(error.to_string()).at(&self.definition.wire_name, "")
        })?;
        if let Some(shown) = place.and_then(|place| self.rows.get_mut(place)) {
            let unreadable = unreadable.map(|error| match id_in(self.definition, &row) {
                Some(id) => error.of(id),
                None => error,
            });
            *shown = Some(Shown {
                row,
                stamp,
                unreadable,
            });
        }
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for ShownRows<'_, DB> {}
