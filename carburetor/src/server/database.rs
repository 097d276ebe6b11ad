//! Where a server's connections come from.

use super::problem::Problem;
use crate::connection::SyncConnectionAsync;
#[cfg(feature = "async-sqlite")]
use diesel::SqliteConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
#[cfg(feature = "async-sqlite")]
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use std::ops::DerefMut;

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
    type Lent: DerefMut<Target = Self::Connection> + Send;

    /// Lends a connection.
    #[doc(hidden)]
    fn lend(&self) -> impl Future<Output = Result<Self::Lent, Problem>> + Send;
}

macro_rules! pool {
    ($connection:ty) => {
        impl Database for Pool<$connection> {
            type Connection = $connection;
            type Lent = Object<$connection>;

            async fn lend(&self) -> Result<Self::Lent, Problem> {
                let lent = self.get().await;
                lent.map_err(|error| Problem::unavailable(&error))
            }
        }
    };
}

#[cfg(feature = "async-postgres")]
pool!(diesel_async::AsyncPgConnection);
#[cfg(feature = "async-sqlite")]
pool!(SyncConnectionWrapper<SqliteConnection>);

/// A pool of connections to the SQLite file at `path`, which is made if it is absent: one writes, others read beside it.
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
    use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
    use diesel_async::{AsyncConnection, SimpleAsyncConnection};
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|path| {
        Box::pin(async move {
            let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(path).await?;
            conn.batch_execute(
                "pragma journal_mode = wal; pragma busy_timeout = 10000; pragma synchronous = normal; pragma foreign_keys = on",
            )
            .await
            .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        })
    });
    Pool::builder(AsyncDieselConnectionManager::new_with_config(path, config)).build()
}
