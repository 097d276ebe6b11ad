//! The connections that downloads run on, and the one way in which a statement is run on them.

pub(crate) mod answer;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod asynchronous;
mod blocking;
mod cursor;
pub(crate) mod ended;
#[cfg(feature = "async-postgres")]
mod pipelined;
pub(crate) mod runner;
pub(crate) mod shortage;
mod transaction;
#[cfg(feature = "async-sqlite")]
mod whole;
#[cfg(feature = "async-sqlite")]
mod wrapped;

#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
pub(crate) use asynchronous::depth;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub use asynchronous::{SharedConnection, SyncConnectionAsync};
pub use blocking::SyncConnection;
pub(crate) use blocking::run;
pub(crate) use transaction::transact;
#[cfg(feature = "replica")]
pub(crate) use transaction::transact_alone;

use crate::backend::SyncBackend;
use diesel::row::Row;

/// Whoever takes the rows of a statement, one by one.
pub(crate) trait TakeRows<DB: SyncBackend> {
    type Error: From<diesel::result::Error> + Send;

    /// How many bytes have been made of the rows so far, if nothing is kept of them: the connection shall not hold them all either.
    fn passed_on(&self) -> Option<u64> {
        None
    }

    /// Takes one row; `Stop` leaves the rest unread.
    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Self::Error>;
}

/// Rows that may have to wait for whoever reads what is made of them.
pub(crate) trait PacedRows<DB: SyncBackend>: TakeRows<DB> + Send {
    /// Waits between two rows, if it is time.
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    fn pause(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Whether the next row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Stop,
}
