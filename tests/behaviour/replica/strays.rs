//! Rows that would stay, or go, on a replica alone: found by the simulation.

use super::Server;
use super::world::note;
use carburetor::testing::Fault;

fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'blue')",
    );
    server
}

/// The insert and the deletion cancelled each other out, and the server's row was gone from the replica alone.
#[test]
fn whoever_deletes_a_row_that_the_server_showed_under_an_insert_deletes_it_there_too() {
    let server = served();
    let mut device = server.device_of(&["red", "blue"]);
    server.run("insert into notes (id, title, team) values ('c', 'theirs', 'red')");
    device.between("insert into notes (id, title, team) values ('c', 'mine', 'red')");
    device.sync();
    assert_eq!(device.notes()[2], note("c", "mine"));
    device.run("delete from notes where id = 'c'");
    device.sync();
    assert_eq!((server.notes().len(), device.entries()), (2, 0));
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn an_insert_that_the_server_has_not_heard_of_is_taken_back_without_a_word() {
    let server = served();
    let mut device = server.device_of(&["red", "blue"]);
    device.run("insert into notes (id, title, team) values ('c', 'mine', 'red')");
    device.run("delete from notes where id = 'c'");
    assert_eq!(device.pending(), 0);
}

/// The edit hid that the row was one of those that the scope had left.
#[test]
fn a_row_of_a_team_that_was_left_goes_although_it_was_edited_into_another_one() {
    let server = served();
    let mut device = server.device_of(&["red", "blue"]);
    device.restart(&server, &["red"]);
    device.between("update notes set team = 'red' where id = 'b'; update notes set team = 'blue' where id = 'a'");
    device.sync();
    let own = ("a".into(), "one".into(), None, "blue".into());
    assert_eq!(
        device.notes(),
        [own],
        "what is visible on the server stays, with its edit"
    );
    assert_eq!(device.sync().rejected, 2);
    assert_eq!(device.notes(), [note("a", "one")]);
}

/// The repeated answer said that the server has the row, and no download that it isn't to be seen.
#[test]
fn a_row_that_was_taken_within_another_scope_goes() {
    let server = served();
    let mut device = server.device_of(&["red"]);
    device.restart(&server, &["blue", "red"]);
    device.run("insert into notes (id, title, team) values ('c', 'mine', 'blue')");
    device.faults.next(Fault::LoseAnswer);
    device.try_sync().unwrap_err();
    device.restart(&server, &["red"]);
    device.sync();
    assert_eq!(server.notes().len(), 3);
    assert_eq!(
        (device.notes(), device.pending()),
        (vec![note("a", "one")], 0)
    );
}

/// What a download had shown of it lay below the deletion, and came to light when the server refused that.
#[test]
fn a_row_that_left_the_scope_while_its_deletion_was_under_way_does_not_come_back() {
    for begins_again in [false, true] {
        let server = served();
        let mut device = server.device_of(&["red", "blue"]);
        device.run("delete from notes where id = 'b'");
        server.run("update notes set title = 'edited' where id = 'b'");
        device.faults.next(Fault::LoseRequest);
        device.try_sync().unwrap_err();
        device.restart(&server, &["red"]);
        if begins_again {
            carburetor::tracking::reset::<super::models::Note, _>(&mut server.connect()).unwrap();
        }
        device.faults.next(Fault::LoseRequest);
        device.try_sync().unwrap_err();
        device.sync();
        assert_eq!(device.notes(), [note("a", "one")], "{begins_again}");
        assert_eq!((device.pending(), server.notes().len()), (0, 2));
    }
}

/// The server has never heard of the edit, and what it has of the row had come before, or lay below the edit.
#[test]
fn an_edit_that_is_set_aside_leaves_the_row_as_the_server_has_it() {
    for edit in [
        "delete from notes where id = 'a'; insert into notes (id, title, team) values ('a', x'ff', 'red')",
        "update notes set id = 'z', title = x'ff' where id = 'a'; update notes set id = 'a' where id = 'z'",
        "update notes set title = x'ff' where id = 'a'",
    ] {
        let server = served();
        let mut device = server.device_of(&["red", "blue"]);
        server.run("update notes set body = 'theirs' where id = 'a'");
        // It is unsent when the download comes.
        device.between(edit);
        let synced = [device.sync(), device.sync(), device.sync()];
        let told: u64 = synced.iter().map(|synced| synced.rejected).sum();
        assert_eq!(told, 1, "{edit}");
        assert_eq!(device.notes(), server.notes(), "{edit}");
        assert_eq!((device.pending(), device.entries()), (0, 0));
        assert_eq!(device.replica.rejected().unwrap().len(), 1);
    }
}
