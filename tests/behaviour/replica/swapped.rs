//! A device whose server was swapped for another one at its address.

use super::Server;
use super::hub::Member;
use super::world::{Row, note};
use carburetor::testing::Fault;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

fn server(notes: &[(&str, &str)]) -> Server {
    let server = Server::new();
    for (id, title) in notes {
        server.run(&format!(
            "insert into notes (id, title, team) values ('{id}', '{title}', 'red')"
        ));
    }
    server
}

fn count(conn: &mut SqliteConnection, sql: &str) -> i64 {
    diesel::select(diesel::dsl::sql::<BigInt>(sql))
        .first(conn)
        .unwrap()
}

pub(super) fn text(conn: &mut SqliteConnection, sql: &str) -> Option<String> {
    let found = diesel::dsl::sql::<Nullable<Text>>(sql);
    diesel::select(found).first(conn).unwrap()
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

#[test]
fn a_device_shows_what_the_other_server_has_and_its_unsent_edits_arrive_there() {
    let here = Server::new();
    // Older than all that the device will have a token of.
    let there = server(&[("a", "theirs"), ("c", "tre")]);
    here.run("insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red')");
    let mut device = here.device();
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
    device.run(
        "update notes set body = 'mine' where id = 'a'; insert into notes (id, title, team) values ('d', 'new', 'red')",
    );
    device.restart(&there, &["red"]);
    device.sync();
    let mut edited = note("a", "theirs");
    edited.2 = Some("mine".into());
    let expected = [edited, note("c", "tre"), note("d", "new")];
    assert_eq!(device.notes(), expected);
    assert_eq!(sorted(there.notes()), expected);
    assert_eq!((device.pending(), device.entries()), (0, 0));
    // It goes on there, and comes back likewise.
    there.run("delete from notes where id = 'c'");
    device.sync();
    assert_eq!(device.notes().len(), 2);
    device.restart(&here, &["red"]);
    device.sync();
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
}

#[test]
fn what_is_edited_on_a_row_of_one_server_is_based_on_none_of_the_other() {
    let (here, there) = (server(&[("a", "one")]), server(&[("a", "uno")]));
    let mut device = here.device();
    device.restart(&there, &["red"]);
    // Edited before the other server's rows are shown, and sent after it.
    device.between("update notes set body = 'mine' where id = 'a'");
    device.sync();
    let based = "(select count(*) from carburetor_outbox_notes where carburetor_base is not null)";
    assert_eq!(device.entries(), 1);
    assert_eq!(count(&mut device.conn, based), 0);
    device.sync();
    assert_eq!(there.notes()[0].2.as_deref(), Some("mine"));
    // The other way round: it goes up before a download of that server has come.
    device.run("update notes set title = 'late' where id = 'a'");
    assert_eq!(count(&mut device.conn, based), 1);
    device.restart(&here, &["red"]);
    device.faults.next(Fault::Cut { pages: 0 });
    device.try_sync().unwrap_err();
    device.sync();
    assert_eq!(here.notes()[0].1, "late");
    assert_eq!(device.notes(), here.notes());
}

#[test]
fn a_file_of_before_learns_the_origin_of_its_server_without_a_reset() {
    let here = server(&[("a", "one")]);
    let mut device = here.device();
    let told = "(select origin from carburetor_group)";
    let origin = text(&mut device.conn, told);
    assert!(origin.is_some());
    device.run("alter table carburetor_group drop column origin");
    device.restart(&here, &["red"]);
    device.run("update notes set title = 'two' where id = 'a'");
    let based = "(select count(*) from carburetor_outbox_notes where carburetor_base is not null)";
    assert_eq!(count(&mut device.conn, based), 1);
    let synced = device.sync();
    assert_eq!(text(&mut device.conn, told), origin);
    assert_eq!((synced.rejected, &here.notes()[0].1[..]), (0, "two"));
}

#[test]
fn a_hub_has_an_origin_of_its_own_and_a_copy_of_its_file_another_one() {
    let server = server(&[("a", "one")]);
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    let told = "(select origin from carburetor_group)";
    let own = "(select origin from carburetor_clock)";
    let above = text(&mut hub.conn, told);
    let at_hub = text(&mut hub.conn, own);
    assert!(above.is_some() && at_hub.is_some() && above != at_hub);
    assert_eq!(text(&mut device.conn, told), at_hub);
    // The hub's own server is swapped: to its devices that is news like any other.
    device.run("update notes set body = 'mine' where id = 'a'");
    device.sync();
    hub.sync();
    assert_eq!(text(&mut hub.conn, own), at_hub);
    assert_eq!(server.notes()[0].2.as_deref(), Some("mine"));
}

/// The token is of the server that was there before and after: of what the one in between took, no download says that it is missing.
#[test]
fn what_only_a_server_in_between_has_taken_is_not_shown_for_ever() {
    let (here, there) = (server(&[("a", "one")]), server(&[("a", "one")]));
    let mut device = here.device();
    device.run("insert into notes (id, title, team) values ('b', 'new', 'red')");
    device.restart(&there, &["red"]);
    device.faults.next(Fault::Cut { pages: 0 });
    device.try_sync().unwrap_err();
    assert_eq!((device.pending(), there.notes().len()), (0, 2));
    device.restart(&here, &["red"]);
    device.sync();
    assert_eq!(device.notes(), here.notes());
}
