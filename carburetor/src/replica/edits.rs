//! Noticing what the program writes, on whatever connection.

use super::error::ReplicaError;
use super::file::{Store, connect};
use super::query::{self, as_integer};
use super::sync::{Shared, blocking};
use super::token;
use diesel::sqlite::SqliteConnection;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// How often the file is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// The token, if any, that a feed goes on from.
pub(super) type From = Option<String>;

/// A connection that writes nothing: its `data_version` changes whenever any other one has committed.
pub(super) struct Edits {
    conn: Arc<Mutex<SqliteConnection>>,
    version: i64,
    ticks: Interval,
}

fn version(conn: &mut SqliteConnection) -> Result<i64, ReplicaError> {
    Ok(as_integer(&query::value(conn, "pragma data_version", [])?))
}

impl Edits {
    /// Watches the file from now on.
    pub(super) async fn watch(path: &str) -> Result<Self, ReplicaError> {
        let conn = Arc::new(Mutex::new(connect(path)?));
        let version = blocking(&conn, version).await?;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Edits {
            conn,
            version,
            ticks,
        })
    }

    /// Waits until there is something to upload that was not there before, or the file goes on from elsewhere than `from`. Nothing is lost where
    /// it is no longer polled.
    pub(super) async fn next(
        &mut self,
        shared: &Shared,
        from: Option<&From>,
    ) -> Result<(), ReplicaError> {
        loop {
            self.ticks.tick().await;
            let (store, seen, from) = (shared.store.clone(), self.version, from.cloned());
            let look = move |conn: &mut SqliteConnection| {
                let now = version(conn)?;
                let news = match now == seen {
                    true => None,
                    false => {
                        let has_moved = match from {
                            Some(from) => token::since(conn, &store.group)? != from,
                            None => false,
                        };
                        Some((has_moved || store.has_unsent(conn)?, store.count(conn)?))
                    }
                };
                Ok((now, news))
            };
            let (now, news) = blocking(&self.conn, look).await?;
            self.version = now;
            let Some((is_due, counted)) = news else {
                continue;
            };
            shared.monitor.update(counted);
            if is_due {
                return Ok(());
            }
        }
    }
}

impl Store {
    /// Something is there to be uploaded that no upload has tried.
    fn has_unsent(&self, conn: &mut SqliteConnection) -> Result<bool, ReplicaError> {
        let mut waits: Vec<String> = self
            .uploaded()
            .map(|table| {
                format!(
                    "exists (select 1 from {} where carburetor_sent <> 1)",
                    table.own("outbox")
                )
            })
            .collect();
        waits.push(format!(
            "exists (select 1 from carburetor_sending where in_group = {} and not attempted)",
            crate::table::literal(&self.group)
        ));
        let sql = format!("select {}", waits.join(" or "));
        Ok(as_integer(&query::value(conn, &sql, [])?) != 0)
    }
}
