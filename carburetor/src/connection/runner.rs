//! A connection as procedures of several statements use it. Each procedure is written once, as a future; on a synchronous connection it never waits.

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod asynchronous;
mod blocking;

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub(crate) use asynchronous::Awaiting;
pub(crate) use blocking::{Blocking, complete};

use super::PacedRows;
use super::answer::Answer;
use crate::backend::SyncBackend;
use crate::statement::Statement;
use diesel::QueryResult;
use diesel::result::Error;

/// A connection that procedures run on.
pub(crate) trait Runner: Send {
    type Backend: SyncBackend;

    /// Whether the caller has a transaction open.
    fn in_transaction(&mut self) -> QueryResult<bool>;

    /// Runs a statement and hands its rows over one by one.
    fn run<T>(
        &mut self,
        statement: Statement<'_, Self::Backend>,
        rows: &mut T,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        T: PacedRows<Self::Backend>;

    /// Asks a question whose columns are all text.
    fn ask(
        &mut self,
        question: Statement<'_, Self::Backend>,
    ) -> impl Future<Output = QueryResult<Answer>> + Send {
        async move {
            let mut answer = Answer::default();
            self.run(question, &mut answer).await?;
            Ok(answer)
        }
    }

    /// Runs statements that answer nothing.
    fn execute(&mut self, statements: &str) -> impl Future<Output = QueryResult<()>> + Send;

    /// Begins a transaction, or a savepoint within one.
    fn begin(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    fn commit(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    fn rollback(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    /// Ends what [`begin`](Self::begin) began: commits, after an error rolls back.
    fn end<R, E>(&mut self, result: Result<R, E>) -> impl Future<Output = Result<R, E>> + Send
    where
        R: Send,
        E: From<Error> + Send,
    {
        async move {
            match result {
                Ok(value) => {
                    self.commit().await?;
                    Ok(value)
                }
                Err(error) => {
                    // The first error says more than that nothing is left to roll back, or that the connection is broken, which Diesel remembers.
                    let _ = self.rollback().await;
                    Err(error)
                }
            }
        }
    }

    /// Runs `statements` in a transaction of their own.
    fn transact(&mut self, statements: &str) -> impl Future<Output = QueryResult<()>> + Send {
        async move {
            self.begin().await?;
            let executed = self.execute(statements).await;
            self.end(executed).await
        }
    }
}
