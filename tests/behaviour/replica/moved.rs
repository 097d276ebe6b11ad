//! Rows that a program gives another id, which can't always travel.

use super::Server;
use super::world::{Device, note};
use carburetor::testing::Fault;

/// A device that has the notes a and b.
fn synced(server: &Server) -> Device {
    server
        .run("insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red')");
    let mut device = server.device();
    device.sync();
    device
}

/// What the server and the device have after `write` and an insert beside it, and what is told as rejected: the words for each edit.
#[track_caller]
fn after(write: &str, apart: bool) -> (Vec<(String, String)>, Vec<String>) {
    let server = Server::new();
    let mut device = synced(&server);
    let between = if apart { 1 } else { 0 };
    let mut writes: Vec<&str> = write.split(';').collect();
    writes.push("insert into notes (id, title, team) values ('z', 'beside', 'red')");
    match between {
        0 => device.run(&format!("begin;{};commit", writes.join(";"))),
        _ => writes.iter().for_each(|write| device.run(write)),
    }
    for _ in 0..2 {
        device.sync();
        assert_eq!((device.pending(), device.entries()), (0, 0), "{write}");
    }
    let notes = server.notes();
    assert_eq!(notes, device.notes(), "{write}");
    let rejected = device.replica.rejected().unwrap().into_iter();
    let told = rejected.map(|one| one.rejection.message).collect();
    let notes = notes
        .into_iter()
        .filter(|kept| *kept != note("z", "beside"));
    (notes.map(|kept| (kept.0, kept.1)).collect(), told)
}

fn both() -> Vec<(String, String)> {
    vec![("a".into(), "one".into()), ("b".into(), "two".into())]
}

const ODD: &str = "cast(x'ff41' as text)";

#[test]
fn a_row_whose_new_id_can_not_travel_stays_on_the_server() {
    for apart in [false, true] {
        let write = format!("update notes set id = {ODD} where id = 'a'");
        let (notes, told) = after(&write, apart);
        assert_eq!(notes, both(), "{told:?}");
        assert_eq!(told.len(), 2, "{told:?}");
        let of_deletion = told.iter().find(|said| said.contains("other ids"));
        let said = of_deletion.expect("the deletion is told");
        assert!(said.contains("notes.id: "), "{said}");
        assert!(said.contains("stay as the server has them"), "{said}");
    }
}

#[test]
fn a_row_that_moves_and_holds_what_can_not_travel_stays_on_the_server() {
    for write in [
        "update notes set id = 'c', body = cast(x'ff' as text) where id = 'a'",
        "update notes set id = 'c' where id = 'a'; update notes set body = cast(x'ff' as text) where id = 'c'",
    ] {
        let (notes, told) = after(write, true);
        assert_eq!((notes, told.len()), (both(), 2), "{write}");
    }
}

#[test]
fn a_row_that_moves_on_to_an_id_that_can_not_travel_stays_where_it_was_first() {
    let write = format!(
        "update notes set id = 'c' where id = 'a'; update notes set title = 'later' where id = 'c'; update notes set id = {ODD} where id = 'c'"
    );
    let (notes, told) = after(&write, false);
    assert_eq!((notes, told.len()), (both(), 2));
}

#[test]
fn rows_that_change_places_stay_where_one_of_them_can_not_go() {
    let swap = "update notes set id = 'tmp' where id = 'a'; update notes set id = 'a' where id = 'b'; update notes set id = 'b' where id = 'tmp'";
    let spoilt =
        |id: &str| format!("{swap}; update notes set body = cast(x'ff' as text) where id = '{id}'");
    for write in [spoilt("a"), spoilt("b")] {
        let (notes, told) = after(&write, false);
        assert_eq!((notes, told.len()), (both(), 2), "{write}");
    }
    let shift = format!(
        "update notes set id = {ODD} where id = 'b'; update notes set id = 'b' where id = 'a'"
    );
    let (notes, told) = after(&shift, true);
    assert_eq!((notes, told.len()), (both(), 3), "{shift}");
    let swapped = vec![("a".into(), "two".into()), ("b".into(), "one".into())];
    assert_eq!(after(swap, false), (swapped, Vec::new()));
}

#[test]
fn what_moves_and_can_travel_moves_and_what_is_deleted_beside_an_odd_row_goes() {
    let moved = vec![("b".into(), "two".into()), ("c".into(), "one".into())];
    let write = "update notes set id = 'c' where id = 'a'";
    assert_eq!(after(write, true), (moved, Vec::new()));
    // A deletion is no half of anything, nor is what is deleted after it moved.
    let odd = format!("insert into notes (id, title, team) values ({ODD}, 'odd', 'red')");
    let alone = vec![("b".to_owned(), "two".to_owned())];
    for write in [
        format!("delete from notes where id = 'a'; {odd}"),
        format!(
            "update notes set id = 'c' where id = 'a'; delete from notes where id = 'c'; {odd}"
        ),
    ] {
        let (notes, told) = after(&write, false);
        assert_eq!((notes, told.len()), (alone.clone(), 1), "{write}");
    }
}

/// Each of the places that it comes past may be one of which the server knows.
#[test]
fn a_row_that_comes_past_other_ids_to_one_that_can_not_travel_stays_on_the_server() {
    let past = format!(
        "update notes set id = 'b' where id = 'a'; update notes set id = {ODD} where id = 'b'"
    );
    let back = format!(
        "update notes set id = 'a' where id = 'c'; update notes set id = {ODD} where id = 'a'"
    );
    for (before, after) in [
        ("delete from notes where id = 'b'", &past),
        ("update notes set id = 'e' where id = 'b'", &past),
        ("update notes set id = 'c' where id = 'a'", &back),
    ] {
        for is_lost in [false, true] {
            let server = Server::new();
            let mut device = synced(&server);
            device.run(before);
            if is_lost {
                device.faults.next(Fault::LoseRequest);
                device.try_sync().unwrap_err();
            }
            device.run(after);
            for _ in 0..2 {
                device.sync();
                assert_eq!((device.pending(), device.entries()), (0, 0), "{before}");
            }
            let notes = server.notes();
            assert_eq!(notes, device.notes(), "{before}, {is_lost}");
            let is_there = notes.iter().any(|kept| kept.1 == "one");
            assert!(is_there, "{before}, {is_lost}: {notes:?}");
        }
    }
}

/// Moves rows of which a is pinned, as only the device knows, to where one of them can't go.
fn pinned_after(write: &str) -> Vec<String> {
    let server = Server::new();
    let mut device = synced(&server);
    device.run("update notes set pinned = true where id = 'a'");
    device.run(write);
    device.sync();
    assert_eq!(device.notes(), server.notes(), "{write}");
    device.sync();
    device.pinned()
}

#[test]
fn a_row_that_comes_back_has_what_only_the_device_knows_of_it() {
    let swap = "update notes set id = 'tmp' where id = 'a'; update notes set id = 'a' where id = 'b'; update notes set id = 'b' where id = 'tmp'";
    for write in [
        format!("update notes set id = {ODD} where id = 'a'"),
        "update notes set id = 'c', body = cast(x'ff' as text) where id = 'a'".to_owned(),
        format!("update notes set id = 'c' where id = 'a'; update notes set id = {ODD} where id = 'c'"),
        format!("delete from notes where id = 'b'; update notes set id = 'b' where id = 'a'; update notes set id = {ODD} where id = 'b'"),
        format!("{swap}; update notes set body = cast(x'ff' as text) where id = 'a'"),
        format!("{swap}; update notes set body = cast(x'ff' as text) where id = 'b'"),
        format!("update notes set id = {ODD} where id = 'b'; update notes set id = 'b' where id = 'a'"),
        format!(
            "update notes set id = 'c' where id = 'b'; update notes set id = 'd' where id = 'c'; update notes set id = 'c' where id = 'a';
             update notes set id = 'e' where id = 'c'; update notes set id = 'c' where id = 'd'; update notes set id = {ODD} where id = 'e';
             update notes set body = cast(x'ff' as text) where id = 'c'"
        ),
    ] {
        assert_eq!(pinned_after(&write), ["a"], "{write}");
    }
}

#[test]
fn what_only_the_device_knew_of_a_row_that_does_not_come_back_is_no_other_rows() {
    let server = Server::new();
    let mut device = synced(&server);
    device.run("update notes set pinned = true where id = 'a'");
    device.run(&format!("update notes set id = {ODD} where id = 'a'"));
    server.run("delete from notes where id = 'a'");
    device.sync();
    server.run("insert into notes (id, title, team) values ('a', 'another', 'red')");
    device.sync();
    assert_eq!((device.notes(), device.pinned()), (server.notes(), vec![]));
}

/// A local column allows one pinned note only, and the program has pinned another one meanwhile.
#[test]
fn a_local_value_that_can_not_come_back_holds_up_nothing() {
    let server = Server::new();
    server
        .run("insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red')");
    let mut device = server.device();
    device.run("create unique index one_pinned on notes (pinned) where pinned");
    device.run("update notes set pinned = true where id = 'a'");
    device.run("update notes set id = cast(x'ff41' as text) where id = 'a'");
    device.between("update notes set pinned = true where id = 'b'");
    let first = device.try_sync().map_err(|error| error.to_string());
    server.run("insert into notes (id, title, team) values ('c', 'three', 'red')");
    let second = device.try_sync().map_err(|error| error.to_string());
    let third = device.try_sync().map_err(|error| error.to_string());
    assert_eq!(
        device.notes(),
        server.notes(),
        "{first:?} {second:?} {third:?}"
    );
}
