//! Changes that wait to be sent or answered, as they are sent: byte for byte.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::stretch::NOW;
use crate::change::Change;
use crate::clock::Clock;
use crate::wire::{SqliteValue, WireError};
use diesel::sqlite::SqliteConnection;

/// What [`read`] reads of the changes that wait to be sent.
const SENDING: &str =
    "select seq, clock, change, since, stretch, attempted from carburetor_sending";

/// What [`read`] reads of those that a hub holds.
pub(super) const HELD: &str = "select seq, clock, change, 0, 0, 0 from carburetor_held_change";

/// A change on its way.
pub(super) struct Sending {
    pub(super) seq: i64,
    pub(super) clock: Clock,
    pub(super) change: String,
    /// The stretch of its first write, and that of its last one.
    pub(super) since: i64,
    pub(super) stretch: i64,
    /// Zero until it is sent; then one, and more where that was too much.
    pub(super) attempted: i64,
}

impl Sending {
    pub(super) fn read(&self) -> Result<Change, ReplicaError> {
        let change = serde_json::from_str(&self.change);
        change.map_err(|error| {
            let problem = format!(
                "the change {} in the file can't be read ({error}): sync with the version of the program that made it, or give up what waits by \
                 `discard_pending`",
                self.clock
            );
            WireError::new(problem).into()
        })
    }
}

/// So many changes of each end are looked at when a file is opened: what another version of the program has written is at one of them.
const LOOKED_AT: usize = 1000;

impl Store {
    /// Fails if a change that waits for the server can't be read, of the first and of the last ones. Whatever else there is tells when it is to be sent.
    pub(super) fn reads_ends(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        for waiting in [SENDING, HELD] {
            for order in ["seq", "seq desc"] {
                let sql =
                    format!("{waiting} where in_group = {BIND} order by {order} limit {LOOKED_AT}");
                for waiting in read(conn, &sql, [Bind::text(&self.group)])? {
                    waiting.read()?;
                }
            }
        }
        Ok(())
    }
}

/// The changes of the lowest clocks that wait for an answer and fulfil the condition.
pub(super) fn sending(
    conn: &mut SqliteConnection,
    group: &str,
    condition: &str,
    limit: usize,
) -> Result<Vec<Sending>, ReplicaError> {
    let sql =
        format!("{SENDING} where in_group = {BIND} and {condition} order by clock limit {limit}");
    read(conn, &sql, [Bind::text(group)])
}

/// Has a change wait to be sent. `stretches` are that of its first write and that of its last one; none for those of the program's next write.
pub(super) fn enqueue(
    conn: &mut SqliteConnection,
    group: &str,
    change: &Change,
    stretches: Option<(i64, i64)>,
) -> Result<(), ReplicaError> {
    let marks = [BIND; 5].join(", ");
    let (since, stretch) = stretches.unzip();
    let number = |number: Option<i64>| Bind(number.map(SqliteValue::Integer));
    query::execute(
        conn,
        &format!(
            "insert into carburetor_sending (in_group, of_table, id, clock, change, since, stretch) values ({marks}, coalesce({BIND}, {NOW}), coalesce({BIND}, {NOW}))"
        ),
        [
            Bind::text(group),
            Bind::text(&change.table),
            Bind::text(change.id.to_string()),
            Bind::text(change.clock.to_string()),
            Bind::json(change)?,
            number(since),
            number(stretch),
        ],
    )?;
    Ok(())
}

/// Changes of a query that begins with [`SENDING`] or [`HELD`].
pub(super) fn read(
    conn: &mut SqliteConnection,
    sql: &str,
    binds: impl IntoIterator<Item = Bind>,
) -> Result<Vec<Sending>, ReplicaError> {
    let rows = query::rows(conn, sql, binds)?;
    rows.iter()
        .map(|row| {
            Ok(Sending {
                seq: as_integer(&row[0]),
                clock: as_text(&row[1])
                    .parse()
                    .map_err(|_| WireError::new("the outbox holds an unreadable clock"))?,
                change: as_text(&row[2]),
                since: as_integer(&row[3]),
                stretch: as_integer(&row[4]),
                attempted: as_integer(&row[5]),
            })
        })
        .collect()
}
