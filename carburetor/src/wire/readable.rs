//! What a model can read of a table that travelled. The rest is told, and asked for again, as where the database itself is read.

use super::{UNSENT, WireError, unsent};
use crate::backend::SyncBackend;
use crate::download::unreadable::id_in;
use crate::table::TableOn;
use crate::token::TableState;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::marker::PhantomData;

/// What was read of a table so far.
pub(super) struct Readable<'t, M: TableOn<DB>, DB: SyncBackend> {
    pub(super) rows: Vec<M>,
    pub(super) removed: Vec<M::Id>,
    pub(super) unreadable: Vec<WireError>,
    /// Not after what can't be read, for whoever goes on from it without the token.
    pub(super) cutoff: DateTime<Utc>,
    /// What the token says of the table.
    pub(super) state: Option<&'t mut TableState>,
    pub(super) backend: PhantomData<fn(DB)>,
}

impl<M: TableOn<DB>, DB: SyncBackend> Readable<'_, M, DB> {
    /// Takes the id of a row that left. No row of the model has one that it can't read.
    pub(super) fn removal(&mut self, id: Value) {
        match M::decode_id(id.clone()) {
            Ok(id) => self.removed.push(id),
            Err(error) => self.unreadable.push(error.of(id)),
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    ///
    /// It lacks a column that the model needs: the server is older than the program, for which no row is readable.
    pub(super) fn row(&mut self, row: Map<String, Value>) -> Result<(), WireError> {
        let (id, stamp) = (id_in(M::definition(), &row), stamp_in::<M, DB>(&row));
        let error = match M::decode(row) {
            Ok(row) => {
                self.rows.push(row);
                return Ok(());
            }
            Err(error) => error,
        };
        let error = match &id {
            Some(id) => error.of(id.clone()),
            None => error,
        };
        let error = unsent(error);
        if error.message == UNSENT {
            return Err(error);
        }
        self.unreadable.push(error);
        let since = stamp.unwrap_or_default();
        self.cutoff = self.cutoff.min(since);
        if let Some(state) = &mut self.state {
            let aside = state.aside.get_or_insert_default();
            aside.add(id.as_ref(), Some(since.timestamp_micros()));
        }
        Ok(())
    }
}

/// When the server wrote a row, if it says so.
fn stamp_in<M: TableOn<DB>, DB: SyncBackend>(row: &Map<String, Value>) -> Option<DateTime<Utc>> {
    let mut columns = M::definition().downloaded();
    let stamp = columns.find(|column| column.last_synced_at)?;
    let text = row.get(&stamp.name)?.as_str()?;
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|stamp| stamp.to_utc())
}
