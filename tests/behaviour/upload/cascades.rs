//! Deletions that foreign keys pass on.

use super::super::folders::FOLDERS;
use super::super::{Device, changes, run, verdicts};
use super::folders::{File, Folder, GUARDS, KEEPS_AWAY, Link, files, folders, links};
use super::{Conn, DB, Server};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor::{SyncGroup, SyncScope, Visible};
use chrono::Utc;
use diesel::prelude::*;
use serde_json::json;

/// The rows of one team.
struct Team(&'static str);

impl SyncScope<Folder, DB> for Team {
    fn filter(&self) -> Visible<'_, folders::table, DB> {
        Visible::only(folders::team.eq(self.0))
    }
}

impl SyncScope<File, DB> for Team {
    fn filter(&self) -> Visible<'_, files::table, DB> {
        Visible::only(files::team.eq(self.0))
    }
}

impl SyncScope<Link, DB> for Team {
    fn filter(&self) -> Visible<'_, links::table, DB> {
        Visible::only(links::team.eq(self.0))
    }
}

type Everyone = SyncGroup<(Folder, File, Link)>;
type OfTeam = SyncGroup<(Folder, File, Link), Team>;

/// Folder 1 holds folder 2, which holds 3, and so on to 5; each holds a file of its number, which a link of that number points to.
fn nested(server: &Server) -> Conn {
    let mut conn = server.connect();
    run(&mut conn, FOLDERS);
    Everyone::tracking::<DB>().install(&mut conn).unwrap();
    run(
        &mut conn,
        "insert into folders (id, parent, team) values (1, null, 'red')",
    );
    for id in 2..=5 {
        let folder = format!(
            "insert into folders (id, parent, team) values ({id}, {}, 'red')",
            id - 1
        );
        run(&mut conn, &folder);
    }
    for id in 1..=5 {
        run(
            &mut conn,
            &format!("insert into files (id, folder, team) values ({id}, {id}, 'red')"),
        );
        run(
            &mut conn,
            &format!("insert into links (id, file, team) values ({id}, {id}, 'red')"),
        );
    }
    conn
}

/// A replica that has seen all that was written so far.
fn later(replica: u64) -> Device {
    let mut device = Device::new(replica);
    device.observe(Clock::of_database(Utc::now()));
    device
}

fn deleted(conn: &mut Conn, table: &str, id: i32) -> Vec<String> {
    let sent = changes([later(1).delete(table, id)]);
    verdicts(&OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap())
}

#[test]
fn a_deletion_takes_along_what_the_caller_sees() {
    let server = Server::new();
    let conn = &mut nested(&server);
    assert_eq!(deleted(conn, "folders", 3), ["applied"]);
    assert_eq!(
        folders::table
            .select(folders::id)
            .order(folders::id)
            .load::<i32>(conn)
            .unwrap(),
        [1, 2]
    );
    assert_eq!(
        files::table
            .select(files::id)
            .order(files::id)
            .load::<i32>(conn)
            .unwrap(),
        [1, 2]
    );
    let links = links::table
        .select(links::file)
        .order(links::id)
        .load::<Option<i32>>(conn)
        .unwrap();
    assert_eq!(links, [Some(1), Some(2), None, None, None]);
}

#[test]
fn a_deletion_that_would_take_along_a_hidden_row_is_forbidden() {
    for (hide, spared) in [
        ("update folders set team = 'blue' where id = 5", 0),
        ("update files set team = 'blue' where id = 5", 0),
        // Only its column would be set to NULL.
        ("update links set team = 'blue' where id = 5", 0),
        ("update files set team = 'blue' where id = 2", 1),
    ] {
        let server = Server::new();
        let conn = &mut nested(&server);
        run(conn, hide);
        let verdict = ["forbidden", "applied"][spared];
        assert_eq!(deleted(conn, "folders", 3), [verdict], "{hide}");
        let left: i64 = folders::table.count().get_result(conn).unwrap();
        assert_eq!(left, [5, 2][spared], "{hide}");
    }
}

#[test]
fn a_deletion_that_would_take_along_a_row_of_another_table_is_forbidden() {
    let server = Server::new();
    let conn = &mut nested(&server);
    run(conn, "insert into pins (id, file) values (1, 4)");
    assert_eq!(deleted(conn, "folders", 2), ["forbidden"]);
    assert_eq!(deleted(conn, "files", 4), ["forbidden"]);
    assert_eq!(deleted(conn, "folders", 5), ["applied"]);
    // Nobody sees pins: without a scope they are out of sight too.
    let sent = changes([later(2).delete("folders", 1)]);
    assert_eq!(
        verdicts(&Everyone::upload(conn, &sent).unwrap()),
        ["forbidden"]
    );
}

#[test]
fn a_forbidden_deletion_leaves_the_other_changes_alone() {
    let server = Server::new();
    let conn = &mut nested(&server);
    run(
        conn,
        "update files set team = 'blue' where id = 4; insert into folders (id, team) values (6, 'red'), (7, 'red')",
    );
    let mut device = later(1);
    let sent = changes([
        device.delete("folders", 6),
        device.delete("folders", 1),
        device.delete("folders", 7),
    ]);
    let outcomes = OfTeam::scoped(&Team("red")).upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied", "forbidden", "applied"]);
}

/// Where rows are looked at after they were written, the deletion has taken them along.
#[test]
fn what_goes_along_with_a_row_that_the_same_upload_deletes_is_told_so() {
    for fails in [false, true] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let mut device = later(1);
        let mut sent = vec![
            device.delete("folders", 5),
            device.update("files", 5, json!({"folder": 5})),
            device.insert("files", json!({"id": 8, "folder": 5, "team": "red"})),
            device.update("folders", 1, json!({"parent": null})),
        ];
        // Then the others are applied again without it.
        if fails {
            sent.push(device.insert("files", json!({"id": 9, "folder": 99, "team": "red"})));
        }
        let outcomes = OfTeam::scoped(&Team("red"))
            .upload(conn, &changes(sent))
            .unwrap();
        let verdicts = verdicts(&outcomes);
        assert_eq!(
            verdicts[..3],
            ["applied", "not_found", "not_found"],
            "{outcomes:?}"
        );
    }
}

/// Where something else fails, fewer changes are applied at once, and the deletion not along with what came after it.
#[test]
fn what_an_upload_moves_elsewhere_does_not_go_along_though_something_else_fails() {
    for others in [0, 1, 6] {
        let server = Server::new();
        let conn = &mut nested(&server);
        let mut device = later(1);
        let mut sent = vec![
            device.delete("folders", 5),
            device.update("files", 5, json!({"folder": 1})),
            device.insert("files", json!({"id": 90, "folder": 99, "team": "red"})),
        ];
        sent.extend((0..others).map(|id| {
            device.insert(
                "files",
                json!({"id": 10 + id, "folder": 98 - id % 2, "team": "red"}),
            )
        }));
        let outcomes = OfTeam::scoped(&Team("red"))
            .upload(conn, &changes(sent))
            .unwrap();
        let verdicts = verdicts(&outcomes);
        assert_eq!(verdicts[0], "applied", "{outcomes:?}");
        assert!(
            ["applied", "merged"].contains(&&*verdicts[1]),
            "{outcomes:?}"
        );
        let folder = files::table.find(5).select(files::folder);
        assert_eq!(folder.first::<i32>(conn).unwrap(), 1, "{verdicts:?}");
    }
}

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

fn folder(conn: &mut Conn, id: i32) -> Option<Option<i32>> {
    let folder = folders::table.find(id).select(folders::parent);
    folder.first(conn).optional().unwrap()
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
        assert_eq!(folder(conn, 5), Some(None), "{outcomes:?}");
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
    assert_eq!(folder(conn, 5), Some(Some(4)));
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
    assert_eq!(folder(conn, 5), Some(None));
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
    assert_eq!(folder(conn, 20), Some(Some(30)));
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

/// A deletion that isn't alone is applied along with the inserts.
#[test]
fn an_insert_that_is_kept_away_is_not_told_to_have_gone_along() {
    let server = Server::new();
    let conn = &mut nested(&server);
    run(conn, KEEPS_AWAY);
    let mut device = later(1);
    let sent = [
        device.insert("files", json!({"id": 8, "folder": 3, "team": "red"})),
        device.insert("files", json!({"id": 9, "folder": 1, "team": "red"})),
        device.insert("files", json!({"id": 10, "folder": 1, "team": "red"})),
        device.delete("folders", 3),
        device.update("folders", 3, json!({"parent": 1})),
    ];
    let outcomes = OfTeam::scoped(&Team("red"))
        .upload(conn, &changes(sent))
        .unwrap();
    let said: Vec<String> = outcomes
        .outcomes
        .iter()
        .map(|outcome| match &outcome.verdict {
            Verdict::Rejected(rejection) => rejection.message.clone(),
            _ => String::new(),
        })
        .collect();
    assert_eq!(
        verdicts(&outcomes),
        ["not_found", "invalid", "applied", "applied", "superseded"],
        "{said:?}"
    );
    assert!(said[0].contains("went along"), "{said:?}");
    assert!(said[1].contains("kept the row away"), "{said:?}");
}
