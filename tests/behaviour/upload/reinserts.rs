//! Rows that go and come again while an upload waits for them, and ids that several uploads are about at once.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::races::blocked_by;
use super::{Conn, Everything, Server};
use carburetor::change::{Change, Changes};
use carburetor::outcome::Outcomes;
use diesel::prelude::*;
use serde_json::json;
use std::thread;

type Upload = fn(&mut Conn, &Changes) -> Outcomes;

fn alone(conn: &mut Conn, sent: &Changes) -> Outcomes {
    Everything::upload(conn, sent).unwrap()
}

fn within(conn: &mut Conn, sent: &Changes) -> Outcomes {
    conn.transaction(|conn| Everything::upload(conn, sent))
        .unwrap()
}

/// The tables, with the column that a change writes.
const TABLES: [(&str, &str); 2] = [("fields_rows", "a"), ("notes", "body")];

fn insert(device: &mut Device, (table, column): (&str, &str), text: &str) -> Change {
    device.insert(table, json!({"id": 1, column: text}))
}

/// What a device sends that is later than all that is written in these tests, and the row that is there afterwards.
fn later(table: (&'static str, &'static str)) -> Vec<(Change, Option<&'static str>)> {
    let mut device = Device::ahead(2, 20);
    vec![
        (device.delete(table.0, 1), None),
        (
            device.update(table.0, 1, json!({table.1: "sent"})),
            Some("sent"),
        ),
        (insert(&mut device, table, "sent"), Some("sent")),
    ]
}

fn stored(server: &Server, (table, column): (&str, &str)) -> Vec<String> {
    let is_live = match table {
        "notes" => "not gone",
        _ => "true",
    };
    let query = format!("select {column} as line from {table} where id = 1 and {is_live}");
    lines(&mut server.connect(), &query)
}

/// A server with row 1, and what is told of `sent`, which waits for that row while one transaction does `statements`.
fn behind(table: (&str, &str), statements: &str, sent: Change, upload: Upload) -> (Server, String) {
    let server = Server::new();
    let first = insert(&mut Device::ago(1, 60), table, "first");
    alone(&mut server.connect(), &changes([first]));
    let mut writer = server.connect();
    let told = thread::scope(|scope| {
        run(&mut writer, "begin");
        run(&mut writer, statements);
        let server = &server;
        let sent = changes([sent]);
        let told = scope.spawn(move || upload(&mut server.connect(), &sent));
        server.0.wait_until(&blocked_by(&mut writer));
        run(&mut writer, "commit");
        verdicts(&told.join().unwrap()).remove(0)
    });
    (server, told)
}

#[test]
fn a_row_that_is_deleted_and_inserted_again_meanwhile_loses_no_later_change() {
    for upload in [alone as Upload, within] {
        for table in TABLES {
            let (name, column) = table;
            let again = format!(
                "delete from {name} where id = 1; insert into {name} (id, {column}) values (1, 'theirs')"
            );
            let away = format!(
                "update {name} set id = 100 where id = 1; update {name} set id = 1 where id = 100"
            );
            for statements in [&again, &away] {
                for (sent, left) in later(table) {
                    let (server, told) = behind(table, statements, sent.clone(), upload);
                    let stored = stored(&server, table);
                    assert_eq!(stored, Vec::from_iter(left), "{told} {sent:?} {statements}");
                }
            }
        }
    }
}

/// The same, but that the row comes back by another transaction, after the upload has found that it is gone.
#[test]
fn a_row_that_comes_back_before_anything_is_written_loses_no_later_change() {
    for upload in [alone as Upload, within] {
        for table in TABLES {
            let (name, column) = table;
            let insert_again = format!("insert into {name} (id, {column}) values (1, 'theirs')");
            for goes in [
                format!("delete from {name} where id = 1"),
                format!("update {name} set id = 100 where id = 1"),
            ] {
                for (sent, left) in later(table) {
                    let server = &Server::new();
                    let first = insert(&mut Device::ago(1, 60), table, "first");
                    alone(&mut server.connect(), &changes([first]));
                    let (mut writer, mut gate) = (server.connect(), server.connect());
                    let told = thread::scope(|scope| {
                        run(&mut writer, "begin");
                        run(&mut writer, &goes);
                        let sent = changes([sent.clone()]);
                        let told = scope.spawn(move || upload(&mut server.connect(), &sent));
                        server.0.wait_until(&blocked_by(&mut writer));
                        // Nobody locks a deletion until the row is there again.
                        let closed = format!(
                            "begin; lock table carburetor.register_{name} in exclusive mode; {insert_again}"
                        );
                        let gate = &mut gate;
                        let waiting = "(select count(*) = 2 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
                        let closed = scope.spawn(move || {
                            run(gate, &closed);
                            gate
                        });
                        server.0.wait_until(waiting);
                        run(&mut writer, "commit");
                        let gate = closed.join().unwrap();
                        server.0.wait_until(&blocked_by(gate));
                        run(gate, "commit");
                        verdicts(&told.join().unwrap()).remove(0)
                    });
                    let stored = stored(server, table);
                    assert_eq!(stored, Vec::from_iter(left), "{told} {sent:?} {goes}");
                }
            }
        }
    }
}

#[test]
fn of_an_insert_and_a_later_deletion_of_a_gone_id_at_once_the_deletion_stands() {
    for upload in [alone as Upload, within] {
        for comes_first in ["insert", "deletion"] {
            for table in TABLES {
                let server = &Server::new();
                let conn = &mut server.connect();
                let mut device = Device::ago(1, 60);
                let gone = [
                    insert(&mut device, table, "first"),
                    device.delete(table.0, 1),
                ];
                alone(conn, &changes(gone));
                // Also where no row of the soft deletion is left.
                run(conn, &format!("delete from {}", table.0));
                let inserts = insert(&mut Device::ahead(2, 10), table, "again");
                let deletes = Device::ahead(3, 20).delete(table.0, 1);
                let (first, second) = match comes_first {
                    "insert" => (inserts, deletes),
                    _ => (deletes, inserts),
                };
                let told = thread::scope(|scope| {
                    let told = conn.transaction(|conn| {
                        let told = alone(conn, &changes([first]));
                        let second = changes([second]);
                        let waiting = scope.spawn(move || upload(&mut server.connect(), &second));
                        server.0.wait_until(&blocked_by(conn));
                        diesel::QueryResult::Ok((told, waiting))
                    });
                    let (told, waiting) = told.unwrap();
                    [told, waiting.join().unwrap()].map(|told| verdicts(&told).remove(0))
                });
                let stored = stored(server, table);
                assert!(stored.is_empty(), "{table:?}: {comes_first} {told:?}");
                assert_eq!(
                    told[usize::from(comes_first == "insert")],
                    "applied",
                    "the deletion"
                );
            }
        }
    }
}

#[test]
fn later_deletions_of_gone_ids_do_not_wait_for_rows_that_are_there() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::ago(1, 60);
    let sent = changes([
        insert(&mut device, TABLES[0], "first"),
        device.delete("fields_rows", 1),
    ]);
    alone(conn, &sent);
    // A row came back, and its next writer is about to delete it when an upload comes that is about the id too.
    let again = insert(&mut Device::ahead(2, 1), TABLES[0], "again");
    alone(conn, &changes([again]));
    let mut writer = server.connect();
    let told = thread::scope(|scope| {
        run(&mut writer, "begin; select from fields_rows for update");
        let deletes = changes([Device::ahead(3, 20).delete("fields_rows", 1)]);
        let server = &server;
        let waiting = scope.spawn(move || alone(&mut server.connect(), &deletes));
        server.0.wait_until(&blocked_by(&mut writer));
        // It holds nothing that the writer needs.
        run(&mut writer, "delete from fields_rows; commit");
        verdicts(&waiting.join().unwrap())
    });
    assert_eq!(told, ["applied"]);
    assert!(stored(&server, TABLES[0]).is_empty());
}
