//! Uploads of a scope that race with who moves the row out of the scope, or into it.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::models::{Person, people};
use super::races::blocked_by;
use super::{Conn, DB, Server};
use carburetor::change::Change;
use carburetor::clock::Clock;
use carburetor::outcome::Outcomes;
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::prelude::*;
use serde_json::json;
use std::sync::Barrier;
use std::thread;

/// Sees some teams.
struct Teams(&'static [&'static str]);

impl SyncScope<Person, DB> for Teams {
    fn filter(&self) -> Visible<'_, people::table, DB> {
        Visible::only(people::team.eq_any(self.0))
    }
}

type People = SyncGroup<(Person,), Teams>;

const RED: Teams = Teams(&["red"]);
const BOTH: Teams = Teams(&["red", "blue"]);

/// A server with one person of a team, and a replica that has seen it.
fn with_ann(team: &str) -> (Server, Device) {
    let server = Server::new();
    run(
        &mut server.connect(),
        &format!("insert into people (id, name, team, kind) values ('ann', 'Ann', '{team}', 'k')"),
    );
    (server, now(1))
}

fn now(replica: u64) -> Device {
    let mut device = Device::new(replica);
    device.observe(Clock::of_database(chrono::Utc::now()));
    device
}

fn ann(conn: &mut Conn) -> Vec<String> {
    lines(
        conn,
        "select name || ' ' || team as line from people where id = 'ann'",
    )
}

fn upload(conn: &mut Conn, scope: &Teams, change: Change) -> Outcomes {
    People::scoped(scope)
        .upload(conn, &changes([change]))
        .unwrap()
}

/// What an upload of red's scope is told that waits while `first` is written and then committed, or not.
fn behind(server: &Server, commits: bool, first: impl FnOnce(&mut Conn), sent: Change) -> Outcomes {
    let mut other = server.connect();
    thread::scope(|scope| {
        let mut waiting = None;
        let ended = other.transaction(|other| {
            first(other);
            waiting = Some(scope.spawn(move || upload(&mut server.connect(), &RED, sent)));
            server.0.wait_until(&blocked_by(other));
            match commits {
                true => Ok(()),
                false => Err(diesel::result::Error::RollbackTransaction),
            }
        });
        assert_eq!(ended.is_ok(), commits);
        waiting.unwrap().join().unwrap()
    })
}

/// The writes that a replica of red's scope may want of the row.
fn edits() -> [fn(&mut Device) -> Change; 3] {
    [
        |device| device.update("people", "ann", json!({"name": "Mine"})),
        |device| device.delete("people", "ann"),
        |device| {
            let row =
                json!({"id": "ann", "name": "Mine", "email": null, "team": "red", "kind": "k"});
            device.insert("people", row)
        },
    ]
}

#[test]
fn a_row_that_leaves_the_scope_first_is_neither_written_nor_shown() {
    for edit in edits() {
        for by_upload in [true, false] {
            let (server, _) = with_ann("red");
            let told = behind(
                &server,
                true,
                |other| match by_upload {
                    true => {
                        let moved = now(2).update("people", "ann", json!({"team": "blue"}));
                        assert_eq!(verdicts(&upload(other, &BOTH, moved)), ["merged"]);
                    }
                    false => run(other, "update people set team = 'blue'"),
                },
                edit(&mut now(1)),
            );
            assert_eq!(verdicts(&told), ["forbidden"]);
            assert_eq!(told.outcomes[0].row, None);
            assert_eq!(ann(&mut server.connect()), ["Ann blue"]);
        }
    }
}

#[test]
fn a_row_that_stays_in_the_scope_after_all_is_written() {
    let expected: [&[&str]; 3] = [&["Mine red"], &[], &["Mine red"]];
    for (edit, expected) in edits().into_iter().zip(expected) {
        let (server, mut device) = with_ann("red");
        let leaves = |other: &mut Conn| run(other, "update people set team = 'blue'");
        let told = behind(&server, false, leaves, edit(&mut device));
        assert!(["applied", "merged"].contains(&verdicts(&told)[0].as_str()));
        assert_eq!(ann(&mut server.connect()), expected);
    }
}

#[test]
fn a_row_that_enters_the_scope_first_is_written() {
    let (server, _) = with_ann("blue");
    let enters = |other: &mut Conn| run(other, "update people set team = 'red'");
    let mut device = now(1);
    let told = behind(&server, true, enters, edits()[0](&mut device));
    assert_eq!(verdicts(&told), ["merged"]);
    assert_eq!(ann(&mut server.connect()), ["Mine red"]);
}

#[test]
fn an_id_that_a_hidden_row_takes_first_is_forbidden() {
    let (server, mut device) = with_ann("red");
    let row = json!({"id": "bob", "name": "Mine", "email": null, "team": "red", "kind": "k"});
    let takes = |other: &mut Conn| {
        run(
            other,
            "insert into people (id, name, team, kind) values ('bob', 'Bob', 'blue', 'k')",
        );
    };
    let told = behind(&server, true, takes, device.insert("people", row));
    assert_eq!(verdicts(&told), ["forbidden"]);
    assert_eq!(told.outcomes[0].row, None);
    let bob = "select name || ' ' || team as line from people where id = 'bob'";
    assert_eq!(lines(&mut server.connect(), bob), ["Bob blue"]);
}

#[test]
fn whoever_comes_first_nothing_outside_of_the_scope_is_written() {
    let (server, _) = with_ann("red");
    for round in 0..40 {
        let conn = &mut server.connect();
        run(conn, "update people set name = 'Ann', team = 'red'");
        let (mut mover, mut editor) = (now(2), now(1));
        let moves = mover.update("people", "ann", json!({"team": "blue"}));
        let edits = editor.update("people", "ann", json!({"name": "Mine"}));
        let start = Barrier::new(2);
        let told = thread::scope(|scope| {
            let moved = scope.spawn(|| {
                let conn = &mut server.connect();
                start.wait();
                upload(conn, &BOTH, moves)
            });
            start.wait();
            // Now this one is early, now that one.
            for _ in 0..round % 8 {
                run(conn, "select 1");
            }
            let told = upload(conn, &RED, edits);
            let moved = moved.join().unwrap();
            assert!(
                ["applied", "merged"].contains(&verdicts(&moved)[0].as_str()),
                "{moved:?}"
            );
            told
        });
        match verdicts(&told)[0].as_str() {
            "forbidden" => {
                assert_eq!(told.outcomes[0].row, None);
                assert_eq!(ann(conn), ["Ann blue"]);
            }
            "merged" => {
                let row = told.outcomes[0].row.as_ref().unwrap();
                assert_eq!(row["team"], "red");
                assert_eq!(ann(conn), ["Mine blue"]);
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn of_two_uploads_of_one_scope_one_moves_the_row_within_it_and_both_are_applied() {
    let (server, _) = with_ann("red");
    let start = Barrier::new(2);
    let told = thread::scope(|scope| {
        let uploads = [(1, json!({"team": "blue"})), (2, json!({"name": "Mine"}))].map(
            |(replica, columns)| {
                let (server, start) = (&server, &start);
                scope.spawn(move || {
                    let change = now(replica).update("people", "ann", columns);
                    let conn = &mut server.connect();
                    start.wait();
                    verdicts(&upload(conn, &BOTH, change)).remove(0)
                })
            },
        );
        uploads.map(|upload| upload.join().unwrap())
    });
    assert_eq!(told, ["merged", "merged"]);
    assert_eq!(ann(&mut server.connect()), ["Mine blue"]);
}
