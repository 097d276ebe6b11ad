//! What systems of this design lost writes by: a test for each trap.

use super::super::device::{Device, On, change, changes, stamp};
use super::super::verdicts;
use super::contents::{contents, lines, rows};
use super::models::{FieldsRow, LaterRow};
use super::repeats::upload_as;
use super::{CARBURETOR, Conn, DB, Everything, Server};
use carburetor::SyncGroup;
use carburetor::change::{Change, Edit};
use carburetor::clock::{Clock, Ticker, TimeSource};
use carburetor::outcome::Outcomes;
use carburetor::testing::ManualTime;
use carburetor::upload::{Transactions, UploadError};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn upload(conn: &mut Conn, sent: Change) -> Outcomes {
    Everything::upload(conn, &changes([sent])).unwrap()
}

/// What becomes of one change.
pub(super) fn told(conn: &mut Conn, sent: Change) -> String {
    verdicts(&upload(conn, sent)).remove(0)
}

fn row(a: &str) -> Value {
    json!({"id": 1, "a": a, "b": a, "c": a})
}

/// The texts of row 1.
fn texts(conn: &mut Conn, table: &str) -> Vec<String> {
    lines(
        conn,
        &format!("select a || ' ' || b || ' ' || c as line from {table}"),
    )
}

/// Forgets all that may be forgotten: answers, conflicts, removals, and the clocks of deletions older than an hour.
fn forget(conn: &mut Conn) {
    let tracking = Everything::tracking::<DB>();
    tracking.purge(conn, Duration::ZERO).unwrap();
    tracking
        .purge_deletions(conn, Duration::from_secs(3600))
        .unwrap();
    for log in ["outcome", "conflict_fields_rows", "conflict_notes"] {
        assert_eq!(rows(conn, &format!("{CARBURETOR}{log}")), [""; 0]);
    }
}

/// The clocks were in a log only, and the log was purged: an old change won.
#[test]
fn an_old_edit_loses_after_everything_was_forgotten() {
    for table in ["fields_rows", "later_rows"] {
        let server = Server::new();
        let conn = &mut server.connect();
        let edit =
            |minutes, a| Device::ago(2, minutes).update(table, 1, json!({"a": a, "b": a, "c": a}));
        let insert = Device::ago(1, 300).insert(table, row("first"));
        assert_eq!(told(conn, insert), "applied");
        let early = edit(200, "early");
        assert_eq!(told(conn, edit(100, "late")), "applied");
        assert_eq!(told(conn, early.clone()), "superseded");
        forget(conn);
        assert_eq!(told(conn, early), "superseded");
        assert_eq!(told(conn, edit(150, "between")), "superseded");
        assert_eq!(texts(conn, table), ["late late late"]);
    }
}

/// The clocks of deletions were purged: what was deleted came back.
#[test]
fn a_deleted_row_does_not_come_back_when_its_deletion_was_forgotten() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut ann = Device::ago(1, 300);
    let insert = ann.insert("fields_rows", row("first"));
    let edit = ann.update("fields_rows", 1, json!({"a": "edited"}));
    let note = ann.insert("notes", json!({"id": 1, "body": "first", "gone": false}));
    assert_eq!(told(conn, insert.clone()), "applied");
    assert_eq!(told(conn, note.clone()), "applied");
    let mut bob = Device::ago(2, 200);
    assert_eq!(told(conn, bob.delete("fields_rows", 1)), "applied");
    assert_eq!(told(conn, bob.delete("notes", 1)), "applied");
    forget(conn);
    assert_eq!(
        rows(conn, &format!("{CARBURETOR}register_fields_rows")),
        [""; 0]
    );
    let later = Device::ago(3, 250).insert("fields_rows", row("later"));
    for sent in [insert, edit, later] {
        let outcomes = upload(conn, sent);
        assert_eq!(verdicts(&outcomes), ["expired"]);
        assert_eq!(outcomes.outcomes[0].row, None);
    }
    // The row of a soft deletion is there, and its clock with it.
    assert_eq!(told(conn, note), "superseded");
    assert_eq!(rows(conn, "fields_rows"), [""; 0]);
    let notes = "select body as line from notes where not gone";
    assert_eq!(lines(conn, notes), [""; 0]);
}

/// The last to arrive won: what was written at nine and came at eleven overwrote what was written at ten.
#[test]
fn the_edit_made_at_ten_stands_though_the_one_made_at_nine_comes_at_eleven() {
    for at_ten_first in [true, false] {
        let server = Server::new();
        let conn = &mut server.connect();
        for table in ["fields_rows", "later_rows"] {
            let insert = Device::ago(1, 180).insert(table, row("first"));
            assert_eq!(told(conn, insert), "applied");
            let edit = |replica, minutes, a| {
                Device::ago(replica, minutes).update(table, 1, json!({"a": a, "b": a, "c": a}))
            };
            let mut arriving = [edit(2, 120, "nine"), edit(3, 60, "ten")];
            if at_ten_first {
                arriving.reverse();
            }
            for sent in arriving {
                upload(conn, sent);
            }
            assert_eq!(texts(conn, table), ["ten ten ten"]);
        }
    }
}

/// What was accepted last took the time of its arrival: a newer write of another device was older than that, and dropped for ever.
#[test]
fn an_accepted_edit_is_as_old_as_it_was_made_and_not_as_it_came() {
    let server = Server::new();
    let conn = &mut server.connect();
    for table in ["fields_rows", "later_rows", "client_rows"] {
        let insert = Device::ago(1, 180).insert(table, row("first"));
        let seen = stamp(&upload(conn, insert).outcomes[0]);
        let edit = |replica, minutes, columns: Value| {
            Device::ago(replica, minutes)
                .update(table, 1, columns)
                .on_stamp(seen)
        };
        let old = edit(2, 120, json!({"a": "old", "b": "old"}));
        assert_eq!(told(conn, old), "applied");
        let new = edit(3, 60, json!({"a": "new", "b": "new", "c": "new"}));
        let new = upload(conn, new);
        // Every column is the sender's: it knows all of the row.
        assert_eq!(verdicts(&new), ["applied"]);
        assert!(new.outcomes[0].stamp.unwrap() > seen);
        assert_eq!(texts(conn, table), ["new new new"]);
    }
}

/// An edit at `clock` of row 1.
fn edited(clock: Clock, a: &str) -> Change {
    let Value::Object(columns) = json!({"a": a}) else {
        unreachable!()
    };
    change("fields_rows", json!(1), clock, Edit::Update(columns))
}

/// The replica's clock went back with the system's: its later edits lost against its own earlier ones.
#[test]
fn a_replica_whose_system_clock_goes_back_writes_later_all_the_same() {
    let server = Server::new();
    let conn = &mut server.connect();
    let insert = Device::ago(1, 180).insert("fields_rows", row("first"));
    upload(conn, insert);
    let time = ManualTime::at(Utc::now());
    let ticker = Ticker::new(2, time.clone());
    assert_eq!(told(conn, edited(ticker.tick().unwrap(), "one")), "merged");
    time.advance(TimeDelta::hours(-1));
    assert_eq!(told(conn, edited(ticker.tick().unwrap(), "two")), "merged");
    assert_eq!(texts(conn, "fields_rows"), ["two first first"]);
}

/// The clock was not stored: after a restart a replica went on before its own writes.
#[test]
fn a_replica_that_is_started_again_goes_on_after_its_last_clock() {
    let server = Server::new();
    let conn = &mut server.connect();
    let insert = Device::ago(1, 180).insert("fields_rows", row("first"));
    upload(conn, insert);
    let time = ManualTime::at(Utc::now());
    let ticker = Ticker::new(2, time.clone());
    assert_eq!(told(conn, edited(ticker.tick().unwrap(), "one")), "merged");
    let stored = ticker.last().to_string();
    time.advance(TimeDelta::minutes(-30));
    let again = Ticker::new(2, time.clone());
    again.resume(stored.parse().unwrap());
    assert_eq!(told(conn, edited(again.tick().unwrap(), "two")), "merged");
    assert_eq!(texts(conn, "fields_rows"), ["two first first"]);
}

/// Nothing bounded a clock far ahead: one wrong device won for ever.
#[test]
fn a_clock_far_ahead_changes_nothing_and_both_times_are_named() {
    let server = Server::new();
    let conn = &mut server.connect();
    let insert = Device::ago(1, 180).insert("fields_rows", row("first"));
    upload(conn, insert);
    let before = contents(conn);
    let time = ManualTime::at(Utc::now() + TimeDelta::hours(5));
    let ticker = Ticker::new(2, time.clone());
    let theirs = time.now().format("%Y-%m-%dT%H:%M:%S").to_string();
    let good = edited(Device::new(2).tick(), "good");
    let mut unsent = [ticker.tick().unwrap(), ticker.tick().unwrap()];
    let [one, two] = [edited(unsent[0], "one"), edited(unsent[1], "two")];
    let sent = changes([good.clone(), one, two]);
    let modes = [
        Transactions::One,
        Transactions::PerChange,
        Transactions::AllOrNothing,
    ];
    for mode in modes {
        let ours = Utc::now().format("%Y-%m-%dT%H:%M").to_string();
        let error = upload_as(conn, &sent, mode).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(&theirs), "{said}");
        let after = Utc::now().format("%Y-%m-%dT%H:%M").to_string();
        assert!(said.contains(&ours) || said.contains(&after), "{said}");
        assert_eq!(contents(conn), before, "{mode:?}");
        let UploadError::ClockAhead { clock, server } = error else {
            panic!("{error}")
        };
        assert_eq!(clock, unsent[0]);
        ticker.follow(server);
    }
    // The replica follows the server's time, and what it has not sent counts from then on.
    ticker.renew(good.clock, &mut unsent).unwrap();
    let [one, two] = [edited(unsent[0], "one"), edited(unsent[1], "two")];
    let outcomes = Everything::upload(conn, &changes([good, one, two])).unwrap();
    assert_eq!(verdicts(&outcomes), ["merged"; 3]);
    assert_eq!(texts(conn, "fields_rows"), ["two first first"]);
    // Nobody has to wait for five hours to pass.
    let mut other = Device::new(3);
    other.observe(outcomes.clock);
    let edit = other.update("fields_rows", 1, json!({"a": "other"}));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn, "fields_rows"), ["other first first"]);
}

/// A clock that is a little ahead is taken, and won until the time was there.
#[test]
fn who_has_seen_an_edit_from_ahead_writes_later_than_it() {
    let server = Server::new();
    let conn = &mut server.connect();
    let insert = Device::ago(1, 180).insert("fields_rows", row("first"));
    upload(conn, insert);
    let now = u64::try_from(Utc::now().timestamp_millis()).unwrap();
    let mut ahead = Device::new(2);
    ahead.tick_at(now + 50_000);
    let edit = ahead.update("fields_rows", 1, json!({"a": "ahead"}));
    assert_eq!(told(conn, edit), "merged");
    let mut other = Device::new(3);
    let unseen = other.update("fields_rows", 1, json!({"a": "unseen"}));
    assert_eq!(told(conn, unseen), "superseded");
    let news = SyncGroup::<(FieldsRow, LaterRow)>::download(conn, (None, None)).unwrap();
    other.observe(news.clock());
    let edit = other.update("fields_rows", 1, json!({"a": "other"}));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn, "fields_rows"), ["other first first"]);
}
