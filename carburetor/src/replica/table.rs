//! One table of a group as a replica sees it: everything that its model knows, without the model's type.

use super::query::BIND;
use crate::group::{SyncGroup, SyncTables, assert_named_once, each_arity};
use crate::scope::GroupTable;
use crate::table::{ColumnDefinition, Storage, TableDefinition, TableOn, quoted};
use crate::upload::Admit;
use crate::wire::{Codec, SqliteValue, WireError};
use diesel::sqlite::Sqlite;
use serde_json::{Map, Value};

/// One table of a group. "Column `number`" counts the columns of [`TableDefinition::downloaded`].
pub(crate) struct ReplicaTable {
    pub(crate) definition: &'static TableDefinition,
    /// How each downloaded column travels.
    pub(crate) codecs: &'static [Codec<Sqlite>],
    /// The stored value of a column that travelled, checked by the field's Rust type; none is NULL.
    pub(crate) admit: Admit<Sqlite>,
    /// A row that travelled, with the model's defaults for what it lacks.
    pub(crate) complete: Complete,
    /// The group of the file that had the table first: what is edited goes with it.
    pub(crate) owner: String,
    /// What tells the places of this group's pages from those of others over the table.
    pub(crate) shelf: String,
    /// The table is tracked in this file, which serves other devices: its stamps are of the file's own.
    pub(crate) is_hub: bool,
}

type Row = Map<String, Value>;
type Complete = fn(Row) -> Result<Row, WireError>;

impl ReplicaTable {
    fn of<M: TableOn<Sqlite>>() -> Self {
        ReplicaTable {
            definition: M::definition(),
            codecs: M::codecs(),
            admit: M::admit,
            complete: |row| M::decode(row)?.encode(),
            owner: String::new(),
            shelf: String::new(),
            is_hub: false,
        }
    }

    /// The quoted name.
    pub(super) fn name(&self) -> String {
        self.definition.sql_name()
    }

    /// The name of an object that the replica keeps for this table, unquoted.
    pub(super) fn object(&self, kind: &str) -> String {
        format!("carburetor_{kind}_{}", self.definition.table)
    }

    /// The same as an identifier.
    pub(super) fn own(&self, kind: &str) -> String {
        quoted(&self.object(kind))
    }

    /// The name of a place where rows or ids of this group lie before they are shown, unquoted.
    pub(super) fn place(&self, kind: &str) -> String {
        format!("carburetor_{kind}{}_{}", self.shelf, self.definition.table)
    }

    /// The same as an identifier.
    pub(super) fn staged(&self, kind: &str) -> String {
        quoted(&self.place(kind))
    }

    /// What is edited goes with this group.
    pub(super) fn is_uploaded_by(&self, group: &str) -> bool {
        self.owner == group && !self.takes_no_writes()
    }

    /// Nothing of it is uploaded from a replica's file.
    pub(super) fn takes_no_writes(&self) -> bool {
        let definition = self.definition;
        definition.read_only || definition.untracked || definition.online_only
    }

    /// What travels, but for the id and the stamp.
    pub(super) fn values(&self) -> impl Iterator<Item = &'static ColumnDefinition> {
        self.definition.registered()
    }

    /// What a replica's edits are of: neither id nor stamp nor what is downloaded only.
    pub(super) fn edited(&self) -> impl Iterator<Item = &'static ColumnDefinition> {
        self.values().filter(|column| !column.read_only)
    }

    /// The stamp's column, if it is among those that travel.
    pub(super) fn stamp(&self) -> Option<&'static ColumnDefinition> {
        let mut columns = self.definition.downloaded();
        columns.find(|column| column.last_synced_at)
    }

    /// Whether the rows `one` and `other` have the same id.
    pub(super) fn same_id(&self, one: &str, other: &str) -> String {
        crate::tracking::sqlite::same(self.definition.ids(), Some(one), other)
    }

    /// Whether the row that a statement is about has the id of `other`.
    pub(super) fn own_id(&self, other: &str) -> String {
        crate::tracking::sqlite::same(self.definition.ids(), None, other)
    }

    /// Whether the row behind `prefix` has one of the ids in the table `few`: they are looked up by the row's index, whereas `exists` would read all rows.
    pub(super) fn is_among(&self, prefix: &str, few: &str) -> String {
        format!(
            "({}) in (select {} from {few})",
            self.ids(prefix),
            self.ids("")
        )
    }

    /// The id's columns, each behind `prefix`.
    pub(super) fn ids(&self, prefix: &str) -> String {
        crate::tracking::sqlite::list(self.definition.ids(), prefix)
    }

    /// What travels, each column behind `prefix`.
    pub(super) fn columns(&self, prefix: &str) -> String {
        crate::tracking::sqlite::list(self.definition.downloaded(), prefix)
    }

    /// The downloaded column of this name, with its number.
    pub(super) fn column(&self, name: &str) -> Option<(usize, &'static ColumnDefinition)> {
        let mut columns = self.definition.downloaded().enumerate();
        columns.find(|(_, column)| column.name == name)
    }

    /// A condition of a bind per part of the id: those of the row `alias`.
    pub(super) fn has_id(&self, alias: &str) -> String {
        let parts = self.definition.ids();
        let parts: Vec<String> = parts
            .map(|id| format!("{alias}.{} is {BIND}", id.quoted()))
            .collect();
        parts.join(" and ")
    }

    /// The stored parts of an id that travelled.
    pub(super) fn admit_id(&self, id: &Value) -> Result<Vec<Option<SqliteValue>>, WireError> {
        let parts = self.definition.id_parts(id);
        let parts = parts
            .map_err(|expected| WireError::new(expected).at(&self.definition.wire_name, ""))?;
        parts
            .into_iter()
            .map(|(number, _, part)| (self.admit)(number, part))
            .collect()
    }
}

/// What a stamp's column holds in a row that the server hasn't seen, as SQL.
pub(super) fn no_stamp(storage: Storage) -> &'static str {
    match storage {
        Storage::Integer => "0",
        Storage::Timestamp => "'1970-01-01 00:00:00.000000'",
        _ => "'1970-01-01 00:00:00.000000+00:00'",
    }
}

/// A group that a device can hold a copy of: each of its tables has a model on SQLite.
///
#[doc = include_str!("../../docs/examples/replica_group.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be replicated into an SQLite file",
    note = "a replica is of a `SyncGroup` of tables that derive `SyncTable`, and `#[sync(backends(..))]` leaves `sqlite` out of none of them"
)]
#[allow(
    private_interfaces,
    reason = "sealed by its hidden method: nobody else calls it"
)]
pub trait ReplicaGroup: 'static {
    /// The tables' names on the wire, in order.
    const NAMES: &'static [&'static str];

    #[doc(hidden)]
    fn tables() -> Vec<ReplicaTable>;
}

/// A tuple of tables that have models on SQLite.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be replicated into an SQLite file",
    note = "each table needs a model on SQLite: `#[sync(backends(..))]` with `sqlite` among them"
)]
#[allow(
    private_interfaces,
    reason = "sealed by its hidden method: nobody else calls it"
)]
#[doc(hidden)]
pub trait ReplicaTables: SyncTables {
    fn tables() -> Vec<ReplicaTable>;
}

#[allow(
    private_interfaces,
    reason = "sealed by its hidden method: nobody else calls it"
)]
impl<T: ReplicaTables, S: 'static> ReplicaGroup for SyncGroup<T, S> {
    const NAMES: &'static [&'static str] = T::NAMES;

    fn tables() -> Vec<ReplicaTable> {
        const { assert_named_once(T::NAMES) };
        T::tables()
    }
}

macro_rules! replica {
    ($($T:ident $place:tt),+) => {
        #[allow(private_interfaces, reason = "sealed by its hidden method: nobody else calls it")]
        impl<$($T: GroupTable<Model: TableOn<Sqlite>>),+> ReplicaTables for ($($T,)+) {
            fn tables() -> Vec<ReplicaTable> {
                vec![$(ReplicaTable::of::<$T::Model>()),+]
            }
        }
    };
}

each_arity!(replica);
