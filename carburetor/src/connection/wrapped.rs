//! Statements on diesel-async's wrapper of `SqliteConnection`: one after the other, on a thread that may block.

use super::asynchronous::take;
use super::{PacedRows, SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_async::AsyncConnectionCore;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use futures_util::lock::Mutex;

impl SyncConnectionAsync for SyncConnectionWrapper<SqliteConnection> {
    type Database = Sqlite;
    type Shared<'c> = Mutex<&'c mut Self>;
    const PIPELINED: bool = false;

    fn share(&mut self) -> Mutex<&mut Self> {
        Mutex::new(self)
    }
}

#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden method: nobody else calls it"
)]
impl SharedConnection<Sqlite> for Mutex<&mut SyncConnectionWrapper<SqliteConnection>> {
    async fn run<T>(&self, statement: Statement<'_, Sqlite>, rows: &mut T) -> Result<(), T::Error>
    where
        T: PacedRows<Sqlite>,
    {
        let loading = self.lock().await.load(statement);
        take(loading.await?, rows).await
    }
}
