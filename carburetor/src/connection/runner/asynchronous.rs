//! Procedures on an asynchronous connection.

use super::Runner;
use crate::connection::{PacedRows, SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use diesel::QueryResult;
use diesel_async::TransactionManager;

/// An asynchronous connection.
pub(crate) struct Awaiting<'c, C>(pub &'c mut C);

impl<C: SyncConnectionAsync> Runner for Awaiting<'_, C> {
    type Backend = C::Database;

    fn in_transaction(&mut self) -> QueryResult<bool> {
        let status = C::TransactionManager::transaction_manager_status_mut(self.0);
        status.transaction_depth().map(|depth| depth.is_some())
    }

    async fn run<T>(
        &mut self,
        statement: Statement<'_, C::Database>,
        rows: &mut T,
    ) -> Result<(), T::Error>
    where
        T: PacedRows<C::Database>,
    {
        self.0.share().run(statement, rows).await
    }

    fn execute(&mut self, statements: &str) -> impl Future<Output = QueryResult<()>> + Send {
        self.0.batch_execute(statements)
    }

    fn begin(&mut self) -> impl Future<Output = QueryResult<()>> + Send {
        C::TransactionManager::begin_transaction(self.0)
    }

    fn commit(&mut self) -> impl Future<Output = QueryResult<()>> + Send {
        C::TransactionManager::commit_transaction(self.0)
    }

    fn rollback(&mut self) -> impl Future<Output = QueryResult<()>> + Send {
        C::TransactionManager::rollback_transaction(self.0)
    }
}
