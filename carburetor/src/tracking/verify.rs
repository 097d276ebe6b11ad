//! What is wrong with an installation.

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
    /// Warnings come last ([`is_warning`](Problem::is_warning)): what works and may surprise, such as ids from a sequence in a table that takes
    /// uploads. The tracking that is printed for PostgreSQL raises them, too.
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

    /// What is wrong, on either kind of connection.
    pub(super) async fn verify_by<R>(&self, runner: &mut R) -> Result<Vec<Problem>, TrackingError>
    where
        R: Runner<Backend = DB>,
    {
        let mut problems = disagreements(self.definitions());
        problems.extend(DB::verify(runner, self).await?);
        let tables: Vec<_> = self.definitions().iter().collect();
        let told = runner.ask(Statement::of(DB::warnings_sql(&tables))).await?;
        let is_sound = problems.is_empty();
        problems.extend(told.rows().map(Problem::warning_of_row));
        // A table that isn't what it was may have no stamp to be asked for.
        let stamped = tables.iter().filter(|_| is_sound);
        for ahead in stamped.filter_map(|table| DB::ahead_sql(table)) {
            let told = runner.ask(Statement::of(ahead)).await?;
            problems.extend(told.rows().map(Problem::warning_of_row));
        }
        Ok(problems)
    }
}
