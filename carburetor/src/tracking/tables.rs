//! The tables that are tracked together.

use super::Installed;
use super::merge::merge;
use crate::table::TableDefinition;
use std::fmt;
use std::marker::PhantomData;

/// The tracking of some tables on the backend `DB`: printed as a migration, or installed.
///
/// Made by [`SyncGroup::tracking`](crate::SyncGroup::tracking). A program with several groups puts them together with [`and`](Self::and): a
/// table has one tracking, however many groups show it, and its removals must keep what each of them filters by.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use carburetor::{SyncGroup, SyncTable};
/// use diesel::sqlite::Sqlite;
/// # diesel::table! { users (id) { id -> Text, last_synced_at -> BigInt, } }
/// # diesel::table! { games (id) { id -> Text, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct User { id: String, last_synced_at: i64 }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Game { id: String, last_synced_at: i64 }
/// type Mobile = SyncGroup<(User,)>;
/// type Admin = SyncGroup<(User, Game)>;
/// let tracking = Mobile::tracking::<Sqlite>().and(Admin::tracking());
/// assert_eq!(tracking.definitions().len(), 2);
/// # }
/// ```
pub struct Tracking<DB> {
    definitions: Vec<TableDefinition>,
    installed: Option<Installed>,
    backend: PhantomData<fn() -> DB>,
}

impl<DB> Tracking<DB> {
    /// The tracking of the tables that `definitions` define; tables that occur more than once are taken together.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use carburetor::{table::TableDefinition, tracking::Tracking};
    /// let users = TableDefinition { table: "users".into(), ..Default::default() };
    /// let tracking = Tracking::<diesel::sqlite::Sqlite>::of([users.clone(), users]);
    /// assert_eq!(tracking.definitions().len(), 1);
    /// # }
    /// ```
    pub fn of(definitions: impl IntoIterator<Item = TableDefinition>) -> Self {
        Tracking {
            definitions: merge(definitions),
            installed: None,
            backend: PhantomData,
        }
    }

    /// These tables and those of `other`. See [`Tracking`].
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let definitions = self.definitions.into_iter().chain(other.definitions);
        Tracking {
            installed: self.installed.or(other.installed),
            ..Tracking::of(definitions)
        }
    }

    /// The way from what is installed to these tables. What was installed and isn't among these tables is no longer tracked then, so
    /// first put all groups together.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// # use carburetor::{table::{ColumnDefinition, Storage, TableDefinition}, tracking::{Installed, Tracking}};
    /// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
    /// # let notes = TableDefinition { table: "notes".into(), columns: vec![
    /// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
    /// #     ColumnDefinition { last_synced_at: true, storage: Storage::Integer, ..ColumnDefinition::new("stamp") }], ..Default::default() };
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # conn.batch_execute("create table notes (id integer primary key, stamp integer)")?;
    /// let tracking = Tracking::<Sqlite>::of([notes.clone()]);
    /// tracking.install(&mut conn)?;
    /// // A migration of later, when the model has changed:
    /// let installed = Installed::read(&mut conn)?;
    /// let difference = Tracking::<Sqlite>::of([notes]).since(&installed);
    /// assert!(!difference.up_sql(&mut conn)?.contains("trigger"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn since(self, installed: &Installed) -> Self {
        Tracking {
            installed: Some(installed.clone()),
            ..self
        }
    }

    /// The tables, each once.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// assert!(carburetor::tracking::Tracking::<diesel::sqlite::Sqlite>::of([]).definitions().is_empty());
    /// ```
    pub fn definitions(&self) -> &[TableDefinition] {
        &self.definitions
    }

    #[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
    /// What [`since`](Self::since) was told.
    pub(super) fn installed(&self) -> Option<&Installed> {
        self.installed.as_ref()
    }
}

impl<DB> Clone for Tracking<DB> {
    fn clone(&self) -> Self {
        Tracking {
            definitions: self.definitions.clone(),
            installed: self.installed.clone(),
            backend: PhantomData,
        }
    }
}

impl<DB> fmt::Debug for Tracking<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.definitions.iter().map(TableDefinition::key).collect();
        f.debug_struct("Tracking")
            .field("tables", &tables)
            .finish_non_exhaustive()
    }
}
