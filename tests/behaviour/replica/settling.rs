//! What a device makes of the server's answers.

use super::Server;
use super::world::note;
use carburetor::change::Edit;
use carburetor::outcome::Code;
use carburetor::testing::Fault;
use serde_json::{Value, json};

fn served() -> Server {
    let server = Server::new();
    server
        .run("insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red')");
    server
}

#[test]
fn an_edit_that_was_made_while_another_was_on_its_way_stands_on_the_answer() {
    let server = served();
    let mut device = server.device();
    device.run("update notes set title = 'uno' where id = 'a'");
    device.faults.next(Fault::LoseAnswer);
    device.try_sync().unwrap_err();
    device.run("update notes set title = 'eins' where id = 'a'");
    let synced = device.sync();
    assert_eq!((synced.sent, synced.rejected), (2, 0));
    assert_eq!(server.notes()[0], note("a", "eins"));
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn a_row_that_is_deleted_while_its_insert_is_on_its_way_is_deleted() {
    let server = served();
    let mut device = server.device();
    device.run("insert into notes (id, title, team) values ('c', 'three', 'red')");
    device.faults.next(Fault::LoseAnswer);
    device.try_sync().unwrap_err();
    device.run("delete from notes where id = 'c'");
    device.run("insert into notes (id, title, team) values ('c', 'tre', 'red'); delete from notes where id = 'c'");
    device.sync();
    device.sync();
    assert_eq!(server.notes().len(), 2);
    assert_eq!((device.notes().len(), device.entries()), (2, 0));
}

#[test]
fn a_merged_row_takes_the_servers_values_and_keeps_what_is_unsent() {
    let server = served();
    let mut device = server.device();
    device.run("update notes set title = 'uno' where id = 'a'");
    device.faults.next(Fault::LoseAnswer);
    device.try_sync().unwrap_err();
    server.run("update notes set body = 'x' where id = 'a'");
    device.run("update notes set title = 'eins' where id = 'a'");
    device.sync();
    assert_eq!(
        device.notes()[0],
        ("a".into(), "eins".into(), Some("x".into()), "red".into())
    );
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn a_row_that_is_marked_as_gone_before_the_server_has_it_goes() {
    let server = served();
    let mut device = server.device();
    device.run("insert into chores (id, name, gone) values (1, 'dishes', false); update chores set gone = true");
    device.sync();
    assert_eq!((device.chores(), device.entries()), (vec![], 0));
}

#[test]
fn a_rejected_change_is_kept_aside_with_its_reason() {
    let server = served();
    let mut device = server.device();
    device.run("insert into notes (id, title, team) values ('c', 'three', 'blue')");
    let synced = device.sync();
    assert_eq!((synced.sent, synced.rejected), (1, 1));
    assert_eq!(
        device.notes(),
        server.notes(),
        "the row shows what the server has"
    );
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].rejection.code, Code::Forbidden);
    let Edit::Insert(columns) = &rejected[0].change.edit else {
        panic!("{rejected:?}");
    };
    assert_eq!(columns["title"], "three");
    assert!(device.replica.drop_rejected(rejected[0].seq).unwrap());
    assert!(!device.replica.drop_rejected(rejected[0].seq).unwrap());
    assert_eq!(device.replica.rejected().unwrap(), []);
}

/// The server doesn't say whether the row went to somebody else or is nowhere.
#[test]
fn a_deletion_of_what_is_gone_already_is_told_to_nobody() {
    let server = served();
    let mut device = server.device();
    server.run("update notes set team = 'blue' where id = 'a'");
    device.run("delete from notes where id = 'a'; update notes set title = 'due' where id = 'b'");
    let synced = device.sync();
    assert_eq!((synced.sent, synced.rejected), (2, 0));
    assert_eq!(device.replica.rejected().unwrap(), []);
    assert_eq!(device.notes(), [note("b", "due")]);
    assert_eq!((device.pending(), server.notes().len()), (0, 2));
}

#[test]
fn a_value_that_can_not_travel_is_taken_back_and_holds_up_nothing() {
    let server = served();
    let mut device = server.device();
    device.run(
        "insert into notes (id, title, team) values ('c', cast(x'ff' as text), 'red'); update notes set title = cast(x'ff' as text) where id = 'a';
         update notes set body = 'x' where id = 'a'",
    );
    let synced = device.sync();
    assert_eq!((synced.sent, device.entries()), (1, 0));
    assert_eq!(device.notes(), server.notes());
    assert_eq!(
        server.notes()[0],
        ("a".into(), "one".into(), Some("x".into()), "red".into())
    );
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected.len(), 2);
    assert_eq!(rejected[1].rejection.code, Code::Invalid);
    assert_eq!(rejected[1].rejection.field.as_deref(), Some("title"));
    let rest: Vec<Value> = rejected.into_iter().map(|one| one.rest.into()).collect();
    let title = json!({"text": "ff"});
    let expected = [
        json!({"title": title, "pinned": 0}),
        json!({"title": title}),
    ];
    assert_eq!(rest, expected, "the values are for people to read");
    let rejected = device.replica.rejected().unwrap();
    assert!(
        rejected[1]
            .rejection
            .message
            .starts_with("notes.title: expected UTF-8"),
        "{rejected:?}"
    );
}

#[test]
fn a_file_that_was_restored_from_a_copy_takes_a_new_id() {
    let server = served();
    let mut device = server.device();
    let time = chrono::Utc::now() + chrono::TimeDelta::seconds(30);
    carburetor::testing::set_replica_time(&mut device.conn, Some(time)).unwrap();
    device.run("update notes set title = 'uno' where id = 'a'");
    device.sync();
    // As it was before: the next edit gets a clock that was given out.
    device.run("update carburetor_replica set clock = 0, seen = 0; update notes set title = 'due' where id = 'b'");
    let synced = device.sync();
    assert_eq!((synced.sent, synced.rejected), (1, 0));
    assert_eq!(server.notes(), [note("a", "uno"), note("b", "due")]);
    assert_eq!(device.notes(), server.notes());
}

#[test]
fn a_rejected_change_can_be_tried_again() {
    let server = served();
    server.run("insert into notes (id, title, team) values ('c', 'three', 'blue')");
    let mut device = server.device();
    device.run("insert into notes (id, title, team) values ('d', 'four', 'blue'); update notes set team = 'blue' where id = 'a'");
    device.sync();
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected.len(), 2);
    device.restart(&server, &["red", "blue"]);
    for one in &rejected {
        assert!(device.replica.retry(one.seq).unwrap());
    }
    assert_eq!(device.replica.rejected().unwrap(), []);
    let synced = device.sync();
    assert_eq!((synced.sent, synced.rejected), (2, 0));
    assert_eq!(device.notes(), server.notes());
    assert_eq!(server.notes().len(), 4);
    assert_eq!(server.notes()[0].3, "blue");
}

#[test]
fn an_edit_of_a_row_that_is_gone_is_rejected_and_the_row_goes() {
    let server = served();
    let mut device = server.device();
    server.run("update notes set team = 'blue' where id = 'a'");
    device.run("update notes set title = 'uno' where id = 'a'");
    device.sync();
    assert_eq!(device.notes(), [note("b", "two")]);
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected[0].rejection.code, Code::Forbidden);
    assert_eq!(device.entries(), 0);
}

#[test]
fn what_was_answered_is_confirmed_and_not_sent_again() {
    let server = served();
    let mut device = server.device();
    for title in ["uno", "due", "tre"] {
        device.run(&format!(
            "update notes set title = '{title}' where id = 'a'"
        ));
        assert_eq!(device.sync().sent, 1);
        assert_eq!(device.sync().sent, 0);
    }
    assert_eq!(device.replica.rejected().unwrap(), []);
    assert_eq!(server.notes()[0].1, "tre");
}

#[test]
fn two_devices_that_take_one_id_are_told() {
    let server = served();
    let mut devices = [server.device(), server.device()];
    for (device, title) in devices.iter_mut().zip(["ann", "bob"]) {
        device.run(&format!(
            "insert into notes (id, title, team) values ('c', '{title}', 'red')"
        ));
    }
    let [ann, bob] = &mut devices;
    assert_eq!(ann.sync().met, 0);
    let synced = bob.sync();
    assert_eq!((synced.sent, synced.rejected, synced.met), (1, 0, 1));
    assert_eq!(bob.notes(), server.notes());
    let met = bob.replica.met().unwrap();
    let Edit::Insert(sent) = &met[0].change.edit else {
        panic!("{met:?}");
    };
    assert_eq!(
        (&sent["title"], &met[0].met["title"]),
        (&"bob".into(), &"ann".into())
    );
    assert!(bob.replica.drop_met(met[0].seq).unwrap());
    assert_eq!(bob.replica.met().unwrap(), []);
    assert_eq!(ann.sync().met, 0);
    assert_eq!(ann.notes(), bob.notes());
}
