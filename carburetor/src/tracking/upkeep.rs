//! What a tracked database needs from time to time.

use super::runner::{Blocking, Runner, complete};
use super::{Tracking, TrackingBackend};
use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use crate::table::TableOn;
use diesel::QueryResult;
use std::time::Duration;

impl<DB: SyncBackend> Tracking<DB> {
    /// Forgets the removals that are older than `age`; a month is a good age. A replica that was away for longer starts again.
    /// Conflicts and stored outcomes of that age are forgotten too.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// # use carburetor::tracking::Tracking;
    /// # use diesel::{Connection, SqliteConnection, sqlite::Sqlite};
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # let tracking = Tracking::<Sqlite>::of([]);
    /// # tracking.install(&mut conn)?;
    /// tracking.purge(&mut conn, std::time::Duration::from_secs(30 * 24 * 3600))?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query: tables that were purged before it stay so, outside of a transaction.
    pub fn purge<C>(&self, conn: &mut C, age: Duration) -> QueryResult<()>
    where
        C: SyncConnection<Backend = DB>,
    {
        complete(self.purge_by(&mut Blocking(conn), age))
    }

    /// Forgets the clocks of deletions that are older than `age`; a year is a good age.
    ///
    /// Until then a replica that edits a deleted row without knowing it is told so, however long it was away. Afterwards its older
    /// changes of rows that aren't there are refused as expired, inserts too, because what happened to the rows is no longer known.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// # use carburetor::tracking::Tracking;
    /// # use diesel::{Connection, SqliteConnection, sqlite::Sqlite};
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # let tracking = Tracking::<Sqlite>::of([]);
    /// # tracking.install(&mut conn)?;
    /// tracking.purge_deletions(&mut conn, std::time::Duration::from_secs(365 * 24 * 3600))?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`purge`](Self::purge).
    pub fn purge_deletions<C>(&self, conn: &mut C, age: Duration) -> QueryResult<()>
    where
        C: SyncConnection<Backend = DB>,
    {
        complete(self.purge_deletions_by(&mut Blocking(conn), age))
    }

    /// Forgets old removals on either kind of connection.
    pub(super) async fn purge_by<R>(&self, runner: &mut R, age: Duration) -> QueryResult<()>
    where
        R: Runner<Backend = DB>,
    {
        let tracked = self.definitions().iter().filter(|table| !table.untracked);
        for table in tracked {
            runner.transact(&DB::purge_sql(table, age)).await?;
        }
        Ok(())
    }

    /// Forgets the clocks of old deletions on either kind of connection.
    pub(super) async fn purge_deletions_by<R>(
        &self,
        runner: &mut R,
        age: Duration,
    ) -> QueryResult<()>
    where
        R: Runner<Backend = DB>,
    {
        let kept = self
            .definitions()
            .iter()
            .filter(|table| table.has_registers());
        for table in kept {
            runner
                .transact(&DB::purge_deletions_sql(table, age))
                .await?;
        }
        Ok(())
    }
}

/// Makes every replica download the table from the beginning: for what triggers can't see, such as a partition that was attached
/// with rows, or a restored backup. On PostgreSQL the table's owner calls it.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// # use carburetor::{SyncGroup, SyncTable, tracking};
/// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
/// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Note { id: i32, last_synced_at: i64 }
/// # type Notes = SyncGroup<(Note,)>;
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # conn.batch_execute("create table notes (id integer primary key)")?;
/// # Notes::tracking::<Sqlite>().install(&mut conn)?;
/// let first = Notes::download(&mut conn, (None,))?;
/// tracking::reset::<Note, _>(&mut conn)?;
/// assert!(Notes::download(&mut conn, first.next())?.0.reset);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A failed query.
pub fn reset<M, C>(conn: &mut C) -> QueryResult<()>
where
    C: SyncConnection,
    M: TableOn<C::Backend>,
{
    complete(reset_by::<M, _>(&mut Blocking(conn)))
}

/// Resets a table on either kind of connection.
pub(super) async fn reset_by<M, R>(runner: &mut R) -> QueryResult<()>
where
    R: Runner,
    M: TableOn<R::Backend>,
{
    let sql = R::Backend::reset_sql(M::definition());
    runner.transact(&sql).await
}

/// Gives the database another origin, so that every replica starts again with its next download; what was edited there stays, and is sent.
///
/// It is called in a copy that serves beside its original, and after a database was restored to an earlier point, before it serves. A dump that is
/// restored and a copy in another cluster or under another name have another origin anyway, and so has another server.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// # use carburetor::{SyncGroup, SyncTable, tracking};
/// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
/// # diesel::table! { notes (id) { id -> Integer, last_synced_at -> BigInt, } }
/// # #[derive(SyncTable)]
/// # #[sync(backends(sqlite))]
/// # struct Note { id: i32, last_synced_at: i64 }
/// # type Notes = SyncGroup<(Note,)>;
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # conn.batch_execute("create table notes (id integer primary key)")?;
/// # Notes::tracking::<Sqlite>().install(&mut conn)?;
/// let first = Notes::download(&mut conn, (None,))?;
/// tracking::new_origin(&mut conn)?;
/// let second = Notes::download(&mut conn, first.next())?;
/// assert!(second.0.reset && second.next().origin() != first.next().origin());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A failed query; on PostgreSQL also without the rights of the installation's owner.
pub fn new_origin<C: SyncConnection>(conn: &mut C) -> QueryResult<()> {
    complete(new_origin_by(&mut Blocking(conn)))
}

/// Gives the database another origin on either kind of connection.
pub(super) async fn new_origin_by<R: Runner>(runner: &mut R) -> QueryResult<()> {
    runner.transact(R::Backend::NEW_ORIGIN).await
}

/// Keeps the origin that the database had in another cluster or under another name, so that replicas go on: after it has moved as a whole, as by
/// `pg_upgrade`, and before it serves. The original must not serve any more.
///
/// ```no_run
/// # #[cfg(feature = "postgres")] {
/// use diesel::{Connection, PgConnection};
/// let mut conn = PgConnection::establish("postgres://upgraded/app")?;
/// carburetor::tracking::adopt_origin(&mut conn)?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A failed query; also without the rights of the installation's owner.
#[cfg(feature = "postgres-backend")]
pub fn adopt_origin<C>(conn: &mut C) -> QueryResult<()>
where
    C: SyncConnection<Backend = diesel::pg::Pg>,
{
    complete(adopt_origin_by(&mut Blocking(conn)))
}

/// Keeps the origin on either kind of connection.
#[cfg(feature = "postgres-backend")]
pub(super) async fn adopt_origin_by<R: Runner>(runner: &mut R) -> QueryResult<()> {
    runner.transact("select carburetor.adopt_origin()").await
}

/// Moves the watermark on a primary, every second or so, and returns it: what read replicas have in the place of a cutoff.
///
/// ```no_run
/// # #[cfg(feature = "postgres")] {
/// use diesel::{Connection, PgConnection};
/// let mut conn = PgConnection::establish("postgres://primary/app")?;
/// let complete_until = carburetor::tracking::watermark(&mut conn)?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A failed query; also on a standby, and without the right to write `carburetor.watermark`.
#[cfg(feature = "postgres-backend")]
pub fn watermark<C>(conn: &mut C) -> QueryResult<chrono::DateTime<chrono::Utc>>
where
    C: SyncConnection<Backend = diesel::pg::Pg>,
{
    complete(watermark_by(&mut Blocking(conn)))
}

/// Moves the watermark on either kind of connection.
#[cfg(feature = "postgres-backend")]
pub(super) async fn watermark_by<R>(runner: &mut R) -> QueryResult<chrono::DateTime<chrono::Utc>>
where
    R: Runner<Backend = diesel::pg::Pg>,
{
    let moved = super::postgres::watermark();
    let question = crate::statement::Statement::of(format!(
        "with moved as ({moved}) select (extract(epoch from cutoff) * 1000000)::bigint::text from moved"
    ));
    let micros = runner.ask(question).await?;
    let instant = micros
        .value()
        .and_then(|micros| micros.parse().ok())
        .and_then(chrono::DateTime::from_timestamp_micros);
    instant.ok_or(diesel::result::Error::NotFound)
}
