//! What is wrong with an installation, and what works and may surprise.

use super::merge::disagreements;
use super::runner::{Blocking, Runner, complete};
use super::{Problem, Tracking, TrackingError};
use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use crate::statement::Statement;

impl<DB: SyncBackend> Tracking<DB> {
    /// What is wrong in the database, and what to do: a trigger that is missing or disabled, or fires after ours, a column that was dropped, a
    /// definition that changed, a missing index. It changes nothing.
    ///
    /// No problem, and everything is tracked truthfully. What works and may surprise nevertheless, [`warnings`](Self::warnings) tells.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use carburetor::tracking::Tracking;
    /// use diesel::{Connection, SqliteConnection, sqlite::Sqlite};
    /// let mut conn = SqliteConnection::establish(":memory:")?;
    /// let problems = Tracking::<Sqlite>::of([]).verify(&mut conn)?;
    /// assert_eq!(problems[0].problem, "the tracking is not installed");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query.
    pub fn verify<C>(&self, conn: &mut C) -> Result<Vec<Problem>, TrackingError>
    where
        C: SyncConnection<Backend = DB>,
    {
        complete(self.verify_by(&mut Blocking(conn)))
    }

    /// What works in the database and may surprise, and what to do: ids from a sequence in a table that takes uploads, columns that take no values,
    /// rows with a stamp of the future, references that a connection doesn't enforce. It changes nothing, and is no reason not to start.
    ///
    /// The tracking that is printed for PostgreSQL raises most of them, too.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// # use carburetor::{SyncGroup, SyncTable};
    /// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
    /// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
    /// # #[derive(SyncTable)]
    /// # #[sync(backends(sqlite))]
    /// # struct Note { id: i32, last_synced_at: i64 }
    /// # type Notes = SyncGroup<(Note,)>;
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// conn.batch_execute("create table notes (id integer primary key autoincrement)")?;
    /// let tracking = Notes::tracking::<Sqlite>();
    /// tracking.install(&mut conn)?;
    /// for warning in tracking.warnings(&mut conn)? {
    ///     println!("{warning}");
    /// #   assert!(warning.problem.starts_with("its id comes from a sequence"));
    /// }
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query.
    pub fn warnings<C>(&self, conn: &mut C) -> Result<Vec<Problem>, TrackingError>
    where
        C: SyncConnection<Backend = DB>,
    {
        complete(self.warnings_by(&mut Blocking(conn)))
    }

    /// What is wrong, on either kind of connection.
    pub(super) async fn verify_by<R>(&self, runner: &mut R) -> Result<Vec<Problem>, TrackingError>
    where
        R: Runner<Backend = DB>,
    {
        let mut problems = disagreements(self.definitions());
        problems.extend(DB::verify(runner, self).await?);
        Ok(problems)
    }

    /// What works and may surprise, on either kind of connection.
    pub(super) async fn warnings_by<R>(&self, runner: &mut R) -> Result<Vec<Problem>, TrackingError>
    where
        R: Runner<Backend = DB>,
    {
        // A table that isn't what it was may have no stamp to be asked for.
        let is_sound = self.verify_by(runner).await?.is_empty();
        let tables: Vec<_> = self.definitions().iter().collect();
        let ahead = tables.iter().filter(|_| is_sound);
        let ahead = ahead.filter_map(|table| DB::ahead_sql(table));
        let mut warnings = Vec::new();
        for question in std::iter::once(DB::warnings_sql(&tables)).chain(ahead) {
            let told = runner.ask(Statement::of(question)).await?;
            warnings.extend(told.rows().map(Problem::of_row));
        }
        Ok(warnings)
    }
}
