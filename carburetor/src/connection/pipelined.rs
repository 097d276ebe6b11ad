//! Statements on `AsyncPgConnection`: sent one after the other without waiting for the answers.

use super::asynchronous::take;
use super::{PacedRows, SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use diesel::pg::Pg;
use diesel_async::{
    AnsiTransactionManager, AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection,
    TransactionManager,
};
#[cfg(feature = "axum")]
use futures_util::future::{Either, select};
#[cfg(feature = "axum")]
use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Waker};
#[cfg(feature = "axum")]
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::NoTls;

/// How long after a statement was told to end it is told so again: what is told between two statements ends neither.
#[cfg(feature = "axum")]
const AGAIN: Duration = Duration::from_secs(1);

impl SyncConnectionAsync for AsyncPgConnection {
    type Database = Pg;
    type Shared<'c> = &'c AsyncPgConnection;
    const PIPELINED: bool = true;

    fn share(&mut self) -> &AsyncPgConnection {
        self
    }

    fn operation<F: Future + Send>(work: F) -> impl Future<Output = F::Output> + Send {
        work
    }

    // A savepoint can't be told from one whose beginning was dropped: all that is open is rolled back.
    fn abandon(&mut self, _depth: u32) {
        let cancel = self.cancel_token();
        // What is told to end is whatever runs by then, and that may be the first of them.
        for _ in 0..2 {
            let rollback = pin!(self.batch_execute("rollback"));
            // Polled once it is on its way, behind the statement that runs. Nobody waits for the answer.
            let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
        }
        // Whoever goes on with the connection, or ends a transaction around it, is told.
        AnsiTransactionManager::transaction_manager_status_mut(self).set_in_error();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { cancel.cancel_query(NoTls).await });
        }
    }

    #[cfg(feature = "axum")]
    async fn recover(&mut self) -> bool {
        let cancel = self.cancel_token();
        let rolled_back = {
            let ended = pin!(self.batch_execute("rollback"));
            let cancelling = pin!(async {
                loop {
                    // A server that can't be told so goes on until the statement's time is over.
                    let _ = cancel.cancel_query(NoTls).await;
                    tokio::time::sleep(AGAIN).await;
                }
            });
            let told: Either<_, (Infallible, _)> = select(ended, cancelling).await;
            matches!(told, Either::Left((Ok(()), _)))
        };
        // What was told to end may have been the rollback itself. Whatever is open after this one ends with the connection.
        if !rolled_back {
            let _ = self.batch_execute("rollback").await;
        }
        // What it has prepared, and what Diesel knows of it, is lost.
        false
    }
}

#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden method: nobody else calls it"
)]
impl SharedConnection<Pg> for &AsyncPgConnection {
    fn run<T>(
        &self,
        statement: Statement<'_, Pg>,
        rows: &mut T,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        T: PacedRows<Pg>,
    {
        let mut conn: &AsyncPgConnection = self;
        let loading = conn.load(statement);
        async move { take(loading.await?, rows).await }
    }
}
