//! Procedures on a synchronous connection.

use super::Runner;
use crate::connection::{PacedRows, SyncConnection, run};
use crate::statement::Statement;
use diesel::QueryResult;
use diesel::connection::TransactionManager;
use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A synchronous connection; its futures are done before they are polled.
pub(crate) struct Blocking<'c, C>(pub &'c mut C);

impl<C: SyncConnection> Runner for Blocking<'_, C> {
    type Backend = C::Backend;

    fn in_transaction(&mut self) -> QueryResult<bool> {
        let status = C::TransactionManager::transaction_manager_status_mut(self.0);
        status.transaction_depth().map(|depth| depth.is_some())
    }

    fn run<T>(
        &mut self,
        statement: Statement<'_, C::Backend>,
        rows: &mut T,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        T: PacedRows<C::Backend>,
    {
        ready(run(self.0, statement, rows))
    }

    fn execute(&mut self, statements: &str) -> impl Future<Output = QueryResult<()>> + Send {
        ready(self.0.batch_execute(statements))
    }

    fn begin(&mut self) -> impl Future<Output = QueryResult<()>> + Send {
        ready(C::TransactionManager::begin_transaction(self.0))
    }

    fn commit(&mut self) -> impl Future<Output = QueryResult<()>> + Send {
        ready(C::TransactionManager::commit_transaction(self.0))
    }

    fn rollback(&mut self) -> impl Future<Output = QueryResult<()>> + Send {
        ready(C::TransactionManager::rollback_transaction(self.0))
    }
}

/// The result of a procedure on a [`Blocking`] connection, which is ready at the first poll.
pub(crate) fn complete<F: Future>(procedure: F) -> F::Output {
    let mut procedure = pin!(procedure);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = procedure.as_mut().poll(&mut context) {
            return result;
        }
    }
}
