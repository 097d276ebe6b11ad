//! Statements on diesel-async's wrapper of `SqliteConnection`: one after the other, on a thread that may block.

#[cfg(feature = "axum")]
use super::asynchronous::depth;
use super::asynchronous::take;
use super::whole::{Whole, wait};
use super::{PacedRows, SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_async::AsyncConnectionCore;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use futures_util::lock::Mutex;
use std::num::NonZeroU32;

impl SyncConnectionAsync for SyncConnectionWrapper<SqliteConnection> {
    type Database = Sqlite;
    type Shared<'c> = Mutex<&'c mut Self>;
    const PIPELINED: bool = false;

    fn share(&mut self) -> Mutex<&mut Self> {
        Mutex::new(self)
    }

    fn operation<F: Future + Send>(work: F) -> impl Future<Output = F::Output> + Send {
        Whole::new(work)
    }

    fn abandon(&mut self, depth: u32) {
        let rolled_back = self.spawn_blocking(move |conn| {
            roll_back(conn, depth);
            Ok(())
        });
        // It fails where the runtime has ended: then the connection ends, too.
        let _ = wait(rolled_back);
    }

    #[cfg(feature = "axum")]
    async fn recover(&mut self) -> bool {
        // What was dropped has ended, and was rolled back, before anybody came here.
        depth(self).is_ok_and(|depth| depth == 0)
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
        take(Whole::new(loading).await?, rows).await
    }
}

/// Rolls back the transactions above this depth; all of them if Diesel doesn't know how many there are.
fn roll_back(conn: &mut SqliteConnection, depth: u32) {
    loop {
        let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
        let open = status.transaction_depth();
        match open.map(|open| open.map_or(0, NonZeroU32::get)) {
            Ok(open) if open <= depth => return,
            Ok(_) if AnsiTransactionManager::rollback_transaction(conn).is_ok() => {}
            _ => break,
        }
    }
    // Where none is open this is an error, and what was wanted.
    let _ = conn.batch_execute("rollback");
    AnsiTransactionManager::transaction_manager_status_mut(conn).set_in_error();
}
