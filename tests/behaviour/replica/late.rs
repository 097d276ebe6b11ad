//! Answers that come later than what has been written since.

use super::Server;
use super::swapped::text;
use super::world::{Device, note};
use carburetor::testing::Fault;
use diesel::connection::SimpleConnection;

fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red'), ('c', 'three', 'red')",
    );
    server
}

impl Device {
    /// An upload whose answer gets lost, then a write on the server, and then the download.
    fn overtaken(&mut self, server: &Server, edit: &str, write: &'static str) {
        let connect = server.connector();
        self.downloads
            .between(move || connect().unwrap().batch_execute(write).unwrap());
        self.run(edit);
        self.faults.next(Fault::LoseAnswer);
        self.try_sync().unwrap_err();
        assert_eq!(self.pending(), 1);
    }
}

#[test]
fn an_answer_that_comes_late_leaves_the_later_row() {
    let server = served();
    let mut device = server.device();
    device.overtaken(
        &server,
        "update notes set title = 'mine' where id = 'a'",
        "update notes set title = 'theirs', body = 'x' where id = 'a'",
    );
    assert_eq!(device.notes()[0].1, "mine");
    device.sync();
    assert_eq!(device.notes(), server.notes());
    assert_eq!((device.pending(), device.entries()), (0, 0));
}

#[test]
fn an_edit_that_was_made_meanwhile_stays_on_top_of_the_later_row() {
    let server = served();
    let mut device = server.device();
    device.overtaken(
        &server,
        "update notes set title = 'mine' where id = 'a'",
        "update notes set title = 'theirs', body = 'x' where id = 'a'",
    );
    device.run("update notes set title = 'mine again' where id = 'a'");
    device.sync();
    assert_eq!(server.notes()[0].1, "mine again");
    assert_eq!(server.notes()[0].2.as_deref(), Some("x"));
    device.sync();
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn an_answer_to_an_insert_that_comes_late_leaves_the_deletion() {
    let server = served();
    let mut device = server.device();
    device.overtaken(
        &server,
        "insert into notes (id, title, team) values ('d', 'new', 'red')",
        "delete from notes where id = 'd'",
    );
    device.sync();
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn an_answer_to_an_insert_that_comes_late_leaves_the_later_row() {
    let server = served();
    let mut device = server.device();
    device.overtaken(
        &server,
        "insert into notes (id, title, team) values ('d', 'new', 'red')",
        "update notes set title = 'theirs' where id = 'd'",
    );
    device.sync();
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn an_answer_to_a_deletion_that_comes_late_leaves_the_row_that_is_there_again() {
    let server = served();
    let mut device = server.device();
    device.overtaken(
        &server,
        "delete from notes where id = 'a'",
        "insert into notes (id, title, team) values ('a', 'again', 'red')",
    );
    device.sync();
    assert_eq!(device.notes(), server.notes());
    assert_eq!(device.notes()[0], note("a", "again"));
}

#[test]
fn an_edit_during_the_first_download_does_not_begin_it_again() {
    let server = served();
    let mut device = server.device();
    device.run(
        "insert into carburetor_stage (in_group, token, scope) select name, token, scope from carburetor_group;
update carburetor_group set token = null, scope = null",
    );
    device.run("update notes set title = 'mine' where id = 'a'");
    assert_eq!(device.sync().sent, 1);
    let since = device.downloads.since();
    assert!(since.last().unwrap().is_some(), "{since:?}");
}

/// The row went, which ended the edit, and came again: what the answer says is of the one before.
#[test]
fn an_answer_about_a_row_that_went_and_came_again_leaves_its_stamp() {
    for edit in [
        "delete from notes where id = 'a'",
        "update notes set title = 'mine' where id = 'a'",
    ] {
        let server = served();
        let mut device = server.device();
        device.overtaken(&server, edit, "delete from notes where id = 'a'");
        assert_eq!(device.notes().len(), 2);
        server.run("insert into notes (id, title, team) values ('a', 'again', 'red')");
        device.faults.next(Fault::LoseRequest);
        device.try_sync().unwrap_err();
        assert_eq!(device.notes()[0], note("a", "again"));
        let stamp = "(select at from notes where id = 'a')";
        let shown = text(&mut device.conn, stamp);
        device.sync();
        assert_eq!(device.pending(), 0);
        assert_eq!(device.notes()[0], note("a", "again"));
        assert_eq!(text(&mut device.conn, stamp), shown, "{edit}");
    }
}
