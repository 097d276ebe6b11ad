//! Procedures on an asynchronous connection.

use super::Runner;
use crate::connection::asynchronous::depth;
use crate::connection::{PacedRows, SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use diesel::QueryResult;
use diesel_async::TransactionManager;

/// An asynchronous connection. What was begun on it and not ended is rolled back when it is dropped.
pub(crate) struct Awaiting<'c, C: SyncConnectionAsync> {
    conn: &'c mut C,
    /// How many transactions were open before the first that was begun here; none if those that were have ended.
    before: Option<u32>,
}

impl<'c, C: SyncConnectionAsync> Awaiting<'c, C> {
    pub(crate) fn on(conn: &'c mut C) -> Self {
        Awaiting { conn, before: None }
    }

    pub(crate) fn conn(&mut self) -> &mut C {
        self.conn
    }

    /// Forgets what has ended. Where Diesel doesn't know how many transactions are open, all are.
    fn settle(&mut self) {
        let open = depth(self.conn);
        self.before = self
            .before
            .filter(|before| open.is_err() || open.is_ok_and(|open| open > *before));
    }
}

impl<C: SyncConnectionAsync> Drop for Awaiting<'_, C> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            self.conn.abandon(before);
        }
    }
}

impl<C: SyncConnectionAsync> Runner for Awaiting<'_, C> {
    type Backend = C::Database;

    fn in_transaction(&mut self) -> QueryResult<bool> {
        depth(self.conn).map(|depth| depth > 0)
    }

    async fn run<T>(
        &mut self,
        statement: Statement<'_, C::Database>,
        rows: &mut T,
    ) -> Result<(), T::Error>
    where
        T: PacedRows<C::Database>,
    {
        self.conn.share().run(statement, rows).await
    }

    fn execute(&mut self, statements: &str) -> impl Future<Output = QueryResult<()>> + Send {
        C::operation(self.conn.batch_execute(statements))
    }

    async fn begin(&mut self) -> QueryResult<()> {
        let open = depth(self.conn)?;
        self.before.get_or_insert(open);
        let begun = C::operation(C::TransactionManager::begin_transaction(self.conn)).await;
        self.settle();
        begun
    }

    async fn commit(&mut self) -> QueryResult<()> {
        let committed = C::operation(C::TransactionManager::commit_transaction(self.conn)).await;
        self.settle();
        committed
    }

    async fn rollback(&mut self) -> QueryResult<()> {
        let rolled_back =
            C::operation(C::TransactionManager::rollback_transaction(self.conn)).await;
        self.settle();
        rolled_back
    }
}
