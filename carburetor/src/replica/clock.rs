//! The clock of a replica, as it lies in the file: the triggers tick it.

use super::error::ReplicaError;
use super::file::Store;
use super::outbox;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::schema::{LAST_CLOCK, now_ms, tick};
use crate::change::Change;
use crate::clock::{Clock, DEFAULT_DRIFT};
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// Takes note of a clock that the server showed: what is edited from now on is later. One that is far ahead of the replica's time tells that
/// the time is wrong, so that it follows the server's.
pub(super) fn observe(conn: &mut SqliteConnection, clock: Clock) -> QueryResult<()> {
    // 48 bits of milliseconds leave the sign alone until the year 6429.
    let Ok(time) = i64::try_from(clock.millis() << 16 | u64::from(clock.counter())) else {
        return Ok(());
    };
    let drift = i64::try_from(DEFAULT_DRIFT.as_millis()).unwrap_or(i64::MAX);
    let millis = time >> 16;
    conn.batch_execute(&format!(
        "update carburetor_replica set clock = max(clock, {time}), seen = max(seen, {time}),
  offset_ms = offset_ms + iif({millis} > {now} + {drift}, {millis} - {now}, 0)",
        now = now_ms()
    ))
}

/// From now on the time is the server's.
pub(super) fn follow(conn: &mut SqliteConnection, server: DateTime<Utc>) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "update carburetor_replica set offset_ms = offset_ms + {} - {}",
        server.timestamp_millis(),
        now_ms()
    ))
}

/// The replica takes a new id: its clocks are another's, of which this is a copy.
pub(super) fn rename(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute("update carburetor_replica set id = lower(hex(randomblob(8)))")
}

/// Gives all of the program's that is unanswered new clocks, in its order: later than all that the server has shown, and not before the time. The only step
/// back that the clock makes. The caller has a transaction.
pub(super) fn renew(conn: &mut SqliteConnection, store: &Store) -> Result<(), ReplicaError> {
    let group = &store.group;
    conn.batch_execute(&format!(
        "update carburetor_replica set clock = max(seen, ({} << 16) - 1)",
        now_ms()
    ))?;
    let is_own = |clock: &str| match store.is_hub() {
        true => format!("{clock} not in (select clock from carburetor_relay)"),
        false => "true".into(),
    };
    let mut old: Vec<String> = outbox::sending(conn, group, &is_own("clock"), usize::MAX >> 1)?
        .iter()
        .map(|sending| sending.clock.to_string())
        .collect();
    for table in store.uploaded() {
        let sql = format!(
            "select distinct carburetor_clock from {} where {}",
            table.own("outbox"),
            is_own("carburetor_clock")
        );
        let rows = query::rows(conn, &sql, [])?;
        old.extend(rows.iter().map(|row| as_text(&row[0])));
    }
    old.sort();
    old.dedup();
    // Marked, so that no new clock is taken for an old one that follows.
    let mark = |clock: &str| format!("~{clock}");
    for clock in &old {
        conn.batch_execute(&tick())?;
        let new = as_text(&query::value(conn, &format!("select {LAST_CLOCK}"), [])?);
        for table in store.uploaded() {
            let sql = format!(
                "update {} set carburetor_clock = {BIND} where carburetor_clock = {BIND}",
                table.own("outbox")
            );
            query::execute(conn, &sql, [Bind::text(mark(&new)), Bind::text(clock)])?;
        }
        rewrite(conn, group, clock, &new)?;
    }
    for table in store.uploaded() {
        conn.batch_execute(&format!(
            "update {} set carburetor_clock = ltrim(carburetor_clock, '~')",
            table.own("outbox")
        ))?;
    }
    conn.batch_execute("update carburetor_sending set clock = ltrim(clock, '~')")?;
    query::execute(
        conn,
        &format!("update carburetor_group set confirmed = null where name = {BIND}"),
        [Bind::text(group)],
    )?;
    Ok(())
}

/// The frozen change of this clock, with another one.
fn rewrite(
    conn: &mut SqliteConnection,
    group: &str,
    old: &str,
    new: &str,
) -> Result<(), ReplicaError> {
    let sql = format!(
        "select seq, change from carburetor_sending where in_group = {BIND} and clock = {BIND}"
    );
    for row in query::rows(conn, &sql, [group, old].map(Bind::text))? {
        let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
        let mut change: Change = serde_json::from_str(&as_text(&row[1])).map_err(unreadable)?;
        change.clock = new
            .parse()
            .map_err(|_| WireError::new("the replica's id is unreadable"))?;
        let text = serde_json::to_string(&change).map_err(unreadable)?;
        query::execute(
            conn,
            &format!(
                "update carburetor_sending set change = {BIND}, clock = {BIND}, attempted = 0 where seq = {BIND}"
            ),
            [
                Bind::text(text),
                Bind::text(format!("~{new}")),
                Bind::integer(as_integer(&row[0])),
            ],
        )?;
    }
    Ok(())
}
