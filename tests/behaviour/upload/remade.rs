//! Rows that an upload deletes and makes again, where others hang on them.

use super::super::{Device, changes, run, verdicts};
use super::cascades::{Everyone, OfTeam, Team, later, nested};
use super::folders::{GUARDS, files, folders, links};
use super::{Conn, Server};
use diesel::prelude::*;
use serde_json::json;

/// It is written anew in its place, however many changes are applied at once.
#[test]
fn a_row_that_is_deleted_and_made_again_takes_nothing_along() {
    for fails in [false, true] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let mut device = later(1);
        let folder = json!({"id": 5, "parent": null, "team": "red"});
        let mut sent = vec![
            device.update("files", 4, json!({"folder": 5})),
            device.update("files", 5, json!({"folder": 3})),
            device.delete("folders", 5),
            device.insert("folders", folder),
            device.insert("files", json!({"id": 8, "folder": 5, "team": "red"})),
            device.insert("links", json!({"id": 8, "file": 8, "team": "red"})),
            device.update("files", 3, json!({"folder": 5})),
        ];
        if fails {
            sent.push(device.insert("files", json!({"id": 9, "folder": 99, "team": "red"})));
        }
        let sent = changes(sent);
        let outcomes = OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap();
        let left = files::table
            .select((files::id, files::folder))
            .order(files::id)
            .load::<(i32, i32)>(conn)
            .unwrap();
        assert_eq!(
            left,
            [(1, 1), (2, 2), (3, 5), (4, 5), (5, 3), (8, 5)],
            "{outcomes:?}"
        );
        assert_eq!(
            verdicts(&outcomes)[..7],
            [
                "merged", "merged", "applied", "applied", "applied", "applied", "merged"
            ]
        );
        // It is the sender's own row that it writes anew.
        assert_eq!(outcomes.outcomes[3].met, None);
        let link = links::table.find(8).select(links::file);
        assert_eq!(link.first::<Option<i32>>(conn).unwrap(), Some(8));
    }
}

/// A deletion that the upload holds itself keeps its own clock, though another one of the same upload would take its row along.
#[test]
fn what_is_deleted_before_the_row_that_it_refers_to_keeps_its_clock() {
    for (fails, is_again) in [(false, false), (false, true), (true, false), (true, true)] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let upload = |conn: &mut Conn, sent| {
            let outcomes = Everyone::upload(conn, &changes(sent)).unwrap();
            verdicts(&outcomes)
        };
        let folder = json!({"id": 9, "parent": null, "team": "red"});
        let file = json!({"id": 9, "folder": 9, "team": "red"});
        let mut device = Device::ago(1, 120);
        let made = vec![
            device.insert("folders", folder.clone()),
            device.insert("files", file.clone()),
        ];
        assert_eq!(upload(conn, made), ["applied"; 2]);
        let mut device = Device::ago(1, 60);
        let mut sent = vec![device.delete("files", 9)];
        match is_again {
            true => sent.extend([
                device.delete("folders", 9),
                device.insert("folders", folder.clone()),
            ]),
            false => sent.extend([
                device.update("folders", 9, json!({"parent": 1})),
                device.delete("folders", 9),
            ]),
        }
        if fails {
            sent.push(device.insert("files", json!({"id": 8, "folder": 99, "team": "red"})));
        }
        let verdicts = upload(conn, sent);
        assert!(
            !verdicts[..3].contains(&"superseded".into()),
            "{fails} {is_again} {verdicts:?}"
        );
        let mut other = Device::ago(2, 30);
        let again = vec![other.insert("folders", folder), other.insert("files", file)];
        assert_eq!(upload(conn, again)[1], "applied", "{fails} {is_again}");
    }
}

fn parent(conn: &mut Conn, id: i32) -> Option<Option<i32>> {
    let folder = folders::table.find(id).select(folders::parent);
    folder.first(conn).optional().unwrap()
}

/// Somebody inserted it since, so that there was nothing left to delete: it is another one's row
/// that is written anew.
#[test]
fn a_row_that_came_after_its_deletion_and_is_made_again_was_not_deleted() {
    for fails in [false, true] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let folder = |parent: i32| json!({"id": 9, "parent": parent, "team": "red"});
        let mut device = Device::ago(1, 120);
        let mut sent = vec![device.delete("folders", 9)];
        let made = changes([Device::ago(2, 60).insert("folders", folder(2))]);
        assert_eq!(
            verdicts(&Everyone::upload(conn, &made).unwrap()),
            ["applied"]
        );
        let mut device = Device::ago(1, 30);
        sent.push(device.insert("folders", folder(1)));
        sent.push(device.insert("files", json!({"id": 9, "folder": 9, "team": "red"})));
        if fails {
            sent.push(device.insert("files", json!({"id": 8, "folder": 99, "team": "red"})));
        }
        let outcomes = Everyone::upload(conn, &changes(sent)).unwrap();
        assert_eq!(
            verdicts(&outcomes)[..3],
            ["superseded", "merged", "applied"],
            "{outcomes:?}"
        );
        let met = outcomes.outcomes[1].met.as_ref().map(|met| &met["parent"]);
        assert_eq!(met, Some(&json!(2)), "{outcomes:?}");
        assert_eq!(parent(conn, 9), Some(Some(1)));
    }
}

/// The last insert counts, whatever became of one before.
#[test]
fn a_row_that_is_deleted_and_made_again_twice_is_there() {
    for fails in [false, true] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let mut device = later(1);
        let of_team = |team: &str| json!({"id": 5, "parent": null, "team": team});
        let mut sent = vec![
            device.delete("folders", 5),
            device.insert("folders", of_team("blue")),
            device.delete("folders", 5),
            device.insert("folders", of_team("red")),
            device.insert("files", json!({"id": 8, "folder": 5, "team": "red"})),
        ];
        if fails {
            sent.push(device.insert("files", json!({"id": 9, "folder": 99, "team": "red"})));
        }
        let sent = changes(sent);
        let outcomes = OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap();
        assert_eq!(parent(conn, 5), Some(None), "{outcomes:?}");
        let held = files::table.filter(files::folder.eq(5));
        let held: Vec<i32> = held.select(files::id).order(files::id).load(conn).unwrap();
        assert_eq!(held, [5, 8], "{outcomes:?}");
        assert_eq!(verdicts(&outcomes)[1], "forbidden");
        assert!(["applied", "merged"].contains(&&*verdicts(&outcomes)[3]));
    }
}

/// What is written after an insert that fails is written into the row as it was, and not lost with it.
#[test]
fn a_row_that_is_written_after_it_could_not_be_made_again_stays() {
    let server = Server::new();
    let conn = &mut nested(&server);
    let mut device = later(1);
    let sent = changes([
        device.delete("folders", 5),
        device.insert("folders", json!({"id": 5, "parent": 99, "team": "red"})),
        device.update("folders", 5, json!({"team": "red"})),
    ]);
    let outcomes = OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&outcomes)[..2], ["superseded", "constraint"]);
    assert!(["applied", "merged"].contains(&&*verdicts(&outcomes)[2]));
    assert_eq!(parent(conn, 5), Some(Some(4)));
}

/// A trigger may be against the write, and not against the row.
#[test]
fn a_row_that_can_not_be_written_anew_is_deleted_and_inserted() {
    let server = Server::new();
    let conn = &mut nested(&server);
    run(conn, GUARDS);
    let mut device = later(1);
    let sent = changes([
        device.delete("folders", 5),
        device.insert("folders", json!({"id": 5, "parent": null, "team": "red"})),
    ]);
    let outcomes = OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied", "applied"], "{outcomes:?}");
    assert_eq!(parent(conn, 5), Some(None));
}

/// It was deleted before it was made again, which excuses nothing.
#[test]
fn a_row_that_is_made_again_and_goes_along_with_another_one_is_told_so() {
    for is_first in [true, false] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let mut device = later(1);
        let before = is_first.then(|| device.delete("folders", 5));
        let mut sent: Vec<_> = before.into_iter().collect();
        sent.push(device.delete("files", 5));
        sent.push(device.insert("files", json!({"id": 5, "folder": 5, "team": "red"})));
        if !is_first {
            sent.push(device.delete("folders", 5));
        }
        let insert = 1 + usize::from(is_first);
        let outcomes = Everyone::upload(conn, &changes(sent)).unwrap();
        let there = files::table.find(5).select(files::id).first::<i32>(conn);
        assert!(there.optional().unwrap().is_none());
        assert_eq!(verdicts(&outcomes)[insert], "not_found", "{outcomes:?}");
    }
}

/// In the order of their clocks nothing is in the way of anything.
#[test]
fn rows_that_are_made_again_may_change_unique_values_between_them() {
    let of_team = |id: i32, parent: Option<i32>, team: &str| json!({"id": id, "parent": parent, "team": team});
    let made = |conn: &mut Conn| {
        run(
            conn,
            "insert into folders (id, parent, team) values (20, null, 'green'), (21, null, 'blue'); create unique index only_team on folders (team) where id >= 20",
        );
    };
    let server = Server::new();
    let conn = &mut nested(&server);
    made(conn);
    let mut device = later(1);
    let swapped = changes([
        device.delete("folders", 20),
        device.delete("folders", 21),
        device.insert("folders", of_team(20, None, "blue")),
        device.insert("folders", of_team(21, None, "green")),
    ]);
    let outcomes = Everyone::upload(conn, &swapped).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied"; 4], "{outcomes:?}");
    let below = changes([
        device.delete("folders", 20),
        device.insert("folders", of_team(30, None, "blue")),
        device.insert("folders", of_team(20, Some(30), "white")),
    ]);
    let outcomes = Everyone::upload(conn, &below).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied"; 3], "{outcomes:?}");
    assert_eq!(parent(conn, 20), Some(Some(30)));
}

/// Where it can't be made again, it is deleted, and what was to refer to it is told.
#[test]
fn a_row_that_is_deleted_and_can_not_be_made_again_is_deleted() {
    let server = Server::new();
    let conn = &mut nested(&server);
    let mut device = later(1);
    let folder = json!({"id": 5, "parent": 99, "team": "red"});
    let sent = changes([
        device.delete("folders", 5),
        device.insert("folders", folder),
        device.insert("files", json!({"id": 8, "folder": 5, "team": "red"})),
    ]);
    let outcomes = OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied", "constraint", "not_found"]);
    let folder = folders::table.find(5).select(folders::id);
    assert_eq!(folder.first::<i32>(conn).optional().unwrap(), None);
}
