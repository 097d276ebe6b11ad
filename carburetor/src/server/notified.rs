//! A PostgreSQL database that says when something was committed.

use super::database::{Database, Pace};
use super::problem::Problem;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::TryStreamExt;
use std::pin::pin;

/// A pool of connections to a PostgreSQL database whose triggers notify the server of commits, so that it needs not ask: they are made by
/// [`notify_sql`](crate::tracking::Tracking::notify_sql).
///
/// An idle server then asks nothing. But PostgreSQL lets only one transaction that notifies commit at a time, in the whole cluster: where many write at once, they wait for
/// each other. Asking makes nobody wait, which is why it is the default.
///
#[doc = include_str!("../../docs/examples/notified.md")]
#[derive(Clone)]
pub struct Notified(pub Pool<AsyncPgConnection>);

impl std::fmt::Debug for Notified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notified")
    }
}

impl Database for Notified {
    type Connection = AsyncPgConnection;
    type Lent = Object<AsyncPgConnection>;

    async fn lend(&self) -> Result<Self::Lent, Problem> {
        self.0.lend().await
    }

    fn close(lent: Self::Lent) {
        drop(Object::take(lent));
    }

    async fn watch(&self, _pace: Pace, changed: impl Fn() + Send + Sync) -> Problem {
        let mut conn = match self.lend().await {
            Ok(lent) => Object::take(lent),
            Err(problem) => return problem,
        };
        if let Err(error) = conn.batch_execute("listen carburetor").await {
            return Problem::unavailable(&error);
        }
        // What was committed before.
        changed();
        let mut heard = pin!(conn.notifications_stream());
        loop {
            match heard.try_next().await {
                Ok(_) => changed(),
                Err(error) => return Problem::unavailable(&error),
            }
        }
    }
}
