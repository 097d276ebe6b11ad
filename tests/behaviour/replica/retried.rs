//! Rejected changes that are tried again: what the device has edited since stands on top of them.

use super::world::{Device, Row, note};
use super::{KEEPS_NOTES, Server};
use carburetor::change::Edit;

/// A device with the note a, and edits of it that the server rejected, because they put it where the device may not.
fn rejected(edits: &[&str]) -> (Server, Device) {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    let mut device = server.device();
    for edit in edits {
        device.run(&format!("update notes set {edit} where id = 'a'"));
        device.sync();
    }
    let kept = device.replica.rejected().unwrap();
    assert_eq!(kept.len(), edits.len(), "{kept:?}");
    device.restart(&server, &["red", "blue"]);
    (server, device)
}

const OLD: &str = "title = 'old', body = 'old', team = 'blue'";

impl Device {
    fn retry(&self, place: usize) -> Result<bool, String> {
        let seq = self.replica.rejected().unwrap()[place].seq;
        let retried = self.replica.retry(seq);
        retried.map_err(|error| error.to_string())
    }
}

fn row(title: &str, body: &str, team: &str) -> [Row; 1] {
    [("a".into(), title.into(), Some(body.into()), team.into())]
}

#[test]
fn a_retry_leaves_what_was_edited_since_as_it_is() {
    for is_sent in [false, true] {
        let (server, mut device) = rejected(&[OLD]);
        device.run("update notes set title = 'newer' where id = 'a'");
        if is_sent {
            device.sync();
        }
        assert_eq!(device.retry(0), Ok(true));
        assert_eq!(device.notes(), row("newer", "old", "blue"), "{is_sent}");
        device.sync();
        assert_eq!(server.notes(), row("newer", "old", "blue"), "{is_sent}");
        assert_eq!(device.replica.rejected().unwrap(), []);
    }
}

#[test]
fn a_retry_of_which_nothing_is_left_fails_and_says_so() {
    let (server, mut device) = rejected(&[OLD]);
    device.run("update notes set title = 'newer', body = 'newer' where id = 'a'");
    device.sync();
    device.run("update notes set team = 'green' where id = 'a'; update notes set team = 'red' where id = 'a'");
    let error = device.retry(0).unwrap_err();
    assert!(error.starts_with("notes of \"a\": "), "{error}");
    assert!(error.contains("edited since"), "{error}");
    assert!(error.contains("drop the rejected change"), "{error}");
    device.sync();
    assert_eq!(server.notes(), row("newer", "newer", "red"));
    assert_eq!(device.replica.rejected().unwrap().len(), 1);
}

#[test]
fn of_two_that_are_tried_again_the_later_edit_stands() {
    for order in [[0, 0], [1, 0]] {
        let (server, mut device) = rejected(&[OLD, "body = 'later', team = 'blue'"]);
        for place in order {
            assert_eq!(device.retry(place), Ok(true));
        }
        device.sync();
        let expected = row("old", "later", "blue");
        assert_eq!(
            (&server.notes()[..], &device.notes()[..]),
            (&expected[..], &expected[..])
        );
    }
}

#[test]
fn one_that_is_rejected_again_is_as_old_as_it_was() {
    let (server, mut device) = rejected(&[OLD, "body = 'later', team = 'blue'"]);
    device.restart(&server, &["red"]);
    assert_eq!(device.retry(0), Ok(true));
    device.sync();
    device.restart(&server, &["red", "blue"]);
    for _ in 0..2 {
        assert_eq!(device.retry(0), Ok(true));
    }
    device.sync();
    assert_eq!(server.notes(), row("old", "later", "blue"));
}

/// What was edited last may have an earlier clock by then.
#[test]
fn a_retry_leaves_what_was_edited_since_where_the_device_was_ahead() {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    let mut device = server.device();
    let time = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    carburetor::testing::set_replica_time(&mut device.conn, Some(time)).unwrap();
    device.run(
        "update notes set title = 'old', body = cast(x'ff' as text), team = 'blue' where id = 'a'",
    );
    device.sync();
    device.run("update notes set title = 'newer' where id = 'a'");
    device.sync();
    assert_eq!(server.notes(), [note("a", "newer")]);
    device.restart(&server, &["red", "blue"]);
    assert_eq!(device.retry(0), Ok(true));
    device.sync();
    assert_eq!(
        server.notes(),
        [("a".into(), "newer".into(), None, "blue".into())]
    );
}

#[test]
fn columns_that_are_resolved_together_are_tried_again_together() {
    let server = Server::new();
    server.run("insert into seats (room, place, guest, kind) values ('a', 1, 'ann', 'x')");
    let mut device = server.device();
    device.run("update seats set guest = cast(x'ff' as text) where place = 1");
    device.sync();
    let kept = device.replica.rejected().unwrap();
    assert_eq!(kept.len(), 1);
    device.run("update seats set guest = 'bob' where place = 1");
    device.retry(0).unwrap_err();
    device.sync();
    assert_eq!(server.guests(), [("a".into(), 1, "bob".into())]);
}

#[test]
fn a_deletion_is_not_tried_again_on_what_was_edited_since() {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    server.run(KEEPS_NOTES);
    let mut device = server.device();
    device.run("delete from notes where id = 'a'");
    device.sync();
    assert_eq!(
        device.replica.rejected().unwrap()[0].change.edit,
        Edit::Delete
    );
    assert_eq!(device.notes(), [note("a", "one")]);
    device.run("update notes set title = 'newer' where id = 'a'");
    let error = device.retry(0).unwrap_err();
    assert!(error.contains("edited since"), "{error}");
    device.sync();
    assert_eq!(server.notes(), [note("a", "newer")]);
    assert_eq!(device.notes(), [note("a", "newer")]);
}

#[test]
fn an_edit_is_not_tried_again_on_a_row_that_was_deleted_or_made_anew_since() {
    for (since, expected) in [
        ("delete from notes where id = 'a'", vec![]),
        (
            "delete from notes where id = 'a'; insert into notes (id, title, team) values ('a', 'anew', 'red')",
            vec![note("a", "anew")],
        ),
    ] {
        for is_sent in [false, true] {
            let (server, mut device) = rejected(&[OLD]);
            device.run(since);
            if is_sent {
                device.sync();
            }
            device.retry(0).unwrap_err();
            device.sync();
            assert_eq!(server.notes(), expected, "{since}, {is_sent}");
            assert_eq!(device.notes(), expected, "{since}, {is_sent}");
        }
    }
}

#[test]
fn an_insert_is_not_tried_again_on_one_that_was_made_since() {
    let server = Server::new();
    let mut device = server.device();
    device.run("insert into notes (id, title, team) values ('d', 'old', 'blue')");
    device.sync();
    device.run("insert into notes (id, title, team) values ('d', 'newer', 'red')");
    device.retry(0).unwrap_err();
    device.sync();
    assert_eq!(server.notes(), [note("d", "newer")]);
}

#[test]
fn an_insert_that_is_tried_again_has_what_only_the_device_knew_of_its_row() {
    let server = Server::new();
    let mut device = server.device();
    device.run("insert into notes (id, title, team, pinned) values ('d', 'four', 'blue', true)");
    device.sync();
    assert_eq!(device.notes(), []);
    device.restart(&server, &["red", "blue"]);
    assert_eq!(device.retry(0), Ok(true));
    device.sync();
    assert_eq!(server.notes().len(), 1);
    assert_eq!(device.pinned(), ["d"]);
}
