//! Noticing what the program writes, on whatever connection.

use super::backoff::Backoff;
use super::error::ReplicaError;
use super::file::{Store, connect};
use super::query::{self, as_integer};
use super::sync::{Shared, blocking};
use super::token;
use diesel::sqlite::SqliteConnection;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// What was noticed. A signal that nobody waits for is kept.
#[derive(Default)]
pub(super) struct Signals {
    /// There is something to upload that was not there before.
    pub(super) unsent: Notify,
    /// The next page goes on from elsewhere than before.
    pub(super) moved: Notify,
}

/// What the file held at a look.
struct Look {
    version: i64,
    since: Option<String>,
}

fn version(conn: &mut SqliteConnection) -> Result<i64, ReplicaError> {
    Ok(as_integer(&query::value(conn, "pragma data_version", [])?))
}

impl Shared {
    /// Watches the file, and signals what is new in it.
    pub(super) async fn watch(
        &self,
        path: &str,
        signals: &Signals,
    ) -> Result<Infallible, ReplicaError> {
        let mut backoff = Backoff::default();
        loop {
            match self.watch_open(path, signals, &mut backoff).await {
                Ok(never) => match never {},
                Err(error) if error.is_of_file() => return Err(error),
                Err(error) => {
                    let pause = backoff.next();
                    tracing::warn!(%error, again_in = ?pause, "the file is not watched");
                    tokio::time::sleep(pause).await;
                    // What came meanwhile went unseen.
                    signals.unsent.notify_one();
                    signals.moved.notify_one();
                }
            }
        }
    }

    /// Watches by a connection that writes nothing: its `data_version` changes whenever any other one has committed.
    async fn watch_open(
        &self,
        path: &str,
        signals: &Signals,
        backoff: &mut Backoff,
    ) -> Result<Infallible, ReplicaError> {
        let conn = Arc::new(Mutex::new(connect(path)?));
        let group = self.store.group.clone();
        let mut seen = blocking(&conn, move |conn| {
            Ok(Look {
                version: version(conn)?,
                since: token::since(conn, &group)?,
            })
        })
        .await?;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (store, before) = (self.store.clone(), seen.version);
            let look = move |conn: &mut SqliteConnection| {
                let version = version(conn)?;
                if version == before {
                    return Ok(None);
                }
                let since = token::since(conn, &store.group)?;
                let unsent = store.has_unsent(conn)?;
                Ok(Some((Look { version, since }, unsent, store.count(conn)?)))
            };
            let Some((look, unsent, counted)) = blocking(&conn, look).await? else {
                continue;
            };
            backoff.reset();
            self.monitor.update(counted);
            // What the program writes from now on is of other transactions.
            self.end_stretch().await?;
            if unsent {
                signals.unsent.notify_one();
            }
            if look.since != seen.since {
                signals.moved.notify_one();
            }
            seen = look;
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
