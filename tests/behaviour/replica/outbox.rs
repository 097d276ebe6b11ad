//! What a program's writes become.

use super::device::{Folder, Group, run};
use super::models::sqlite::{Note, NoteChangeset, NoteInsert, notes, seats};
use super::recorder::Recorder;
use carburetor::change::{Change, Edit};
use carburetor::replica::Replica;
use diesel::prelude::*;
use serde_json::{Value, json};

pub(super) struct Device {
    pub(super) folder: Folder,
    pub(super) recorder: Recorder,
    pub(super) replica: Replica<Group>,
    pub(super) conn: SqliteConnection,
}

impl Device {
    pub(super) fn new() -> Self {
        let (folder, recorder) = (Folder::new(), Recorder::default());
        let replica = folder.open(recorder.clone()).unwrap();
        let conn = replica.connection().unwrap();
        Device {
            folder,
            recorder,
            replica,
            conn,
        }
    }

    pub(super) fn run(&mut self, statements: &str) {
        run(&mut self.conn, statements);
    }

    fn fails(&mut self, statement: &str) -> String {
        diesel::sql_query(statement)
            .execute(&mut self.conn)
            .unwrap_err()
            .to_string()
    }

    /// A row as if the server had sent it.
    fn known(&mut self, rows: &str) {
        carburetor::replica::untracked(&mut self.conn, |conn| {
            run(conn, rows);
            diesel::QueryResult::Ok(())
        })
        .unwrap();
    }

    /// What is sent.
    #[track_caller]
    pub(super) fn sent(&self) -> Vec<Change> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.replica.sync()).unwrap_err();
        self.recorder.last()
    }
}

const STAMP: &str = "2026-01-31 12:00:00.000000+00:00";

pub(super) fn known_notes(device: &mut Device) {
    device.known(&format!(
        "insert into notes values ('a', 'one', null, 'red', false, '{STAMP}'), ('b', 'two', 'x', 'red', false, '{STAMP}')"
    ));
}

pub(super) fn said(change: &Change) -> Value {
    let mut json = serde_json::to_value(change).unwrap();
    json.as_object_mut().unwrap().remove("clock");
    json
}

fn note(id: &str, title: &str) -> NoteInsert {
    NoteInsert {
        id: id.into(),
        title: title.into(),
        body: None,
        team: "red".into(),
    }
}

#[test]
fn an_insert_an_edit_and_a_deletion_are_sent() {
    let mut device = Device::new();
    known_notes(&mut device);
    let conn = &mut device.conn;
    diesel::insert_into(notes::table)
        .values(note("c", "three"))
        .execute(conn)
        .unwrap();
    diesel::update(notes::table.find("a"))
        .set(notes::title.eq("uno"))
        .execute(conn)
        .unwrap();
    diesel::delete(notes::table.find("b"))
        .execute(conn)
        .unwrap();
    let sent = device.sent();
    assert_eq!(
        sent.iter().map(said).collect::<Vec<_>>(),
        [
            json!({"table": "notes", "id": "c", "base": null, "insert": {"id": "c", "title": "three", "body": null, "team": "red"}}),
            json!({"table": "notes", "id": "a", "base": "2026-01-31T12:00:00.000000Z", "update": {"title": "uno"}, "was": {"title": "one"}}),
            json!({"table": "notes", "id": "b", "base": "2026-01-31T12:00:00.000000Z", "delete": true}),
        ]
    );
    assert!(sent.is_sorted_by(|one, other| one.clock < other.clock));
    assert_eq!(device.replica.pending().unwrap(), 3);
}

#[test]
fn a_local_row_reads_as_its_model() {
    let mut device = Device::new();
    let conn = &mut device.conn;
    diesel::insert_into(notes::table)
        .values(note("c", "three"))
        .execute(conn)
        .unwrap();
    let row: Note = notes::table.first(conn).unwrap();
    assert_eq!(row.at, chrono::DateTime::UNIX_EPOCH);
}

#[test]
fn a_column_that_is_edited_twice_is_sent_once_with_what_it_was_first() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set title = 'uno' where id = 'a'; update notes set title = 'eins' where id = 'a'");
    let sent = device.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(said(&sent[0])["update"], json!({"title": "eins"}));
    assert_eq!(said(&sent[0])["was"], json!({"title": "one"}));
}

#[test]
fn edits_of_two_columns_have_clocks_of_their_own() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run(
        "update notes set title = 'uno' where id = 'a'; update notes set body = 'y' where id = 'a'",
    );
    let sent = device.sent();
    let edits: Vec<Value> = sent
        .iter()
        .map(|change| said(change)["update"].clone())
        .collect();
    assert_eq!(edits, [json!({"title": "uno"}), json!({"body": "y"})]);
    assert!(sent[0].clock < sent[1].clock);
}

#[test]
fn columns_of_one_statement_are_one_change() {
    let mut device = Device::new();
    known_notes(&mut device);
    let changes = NoteChangeset {
        title: Some("uno".into()),
        body: Some(Some("y".into())),
        ..NoteChangeset::default()
    };
    diesel::update(notes::table.find("a"))
        .set(&changes)
        .execute(&mut device.conn)
        .unwrap();
    let sent = device.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        said(&sent[0])["update"],
        json!({"title": "uno", "body": "y"})
    );
}

#[test]
fn a_write_that_changes_nothing_is_not_sent() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run(
        "update notes set title = 'one' where id = 'a'; update notes set body = 'y' where id = 'b'",
    );
    assert_eq!(device.sent().len(), 1);
}

#[test]
fn an_insert_that_is_edited_is_one_insert_of_the_row_as_it_is() {
    let mut device = Device::new();
    device.run("insert into notes (id, title, team) values ('c', 'three', 'red')");
    device.run("insert into notes (id, title, team) values ('d', 'four', 'red')");
    device.run("update notes set title = 'drei' where id = 'c'");
    let sent = device.sent();
    let ids: Vec<&Value> = sent.iter().map(|change| &change.id).collect();
    assert_eq!(ids, ["d", "c"], "in the order of the last edits");
    assert_eq!(said(&sent[1])["insert"]["title"], "drei");
}

#[test]
fn an_insert_that_is_deleted_is_never_sent() {
    let mut device = Device::new();
    device.run("insert into notes (id, title, team) values ('c', 'three', 'red'); update notes set title = 'x'; delete from notes");
    device.run("insert into notes (id, title, team) values ('d', 'four', 'red')");
    let sent = device.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].id, "d");
}

#[test]
fn a_deletion_that_is_followed_by_an_insert_is_an_insert() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("delete from notes where id = 'a'; insert into notes (id, title, team) values ('a', 'new', 'red')");
    let sent = device.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(said(&sent[0])["insert"]["title"], "new");
}

#[test]
fn a_known_row_that_is_deleted_inserted_and_deleted_is_deleted() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("delete from notes where id = 'a'; insert into notes (id, title, team) values ('a', 'new', 'red'); delete from notes where id = 'a'");
    let sent = device.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].edit, Edit::Delete);
}

#[test]
fn an_edit_that_is_followed_by_a_deletion_is_a_deletion() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set title = 'uno' where id = 'a'; delete from notes where id = 'a'");
    let sent = device.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].edit, Edit::Delete);
}

#[test]
fn another_id_is_a_deletion_and_an_insert() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("update notes set id = 'z' where id = 'a'");
    let sent = device.sent();
    assert_eq!((&sent[0].id, &sent[0].edit), (&json!("a"), &Edit::Delete));
    assert_eq!(said(&sent[1])["insert"]["id"], "z");
}

#[test]
fn a_replace_is_an_edit_of_what_differs() {
    for recursive in ["off", "on"] {
        let mut device = Device::new();
        known_notes(&mut device);
        device.run(&format!("pragma recursive_triggers = {recursive}"));
        device.run(
            "insert or replace into notes (id, title, body, team) values ('b', 'two', 'y', 'red')",
        );
        let sent = device.sent();
        assert_eq!(sent.len(), 1);
        match recursive {
            "off" => {
                assert_eq!(said(&sent[0])["update"], json!({"body": "y"}));
                assert_eq!(said(&sent[0])["was"], json!({"body": "x"}));
                assert_eq!(said(&sent[0])["base"], "2026-01-31T12:00:00.000000Z");
                let at: String = notes::table
                    .find("b")
                    .select(diesel::dsl::sql::<diesel::sql_types::Text>("at"))
                    .first(&mut device.conn)
                    .unwrap();
                assert_eq!(at, STAMP, "the stamp is the server's");
            }
            _ => assert_eq!(said(&sent[0])["insert"]["body"], "y"),
        }
    }
}

#[test]
fn upserts_and_ignored_inserts_are_what_they_do() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("insert or ignore into notes (id, title, team) values ('b', 'other', 'blue')");
    device.run("insert into notes (id, title, team) values ('a', 'uno', 'red') on conflict (id) do update set title = excluded.title");
    device.run("insert or ignore into notes (id, title, team) values ('c', 'three', 'red')");
    let sent = device.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(said(&sent[0])["update"], json!({"title": "uno"}));
    assert_eq!(said(&sent[1])["insert"]["id"], "c");
}

#[test]
fn a_transaction_that_is_rolled_back_leaves_nothing() {
    let mut device = Device::new();
    known_notes(&mut device);
    device.run("begin; update notes set title = 'x'; delete from notes; rollback");
    assert_eq!(device.replica.pending().unwrap(), 0);
}

#[test]
fn columns_that_win_as_one_are_sent_as_one() {
    let mut device = Device::new();
    device.known(&format!(
        "insert into seats values ('hall', 1, 'ann', 'box', 7, '{STAMP}')"
    ));
    diesel::update(seats::table)
        .set(seats::guest.eq("bob"))
        .execute(&mut device.conn)
        .unwrap();
    let sent = device.sent();
    assert_eq!(
        said(&sent[0]),
        json!({"table": "seats", "id": ["hall", 1], "base": "2026-01-31T12:00:00.000000Z", "update": {"guest": "bob"}, "was": {"guest": "ann"}})
    );
}

#[test]
fn an_insert_leaves_out_what_only_the_server_writes() {
    let mut device = Device::new();
    device.run("insert into seats (room, place, guest, kind) values ('hall', 1, 'ann', 'box')");
    device.run("update seats set kind = 'stall'");
    let sent = device.sent();
    assert_eq!(
        said(&sent[0])["insert"],
        json!({"room": "hall", "place": 1, "guest": "ann", "kind": "stall"})
    );
}

#[test]
fn what_the_server_would_refuse_is_refused_by_name() {
    let mut device = Device::new();
    device.known(&format!("insert into seats values ('hall', 1, 'ann', 'box', 7, '{STAMP}'); insert into prices values (1, 2.5, '{STAMP}')"));
    let cases = [
        (
            "update seats set kind = 'stall'",
            "seats.kind is written by an insert only: delete the row and insert another",
        ),
        (
            "update seats set price = 8",
            "seats.price is downloaded only: write it on the server, and sync",
        ),
        (
            "replace into seats (room, place, guest, kind) values ('hall', 1, 'ann', 'stall')",
            "seats.kind is written by an insert only: delete the row and insert another",
        ),
        (
            "insert into prices (id, amount) values (2, 1)",
            "prices is downloaded only: write it on the server, and sync",
        ),
        (
            "update prices set amount = 1",
            "prices is downloaded only: write it on the server, and sync",
        ),
        (
            "delete from prices",
            "prices is downloaded only: write it on the server, and sync",
        ),
    ];
    for (statement, message) in cases {
        assert_eq!(device.fails(statement), message);
    }
    device.run("replace into seats (room, place, guest, kind) values ('hall', 1, 'bob', 'box')");
    assert_eq!(said(&device.sent()[0])["update"], json!({"guest": "bob"}));
    let price: i64 = seats::table
        .select(seats::price)
        .first(&mut device.conn)
        .unwrap();
    assert_eq!(price, 7);
}
