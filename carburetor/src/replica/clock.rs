//! The clock of a replica, as it lies in the file: the triggers tick it.

use super::error::ReplicaError;
use super::file::Store;
use super::overtaken;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::schema::now_ms;
use crate::change::Change;
use crate::clock::{Clock, DEFAULT_DRIFT};
use crate::table::quoted;
use crate::wire::WireError;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

/// How far ahead of the time a clock may be, in milliseconds.
fn drift() -> i64 {
    i64::try_from(DEFAULT_DRIFT.as_millis()).unwrap_or(i64::MAX)
}

/// Takes note of a clock that the server showed: what is edited from now on is later. `at` is how far the server's own time has come at least, where it says so: if
/// that is far ahead of the replica's time, that one is wrong and follows it. A clock that is far ahead even then is not taken, because somebody's time was wrong when it
/// was given out: whoever went on from it would be refused until that day.
pub(super) fn observe(
    conn: &mut SqliteConnection,
    clock: Clock,
    at: Option<DateTime<Utc>>,
) -> QueryResult<()> {
    let (now, drift) = (now_ms(), drift());
    if let Some(at) = at.map(|at| at.timestamp_millis()) {
        let own = format!("({now} - offset_ms)");
        // A device that was ahead isn't any more, where the server's time has come as far as its
        // own. Of one that was behind that proves nothing, because the server's time may be much
        // later than `at`: with its clock right it is ahead by the correction, and the server says
        // so when it sends.
        let right = format!(
            "offset_ms = 0 where offset_ms < -{drift} and abs({at} - {own}) <= {drift} / 2"
        );
        let behind = format!("offset_ms = offset_ms + {at} - {now} where {at} > {now} + {drift}");
        correct(conn, &[right, behind])?;
    }
    // 48 bits of milliseconds leave the sign alone until the year 6429.
    let Ok(time) = i64::try_from(clock.millis() << 16 | u64::from(clock.counter())) else {
        return Ok(());
    };
    conn.batch_execute(&format!(
        "update carburetor_replica set clock = max(clock, {time}), seen = max(seen, {time}) where {} <= {now} + {drift}",
        time >> 16
    ))
}

/// From now on the time is the server's, and a clock that is far ahead of it was never seen.
pub(super) fn follow(conn: &mut SqliteConnection, server: DateTime<Utc>) -> QueryResult<()> {
    let (at, now) = (server.timestamp_millis(), now_ms());
    let set = format!(
        "offset_ms = offset_ms + {at} - {now}, seen = iif(seen >> 16 < {at} + {}, seen, min(seen, {at} << 16))",
        drift()
    );
    correct(conn, &[set])
}

/// Has the replica's time follow the server's, and tells it where that changes whether the
/// device's own one is wrong. Each of `sets` is what follows SET.
fn correct(conn: &mut SqliteConnection, sets: &[String]) -> QueryResult<()> {
    let before = correction(conn)?;
    let mut changed = 0;
    for set in sets {
        changed += query::execute(conn, &format!("update carburetor_replica set {set}"), [])?;
    }
    if changed == 0 {
        return Ok(());
    }
    match (before, correction(conn)?) {
        (None, None) => {}
        (Some(_), None) => tracing::info!("the device's clock is right again"),
        (_, Some(correction)) => tracing::warn!(
            seconds = correction.num_seconds(),
            "the device's clock is wrong: the replica adds this to it, as the server's time tells; set the clock right"
        ),
    }
    Ok(())
}

/// What the replica adds to the device's time, where that is more than the clocks of two machines may well differ by.
pub(super) fn correction(conn: &mut SqliteConnection) -> QueryResult<Option<TimeDelta>> {
    let offset = query::value(conn, "select offset_ms from carburetor_replica", [])?;
    let offset = as_integer(&offset);
    Ok(match offset.abs() > drift() {
        true => TimeDelta::try_milliseconds(offset),
        false => None,
    })
}

/// The replica takes a new id, because its clocks are another's, of which this is a copy. The times of its edits stay.
pub(super) fn rename(conn: &mut SqliteConnection, store: &Store) -> Result<(), ReplicaError> {
    conn.batch_execute("update carburetor_replica set id = lower(hex(randomblob(8)))")?;
    replace(conn, store, "substr(old, 1, 16) || id")?;
    Ok(())
}

/// Gives all of the program's that is unanswered new clocks, in its order: later than all that the server has shown, and not before the time. The only step
/// back that the clock makes. The caller has a transaction.
pub(super) fn renew(conn: &mut SqliteConnection, store: &Store) -> Result<(), ReplicaError> {
    conn.batch_execute(&format!(
        "update carburetor_replica set clock = max(seen, ({} << 16) - 1)",
        now_ms()
    ))?;
    overtaken::renew(conn)?;
    let clocks = replace(conn, store, "printf('%016x', clock + place) || id")?;
    Ok(conn.batch_execute(&format!(
        "update carburetor_replica set clock = clock + {clocks}"
    ))?)
}

/// Puts the clock `new` in the place of each one of the program's that is unanswered, in all groups of the file, because they share the clock and the id. It is SQL over `carburetor_replica`, the
/// `old` one and its `place` in the order. Returns how many there were.
fn replace(conn: &mut SqliteConnection, store: &Store, new: &str) -> Result<i64, ReplicaError> {
    let own = match store.is_hub() {
        true => "not in (select clock from carburetor_relay)",
        false => "is not null",
    };
    let outboxes = query::rows(
        conn,
        "select name from sqlite_schema where type = 'table'
  and name in (select 'carburetor_outbox_' || name from carburetor_replicated) order by name",
        [],
    )?;
    let outboxes: Vec<String> = outboxes
        .iter()
        .map(|row| quoted(&as_text(&row[0])))
        .collect();
    let known = format!("select clock as old from carburetor_sending where clock {own}");
    let known = [known].into_iter().chain(outboxes.iter().map(|outbox| {
        format!("select carburetor_clock from {outbox} where carburetor_clock {own}")
    }));
    let known: Vec<String> = known.collect();
    conn.batch_execute(&format!(
        "create temp table carburetor_renewed (old text primary key, new text not null) without rowid;
insert into temp.carburetor_renewed (old, new)
  select old, {new} from (select old, row_number() over (order by old) as place from ({})), carburetor_replica",
        known.join(" union ")
    ))?;
    for outbox in &outboxes {
        conn.batch_execute(&format!(
            "update {outbox} set carburetor_clock = (select new from temp.carburetor_renewed where old = carburetor_clock)
  where carburetor_clock in (select old from temp.carburetor_renewed)"
        ))?;
    }
    rewrite(conn)?;
    let count = query::value(conn, "select count(*) from temp.carburetor_renewed", [])?;
    // The server's answers to the old ones are another replica's now, who may still ask for them.
    conn.batch_execute(
        "drop table temp.carburetor_renewed; update carburetor_group set confirmed = null",
    )?;
    Ok(as_integer(&count))
}

/// The changes that are written down take their new clocks, and count as never sent.
fn rewrite(conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
    conn.batch_execute(
        "update or replace carburetor_retried set clock = (select new from temp.carburetor_renewed where old = clock)
  where clock in (select old from temp.carburetor_renewed)",
    )?;
    let sql = "select seq, change, new from carburetor_sending join temp.carburetor_renewed on old = clock";
    for row in query::rows(conn, sql, [])? {
        let unreadable = |error: serde_json::Error| WireError::new(error.to_string());
        let mut change: Change = serde_json::from_str(&as_text(&row[1])).map_err(unreadable)?;
        let new = as_text(&row[2]);
        change.clock = new
            .parse()
            .map_err(|_| WireError::new("the replica's id is unreadable"))?;
        query::execute(
            conn,
            &format!(
                "update carburetor_sending set change = {BIND}, clock = {BIND}, attempted = 0 where seq = {BIND}"
            ),
            [
                Bind::json(&change)?,
                Bind::text(new),
                Bind::integer(as_integer(&row[0])),
            ],
        )?;
    }
    Ok(())
}
