//! A connection on loan. It comes back only once nothing runs on it and nothing is open.

use super::database::Database;
use super::problem::Problem;
use crate::connection::{SyncConnectionAsync, depth};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A connection on loan. Dropped while somebody works with it, it keeps its place in the pool until the database has ended what was begun on it.
pub(super) struct Loan<D: Database> {
    lent: Option<D::Lent>,
    /// How long the database may take for that.
    time: Duration,
    is_in_use: bool,
}

impl<D: Database> Loan<D> {
    pub(super) async fn of(database: &D, time: Duration) -> Result<Self, Problem> {
        Ok(Loan {
            lent: Some(database.lend().await?),
            time,
            is_in_use: false,
        })
    }

    /// The connection, to work with.
    pub(super) fn connection(&mut self) -> Result<&mut D::Connection, Problem> {
        self.is_in_use = true;
        let lent = self.lent.as_mut();
        let lent = lent.ok_or_else(|| Problem::busy("the connection was given back"))?;
        Ok(&mut *lent)
    }

    /// Gives it back: the work has ended. Where a statement failed, it may fail again for what the connection remembers of it, as PostgreSQL's prepared
    /// statements do once a column has another type: another connection takes its place.
    pub(super) fn give_back(mut self, has_failed: bool) {
        if has_failed {
            if let Some(lent) = self.lent.take() {
                D::close(lent);
            }
            return;
        }
        let lent = self.lent.as_mut();
        self.is_in_use = !lent.is_some_and(|lent| depth(&mut **lent).is_ok_and(|depth| depth == 0));
    }
}

impl<D: Database> Drop for Loan<D> {
    fn drop(&mut self) {
        let Some(lent) = self.lent.take() else {
            return;
        };
        if !self.is_in_use {
            return;
        }
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(recover::<D>(lent, self.time))),
            // Everything ends.
            Err(_) => D::close(lent),
        }
    }
}

/// Waits until nothing runs on the connection any more; then it goes back, or is closed.
async fn recover<D: Database>(mut lent: D::Lent, time: Duration) {
    let recovered = timeout(time, lent.recover()).await;
    if recovered != Ok(true) {
        D::close(lent);
    }
}
