//! Uploads that wait for other writers, which end before, between and after what the upload does.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::races::{Fields, Two, blocked_by, fill};
use super::{Conn, Everything, Server};
use carburetor::change::{Change, Changes};
use carburetor::outcome::Outcomes;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;
use std::thread;

/// What an upload is told that waits while somebody else's `statement` ends, by a commit or not.
fn behind(server: &Server, statement: &str, commits: bool, sent: Change) -> Outcomes {
    let mut other = server.connect();
    thread::scope(|scope| {
        let mut upload = None;
        let ended = other.transaction(|other| {
            run(other, statement);
            let sent = changes([sent]);
            upload = Some(
                scope.spawn(move || Everything::upload(&mut server.connect(), &sent).unwrap()),
            );
            server.0.wait_until(&blocked_by(other));
            match commits {
                true => Ok(()),
                false => Err(diesel::result::Error::RollbackTransaction),
            }
        });
        assert_eq!(ended.is_ok(), commits);
        upload.unwrap().join().unwrap()
    })
}

#[test]
fn an_upload_waits_for_who_came_first_and_goes_by_what_he_left() {
    let server = Server::new();
    let mut device = fill(&mut server.connect(), 1..=4);
    let mut told = |statement: &str, commits: bool, id: i32| {
        let row = json!({"id": id, "a": "sent"});
        let insert = id > 4;
        let sent = match insert {
            true => device.insert("fields_rows", row),
            false => device.update("fields_rows", id, json!({"a": "sent"})),
        };
        let told = behind(&server, statement, commits, sent);
        device.observe(told.clock);
        let verdict = verdicts(&told).remove(0);
        let stored = format!("select a as line from fields_rows where id = {id}");
        let shown = told.outcomes[0].row.as_ref().map(|row| row["a"].clone());
        let stored = lines(&mut server.connect(), &stored);
        if let Some(shown) = shown {
            assert_eq!(json!(stored), json!([shown]));
        }
        (verdict, stored)
    };
    let is = |verdict: &str, stored: &str| (verdict.to_owned(), vec![stored.to_owned()]);
    let update = |id| format!("update fields_rows set a = 'first' where id = {id}");
    // The sender's clock is before the other's commit, and his edit is older.
    assert_eq!(told(&update(1), true, 1), is("superseded", "first"));
    assert_eq!(told(&update(2), false, 2), is("merged", "sent"));
    let delete = |id| format!("delete from fields_rows where id = {id}");
    assert_eq!(told(&delete(3), true, 3), ("superseded".into(), vec![]));
    assert_eq!(told(&delete(4), false, 4), is("merged", "sent"));
    let insert = |id| format!("insert into fields_rows (id, a) values ({id}, 'first')");
    assert_eq!(told(&insert(5), true, 5), is("superseded", "first"));
    assert_eq!(told(&insert(6), false, 6), is("applied", "sent"));
}

/// What an upload is told of a row that comes into being after it looked for its rows, and that a later edit is written to while it waits; `last` is
/// the other writer's last statement before he commits.
fn overtaken(
    server: &Server,
    last: &str,
    upload: impl Fn(&mut Conn, &Changes) -> Outcomes + Send,
) -> Outcomes {
    fill(&mut server.connect(), 1..=1);
    let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    ann.tick_at(now + 10_000);
    bob.tick_at(now + 20_000);
    // The second row is what the upload waits for when it has looked for the first.
    let row = json!({"id": 50, "a": "ann", "b": "ann"});
    let sent = changes([
        ann.insert("fields_rows", row),
        ann.update("later_rows", 1, json!({"a": "ann", "b": "ann"})),
    ]);
    let later = changes([bob.update("fields_rows", 50, json!({"a": "bob"}))]);
    let mut holder = server.connect();
    let mut writer = server.connect();
    // A deadlock is found by the upload, and ends at its cost.
    run(&mut writer, "set deadlock_timeout = '60s'");
    thread::scope(|scope| {
        run(&mut holder, "begin; select from later_rows for update");
        let waiting = scope.spawn(move || upload(&mut server.connect(), &sent));
        server.0.wait_until(&blocked_by(&mut holder));
        run(
            &mut writer,
            "insert into fields_rows (id, a, b) values (50, 'first', 'first')",
        );
        let written = writer.transaction(|writer| {
            assert_eq!(verdicts(&Fields::upload(writer, &later)?), ["merged"]);
            run(&mut holder, "commit");
            server.0.wait_until(&blocked_by(writer));
            writer.batch_execute(last)
        });
        written.unwrap();
        waiting.join().unwrap()
    })
}

fn alone(conn: &mut Conn, sent: &Changes) -> Outcomes {
    Two::upload(conn, sent).unwrap()
}

fn within(conn: &mut Conn, sent: &Changes) -> Outcomes {
    conn.transaction(|conn| Two::upload(conn, sent)).unwrap()
}

/// The row that wasn't there at first.
const OVERTAKEN: &str = "select a || ' ' || b as line from fields_rows where id = 50";

#[test]
fn a_row_that_comes_into_being_meanwhile_loses_no_edit() {
    for upload in [alone, within] {
        let server = Server::new();
        let told = overtaken(&server, "select 1", upload);
        assert_eq!(verdicts(&told), ["merged", "merged"]);
        let conn = &mut server.connect();
        assert_eq!(lines(conn, OVERTAKEN), ["bob ann"]);
    }
}

#[test]
fn who_is_chosen_to_end_a_deadlock_is_not_rejected() {
    let server = Server::new();
    let told = overtaken(&server, "update later_rows set c = 'bob'", alone);
    assert_eq!(verdicts(&told), ["merged", "merged"]);
    let conn = &mut server.connect();
    assert_eq!(lines(conn, OVERTAKEN), ["bob ann"]);
    assert_eq!(
        lines(conn, "select a || c as line from later_rows"),
        ["annbob"]
    );
}

#[test]
fn a_deadlock_within_the_callers_transaction_fails_the_upload_and_rejects_nothing() {
    let server = Server::new();
    let failing = |conn: &mut Conn, sent: &Changes| {
        let failed = conn
            .transaction(|conn| Two::upload(conn, sent))
            .unwrap_err();
        assert!(failed.to_string().contains("deadlock"), "{failed}");
        // The caller's transaction is over: what he sends again is applied.
        Two::upload(conn, sent).unwrap()
    };
    let told = overtaken(&server, "update later_rows set c = 'bob'", failing);
    assert_eq!(verdicts(&told), ["merged", "merged"]);
}

#[test]
fn who_waits_too_long_is_not_rejected() {
    let server = Server::new();
    let mut device = Device::new(1);
    let sent = changes([
        device.insert("fields_rows", json!({"id": 1, "a": "sent"})),
        device.insert("fields_rows", json!({"id": 2, "a": "sent"})),
    ]);
    let mut other = server.connect();
    run(
        &mut other,
        "begin; insert into fields_rows (id, a) values (2, 'other')",
    );
    let conn = &mut server.connect();
    for limit in ["lock_timeout", "statement_timeout"] {
        run(conn, &format!("set {limit} = '100ms'"));
        let failed = Fields::upload(conn, &sent).unwrap_err();
        assert!(failed.to_string().contains("timeout"), "{failed}");
        run(conn, &format!("set {limit} = 0"));
    }
    run(&mut other, "rollback");
    let told = Fields::upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&told), ["applied"; 2]);
}
