//! Changes that a hub holds until the server above it has decided: kept, and asked for again.

use super::batch::message;
use super::clock::observe;
use super::cut::one_upload;
use super::error::ReplicaError;
use super::file::Store;
use super::origin;
use super::outbox::{self, Sending};
use super::portion::Of;
use super::query::{self, BIND, Bind};
use super::settle::{answered, conclude, forget};
use super::sync::{Shared, Synced, count};
use super::transport::AnyTransport;
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
    /// Asks what has become of what is held. The rows come with the download: only a rejection is news.
    pub(super) async fn ask(
        &self,
        transport: &dyn AnyTransport,
        synced: &mut Synced,
    ) -> Result<(), ReplicaError> {
        let mut after = 0;
        loop {
            let portion = self.portion(Of::Upload).await?;
            let most = portion.limit();
            let (batch, origin) = self
                .run(move |store, conn| {
                    let held = held(conn, &store.group, after, most)?;
                    Ok((held, origin::known(conn, &store.group)?))
                })
                .await?;
            let Some(last) = batch.last() else {
                return Ok(());
            };
            let changes = batch.iter().map(|held| held.change.as_str());
            let answer = match transport
                .upload(message(None, origin.as_deref(), changes))
                .await
            {
                Err(refused) => {
                    let is_less = self.tells_of_size(&refused)
                        && self.take_less(portion, count(&batch), &refused).await?;
                    match is_less {
                        true => continue,
                        false => return Err(refused.into()),
                    }
                }
                Ok(answer) => answer,
            };
            after = last.seq;
            let outcomes = Outcomes::read(&answer)?;
            let rejected = self
                .transact(move |store, conn| settle(conn, store, &batch, &outcomes))
                .await?;
            synced.rejected += rejected;
            self.count().await?;
        }
    }
}

/// The changes of one upload that asks, from behind `after` on.
fn held(
    conn: &mut SqliteConnection,
    group: &str,
    after: i64,
    most: u32,
) -> Result<Vec<Sending>, ReplicaError> {
    let sql = format!(
        "select seq, clock, change, 0, 0, 0 from carburetor_held_change where in_group = {BIND} and seq > {after} order by seq limit {most}"
    );
    let changes = outbox::read(conn, &sql, [Bind::text(group)])?;
    Ok(one_upload(changes, most))
}

/// Takes the final outcomes, and returns how many rejections are among them.
fn settle(
    conn: &mut SqliteConnection,
    store: &Store,
    batch: &[Sending],
    outcomes: &Outcomes,
) -> Result<u64, ReplicaError> {
    let mut rejected = 0;
    let answered = answered(batch, outcomes)?;
    for (held, outcome) in answered.filter(|(_, outcome)| outcome.verdict != Verdict::Held) {
        if forget(conn, "carburetor_held_change", held)? {
            rejected += u64::from(conclude(conn, store, &held.read()?, outcome)?);
        }
    }
    observe(conn, outcomes.clock, None)?;
    Ok(rejected)
}
