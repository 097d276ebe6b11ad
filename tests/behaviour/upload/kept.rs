//! What the database makes nothing of, or something else, without a word: each such change is answered alone.

use super::super::{Device, changes, rejection, run, verdicts};
use super::contents::{lines, rows};
use super::models::FieldsRow;
use super::tags::{FORMS, KEEPS, MOVES, REPLACES, TAGS, Tag};
use super::{CARBURETOR, Conn, DB, Everything, Server};
use carburetor::change::Change;
use carburetor::outcome::{Code, Outcomes, Verdict};
use carburetor::upload::{Transactions, UploadOptions};
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use serde_json::json;

type Tags = SyncGroup<(Tag,)>;
type Fields = SyncGroup<(FieldsRow,)>;

fn row(device: &mut Device, id: i32, a: &str) -> Change {
    device.insert("fields_rows", json!({"id": id, "a": a, "b": a, "c": a}))
}

/// What the change at `place` was told.
fn message(told: &Outcomes, place: usize) -> &str {
    match &told.outcomes[place].verdict {
        Verdict::Rejected(rejection) => &rejection.message,
        other => panic!("not rejected but {other:?}"),
    }
}

fn stored(conn: &mut Conn) -> Vec<String> {
    let query =
        "select cast(id as text) || ' ' || a as line from fields_rows order by fields_rows.id";
    lines(conn, query)
}

/// Uploads in each way that there is, from the same state of the database; what comes of it, and what is stored then.
fn every_way(sent: Vec<Change>, prepare: impl Fn(&mut Conn)) -> Vec<(Outcomes, Server)> {
    let fresh = || {
        let server = Server::new();
        let mut conn = server.connect();
        prepare(&mut conn);
        (server, conn)
    };
    let mut all = Vec::new();
    for transactions in [Transactions::One, Transactions::PerChange] {
        let (server, conn) = &mut fresh();
        let options = UploadOptions {
            transactions,
            ..UploadOptions::default()
        };
        let told = Everything::scoped(&Everyone)
            .upload_with(conn, &changes(sent.clone()), &options)
            .unwrap();
        all.push((told, std::mem::replace(server, Server::new())));
    }
    let (server, mut conn) = fresh();
    let told = conn
        .transaction(|conn| Everything::upload(conn, &changes(sent)))
        .unwrap();
    all.push((told, server));
    all
}

#[test]
fn what_a_trigger_keeps_away_is_answered_alone() {
    let mut device = Device::ahead(1, 20);
    let sent = vec![
        row(&mut device, 1, "good"),
        row(&mut device, 2, "kept away"),
        device.update("fields_rows", 3, json!({"a": "kept away"})),
        device.update("fields_rows", 4, json!({"a": "good"})),
    ];
    // One row has registers of its own, the other has none yet.
    let prepare = |conn: &mut Conn| {
        run(
            conn,
            "insert into fields_rows (id, a) values (3, 'by SQL'), (4, 'by SQL')",
        );
        run(conn, KEEPS);
    };
    for (told, server) in every_way(sent, prepare) {
        assert_eq!(verdicts(&told), ["applied", "invalid", "invalid", "merged"]);
        for place in [1, 2] {
            let expected = "fields_rows: a trigger of the table kept the row away";
            assert!(message(&told, place).starts_with(expected), "{told:?}");
        }
        assert_eq!(told.outcomes[2].row.as_ref().unwrap()["a"], "by SQL");
        let stored = stored(&mut server.connect());
        assert_eq!(stored, ["1 good", "3 by SQL", "4 good"]);
    }
}

#[test]
fn a_trigger_that_keeps_away_a_row_with_edits_is_told_too() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, KEEPS);
    let mut device = Device::new(1);
    let first = row(&mut device, 1, "first");
    assert_eq!(
        verdicts(&Fields::upload(conn, &changes([first])).unwrap()),
        ["applied"]
    );
    let edit = device.update("fields_rows", 1, json!({"a": "kept away"}));
    let told = Fields::upload(conn, &changes([edit])).unwrap();
    assert_eq!(rejection(&told, 0), (Code::Invalid, None));
    assert_eq!(stored(conn), ["1 first"]);
}

#[test]
fn a_row_that_a_trigger_gives_another_id_is_answered_alone() {
    let mut device = Device::new(1);
    let sent = vec![
        row(&mut device, 1, "good"),
        row(&mut device, 2, "moved"),
        row(&mut device, 3, "good"),
    ];
    for (told, server) in every_way(sent, |conn| run(conn, MOVES)) {
        assert_eq!(verdicts(&told), ["applied", "invalid", "applied"]);
        let message = message(&told, 1);
        let is_told = message.contains(r#"stored as "1002""#);
        assert!(
            is_told || message.contains("gave it another id"),
            "{message}"
        );
        assert_eq!(stored(&mut server.connect()), ["1 good", "3 good"]);
    }
}

#[test]
fn a_row_that_a_trigger_inserts_itself_stops_nobody() {
    let mut device = Device::new(1);
    let sent = vec![
        row(&mut device, 1, "good"),
        row(&mut device, 2, "replaced"),
        row(&mut device, 3, "good"),
    ];
    for (told, server) in every_way(sent, |conn| run(conn, REPLACES)) {
        assert_eq!(verdicts(&told), ["applied", "invalid", "applied"]);
        assert!(message(&told, 1).contains("a trigger of the table inserts it"));
        assert_eq!(stored(&mut server.connect()), ["1 good", "3 good"]);
    }
}

fn tags() -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(&mut conn, TAGS);
    Tags::tracking::<DB>().install(&mut conn).unwrap();
    (server, conn)
}

fn tag(device: &mut Device, id: &str) -> Change {
    device.insert("tags", json!({"id": id, "name": id}))
}

const NAMES: &str = "select name as line from tags order by name";

#[test]
fn an_id_that_the_database_stores_in_another_form_is_told_and_stops_nobody() {
    let (_server, conn) = &mut tags();
    let [stored, other, another] = FORMS;
    run(
        conn,
        &format!("insert into tags (id, name) values ('{stored}', 'by SQL')"),
    );
    let mut device = Device::ahead(1, 20);
    let sent = [
        tag(&mut device, "first"),
        tag(&mut device, other),
        device.update("tags", another, json!({"name": "edited"})),
        device.delete("tags", other),
        device.update("tags", stored, json!({"name": "edited"})),
    ];
    let told = Tags::upload(conn, &changes(sent)).unwrap();
    assert_eq!(
        verdicts(&told),
        ["applied", "invalid", "invalid", "invalid", "applied"]
    );
    for place in [1, 2, 3] {
        let expected = format!("tags: the id is stored as {stored:?}: send it in that form");
        assert_eq!(message(&told, place), expected);
    }
    assert_eq!(lines(conn, NAMES), ["edited", "first"]);
}

#[test]
fn of_two_forms_of_one_id_the_one_that_is_stored_is_inserted() {
    for is_within in [false, true] {
        let (_server, conn) = &mut tags();
        let [stored, other, another] = FORMS;
        let mut device = Device::new(1);
        let ids = [other, stored, "first", another];
        let sent = changes(ids.map(|id| tag(&mut device, id)));
        let told = match is_within {
            true => conn.transaction(|conn| Tags::upload(conn, &sent)).unwrap(),
            false => Tags::upload(conn, &sent).unwrap(),
        };
        let verdicts = verdicts(&told);
        assert_eq!(verdicts, ["invalid", "applied", "applied", "invalid"]);
        assert!(message(&told, 0).contains(&format!("is stored as {stored:?}")));
        assert_eq!(lines(conn, NAMES).len(), 2);
    }
}

#[test]
fn a_deletion_that_the_database_swallowed_shows_the_row_that_is_there() {
    let mut device = Device::ahead(1, 20);
    let mut sent: Vec<Change> = Vec::new();
    sent.extend((1..=3).map(|id| device.delete("fields_rows", id)));
    sent.extend([4, 5].map(|id| device.delete("notes", id)));
    let prepare = |conn: &mut Conn| {
        let mut device = Device::ago(2, 60);
        let rows = [(1, "kept"), (2, "marked"), (3, "plain")];
        let rows: Vec<_> = rows.map(|(id, a)| row(&mut device, id, a)).into();
        let notes = [(4, "kept"), (5, "plain")]
            .map(|(id, body)| device.insert("notes", json!({"id": id, "body": body})));
        Everything::upload(conn, &changes(rows.into_iter().chain(notes))).unwrap();
        run(conn, KEEPS);
    };
    for (told, server) in every_way(sent, prepare) {
        assert_eq!(
            verdicts(&told),
            ["merged", "merged", "applied", "merged", "applied"]
        );
        let shown = |place: usize| told.outcomes[place].row.as_ref().unwrap();
        assert_eq!(shown(0)["a"], "kept");
        assert_eq!(shown(1)["c"], "marked");
        assert_eq!(shown(3)["body"], "kept");
        let conn = &mut server.connect();
        assert_eq!(stored(conn), ["1 kept", "2 marked"]);
        let deletions = rows(conn, &format!("{CARBURETOR}register_fields_rows"));
        assert_eq!(deletions.len(), 1, "of the row that is gone");
        // The row goes on: a later edit is no edit of a deleted row.
        let edit = Device::ahead(3, 30).update("fields_rows", 1, json!({"b": "edited"}));
        let told = Fields::upload(conn, &changes([edit])).unwrap();
        assert_eq!(verdicts(&told), ["merged"]);
    }
}
