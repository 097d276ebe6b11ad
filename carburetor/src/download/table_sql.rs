//! The pieces of SQL that name a table's columns.

use super::DownloadError;
use super::reading::kind;
use crate::backend::SyncBackend;
use crate::table::{ColumnDefinition, Storage, TableDefinition, literal};

/// A table's name and columns as SQL.
pub(crate) struct TableSql {
    pub(crate) definition: &'static TableDefinition,
    pub(crate) name: String,
    /// What is compared with a timestamp.
    pub(crate) stamp: String,
    pub(crate) storage: Storage,
}

impl TableSql {
    pub(crate) fn new(definition: &'static TableDefinition) -> Result<Self, DownloadError> {
        let stamp = definition.stamp().ok_or(DownloadError::NoCutoff)?;
        let name = definition.sql_name();
        let storage = stamp.storage;
        let table = TableSql {
            definition,
            stamp: String::new(),
            storage,
            name,
        };
        Ok(TableSql {
            stamp: table.stamp_of(&table.name),
            ..table
        })
    }

    /// The stamp of a row that goes by `alias`. In an untracked table a row may have none until its first edit.
    fn stamp_of(&self, alias: &str) -> String {
        let column = |wanted: fn(&ColumnDefinition) -> bool| {
            let found = self.definition.columns.iter().find(|column| wanted(column));
            found.map(|column| format!("{alias}.{}", column.quoted()))
        };
        let stamp = column(|column| column.last_synced_at).unwrap_or_default();
        match column(|column| column.created_at) {
            Some(created) if self.definition.untracked => format!("coalesce({stamp}, {created})"),
            _ => stamp,
        }
    }

    /// Whether a row is soft-deleted, if the model knows that.
    pub(crate) fn deleted(&self) -> Option<String> {
        self.definition
            .deleted()
            .map(|column| match column.storage {
                Storage::Boolean => format!("({}.{} is true)", self.name, column.quoted()),
                _ => format!("({}.{} is not null)", self.name, column.quoted()),
            })
    }

    /// The travelling columns of what goes by `alias`.
    pub(crate) fn columns(&self, alias: &str) -> String {
        list(
            self.definition
                .downloaded()
                .map(|column| format!("{alias}.{}", column.quoted())),
        )
    }

    /// The travelling columns of a removal: the id, and NULL of the right type for the others.
    pub(crate) fn removal_columns(&self) -> String {
        list(self.definition.downloaded().map(|column| match column.id {
            true => format!("carburetor_removal.{}", column.quoted()),
            false => format!("carburetor_none.{}", column.quoted()),
        }))
    }

    /// The id columns of what goes by `alias`.
    pub(crate) fn ids(&self, alias: &str) -> String {
        list(
            self.definition
                .ids()
                .map(|column| format!("{alias}.{}", column.quoted())),
        )
    }

    /// That a row has the id of what goes by `alias`.
    pub(crate) fn same_id(&self, alias: &str) -> String {
        let parts: Vec<String> = self
            .definition
            .ids()
            .map(|column| {
                format!(
                    "{}.{column} = {alias}.{column}",
                    self.name,
                    column = column.quoted()
                )
            })
            .collect();
        parts.join(" and ")
    }

    /// A line that is there only in a transaction of the caller's in which nothing may be read, `circumstance` being why.
    pub(crate) fn refusal(&self, circumstance: &str) -> String {
        format!(
            " select cast({} as bigint), cast(null as bigint), cast(null as bigint), carburetor_caller.circumstance, {} \
             from (select {circumstance} as circumstance) carburetor_caller left join {} carburetor_none on 1 = 0 \
             where carburetor_caller.circumstance is not null",
            kind::REFUSAL,
            self.columns("carburetor_none"),
            self.name,
        )
    }

    /// The line with the horizon, the generation and the database's clock, read in the statement that reads the removals.
    ///
    /// `pg_is_in_recovery` and the like may not run in parallel workers; a call that may not keeps the lines in order.
    ///
    /// The horizon is NULL if values that left `column` can't be told from others outside of the database.
    pub(crate) fn header<DB: SyncBackend>(&self, column: Option<&str>) -> String {
        let horizon = DB::micros("carburetor_header.horizon", DB::REMOVAL_STORAGE);
        let horizon = match column {
            Some(column) => format!(
                "case when {} then {horizon} end",
                DB::is_exact(self.definition, column)
            ),
            None => horizon,
        };
        format!(
            " select cast({} as bigint), {}, carburetor_header.generation, (select ahead from {}), {} from {} carburetor_header \
             left join {} carburetor_none on 1 = 0 where carburetor_header.name = {}{}",
            kind::HEADER,
            horizon,
            DB::CLOCK,
            self.columns("carburetor_none"),
            DB::REGISTRY,
            self.name,
            literal(&self.definition.key()),
            DB::IN_ORDER,
        )
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
