//! Whether a row exists: insertions, deletions, and what their clocks are for.

use super::super::device::{Device, On, changes, stamp};
use super::super::{run, verdicts};
use super::contents::lines;
use super::peers::{told, upload};
use super::{CARBURETOR, Conn, DB, Everything, Server};
use carburetor::change::Change;
use serde_json::{Value, json};
use std::time::Duration;

/// The tables where the clocks alone decide on a deletion; the last one's are soft.
const TABLES: [&str; 5] = [
    "fields_rows",
    "later_rows",
    "client_rows",
    "custom_rows",
    "notes",
];

fn columns(table: &str, text: &str) -> Value {
    match table {
        "notes" => json!({"body": text}),
        _ => json!({"a": text, "b": text, "c": text}),
    }
}

/// An edit of all columns, by a replica of its own.
fn edit(table: &str, id: i32, minutes: u64, text: &str) -> Change {
    Device::ago(7, minutes).update(table, id, columns(table, text))
}

fn insert(table: &str, id: i32, minutes: u64, text: &str) -> Change {
    let mut row = columns(table, text);
    row["id"] = json!(id);
    Device::ago(8, minutes).insert(table, row)
}

fn delete(table: &str, id: i32, minutes: u64) -> Change {
    Device::ago(9, minutes).delete(table, id)
}

/// The first text of each row.
fn texts(conn: &mut Conn, table: &str) -> Vec<String> {
    let query = match table {
        "notes" => "select body as line from notes where not gone".into(),
        _ => format!("select a as line from {table} order by id"),
    };
    lines(conn, &query)
}

/// The clocks of the deletions that are known.
fn deletions(conn: &mut Conn, table: &str) -> Vec<String> {
    let clocks = format!("select carburetor_clock as line from {CARBURETOR}register_{table}");
    lines(conn, &clocks)
}

/// Forgets the deletions that are older than this.
fn forget_deletions(conn: &mut Conn, minutes: u64) {
    Everything::tracking::<DB>()
        .purge_deletions(conn, Duration::from_secs(60 * minutes))
        .unwrap();
}

#[test]
fn a_deletion_beats_every_edit_whichever_is_later_and_whichever_comes_first() {
    for (edited, deleted) in [(60, 120), (120, 60)] {
        let server = Server::new();
        let conn = &mut server.connect();
        for table in TABLES {
            assert_eq!(told(conn, insert(table, 1, 180, "first")), "applied");
            assert_eq!(told(conn, delete(table, 1, deleted)), "applied");
            let late = told(conn, edit(table, 1, edited, "edited"));
            assert_eq!(late, "superseded", "{table}");
            assert_eq!(told(conn, insert(table, 2, 180, "first")), "applied");
            let early = told(conn, edit(table, 2, edited, "edited"));
            assert!(["applied", "merged"].contains(&early.as_str()), "{early}");
            assert_eq!(told(conn, delete(table, 2, deleted)), "applied", "{table}");
            assert_eq!(texts(conn, table), [""; 0], "{table}");
        }
    }
}

#[test]
fn only_an_insert_that_is_later_than_the_deletion_brings_a_row_back() {
    let server = Server::new();
    let conn = &mut server.connect();
    for table in TABLES {
        assert_eq!(told(conn, insert(table, 1, 180, "first")), "applied");
        assert_eq!(told(conn, delete(table, 1, 100)), "applied");
        assert_eq!(told(conn, edit(table, 1, 50, "edited")), "superseded");
        assert_eq!(told(conn, insert(table, 1, 120, "older")), "superseded");
        assert_eq!(texts(conn, table), [""; 0]);
        // The deletion is as old as it was made, though it came later than this insert was made.
        assert_eq!(told(conn, insert(table, 1, 40, "again")), "applied");
        assert_eq!(texts(conn, table), ["again"]);
        // What was made before the row came back, whenever it comes.
        assert_eq!(told(conn, delete(table, 1, 70)), "superseded");
        assert_eq!(texts(conn, table), ["again"], "{table}");
        assert_eq!(told(conn, delete(table, 1, 20)), "applied");
        assert_eq!(told(conn, insert(table, 1, 30, "older")), "superseded");
        assert_eq!(texts(conn, table), [""; 0], "{table}");
    }
}

#[test]
fn of_two_deletions_the_later_one_counts_whichever_comes_first() {
    for deleted in [[120, 60], [60, 120]] {
        let server = Server::new();
        let conn = &mut server.connect();
        for table in TABLES {
            assert_eq!(told(conn, insert(table, 1, 180, "first")), "applied");
            for minutes in deleted {
                assert_eq!(told(conn, delete(table, 1, minutes)), "applied");
            }
            assert_eq!(told(conn, insert(table, 1, 90, "between")), "superseded");
            assert_eq!(told(conn, insert(table, 1, 30, "again")), "applied");
            assert_eq!(texts(conn, table), ["again"], "{table}");
        }
    }
}

#[test]
fn a_row_that_comes_and_goes_within_one_upload_is_as_its_last_change_left_it() {
    let server = Server::new();
    let conn = &mut server.connect();
    for table in TABLES {
        let mut device = Device::ago(1, 60);
        let mut row = |text: &str| {
            let mut row = columns(table, text);
            row["id"] = json!(1);
            device.insert(table, row)
        };
        let (one, two) = (row("one"), row("two"));
        let mut sent = vec![one];
        sent.push(device.delete(table, 1));
        // Its clock is before the deletion's: it doesn't bring the row back.
        sent.push(two);
        let outcomes = Everything::upload(conn, &changes(sent)).unwrap();
        assert_eq!(texts(conn, table), [""; 0], "{table}");
        assert_eq!(verdicts(&outcomes)[1], "applied", "{table}");
        let mut sent = Vec::new();
        for text in ["three", "four"] {
            let mut row = columns(table, text);
            row["id"] = json!(1);
            sent.extend([device.insert(table, row), device.delete(table, 1)]);
        }
        sent.pop();
        let outcomes = Everything::upload(conn, &changes(sent)).unwrap();
        assert_eq!(verdicts(&outcomes), ["applied"; 3], "{table}");
        assert_eq!(texts(conn, table), ["four"], "{table}");
    }
}

#[test]
fn where_the_server_wins_a_row_that_was_written_since_is_not_deleted() {
    let server = Server::new();
    let conn = &mut server.connect();
    let seen = stamp(&upload(conn, insert("server_rows", 1, 180, "first")).outcomes[0]);
    run(conn, "update server_rows set a = 'by hand'");
    let mut device = Device::new(1);
    let outcomes = upload(conn, device.delete("server_rows", 1).on_stamp(seen));
    assert_eq!(verdicts(&outcomes), ["superseded"]);
    assert_eq!(texts(conn, "server_rows"), ["by hand"]);
    let seen = stamp(&outcomes.outcomes[0]);
    device.observe(outcomes.clock);
    let again = device.delete("server_rows", 1).on_stamp(seen);
    assert_eq!(told(conn, again), "applied");
    assert_eq!(texts(conn, "server_rows"), [""; 0]);
}

#[test]
fn the_clocks_of_deletions_outlive_what_is_purged_beside_them() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into fields_rows (id, a) values (2, 'by hand')",
    );
    assert_eq!(
        told(conn, insert("fields_rows", 1, 180, "first")),
        "applied"
    );
    assert_eq!(told(conn, delete("fields_rows", 1, 120)), "applied");
    // A statement without a condition deletes row by row too.
    run(conn, "delete from fields_rows");
    let known = deletions(conn, "fields_rows");
    assert_eq!(known.len(), 2);
    let tracking = Everything::tracking::<DB>();
    for age in [Duration::from_secs(365 * 86_400), Duration::ZERO] {
        tracking.purge(conn, age).unwrap();
        assert_eq!(deletions(conn, "fields_rows"), known);
    }
    for id in [1, 2] {
        assert_eq!(
            told(conn, edit("fields_rows", id, 1, "later")),
            "superseded"
        );
        assert_eq!(
            told(conn, insert("fields_rows", id, 150, "old")),
            "superseded"
        );
    }
    assert_eq!(texts(conn, "fields_rows"), [""; 0]);
}

#[test]
fn what_is_older_than_the_deletions_that_were_forgotten_is_expired_and_the_rest_goes_on() {
    let server = Server::new();
    let conn = &mut server.connect();
    for (id, deleted) in [(1, Some(120)), (2, Some(30)), (3, None)] {
        assert_eq!(
            told(conn, insert("fields_rows", id, 180, "first")),
            "applied"
        );
        if let Some(minutes) = deleted {
            assert_eq!(told(conn, delete("fields_rows", id, minutes)), "applied");
        }
    }
    forget_deletions(conn, 60);
    assert_eq!(deletions(conn, "fields_rows").len(), 1);
    // Nobody knows whether these came before or after.
    for (sent, verdict) in [
        (edit("fields_rows", 1, 90, "edited"), "expired"),
        (insert("fields_rows", 1, 90, "again"), "expired"),
        (insert("fields_rows", 4, 90, "new"), "expired"),
        // That the row is to be gone, it is.
        (delete("fields_rows", 1, 90), "applied"),
        // What is later is judged.
        (edit("fields_rows", 1, 45, "edited"), "not_found"),
        (insert("fields_rows", 1, 45, "again"), "applied"),
        // So is what has a deletion that is still known, and what is there.
        (edit("fields_rows", 2, 90, "edited"), "superseded"),
        (insert("fields_rows", 2, 45, "older"), "superseded"),
        (edit("fields_rows", 3, 90, "edited"), "applied"),
    ] {
        assert_eq!(told(conn, sent.clone()), verdict, "{sent:?}");
        // It comes again.
        assert_eq!(told(conn, sent.clone()), verdict, "{sent:?}");
    }
    assert_eq!(texts(conn, "fields_rows"), ["again", "edited"]);
    // What was forgotten is not known again when less is to be forgotten.
    forget_deletions(conn, 600);
    assert_eq!(told(conn, insert("fields_rows", 5, 90, "new")), "expired");
}

#[test]
fn a_row_whose_id_was_changed_by_hand_is_gone_under_the_old_one() {
    let server = Server::new();
    let conn = &mut server.connect();
    assert_eq!(
        told(conn, insert("fields_rows", 1, 180, "first")),
        "applied"
    );
    run(conn, "update fields_rows set id = 2");
    assert_eq!(
        told(conn, edit("fields_rows", 1, 0, "edited")),
        "superseded"
    );
    assert_eq!(
        told(conn, insert("fields_rows", 1, 120, "old")),
        "superseded"
    );
    // Under the new one it is as old as the statement.
    assert_eq!(told(conn, edit("fields_rows", 2, 120, "old")), "superseded");
    let edit = Device::ahead(1, 30).update("fields_rows", 2, json!({"a": "edited"}));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn, "fields_rows"), ["edited"]);
}

/// What is older than a deletion that was ahead of the database's clock, in these tests.
fn older(table: &str) -> Vec<Change> {
    let mut device = Device::ahead(7, 20);
    let mut row = columns(table, "older");
    row["id"] = json!(1);
    vec![
        device.delete(table, 1),
        device.update(table, 1, columns(table, "older")),
        device.insert(table, row),
    ]
}

/// A row that SQL inserts when the deletion of its id has a clock that is ahead of the database's: `deletes` says whether a device's deletion was,
/// or a device's row that SQL deleted.
fn inserted_after(conn: &mut Conn, table: &str, deletes: bool, meanwhile: Option<Change>) {
    let mut device = Device::ahead(8, 30);
    let mut row = columns(table, "first");
    row["id"] = json!(1);
    assert_eq!(told(conn, device.insert(table, row)), "applied");
    match deletes {
        true => assert_eq!(told(conn, device.delete(table, 1)), "applied"),
        false => run(conn, &format!("delete from {table} where id = 1")),
    }
    if let Some(change) = meanwhile {
        told(conn, change);
    }
    let column = if table == "notes" { "body" } else { "a" };
    let insert = format!("insert into {table} (id, {column}) values (1, 'by SQL')");
    run(conn, &insert);
}

#[test]
fn a_row_that_is_inserted_after_a_deletion_from_ahead_is_later_than_that() {
    for table in TABLES {
        for deletes in [true, false] {
            // The row of a soft deletion is still there, and takes no insert.
            if deletes && table == "notes" {
                continue;
            }
            for place in 0..older(table).len() {
                for is_before in [true, false] {
                    let server = Server::new();
                    let conn = &mut server.connect();
                    let sent = older(table).remove(place);
                    let meanwhile = is_before.then(|| sent.clone());
                    inserted_after(conn, table, deletes, meanwhile);
                    let known = deletions(conn, table);
                    let verdict = match is_before {
                        true => String::new(),
                        false => told(conn, sent.clone()),
                    };
                    let context = format!("{table} {deletes} {is_before} {verdict} {sent:?}");
                    // Whatever else the strategy lets through: the row lives, and the deletion's clock is what it was.
                    let texts = texts(conn, table);
                    match table {
                        "client_rows" | "custom_rows" => assert_eq!(texts.len(), 1, "{context}"),
                        _ => assert_eq!(texts, ["by SQL"], "{context}"),
                    }
                    assert_eq!(deletions(conn, table), known, "{context}");
                }
            }
        }
    }
}

#[test]
fn what_is_later_than_a_row_that_was_inserted_after_a_deletion_from_ahead_counts() {
    for table in TABLES {
        let server = Server::new();
        let conn = &mut server.connect();
        inserted_after(conn, table, false, None);
        let mut device = Device::ahead(7, 40);
        let edit = device.update(table, 1, columns(table, "later"));
        assert!(["merged", "applied"].contains(&told(conn, edit).as_str()));
        let expected = match table {
            "custom_rows" => "by SQL+later",
            _ => "later",
        };
        assert_eq!(texts(conn, table), [expected], "{table}");
        let known = deletions(conn, table);
        let delete = device.delete(table, 1);
        assert_eq!(told(conn, delete), "applied", "{table}");
        assert_eq!(texts(conn, table), [""; 0], "{table}");
        if table != "notes" {
            assert!(deletions(conn, table) > known, "{table}");
        }
    }
}

#[test]
fn an_applied_deletion_tells_the_last_stamp_of_the_row() {
    let server = Server::new();
    let conn = &mut server.connect();
    for table in TABLES {
        let seen = stamp(&upload(conn, insert(table, 1, 60, "first")).outcomes[0]);
        let gone = &upload(conn, delete(table, 1, 30)).outcomes[0];
        match table {
            // A soft deletion writes the row.
            "notes" => assert!(stamp(gone) > seen),
            _ => assert_eq!(stamp(gone), seen),
        }
        assert_eq!(gone.row, None);
        let unknown = &upload(conn, delete(table, 2, 30)).outcomes[0];
        assert_eq!(unknown.stamp, None, "{table}");
    }
}
