//! Changes out of a model's own types.

use super::{Change, Edit};
use crate::__private::Companion;
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::table::TableOn;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

impl Change {
    /// A new row of `M`, the values as `DB` maps them.
    ///
    #[doc = include_str!("../../docs/examples/change_insert.md")]
    ///
    /// # Errors
    ///
    /// A value that can't travel: the error names table and column.
    pub fn insert<M, DB>(insert: &M::Insert, clock: Clock) -> Result<Self, WireError>
    where
        M: TableOn<DB, Insert: Companion>,
        DB: SyncBackend,
    {
        let columns = insert.encode()?;
        let mut parts = M::definition()
            .ids()
            .map(|part| {
                let missing = || WireError::new("missing: an insert names its id");
                let value = columns.get(&part.name).cloned();
                value.ok_or_else(|| missing().at(M::NAME, &part.name))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let id = match parts.len() {
            1 => parts.remove(0),
            _ => Value::Array(parts),
        };
        Ok(Self::of::<M, DB>(id, None, clock, Edit::Insert(columns)))
    }

    /// An edit of the row of `M` with this id, made on the row with the stamp `base`.
    ///
    #[doc = include_str!("../../docs/examples/change_update.md")]
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn update<M, DB>(
        id: &M::Id,
        changeset: &M::Changeset,
        base: impl Into<Option<DateTime<Utc>>>,
        clock: Clock,
    ) -> Result<Self, WireError>
    where
        M: TableOn<DB, Changeset: Companion>,
        DB: SyncBackend,
    {
        let (id, edit) = (M::encode_id(id)?, Edit::Update(changeset.encode()?));
        Ok(Self::of::<M, DB>(id, base.into(), clock, edit))
    }

    /// The deletion of the row of `M` with this id, made on the row with the stamp `base`.
    ///
    #[doc = include_str!("../../docs/examples/change_delete.md")]
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn delete<M, DB>(
        id: &M::Id,
        base: impl Into<Option<DateTime<Utc>>>,
        clock: Clock,
    ) -> Result<Self, WireError>
    where
        M: TableOn<DB>,
        DB: SyncBackend,
    {
        let id = M::encode_id(id)?;
        Ok(Self::of::<M, DB>(id, base.into(), clock, Edit::Delete))
    }

    /// Tells what the edited columns held before, of which `row` was: the base of a merge by the model's own code. Only an update has such.
    ///
    #[doc = include_str!("../../docs/examples/change_on.md")]
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn on<M, DB>(mut self, row: &M) -> Result<Self, WireError>
    where
        M: TableOn<DB>,
        DB: SyncBackend,
    {
        if let Edit::Update(columns) = &self.edit {
            let before = row.encode()?.into_iter();
            self.was = before
                .filter(|(name, _)| columns.contains_key(name))
                .collect();
        }
        Ok(self)
    }

    fn of<M, DB>(id: Value, base: Option<DateTime<Utc>>, clock: Clock, edit: Edit) -> Self
    where
        M: TableOn<DB>,
        DB: SyncBackend,
    {
        Change {
            table: M::NAME.to_owned(),
            id,
            clock,
            base,
            edit,
            was: Map::new(),
        }
    }
}
