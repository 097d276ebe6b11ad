//! Where a server's connections come from.

use super::apart::until;
use super::problem::Problem;
use crate::connection::SyncConnectionAsync;
#[cfg(feature = "async-sqlite")]
use diesel::SqliteConnection;
use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
#[cfg(feature = "async-sqlite")]
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use std::ops::DerefMut;
use std::time::Duration;
use tokio::time::sleep;

/// A pool of connections to the database that owns the tables: diesel-async's pool by deadpool, of PostgreSQL or SQLite.
///
/// ```
/// # #[cfg(feature = "async-postgres")] {
/// fn is_a_database<D: carburetor::server::Database>() {}
/// is_a_database::<diesel_async::pooled_connection::deadpool::Pool<diesel_async::AsyncPgConnection>>();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database that `Sync` can serve",
    note = "pass a `diesel_async::pooled_connection::deadpool::Pool<AsyncPgConnection>`, or `carburetor::server::sqlite_pool(path)`"
)]
pub trait Database: Clone + Send + std::marker::Sync + 'static {
    /// The connection.
    type Connection: SyncConnectionAsync + 'static;

    /// A connection on loan.
    type Lent: DerefMut<Target = Self::Connection> + Send + 'static;

    /// Lends a connection.
    #[doc(hidden)]
    fn lend(&self) -> impl Future<Output = Result<Self::Lent, Problem>> + Send;

    /// Takes a connection away from where it came from, and closes it.
    #[doc(hidden)]
    fn close(lent: Self::Lent);

    /// Calls `changed` whenever something may have been committed, until the database fails. It has
    /// a connection of its own, and asks on it at this pace, if it has to ask.
    #[doc(hidden)]
    fn watch(
        &self,
        pace: Pace,
        changed: impl Fn() + Send + Sync,
    ) -> impl Future<Output = Problem> + Send;
}

/// At what pace the database is asked for commits.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause between two questions.
    pub(super) interval: Duration,
    /// How long an answer may take.
    pub(super) time: Duration,
}

macro_rules! pool {
    ($connection:ty, $version:literal) => {
        impl Database for Pool<$connection> {
            type Connection = $connection;
            type Lent = Object<$connection>;

            async fn lend(&self) -> Result<Self::Lent, Problem> {
                let lent = self.get().await;
                lent.map_err(|error| Problem::unavailable(&error))
            }

            fn close(lent: Self::Lent) {
                drop(Object::take(lent));
            }

            async fn watch(
                &self,
                Pace { interval, time }: Pace,
                changed: impl Fn() + Send + Sync,
            ) -> Problem {
                let mut conn = match self.lend().await {
                    Ok(lent) => Object::take(lent),
                    Err(problem) => return problem,
                };
                let mut seen = String::new();
                loop {
                    let asked = async move {
                        let version = diesel::select(sql::<Text>($version));
                        let asked = version.get_result::<String>(&mut conn);
                        let answered = <$connection>::operation(asked).await;
                        (conn, answered)
                    };
                    let (lent, answered) = match until(asked, sleep(time)).await {
                        Ok(answered) => answered,
                        // The line may be gone, and nobody has said so.
                        Err(()) => return Problem::too_slow(),
                    };
                    conn = lent;
                    match answered {
                        Ok(now) if now == seen => {}
                        Ok(now) => {
                            seen = now;
                            changed();
                        }
                        Err(error) => return Problem::unavailable(&error),
                    }
                    sleep(interval).await;
                }
            }
        }
    };
}

// It changes whenever a transaction that wrote something begins or ends.
#[cfg(feature = "async-postgres")]
pool!(
    diesel_async::AsyncPgConnection,
    "pg_current_snapshot()::text"
);
// It changes whenever another connection has committed.
#[cfg(feature = "async-sqlite")]
pool!(
    SyncConnectionWrapper<SqliteConnection>,
    "cast(data_version as text) from pragma_data_version"
);

/// A pool of connections to the SQLite file at `path`, which is made if it is absent: one writes, others read beside it. What is committed is on disk
/// (`synchronous = full`): a device forgets its change once it was answered.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = carburetor::server::sqlite_pool("server.db")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// None in practice: connections are made when they are needed.
#[cfg(feature = "async-sqlite")]
pub fn sqlite_pool(
    path: &str,
) -> Result<
    Pool<SyncConnectionWrapper<SqliteConnection>>,
    diesel_async::pooled_connection::deadpool::BuildError,
> {
    use diesel::ConnectionError;
    use diesel_async::pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
    };
    let mut config = ManagerConfig::default();
    // A file is there without being asked; and whoever has waited for a connection may go while one is made, which nothing has to wait for.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|path| {
        let path = path.to_owned();
        Box::pin(async move {
            let connecting = tokio::task::spawn_blocking(move || connect(&path));
            let connected = connecting.await;
            connected.map_err(|error| ConnectionError::BadConnection(error.to_string()))?
        })
    });
    Pool::builder(AsyncDieselConnectionManager::new_with_config(path, config)).build()
}

/// A connection as a server needs it.
#[cfg(feature = "async-sqlite")]
fn connect(path: &str) -> diesel::ConnectionResult<SyncConnectionWrapper<SqliteConnection>> {
    use diesel::connection::{Connection, SimpleConnection};
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(
        "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on",
    )
    .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(SyncConnectionWrapper::new(conn))
}
