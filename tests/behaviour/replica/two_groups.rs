//! Two groups over one table in the file of one device.

use super::super::device::{Folder, run};
use super::super::models::sqlite;
use super::models::{Note, Seat};
use super::world::{Row, Teams, note, notes_in};
use super::{Conn, Server};
use carburetor::SyncGroup;
use carburetor::replica::{InProcess, Replica, ReplicaError, ReplicaGroup, Synced, Transport};
use diesel::prelude::*;
use futures_util::{FutureExt, StreamExt};

type Own = SyncGroup<(sqlite::Note,)>;
type Shared = SyncGroup<(sqlite::Note, sqlite::Seat)>;

/// The team `red` sees its notes and those of `green` in one group; `blue` and `green` are in the other one.
struct Device {
    folder: Folder,
    one: Replica<Own>,
    other: Replica<Shared>,
    conn: SqliteConnection,
}

fn teams(teams: &[&str]) -> Teams {
    Teams(teams.iter().map(|team| (*team).to_owned()).collect())
}

fn open_one(server: &Server, folder: &Folder, sees: &[&str], account: &str) -> Replica<Own> {
    let way: InProcess<SyncGroup<(Note,), Teams>, Teams, Conn> =
        InProcess::new(teams(sees), server.connector());
    let replica = Replica::builder().account(account);
    replica.open(folder.file("device"), way).unwrap()
}

fn open_other(server: &Server, folder: &Folder, sees: &[&str], account: &str) -> Replica<Shared> {
    let way: InProcess<SyncGroup<(Note, Seat), Teams>, Teams, Conn> =
        InProcess::new(teams(sees), server.connector());
    let replica = Replica::builder().account(account);
    replica.open(folder.file("device"), way).unwrap()
}

fn sync<G>(replica: &Replica<G>) -> Synced {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(replica.sync()).unwrap()
}

impl Device {
    fn new(server: &Server) -> Self {
        let folder = Folder::new();
        let path = folder.file("device").to_str().unwrap().to_owned();
        let mut conn = SqliteConnection::establish(&path).unwrap();
        run(&mut conn, super::super::models::NOTES);
        let one = open_one(server, &folder, &["red", "green"], "");
        sync(&one);
        let other = open_other(server, &folder, &["blue", "green"], "");
        sync(&other);
        let conn = one.connection().unwrap();
        Device {
            folder,
            one,
            other,
            conn,
        }
    }

    fn notes(&mut self) -> Vec<Row> {
        notes_in(&mut self.conn)
    }

    fn ids(&mut self) -> String {
        self.notes().into_iter().map(|note| note.0).collect()
    }
}

fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('r', 'one', 'red'), ('g', 'one', 'green'), ('b', 'one', 'blue'), ('y', 'one', 'yellow')",
    );
    server
}

#[test]
fn a_file_has_the_rows_of_both_groups() {
    let server = served();
    let mut device = Device::new(&server);
    assert_eq!(device.ids(), "bgr");
}

#[test]
fn a_row_that_leaves_one_group_stays_for_the_other() {
    let server = served();
    let mut device = Device::new(&server);
    server.run("update notes set team = 'red', title = 'two' where id = 'g'");
    sync(&device.other);
    assert_eq!(device.ids(), "bgr");
    sync(&device.one);
    assert_eq!(device.notes()[1], note("g", "two"));
    server.run("update notes set team = 'yellow' where id = 'g'");
    sync(&device.other);
    assert_eq!(device.ids(), "bgr");
    sync(&device.one);
    assert_eq!(device.ids(), "br");
}

#[test]
fn a_row_that_leaves_both_groups_goes_with_the_last_one() {
    for statement in [
        "update notes set team = 'yellow' where id = 'g'",
        "delete from notes where id = 'g'",
    ] {
        let server = served();
        let mut device = Device::new(&server);
        server.run(statement);
        sync(&device.one);
        assert_eq!(device.ids(), "bgr");
        sync(&device.other);
        assert_eq!(device.ids(), "br");
    }
}

#[test]
fn a_scope_that_changes_takes_only_what_the_other_group_does_not_show() {
    let server = served();
    let mut device = Device::new(&server);
    device.one = open_one(&server, &device.folder, &["yellow"], "");
    sync(&device.one);
    assert_eq!(device.ids(), "bgy");
    device.other = open_other(&server, &device.folder, &["blue"], "");
    sync(&device.other);
    assert_eq!(device.ids(), "by");
    device.one = open_one(&server, &device.folder, &["red", "green"], "");
    sync(&device.one);
    assert_eq!(device.ids(), "bgr");
}

#[test]
fn a_reset_of_one_group_keeps_what_the_other_one_shows() {
    let server = served();
    let mut device = Device::new(&server);
    server.run("delete from notes where id = 'r'");
    device.one = open_one(&server, &device.folder, &["red"], "ann");
    sync(&device.one);
    assert_eq!(device.ids(), "bg");
    device.other = open_other(&server, &device.folder, &["blue"], "ann");
    sync(&device.other);
    assert_eq!(device.ids(), "b");
}

#[test]
fn an_edit_goes_once_with_the_first_group() {
    let server = served();
    let mut device = Device::new(&server);
    run(
        &mut device.conn,
        "update notes set title = 'mine' where id = 'g'; insert into notes (id, title, team) values ('h', 'new', 'green')",
    );
    assert_eq!(
        (
            device.one.pending().unwrap(),
            device.other.pending().unwrap()
        ),
        (2, 0)
    );
    assert_eq!(sync(&device.other).sent, 0);
    assert_eq!(server.notes().len(), 4);
    assert_eq!(sync(&device.one).sent, 2);
    assert_eq!(sync(&device.other).sent, 0);
    assert_eq!(server.notes().len(), 5);
    assert_eq!(device.ids(), "bghr");
    assert_eq!(device.notes()[1].1, "mine");
}

#[test]
fn a_refused_edit_of_what_only_the_other_group_shows_is_taken_back() {
    let server = served();
    let mut device = Device::new(&server);
    run(
        &mut device.conn,
        "update notes set title = 'mine' where id = 'b'",
    );
    assert_eq!(sync(&device.one).rejected, 1);
    sync(&device.other);
    assert_eq!(device.notes()[0].1, "one");
    assert_eq!(device.ids(), "bgr");
    assert_eq!(server.notes()[0].1, "one");
}

#[test]
fn what_one_group_has_uploaded_survives_a_reset_of_the_other() {
    let server = served();
    let mut device = Device::new(&server);
    run(
        &mut device.conn,
        "insert into notes (id, title, team) values ('s', 'new', 'red')",
    );
    sync(&device.one);
    device.other = open_other(&server, &device.folder, &["blue"], "ann");
    sync(&device.other);
    assert_eq!(device.ids(), "bgrs");
}

#[test]
fn pages_of_two_groups_lie_apart() {
    let server = served();
    let mut device = Device::new(&server);
    for number in 0..9 {
        server.run(&format!(
            "insert into notes (id, title, team) values ('n{number}', 'new', 'green')"
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let (one, other) = runtime.block_on(async {
        futures_util::future::join(device.one.sync(), device.other.sync()).await
    });
    let came = (one.unwrap().rows, other.unwrap().rows);
    // On PostgreSQL what was written a moment ago may come again.
    assert!(came.0 >= 9 && came.1 >= 9, "{came:?}");
    assert_eq!(device.notes().len(), 12);
    server.run("delete from notes where team = 'green'");
    sync(&device.one);
    sync(&device.other);
    assert_eq!(device.ids(), "br");
}

#[test]
fn a_group_that_signed_out_holds_no_row_of_the_other_one_back() {
    let server = served();
    let mut device = Device::new(&server);
    run(&mut device.conn, "delete from notes where id = 'g'");
    assert_eq!(device.one.discard_pending().unwrap(), 1);
    device.one.sign_out().unwrap();
    assert_eq!(device.ids(), "b");
    server.run("update notes set title = 'two' where id = 'g'");
    sync(&device.other);
    assert_eq!(device.ids(), "bg");
    server.run("update notes set team = 'yellow' where id = 'g'");
    sync(&device.other);
    assert_eq!(device.ids(), "b");
}

#[test]
fn discarded_edits_are_taken_back_where_only_the_other_group_shows_the_row() {
    let server = served();
    let mut device = Device::new(&server);
    let before = device.notes();
    run(
        &mut device.conn,
        "update notes set title = 'mine'; delete from notes where id = 'g'",
    );
    assert_eq!(device.one.discard_pending().unwrap(), 3);
    sync(&device.one);
    sync(&device.other);
    assert_eq!(device.notes(), before);
    assert_eq!(server.notes().len(), 4);
}

/// What waits for this replica, and for others.
fn waits<G>(replica: &Replica<G>) -> (u64, u64) {
    let mut statuses = Box::pin(replica.status());
    let status = statuses.next().now_or_never().flatten();
    let status = status.expect("there is a status");
    (status.pending, status.elsewhere)
}

fn open_named<G: ReplicaGroup>(folder: &Folder, name: &str, way: impl Transport) -> Replica<G> {
    let replica = Replica::builder().name(name);
    replica.open(folder.file("device"), way).unwrap()
}

#[test]
fn edits_that_wait_for_what_the_group_was_before_it_gained_a_table_are_told() {
    let server = served();
    let device = Device::new(&server);
    let Device {
        folder,
        one,
        other,
        mut conn,
    } = device;
    assert_eq!((waits(&one), waits(&other)), ((0, 0), (0, 0)));
    run(
        &mut conn,
        "update notes set title = 'mine' where id = 'g'; delete from notes where id = 'r'",
    );
    drop((one, other));
    // The program's next version has one group, with one more table.
    let unnamed = open_other(&server, &folder, &["red", "green"], "");
    assert_eq!(waits(&unnamed), (0, 2));
    sync(&unnamed);
    assert_eq!(waits(&unnamed), (0, 2));
    assert_eq!(server.notes()[1].1, "one");
    drop(unnamed);
    let way: InProcess<SyncGroup<(Note, Seat), Teams>, Teams, Conn> =
        InProcess::new(teams(&["red", "green"]), server.connector());
    let named: Replica<Shared> = open_named(&folder, "notes", way);
    assert_eq!(waits(&named), (2, 0));
    assert_eq!(sync(&named).sent, 2);
    assert_eq!(server.notes()[1].1, "mine");
    drop(named);
    let unnamed = open_other(&server, &folder, &["red", "green"], "");
    assert_eq!(waits(&unnamed), (0, 0));
}

#[test]
fn what_was_on_its_way_for_another_group_and_edits_of_a_table_that_the_group_lost_are_told() {
    let folder = Folder::new();
    let lost = super::super::recorder::Recorder::default();
    let path = folder.file("device").to_str().unwrap().to_owned();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    run(&mut conn, super::super::models::NOTES);
    let both: Replica<Shared> = open_named(&folder, "ours", lost.clone());
    let insert = "insert into seats (room, place, guest, kind) values ('a', 1, 'ann', 'chair')";
    run(&mut conn, insert);
    drop(both);
    let less: Replica<Own> = open_named(&folder, "ours", lost.clone());
    assert_eq!(waits(&less), (0, 1));
    drop(less);
    let both: Replica<Shared> = open_named(&folder, "ours", lost.clone());
    assert_eq!(waits(&both), (1, 0));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(both.sync()).unwrap_err();
    assert_eq!(lost.last().len(), 1);
    drop(both);
    let another: Replica<Own> = open_named(&folder, "theirs", lost);
    assert_eq!(waits(&another), (0, 1));
}

/// What a program had once, and has no more, is no less somebody's.
#[test]
fn edits_and_rows_of_a_table_that_the_group_no_longer_has_are_not_the_next_accounts() {
    type Both = SyncGroup<(sqlite::Note, sqlite::Seat)>;
    fn open<G: ReplicaGroup>(
        server: &Server,
        folder: &Folder,
        account: &str,
    ) -> Result<Replica<G>, ReplicaError> {
        let way: InProcess<SyncGroup<(Note, Seat), Teams>, Teams, Conn> =
            InProcess::new(teams(&["red"]), server.connector());
        let replica = Replica::builder().name("desk").account(account);
        replica.open(folder.file("device"), way)
    }
    type Fewer = SyncGroup<(sqlite::Seat,)>;
    let server = served();
    let folder = Folder::new();
    let path = folder.file("device").to_str().unwrap().to_owned();
    let conn = &mut SqliteConnection::establish(&path).unwrap();
    run(conn, super::super::models::NOTES);
    let anns = open::<Both>(&server, &folder, "ann").unwrap();
    sync(&anns);
    run(
        &mut anns.connection().unwrap(),
        "update notes set title = 'anns' where id = 'r'",
    );
    drop(anns);
    let fewer = open::<Fewer>(&server, &folder, "ann").unwrap();
    let kept = fewer.sign_out();
    assert!(
        matches!(kept, Err(ReplicaError::Pending { changes: 1 })),
        "{kept:?}"
    );
    drop(fewer);
    let bobs = open::<Fewer>(&server, &folder, "bob").map(drop);
    assert!(
        matches!(bobs, Err(ReplicaError::OtherAccount { .. })),
        "{bobs:?}"
    );
    let fewer = open::<Fewer>(&server, &folder, "ann").unwrap();
    assert_eq!(fewer.discard_pending().unwrap(), 1);
    drop(fewer);
    let bobs = open::<Fewer>(&server, &folder, "bob").unwrap();
    assert_eq!(notes_in(conn), []);
    drop(bobs);
    // The table comes back as the server shows it to him.
    let bobs = open::<Both>(&server, &folder, "bob").unwrap();
    assert_eq!(bobs.pending().unwrap(), 0);
    sync(&bobs);
    assert_eq!(notes_in(conn), [note("r", "one")]);
}
