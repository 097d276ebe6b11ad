//! Procedures on an asynchronous connection.

use super::Runner;
use crate::connection::{SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use crate::tracking::answer::Answer;
use diesel::QueryResult;
use diesel_async::TransactionManager;

/// An asynchronous connection.
pub(in crate::tracking) struct Awaiting<'c, C>(pub &'c mut C);

impl<C: SyncConnectionAsync> Runner for Awaiting<'_, C> {
    type Backend = C::Database;

    fn in_transaction(&mut self) -> QueryResult<bool> {
        let status = C::TransactionManager::transaction_manager_status_mut(self.0);
        status.transaction_depth().map(|depth| depth.is_some())
    }

    async fn ask(&mut self, question: Statement<'_, C::Database>) -> QueryResult<Answer> {
        let mut answer = Answer::default();
        self.0.share().run(question, &mut answer).await?;
        Ok(answer)
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
