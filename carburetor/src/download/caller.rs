//! The caller's transaction, if a download runs within one.

use super::DownloadError;
use crate::backend::SyncBackend;
use crate::connection::{Flow, SyncConnection, TakeRows, run};
use crate::statement::Statement;
use diesel::QueryResult;
use diesel::connection::{TransactionManager, TransactionManagerStatus};
use diesel::row::Row;

/// Where a download runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Outside of a transaction.
    Outside,
    /// In a transaction that may write, and may be rolled back.
    Inside,
    /// In the transaction of a test, which knows what it does.
    Testing,
}

impl Caller {
    /// Whether Diesel knows of a transaction that is open on `conn`.
    pub(crate) fn is_inside<C: SyncConnection>(conn: &mut C) -> QueryResult<bool> {
        is_open(C::TransactionManager::transaction_manager_status_mut(conn))
    }

    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(crate) fn is_inside_async<C>(conn: &mut C) -> QueryResult<bool>
    where
        C: crate::connection::SyncConnectionAsync,
    {
        use diesel_async::TransactionManager;
        is_open(C::TransactionManager::transaction_manager_status_mut(conn))
    }

    pub(crate) fn of<C: SyncConnection>(conn: &mut C) -> QueryResult<Self> {
        if !Self::is_inside(conn)? {
            return Ok(Caller::Outside);
        }
        let mut testing = Testing(false);
        run(conn, Statement::of(C::Backend::IS_TESTING), &mut testing)?;
        Ok(testing.caller())
    }

    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(crate) async fn of_async<C>(conn: &mut C) -> QueryResult<Self>
    where
        C: crate::connection::SyncConnectionAsync,
    {
        use crate::connection::SharedConnection;
        if !Self::is_inside_async(conn)? {
            return Ok(Caller::Outside);
        }
        let mut testing = Testing(false);
        let question = Statement::of(C::Database::IS_TESTING);
        conn.share().run(question, &mut testing).await?;
        Ok(testing.caller())
    }

    /// Fails where rows that are read now could be rolled back, and no statement sees it.
    pub(crate) fn judge<DB: SyncBackend>(self) -> Result<(), DownloadError> {
        match self {
            Caller::Inside if !DB::JUDGES_TRANSACTIONS => Err(DownloadError::Written),
            _ => Ok(()),
        }
    }

    /// What makes a transaction within this one see one instant.
    pub(crate) fn one_instant<DB: SyncBackend>(self) -> Result<&'static str, DownloadError> {
        match self {
            Caller::Outside => Ok(DB::ONE_INSTANT),
            Caller::Inside => Err(DownloadError::Snapshot),
            // A savepoint has the isolation of its transaction; and an empty statement is an error on PostgreSQL.
            Caller::Testing => Ok("select 1"),
        }
    }
}

fn is_open(status: &TransactionManagerStatus) -> QueryResult<bool> {
    status.transaction_depth().map(|depth| depth.is_some())
}

/// Whether the question had a row.
struct Testing(bool);

impl Testing {
    fn caller(&self) -> Caller {
        match self.0 {
            true => Caller::Testing,
            false => Caller::Inside,
        }
    }
}

impl<DB: SyncBackend> TakeRows<DB> for Testing {
    type Error = diesel::result::Error;

    fn take<'r>(&mut self, _row: &impl Row<'r, DB>) -> QueryResult<Flow> {
        self.0 = true;
        Ok(Flow::Next)
    }
}

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
impl<DB: SyncBackend> crate::connection::PacedRows<DB> for Testing {}
