//! What goes in one upload.

use super::error::ReplicaError;
use super::file::Store;
use super::origin;
use super::outbox::{Sending, Which, freeze, sending};
use super::query::{self, BIND, Bind, as_text};
use super::relay;
use crate::wire::WireError;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

/// How many changes one upload carries.
pub(super) const CHANGES: usize = 1000;

/// How many bytes of changes one upload carries, unless a single one has more.
const BYTES: usize = 1 << 20;

impl Store {
    /// The changes of the next upload, with its message. What was sent before and not answered is sent alike; what has been edited
    /// since waits, because it stands on the answer. At most so many as `most`.
    pub(super) fn batch(
        &self,
        conn: &mut SqliteConnection,
        most: usize,
    ) -> Result<(Vec<Sending>, Vec<u8>), ReplicaError> {
        let group = || [Bind::text(&self.group)];
        let waits = format!(
            "select 1 from carburetor_sending where in_group = {BIND} and attempted limit 1"
        );
        let may_freeze = !query::exists(conn, &waits, group())?;
        let condition = if may_freeze { "true" } else { "attempted" };
        let mut batch = sending(conn, &self.group, condition, most)?;
        // What can't travel is kept aside, so that nothing may be left of as many as one upload takes.
        while may_freeze && freeze(conn, &self.tables, &self.group, &Which::First(CHANGES))? > 0 {
            batch = sending(conn, &self.group, condition, most)?;
            if !batch.is_empty() {
                break;
            }
        }
        let batch = one_upload(batch);
        if batch.is_empty() {
            return Ok((batch, Vec::new()));
        }
        let seqs: Vec<i64> = batch.iter().map(|sending| sending.seq).collect();
        let attempted = format!(
            "update carburetor_sending set attempted = 1 where seq in (select value from json_each({BIND}))"
        );
        let seqs =
            serde_json::to_string(&seqs).map_err(|error| WireError::new(error.to_string()))?;
        query::execute(conn, &attempted, [Bind::text(seqs)])?;
        // What is held is still to be asked for.
        let confirmed = query::value(
            conn,
            &format!(
                "select confirmed from carburetor_group where name = {BIND}
  and not exists (select 1 from carburetor_held_change as held where held.in_group = name and held.clock <= confirmed)"
            ),
            group(),
        )?;
        let changes = relay::based(conn, self, &batch)?;
        let confirmed = confirmed.is_some().then(|| as_text(&confirmed));
        let origin = origin::known(conn, &self.group)?;
        let message = message(
            confirmed.as_deref(),
            origin.as_deref(),
            changes.iter().map(String::as_str),
        );
        Ok((batch, message))
    }
}

/// What goes in one upload: changes of one replica, and not too many bytes.
pub(super) fn one_upload(mut changes: Vec<Sending>) -> Vec<Sending> {
    let replica = changes.first().map(|first| first.clock.replica());
    let mut bytes = 0;
    let within = changes.iter().take_while(|sending| {
        bytes += sending.change.len();
        bytes <= BYTES && Some(sending.clock.replica()) == replica
    });
    let within = within.count().max(1);
    changes.truncate(within);
    changes
}

/// An upload of `changes`.
pub(super) fn message<'c>(
    confirmed: Option<&str>,
    origin: Option<&str>,
    changes: impl Iterator<Item = &'c str>,
) -> Vec<u8> {
    let mut message = format!("{{\"carburetor\":{},", crate::wire::VERSION);
    if let Some(confirmed) = confirmed {
        message += &format!("\"confirmed\":\"{confirmed}\",");
    }
    if let Some(origin) = origin {
        // Text of a server's.
        message += &format!("\"origin\":{},", Value::from(origin));
    }
    let changes: Vec<&str> = changes.collect();
    message += &format!("\"changes\":[{}]}}", changes.join(","));
    message.into_bytes()
}
