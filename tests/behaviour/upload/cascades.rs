//! Deletions that foreign keys pass on.

use super::super::folders::FOLDERS;
use super::super::{Device, changes, run, verdicts};
use super::folders::{File, Folder, KEEPS_AWAY, Link, files, folders, links};
use super::{Conn, DB, Server};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor::{SyncGroup, SyncScope, Visible};
use chrono::Utc;
use diesel::prelude::*;
use serde_json::json;

/// The rows of one team.
pub(super) struct Team(pub(super) &'static str);

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

pub(super) type Everyone = SyncGroup<(Folder, File, Link)>;
pub(super) type OfTeam = SyncGroup<(Folder, File, Link), Team>;

/// Folder 1 holds folder 2, which holds 3, and so on to 5; each holds a file of its number, which a link of that number points to.
pub(super) fn nested(server: &Server) -> Conn {
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
pub(super) fn later(replica: u64) -> Device {
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
    let why = format!("{:?}", outcomes.outcomes[1].verdict);
    assert!(
        why.contains("folders: the deletion would take rows along"),
        "{why}"
    );
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
