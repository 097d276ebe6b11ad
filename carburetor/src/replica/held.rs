//! Changes that a hub holds until the server above it has decided: kept, and asked for again.

use super::batch::message;
use super::clock::observe;
use super::conclude::{Told, conclude, forget, unread};
use super::cut::one_upload;
use super::error::ReplicaError;
use super::file::Store;
use super::origin;
use super::portion::Of;
use super::query::{self, BIND, Bind};
use super::relay;
use super::sending::{self, HELD, Sending};
use super::settle::answered;
use super::sync::{Shared, count};
use super::synced::Synced;
use super::transport::{AnyTransport, TransportError};
use crate::change::Change;
use crate::outcome::{Outcomes, Verdict};
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;

/// Keeps a change whose outcome is not final. The caller has a transaction.
pub(super) fn keep(conn: &mut SqliteConnection, group: &str, sending: &Sending) -> QueryResult<()> {
    let sql = format!(
        "insert into carburetor_held_change (in_group, clock, change) values ({BIND}, {BIND}, {BIND})"
    );
    let clock = sending.clock.to_string();
    query::execute(conn, &sql, [group, &clock, &sending.change].map(Bind::text))?;
    Ok(())
}

impl Shared {
    /// Asks what has become of what is held. The rows come with the download: only a rejection is news. What can't be asked for keeps nothing else from
    /// being asked for; the first such failure is the result.
    pub(super) async fn ask(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let (mut after, mut failed) = (0, Ok(()));
        loop {
            let portion = self.portion(Of::Upload).await?;
            let most = portion.limit();
            let (batch, origin) = self
                .read(move |store, conn| {
                    let held = held(conn, &store.group, after, most)?;
                    Ok((held, origin::known(conn, &store.group)?))
                })
                .await?;
            let Some(last) = batch.last().map(|last| last.seq) else {
                return failed;
            };
            let changes = batch.iter().map(|held| held.change.as_str());
            let answer = match transport
                .upload(message(None, origin.as_deref(), changes))
                .await
            {
                Err(refused) => {
                    let is_less = self.tells_of_size(&refused)
                        && self.take_less(portion, count(&batch), &refused).await?;
                    if is_less {
                        continue;
                    }
                    if refused.is_of_all() {
                        return Err(refused.into());
                    }
                    match self.let_go(batch, &refused).await? {
                        Some(told) => {
                            synced.rejected += told;
                            self.count().await?;
                        }
                        None => {
                            failed = failed.and(Err(refused.into()));
                            after = last;
                        }
                    }
                    continue;
                }
                Ok(answer) => answer,
            };
            after = last;
            let outcomes = Outcomes::read(&answer)?;
            let told = self
                .transact(move |store, conn| settle(conn, store, &batch, &outcomes))
                .await?;
            synced.rejected += told.rejected;
            synced.lost += told.lost;
            synced.unreadable += told.unreadable;
            self.count().await?;
        }
    }

    /// Lets go of what the server refuses to be asked for, whenever that is: what its clock is ahead of waits to be sent with another one, and what
    /// nobody can send again is taken back. Returns of how many rejections the program is to be told; none if all stays as it is.
    async fn let_go(
        &self,
        batch: Vec<Sending>,
        refused: &TransportError,
    ) -> Result<Option<u64>, ReplicaError> {
        let is_alone = batch.len() == 1;
        let message = refused.to_string();
        let is_too_much = refused.is_too_much();
        match refused {
            TransportError::Refused {
                server_time: Some(time),
                ..
            } if refused.is_of_clocks() => {
                let time = *time;
                let ahead = move |held: &Sending| held.clock.instant() > time;
                let ahead: Vec<Sending> = batch.into_iter().filter(ahead).collect();
                if ahead.is_empty() {
                    return Ok(None);
                }
                let told = self
                    .transact(move |store, conn| send_anew(conn, store, &ahead, &message))
                    .await?;
                self.mend(refused).await?;
                Ok(Some(told))
            }
            _ if is_too_much && is_alone || refused.is_of_clocks() => {
                let take_back = move |store: &Store, conn: &mut SqliteConnection| {
                    let mut told = 0;
                    for held in &batch {
                        told += u64::from(take_back(conn, store, held, &message)?);
                    }
                    Ok(told)
                };
                self.transact(take_back).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// What is held, and its clock ahead of the server's, waits to be sent again, for another clock. That of a device of this hub is the device's to mend.
fn send_anew(
    conn: &mut SqliteConnection,
    store: &Store,
    ahead: &[Sending],
    message: &str,
) -> Result<u64, ReplicaError> {
    let mut told = 0;
    for held in ahead {
        if relay::is_relayed(conn, store, held.clock)? {
            told += u64::from(take_back(conn, store, held, message)?);
            continue;
        }
        if !forget(conn, "carburetor_held_change", held)? {
            continue;
        }
        // What it is based on is the stamp of whoever held it.
        let change = Change {
            base: None,
            ..held.read()?
        };
        sending::enqueue(conn, &store.group, &change, Some((0, 0)))?;
    }
    Ok(told)
}

/// Takes back what is held, as rejected; `true` if the program is to be told.
fn take_back(
    conn: &mut SqliteConnection,
    store: &Store,
    held: &Sending,
    message: &str,
) -> Result<bool, ReplicaError> {
    if !forget(conn, "carburetor_held_change", held)? {
        return Ok(false);
    }
    let change = held.read()?;
    let told = conclude(conn, store, &change, &unread(&change, message))?;
    Ok(told.rejected > 0)
}

/// The changes of one upload that asks, from behind `after` on.
fn held(
    conn: &mut SqliteConnection,
    group: &str,
    after: i64,
    most: u32,
) -> Result<Vec<Sending>, ReplicaError> {
    let sql = format!("{HELD} where in_group = {BIND} and seq > {after} order by seq limit {most}");
    let changes = sending::read(conn, &sql, [Bind::text(group)])?;
    Ok(one_upload(changes, most))
}

/// Takes the final outcomes, and returns what the program is to be told of.
fn settle(
    conn: &mut SqliteConnection,
    store: &Store,
    batch: &[Sending],
    outcomes: &Outcomes,
) -> Result<Told, ReplicaError> {
    let mut told = Told::default();
    let answered = answered(batch, outcomes)?;
    for (held, outcome) in answered.filter(|(_, outcome)| outcome.verdict != Verdict::Held) {
        if forget(conn, "carburetor_held_change", held)? {
            told += conclude(conn, store, &held.read()?, outcome)?;
        }
    }
    observe(conn, outcomes.clock, None)?;
    Ok(told)
}
