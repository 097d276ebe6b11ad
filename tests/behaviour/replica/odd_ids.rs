//! Ids that SQLite holds and the model doesn't.

use super::Server;
use super::world::{Device, note};
use carburetor::change::Edit;
use carburetor::outcome::Code;
use serde_json::{Value, json};

fn served() -> Server {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    server
}

/// What is told of the one edit that is set aside: its table, id and column, what it would have written, and why.
#[track_caller]
fn told(device: &Device) -> (String, Value, String, Edit, String) {
    let rejected = device.replica.rejected().unwrap();
    let [one] = &rejected[..] else {
        panic!("told {} times: {rejected:?}", rejected.len());
    };
    assert_eq!(one.rejection.code, Code::Invalid);
    (
        one.change.table.clone(),
        one.change.id.clone(),
        one.rejection.field.clone().unwrap(),
        one.change.edit.clone(),
        one.rejection.message.clone(),
    )
}

/// Writes an odd row and a good one, syncs, and returns what is told of the odd one.
#[track_caller]
fn set_aside(write: &str) -> (Value, String, String) {
    let server = served();
    let mut device = server.device();
    device.run("insert into notes (id, title, team) values ('b', 'before', 'red')");
    device.run(write);
    device.run("insert into notes (id, title, team) values ('c', 'after', 'red')");
    for rejected in [1, 0] {
        assert_eq!(device.sync().rejected, rejected);
        assert_eq!((device.pending(), device.entries()), (0, 0));
    }
    let all = [note("a", "one"), note("b", "before"), note("c", "after")];
    assert_eq!(server.notes(), all);
    assert_eq!(device.notes(), all);
    let (table, id, column, _, why) = told(&device);
    assert!(why.starts_with(&format!("{table}.{column}: ")), "{why}");
    assert!(why.contains("write the row again"), "{why}");
    (id, table, column)
}

fn told_of(id: Value, table: &str, column: &str) -> (Value, String, String) {
    (id, table.into(), column.into())
}

#[test]
fn a_text_id_that_is_not_utf8_is_set_aside_alone_and_told_once() {
    let write = "insert into notes (id, title, team) values (cast(x'ff41' as text), 'odd', 'red')";
    assert_eq!(
        set_aside(write),
        told_of(json!({"text": "ff41"}), "notes", "id")
    );
}

#[test]
fn a_blob_as_a_text_id_is_set_aside_alone_and_told_once() {
    let write = "insert into notes (id, title, team) values (x'616263', 'odd', 'red')";
    assert_eq!(
        set_aside(write),
        told_of(json!({"blob": "616263"}), "notes", "id")
    );
}

#[test]
fn null_as_an_id_is_set_aside_alone_and_told_once() {
    let write = "insert into notes (id, title, team) values (null, 'odd', 'red')";
    assert_eq!(set_aside(write), told_of(Value::Null, "notes", "id"));
}

#[test]
fn an_id_beyond_the_models_integer_is_set_aside_alone_and_told_once() {
    let write = "insert into chores (id, name, gone) values (3000000000, 'odd', false)";
    assert_eq!(
        set_aside(write),
        told_of(json!(3_000_000_000_i64), "chores", "id")
    );
}

#[test]
fn text_as_an_integer_id_is_set_aside_alone_and_told_once() {
    let write = "insert into seats (room, place, guest, kind) values ('a', 'first', 'Ann', 'odd')";
    assert_eq!(
        set_aside(write),
        told_of(json!(["a", "first"]), "seats", "place")
    );
}

#[test]
fn a_fraction_as_an_integer_id_is_set_aside_alone_and_told_once() {
    let write = "insert into seats (room, place, guest, kind) values ('a', 1.5, 'Ann', 'odd')";
    assert_eq!(
        set_aside(write),
        told_of(json!(["a", 1.5]), "seats", "place")
    );
}

#[test]
fn what_an_odd_row_holds_is_told_as_far_as_it_travels() {
    let server = served();
    let mut device = server.device();
    device.run("insert into notes (id, title, body, team) values (x'00', 'odd', cast(x'ff' as text), 'red')");
    device.sync();
    let (.., edit, why) = told(&device);
    let Edit::Insert(columns) = edit else {
        panic!("{edit:?}");
    };
    assert_eq!(Value::from(columns), json!({"title": "odd", "team": "red"}));
    assert!(why.contains("expected text, got a blob"), "{why}");
    let rejected = device.replica.rejected().unwrap();
    let rest = json!({"id": {"blob": "00"}, "body": {"text": "ff"}, "pinned": 0});
    assert_eq!(Value::from(rejected[0].rest.clone()), rest);
    let seq = rejected[0].seq;
    device.replica.retry(seq).unwrap_err();
    device.replica.drop_rejected(seq).unwrap();
}

#[test]
fn rows_without_an_id_are_told_each_by_what_they_hold() {
    let server = served();
    let mut device = server.device();
    device.run(
        "insert into notes (id, title, team) values (null, 'odd', 'red'), (null, 'too', 'red')",
    );
    device.sync();
    let titles: Vec<Value> = device
        .replica
        .rejected()
        .unwrap()
        .into_iter()
        .map(|one| match one.change.edit {
            Edit::Insert(columns) => columns["title"].clone(),
            edit => panic!("{edit:?}"),
        })
        .collect();
    assert_eq!(titles, [json!("odd"), json!("too")]);
    assert_eq!((device.pending(), device.entries()), (0, 0));
}

#[test]
fn an_edit_and_a_deletion_of_an_odd_row_are_set_aside_too() {
    let server = served();
    let mut device = server.device();
    carburetor::replica::untracked(&mut device.conn, |conn| {
        use diesel::connection::SimpleConnection;
        conn.batch_execute("insert into notes (id, title, team) values (x'01', 'kept', 'red'), (x'02', 'gone', 'red')")
    })
    .unwrap();
    device.run(
        "update notes set title = 'edited' where id = x'01'; delete from notes where id = x'02'",
    );
    device.sync();
    let rejected = device.replica.rejected().unwrap();
    let edits: Vec<_> = rejected.iter().map(|one| &one.change.edit).collect();
    let edited = json!({"title": "edited"}).as_object().unwrap().clone();
    assert_eq!(edits, [&Edit::Update(edited), &Edit::Delete]);
    assert_eq!((device.pending(), device.entries()), (0, 0));
    // Where the server has sent all again, what it never had is gone.
    let titles = "select coalesce(max(title), 'kept') from notes where typeof(id) = 'blob'";
    assert_eq!(found(&mut device, titles), "kept", "what it was before");
}

fn found(device: &mut Device, sql: &str) -> String {
    use diesel::prelude::*;
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(&format!(
        "({sql})"
    )))
    .first(&mut device.conn)
    .unwrap()
}

#[test]
fn an_id_that_is_changed_into_an_odd_one_stays_on_the_server_and_is_told_with_its_deletion() {
    let server = served();
    let mut device = server.device();
    device.run("update notes set id = x'0102' where id = 'a'");
    device.sync();
    assert_eq!(server.notes(), [note("a", "one")]);
    assert_eq!(device.notes(), server.notes());
    let rejected = device.replica.rejected().unwrap();
    let ids: Vec<Value> = rejected.into_iter().map(|one| one.change.id).collect();
    assert_eq!(ids, [json!("a"), json!({"blob": "0102"})]);
    assert_eq!((device.pending(), device.entries()), (0, 0));
}

#[test]
fn an_id_with_a_nul_ends_somewhere() {
    let server = served();
    let mut device = server.device();
    device.run("insert into notes (id, title, team) values ('x' || char(0) || 'y', 'odd', 'red'), ('b', 'good', 'red')");
    device.sync();
    device.sync();
    assert_eq!((device.pending(), device.entries()), (0, 0));
    let rejected = device.replica.rejected().unwrap().len();
    assert_eq!(rejected + server.notes().len(), 3, "{:?}", server.notes());
}

#[test]
fn a_value_of_another_storage_class_is_told_and_not_sent_as_another_value() {
    let server = served();
    let mut device = server.device();
    device.run("insert into notes (id, title, body, team) values ('b', 'odd', x'6162', 'red')");
    device.sync();
    let (_, id, column, edit, why) = told(&device);
    assert_eq!((id, &column[..]), (json!("b"), "body"));
    assert!(why.contains("got a blob"), "{why}");
    let kept = json!({"id": "b", "title": "odd", "team": "red"});
    assert!(matches!(edit, Edit::Insert(columns) if Value::from(columns.clone()) == kept));
    device.run("update notes set body = x'6162' where id = 'a'");
    device.sync();
    assert_eq!((device.pending(), device.entries()), (0, 0));
    let last = device.replica.rejected().unwrap().pop().unwrap();
    let error = device.replica.retry(last.seq).unwrap_err();
    assert!(error.to_string().contains("write it anew"), "{error}");
    assert_eq!(device.notes(), [note("a", "one")]);
}
