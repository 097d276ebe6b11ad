//! What waits on replicas: outboxes that got stuck, grew long or old, or were sent twice, in systems of this design.

use super::super::device::{Device, changes};
use super::super::{rejection, run, verdicts};
use super::contents::{contents, lines, rows};
use super::peers::told;
use super::repeats::inserts;
use super::{CARBURETOR, Conn, DB, Everything, Server};
use carburetor::change::Change;
use carburetor::outcome::Code;
use carburetor::upload::UploadError;
use serde_json::{Value, json};
use std::time::Duration;

fn person(id: &str, email: &str) -> Value {
    json!({"id": id, "name": id, "email": email, "team": "red", "kind": "k"})
}

fn task(id: i32, points: i32) -> Value {
    json!({"id": id, "person": "ann", "title": "t", "points": points})
}

fn tasks(conn: &mut Conn) -> Vec<String> {
    let query = "select cast(id as text) || ' ' || title || ' ' || cast(points as text) || ' ' || level as line from tasks order by id";
    lines(conn, query)
}

/// A server where Ann is known.
fn with_ann() -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(
        &mut conn,
        "insert into people (id, name, email, team, kind) values ('ann', 'Ann', 'ann@x', 'red', 'k')",
    );
    (server, conn)
}

/// One refused change kept all that was queued behind it from being sent, for ever.
#[test]
fn a_refused_change_blocks_nothing_of_the_same_row_and_nothing_that_is_sent_later() {
    let (_server, conn) = &mut with_ann();
    let mut device = Device::ago(1, 60);
    let sent = changes([
        device.insert("tasks", task(1, -1)),
        // Of a row that doesn't exist after all.
        device.update("tasks", 1, json!({"title": "edited"})),
        device.insert("tasks", task(2, 2)),
        device.update("tasks", 2, json!({"points": -2})),
        device.update("tasks", 2, json!({"points": "two"})),
        device.update("tasks", 2, json!({"person": "nobody"})),
        device.update("tasks", 2, json!({"title": "edited"})),
        device.insert("tasks", task(1, 1)),
        device.update("tasks", 1, json!({"title": "edited"})),
    ]);
    let told = Everything::upload(conn, &sent).unwrap();
    let expected = [
        // A later insert of the row took its place, with which it is written.
        "applied",
        "applied",
        "applied",
        "constraint",
        "invalid",
        "constraint",
        "applied",
        "applied",
        "applied",
    ];
    assert_eq!(verdicts(&told), expected);
    assert_eq!(tasks(conn), ["1 edited 1 low", "2 edited 2 low"]);
    // The refused ones come again, as from a replica that forgets nothing.
    let mut again = sent.changes.clone();
    again.push(device.update("tasks", 2, json!({"points": 3})));
    let told = Everything::upload(conn, &changes(again)).unwrap();
    assert_eq!(verdicts(&told)[..9], expected);
    assert_eq!(tasks(conn), ["1 edited 1 low", "2 edited 3 low"]);
}

/// An insert was applied and its answer lost: every time it came again it was told that the row exists, and never got through.
#[test]
fn an_insert_that_comes_again_is_never_told_that_its_row_exists() {
    for is_forgotten in [false, true] {
        let (_server, conn) = &mut with_ann();
        let mut device = Device::ago(1, 60);
        let sent: Vec<Change> = (1..=3)
            .map(|id| device.insert("tasks", task(id, id)))
            .collect();
        let lost = Everything::upload(conn, &changes(sent.clone())).unwrap();
        assert_eq!(verdicts(&lost), ["applied"; 3]);
        run(
            conn,
            "update tasks set title = 'by hand' where id = 2; delete from tasks where id = 3",
        );
        if is_forgotten {
            Everything::tracking::<DB>()
                .purge(conn, Duration::ZERO)
                .unwrap();
            assert_eq!(rows(conn, &format!("{CARBURETOR}outcome")), [""; 0]);
        }
        let told = Everything::upload(conn, &changes(sent)).unwrap();
        match is_forgotten {
            false => assert_eq!(told.outcomes, lost.outcomes),
            true => assert_eq!(verdicts(&told), ["applied", "superseded", "superseded"]),
        }
        assert_eq!(tasks(conn), ["1 t 1 low", "2 by hand 2 low"]);
    }
}

#[test]
fn an_insert_with_a_new_clock_is_an_edit_of_the_row_that_is_there() {
    let (_server, conn) = &mut with_ann();
    assert_eq!(
        told(conn, Device::ago(1, 60).insert("tasks", task(1, 1))),
        "applied"
    );
    run(conn, "update tasks set level = 'high'");
    // The replica's file was lost, and its rows were entered again.
    assert_eq!(
        told(conn, Device::ahead(2, 30).insert("tasks", task(1, 5))),
        "merged"
    );
    // An old program has no level: what it leaves out stays.
    assert_eq!(tasks(conn), ["1 t 5 high"]);
}

/// More than fits one page or statement: the rest was lost, though the answer said nothing of it.
#[test]
fn a_long_outbox_is_taken_as_a_whole_or_refused_as_a_whole() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::ago(1, 60);
    let mut sent = inserts(&mut device, 1..=9_999);
    sent.push(device.update("fields_rows", 1, json!({"b": "last"})));
    sent.push(device.update("fields_rows", 2, json!({"b": "too many"})));
    let before = contents(conn);
    let error = Everything::upload(conn, &changes(sent.clone())).unwrap_err();
    assert!(
        matches!(
            error,
            UploadError::TooMany {
                changes: 10_001,
                limit: 10_000
            }
        ),
        "{error}"
    );
    assert_eq!(contents(conn), before);
    sent.pop();
    let told = Everything::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), vec!["applied"; 10_000]);
    let held = "select cast(count(*) as text) || ' ' || cast(max(id) as text) || ' ' || max(b) as line from fields_rows where a = 'of ' || cast(id as text)";
    assert_eq!(lines(conn, held), ["9999 9999 last"]);
}

/// A program that was away for long sent what the tables no longer are, and lost all of it.
#[test]
fn an_old_programs_outbox_gets_through_where_it_still_fits_and_the_rest_is_named() {
    let (_server, conn) = &mut with_ann();
    let mut device = Device::ago(1, 60);
    let mut with = |id: i32, more: Value| {
        let mut row = task(id, id);
        row.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        device.insert("tasks", row)
    };
    let mut sent = vec![
        with(1, json!({})),
        // A column that is gone, a value that has another type now.
        with(2, json!({"color": "red"})),
        with(3, json!({"title": 3})),
    ];
    // A column that came into being, without a default; a table that is gone; a column that is the server's now.
    let mut ben = person("ben", "ben@x");
    ben.as_object_mut().unwrap().remove("kind");
    sent.extend([
        device.insert("people", ben),
        device.insert("users", json!({"id": 1})),
        device.update("people", "ann", json!({"score": 5})),
        device.update("tasks", 1, json!({"title": "edited"})),
        device.insert("people", person("eve", "eve@x")),
    ]);
    let told = Everything::upload(conn, &changes(sent)).unwrap();
    for (place, expected) in [
        (1, (Code::Invalid, Some("color"))),
        (2, (Code::Invalid, Some("title"))),
        (3, (Code::Invalid, Some("kind"))),
        (4, (Code::Invalid, None)),
        (5, (Code::ReadOnly, Some("score"))),
    ] {
        assert_eq!(rejection(&told, place), expected, "{place}");
    }
    for place in [0, 6, 7] {
        assert_eq!(verdicts(&told)[place], "applied", "{place}");
    }
    assert_eq!(tasks(conn), ["1 edited 1 low"]);
}

/// A local deletion was undone by what another one wrote, and then the undoing was uploaded.
#[test]
fn what_others_write_does_not_undo_a_deletion_that_waits() {
    let (_server, conn) = &mut with_ann();
    assert_eq!(
        told(conn, Device::ago(1, 180).insert("tasks", task(1, 1))),
        "applied"
    );
    let mut waiting = Device::ago(1, 120);
    let deletion = waiting.delete("tasks", 1);
    // Others edit the row, and so does the server.
    let edit = Device::ago(2, 60).update("tasks", 1, json!({"title": "theirs"}));
    assert_eq!(told(conn, edit), "merged");
    run(conn, "update tasks set points = 2");
    assert_eq!(told(conn, deletion), "applied");
    let edit = Device::ago(2, 0).update("tasks", 1, json!({"title": "again"}));
    assert_eq!(told(conn, edit), "superseded");
    assert_eq!(tasks(conn), [""; 0]);
}
