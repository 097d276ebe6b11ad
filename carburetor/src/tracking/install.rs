//! Installing the tracking directly.

#[cfg(feature = "postgres-backend")]
pub(super) mod postgres;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;

use super::merge::disagreements;
use super::runner::{Blocking, Runner, complete};
use super::{Tracking, TrackingError};
use crate::backend::SyncBackend;
use crate::connection::SyncConnection;

impl<DB: SyncBackend> Tracking<DB> {
    /// Installs the tracking, or brings it up to date. Doing it again changes nothing, and several programs may do it at once.
    ///
    /// On PostgreSQL each table is changed in a transaction of its own, which gives up after three seconds of waiting for a lock and tries again
    /// later, up to five times, so that writers never queue for long; indexes are then built beside the writers. Inside a
    /// transaction of the caller everything belongs to that, and writers wait until it ends. On SQLite everything is one transaction.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use carburetor::{table::{ColumnDefinition, TableDefinition}, tracking::{Tracking, TrackingError}};
    /// use diesel::{Connection, SqliteConnection, sqlite::Sqlite};
    /// let users = TableDefinition { table: "users".into(), ..Default::default() };
    /// let mut conn = SqliteConnection::establish(":memory:")?;
    /// let refused = Tracking::<Sqlite>::of([users]).install(&mut conn);
    /// let Err(TrackingError::Refused(problems)) = refused else { panic!() };
    /// assert_eq!(problems[0].to_string(), "users: the database has no such table; create the table before its tracking");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](TrackingError::Refused) with everything that keeps tables from being tracked, before anything was changed; [`Locked`](TrackingError::Locked) where a table did not come free; and failed queries.
    pub fn install<C>(&self, conn: &mut C) -> Result<(), TrackingError>
    where
        C: SyncConnection<Backend = DB>,
    {
        complete(self.install_by(&mut Blocking(conn)))
    }

    /// Installs the tracking on either kind of connection.
    pub(super) async fn install_by<R>(&self, runner: &mut R) -> Result<(), TrackingError>
    where
        R: Runner<Backend = DB>,
    {
        let problems = disagreements(self.definitions());
        if !problems.is_empty() {
            return Err(TrackingError::Refused(problems));
        }
        DB::install(runner, self).await
    }
}
