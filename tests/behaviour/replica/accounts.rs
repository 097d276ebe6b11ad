//! One file that several people use one after the other.

use super::super::device::{Folder, Group, run};
use super::super::models::NOTES;
use super::super::recorder::Recorder;
use super::hub::block_on;
use super::world::{Served, Teams, note, notes_in};
use super::{Conn, Server};
use carburetor::replica::{InProcess, Replica, ReplicaError};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;

fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('r', 'one', 'red'), ('b', 'one', 'blue')",
    );
    server
}

fn attempt(
    server: &Server,
    folder: &Folder,
    team: &str,
    account: &str,
) -> Result<Replica<Group>, ReplicaError> {
    let path = folder.file("device");
    run(
        &mut SqliteConnection::establish(path.to_str().unwrap()).unwrap(),
        NOTES,
    );
    let way: InProcess<Served, Teams, Conn> =
        InProcess::new(Teams(vec![team.into()]), server.connector());
    Replica::builder().account(account).open(path, way)
}

fn open(server: &Server, folder: &Folder, team: &str, account: &str) -> Replica<Group> {
    attempt(server, folder, team, account).unwrap()
}

fn sync(replica: &Replica<Group>) {
    block_on(replica.sync()).unwrap();
}

/// A file in which Ann, of the team `red`, has one rejected insert.
fn with_a_rejection(server: &Server, folder: &Folder) -> Replica<Group> {
    let ann = open(server, folder, "red", "ann");
    sync(&ann);
    run(
        &mut ann.connection().unwrap(),
        "insert into notes (id, title, team) values ('x', 'hers', 'blue')",
    );
    sync(&ann);
    assert_eq!(ann.rejected().unwrap().len(), 1);
    ann
}

#[test]
fn another_account_sees_no_row_of_the_former_one_before_it_syncs() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let mut conn = ann.connection().unwrap();
    assert_eq!(notes_in(&mut conn).len(), 1);
    let bob = open(&server, &folder, "blue", "bob");
    assert_eq!(notes_in(&mut conn), []);
    assert_eq!(bob.pending().unwrap(), 0);
    sync(&bob);
    assert_eq!(notes_in(&mut conn)[0].0, "b");
    // The server was told of no deletion.
    assert_eq!(server.notes().len(), 2);
}

#[test]
fn what_was_rejected_is_the_accounts_own() {
    let (server, folder) = (served(), Folder::new());
    let ann = with_a_rejection(&server, &folder);
    let seq = ann.rejected().unwrap()[0].seq;
    let bob = open(&server, &folder, "blue", "bob");
    assert_eq!(bob.rejected().unwrap(), []);
    assert!(!bob.retry(seq).unwrap());
    assert!(!bob.drop_rejected(seq).unwrap());
    sync(&bob);
    assert_eq!(server.notes().len(), 2);
    let ann = open(&server, &folder, "red", "ann");
    assert_eq!(ann.rejected().unwrap()[0].seq, seq);
}

#[test]
fn a_replica_whose_file_is_anothers_shows_nothing_any_more() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let bob = open(&server, &folder, "blue", "bob");
    sync(&bob);
    server.run("insert into notes (id, title, team) values ('s', 'two', 'red')");
    let error = block_on(ann.sync()).unwrap_err();
    assert!(
        matches!(&error, ReplicaError::SignedOut { account } if account == "ann"),
        "{error}"
    );
    assert_eq!(notes_in(&mut bob.connection().unwrap()).len(), 1);
}

#[test]
fn signing_out_leaves_nothing_of_the_account() {
    let (server, folder) = (served(), Folder::new());
    let ann = with_a_rejection(&server, &folder);
    let mut conn = ann.connection().unwrap();
    ann.sign_out().unwrap();
    assert_eq!(notes_in(&mut conn), []);
    assert!(block_on(ann.sync()).is_err());
    assert_eq!(server.notes().len(), 2);
    let ann = open(&server, &folder, "red", "ann");
    assert_eq!(ann.rejected().unwrap(), []);
    sync(&ann);
    assert_eq!(notes_in(&mut conn), [note("r", "one")]);
}

#[test]
fn what_is_written_while_the_file_is_nobodys_is_refused_and_keeps_nobody_out() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let mut conn = ann.connection().unwrap();
    ann.sign_out().unwrap();
    let stray = "insert into notes (id, title, team) values ('n', 'whose', 'red')";
    let error = conn.batch_execute(stray).unwrap_err().to_string();
    assert_eq!(
        error,
        "notes is nobody's since its account signed out: open the replica for an account, and write then"
    );
    let bob = open(&server, &folder, "blue", "bob");
    assert_eq!(bob.pending().unwrap(), 0);
    assert_eq!(notes_in(&mut conn), []);
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('n', 'his', 'blue')",
    );
    sync(&bob);
    assert_eq!(server.notes().len(), 3);
    assert_eq!(server.notes()[1].1, "his");
}

#[test]
fn who_signs_out_and_in_again_writes_on() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    ann.sign_out().unwrap();
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let mut conn = ann.connection().unwrap();
    run(&mut conn, "update notes set title = 'hers' where id = 'r'");
    assert_eq!(ann.pending().unwrap(), 1);
    sync(&ann);
    assert_eq!(server.notes()[1].1, "hers");
}

/// What is written goes with the group that had the table first, so that it would be nobody's whoever opens another one.
#[test]
fn a_table_of_a_group_that_signed_out_takes_no_writes_when_another_group_has_it_too() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let other = || {
        let way: InProcess<Served, Teams, Conn> =
            InProcess::new(Teams(vec!["red".into()]), server.connector());
        let builder = Replica::<Group>::builder().name("other").account("ann");
        builder.open(folder.file("device"), way).unwrap()
    };
    sync(&other());
    ann.sign_out().unwrap();
    let second = other();
    let mut conn = second.connection().unwrap();
    assert_eq!(notes_in(&mut conn), [note("r", "one")]);
    let stray = "update notes set title = 'whose' where id = 'r'";
    let error = conn.batch_execute(stray).unwrap_err().to_string();
    assert!(error.starts_with("notes is nobody's"), "{error}");
    // What comes is shown.
    server.run("update notes set title = 'two' where id = 'r'");
    sync(&second);
    assert_eq!(notes_in(&mut conn), [note("r", "two")]);
    // The group that had the table later has no edits of it that could be nobody's.
    let ann = open(&server, &folder, "red", "ann");
    second.sign_out().unwrap();
    run(
        &mut conn,
        "insert into notes (id, title, team) values ('n', 'hers', 'red')",
    );
    assert_eq!(ann.pending().unwrap(), 1);
}

#[test]
fn what_was_rejected_is_not_tried_again_in_a_file_that_is_anothers() {
    let (server, folder) = (served(), Folder::new());
    let ann = with_a_rejection(&server, &folder);
    let seq = ann.rejected().unwrap()[0].seq;
    let bob = open(&server, &folder, "blue", "bob");
    let error = ann.retry(seq).unwrap_err();
    assert!(
        matches!(&error, ReplicaError::SignedOut { account } if account == "ann"),
        "{error}"
    );
    assert_eq!(bob.pending().unwrap(), 0);
    assert_eq!(notes_in(&mut bob.connection().unwrap()), []);
}

#[test]
fn unsent_edits_of_whoever_opened_the_file_without_an_account_keep_it_and_say_so() {
    let (server, folder) = (served(), Folder::new());
    let nobody = open(&server, &folder, "red", "");
    sync(&nobody);
    let mut conn = nobody.connection().unwrap();
    run(&mut conn, "update notes set title = 'mine' where id = 'r'");
    let error = attempt(&server, &folder, "blue", "bob").unwrap_err();
    assert!(
        matches!(&error, ReplicaError::OtherAccount { account } if account.is_empty()),
        "{error}"
    );
    let said = error.to_string();
    assert!(said.contains("open it without `account`"), "{said}");
}

#[test]
fn whoever_has_unsent_edits_is_told_so_and_may_discard_them() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let mut conn = ann.connection().unwrap();
    run(
        &mut conn,
        "update notes set title = 'hers' where id = 'r'; insert into notes (id, title, team) values ('s', 'hers', 'red')",
    );
    let error = ann.sign_out().unwrap_err();
    assert!(
        matches!(error, ReplicaError::Pending { changes: 2 }),
        "{error}"
    );
    let error = attempt(&server, &folder, "blue", "bob").unwrap_err();
    assert!(
        matches!(&error, ReplicaError::OtherAccount { account } if account == "ann"),
        "{error}"
    );
    assert_eq!(ann.discard_pending().unwrap(), 2);
    assert_eq!(ann.pending().unwrap(), 0);
    sync(&ann);
    assert_eq!(notes_in(&mut conn), [note("r", "one")]);
    ann.sign_out().unwrap();
    assert_eq!(server.notes().len(), 2);
}

#[test]
fn what_was_discarded_while_it_was_on_its_way_is_what_the_server_made_of_it() {
    let (server, folder) = (served(), Folder::new());
    let ann = open(&server, &folder, "red", "ann");
    sync(&ann);
    let mut conn = ann.connection().unwrap();
    run(&mut conn, "update notes set title = 'hers' where id = 'r'");
    sync(&ann);
    run(&mut conn, "update notes set title = 'later' where id = 'r'");
    assert_eq!(ann.discard_pending().unwrap(), 1);
    sync(&ann);
    assert_eq!(notes_in(&mut conn)[0].1, "hers");
}

#[test]
fn a_replica_whose_file_is_anothers_tells_and_does_nothing_any_more() {
    let (server, folder) = (served(), Folder::new());
    let ann = with_a_rejection(&server, &folder);
    let seq = ann.rejected().unwrap()[0].seq;
    let bob = open(&server, &folder, "blue", "bob");
    sync(&bob);
    let mut conn = bob.connection().unwrap();
    run(&mut conn, "update notes set title = 'his' where id = 'b'");
    let refusals = [
        ann.retry(seq).err(),
        ann.drop_rejected(seq).err(),
        ann.drop_met(seq).err(),
        ann.rejected().err(),
        ann.met().err(),
        ann.unreadable().err(),
        ann.pending().err(),
        ann.discard_pending().err(),
        ann.sign_out().err(),
        ann.connection().err(),
        block_on(ann.sync()).err(),
    ];
    for (place, refusal) in refusals.into_iter().enumerate() {
        assert!(
            matches!(&refusal, Some(ReplicaError::SignedOut { account }) if account == "ann"),
            "{place}: {refusal:?}"
        );
    }
    assert_eq!(bob.pending().unwrap(), 1);
    sync(&bob);
    // Nothing of hers has gone up, nor is anything of it lost.
    assert_eq!(
        server.notes(),
        [
            ("b".into(), "his".into(), None, "blue".into()),
            note("r", "one")
        ]
    );
    let ann = open(&server, &folder, "red", "ann");
    assert_eq!(ann.rejected().unwrap()[0].seq, seq);
}

#[test]
fn nothing_that_is_held_for_one_account_is_asked_for_by_another() {
    let (server, folder) = (served(), Folder::new());
    let path = folder.file("device");
    run(
        &mut SqliteConnection::establish(path.to_str().unwrap()).unwrap(),
        NOTES,
    );
    let recorder = Recorder::default();
    let ann: Replica<Group> = Replica::builder()
        .account("ann")
        .open(&path, recorder.clone())
        .unwrap();
    let bob = open(&server, &folder, "blue", "bob");
    sync(&bob);
    run(
        &mut bob.connection().unwrap(),
        "insert into carburetor_held_change (in_group, clock, change) select name, '018bcfe568000001000000000000002a',
  '{\"table\":\"notes\",\"id\":\"s\",\"clock\":\"018bcfe568000001000000000000002a\",\"edit\":\"delete\"}' from carburetor_group",
    );
    block_on(ann.sync()).unwrap_err();
    assert!(recorder.messages().is_empty());
}
