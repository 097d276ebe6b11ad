//! The file of a replica that serves other devices: a server, a hub, and two devices that only know the hub.

use super::super::device::{Folder, Group, run};
use super::super::recorder::Recorder;
use super::models::notes;
use super::world::{Row, Served, Teams, note, notes_in};
use super::{Conn, Server};
use carburetor::Everyone;
use carburetor::replica::{InProcess, Replica, Transport};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

pub(super) fn block_on<T>(task: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(task)
}

pub(super) struct Member {
    pub(super) folder: Folder,
    pub(super) replica: Replica<Group>,
    pub(super) conn: SqliteConnection,
}

impl Member {
    fn new(folder: Folder, replica: Replica<Group>) -> Self {
        let conn = replica.connection().unwrap();
        Member {
            folder,
            replica,
            conn,
        }
    }

    /// The replica of `server`, whose file is tracked as a server's.
    pub(super) fn hub(server: &Server) -> Self {
        Self::hub_over(|| {
            InProcess::<Served, Teams, Conn>::new(Teams(vec!["red".into()]), server.connector())
        })
    }

    /// A hub that reaches what is above it in this way.
    pub(super) fn hub_over<X: Transport>(way: impl Fn() -> X) -> Self {
        let folder = Folder::new();
        // The replica makes the tables, and finds out that they are tracked when it is opened again.
        let mut conn = folder.open(way()).unwrap().connection().unwrap();
        Group::tracking::<Sqlite>().install(&mut conn).unwrap();
        let replica = folder.open(way()).unwrap();
        let mut hub = Member::new(folder, replica);
        hub.sync();
        hub
    }

    /// The way to this hub.
    pub(super) fn way(&self) -> InProcess<Group, Everyone, SqliteConnection> {
        let path = self.folder.file("device").to_str().unwrap().to_owned();
        InProcess::new(Everyone, move || {
            let mut conn = SqliteConnection::establish(&path)?;
            run(&mut conn, "pragma busy_timeout = 10000");
            Ok(conn)
        })
    }

    /// A device that knows only this hub.
    pub(super) fn device(&self) -> Member {
        let folder = Folder::new();
        let replica = folder.open(self.way()).unwrap();
        let mut device = Member::new(folder, replica);
        device.sync();
        device
    }

    #[track_caller]
    pub(super) fn sync(&mut self) {
        let synced = block_on(self.replica.sync()).unwrap();
        assert_eq!(synced.rejected, 0);
    }

    pub(super) fn pending(&self) -> u64 {
        self.replica.pending().unwrap()
    }

    pub(super) fn run(&mut self, statements: &str) {
        run(&mut self.conn, statements);
    }

    pub(super) fn notes(&mut self) -> Vec<Row> {
        notes_in(&mut self.conn)
    }
}

pub(super) fn served() -> Server {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red'), ('x', 'else', 'blue')",
    );
    server
}

#[test]
fn a_hub_serves_what_its_scope_shows() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
    server.run("update notes set title = 'uno' where id = 'a'; delete from notes where id = 'b'");
    hub.sync();
    device.sync();
    assert_eq!(device.notes(), [note("a", "uno")]);
}

#[test]
fn devices_of_a_hub_meet_without_the_server_and_with_it_later() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut devices = [hub.device(), hub.device()];
    devices[0].run(
        "update notes set title = 'uno' where id = 'a'; insert into notes (id, title, team) values ('c', 'tre', 'red')",
    );
    devices[1].run("update notes set body = 'x' where id = 'a'; delete from notes where id = 'b'");
    for device in [0, 1, 0] {
        devices[device].sync();
    }
    let met = [
        ("a".into(), "uno".into(), Some("x".into()), "red".into()),
        note("c", "tre"),
    ];
    assert_eq!(devices[0].notes(), met);
    assert_eq!(devices[1].notes(), met);
    assert_eq!(
        server.notes()[0],
        note("a", "one"),
        "nobody has told the server"
    );
    hub.sync();
    let mut seen = server.notes();
    seen.retain(|note| note.3 == "red");
    assert_eq!(seen, met);
    assert_eq!(hub.pending(), 0);
}

#[test]
fn an_edit_at_a_hub_is_based_on_the_servers_stamp() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    let recorder = Recorder::default();
    for round in 0..2 {
        let stamp: DateTime<Utc> = notes::table
            .find("a")
            .select(notes::at)
            .first(&mut server.connect())
            .unwrap();
        device.run(&format!(
            "update notes set title = 'edit {round}' where id = 'a'"
        ));
        device.sync();
        // It is asked for what it would send.
        let asked = hub.folder.open(recorder.clone()).unwrap();
        block_on(asked.sync()).unwrap_err();
        assert_eq!(recorder.last()[0].base, Some(stamp), "round {round}");
        hub.sync();
        device.sync();
    }
}

#[test]
fn a_row_that_a_hubs_table_refuses_keeps_nothing_from_its_devices() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    hub.run(
        "create trigger program_update before update on notes when new.title = 'bad' begin select raise(abort, 'no bad title'); end",
    );
    let stamp: DateTime<Utc> = notes::table
        .find("a")
        .select(notes::at)
        .first(&mut server.connect())
        .unwrap();
    server.run("update notes set title = 'bad' where id = 'a'; update notes set title = 'due' where id = 'b'");
    hub.sync();
    device.sync();
    assert_eq!(hub.replica.unreadable().unwrap().len(), 1);
    assert_eq!(device.notes(), [note("a", "one"), note("b", "due")]);
    // Who edits what the hub shows has not seen what it refuses.
    device.run("update notes set body = 'x' where id = 'a'");
    device.sync();
    let recorder = Recorder::default();
    let asked = hub.folder.open(recorder.clone()).unwrap();
    block_on(asked.sync()).unwrap_err();
    assert_eq!(recorder.last()[0].base, Some(stamp));
    drop(asked);
    server.run("update notes set title = 'uno' where id = 'a'");
    hub.sync();
    device.sync();
    assert!(hub.replica.unreadable().unwrap().is_empty());
    let uno = ("a".into(), "uno".into(), Some("x".into()), "red".into());
    assert_eq!(device.notes(), [uno.clone(), note("b", "due")]);
    assert_eq!(server.notes()[0], uno);
}

#[test]
fn a_row_of_a_hub_that_has_no_name_for_its_devices_is_told_until_it_has_gone() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    hub.run("update notes set id = cast(x'ff41' as text) where id = 'a'");
    device.sync();
    let told = device.replica.unreadable().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].id, None);
    // It goes back to the id that the server knows.
    block_on(hub.replica.sync()).unwrap();
    device.sync();
    device.sync();
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
    assert_eq!(device.replica.unreadable().unwrap(), []);
}

#[test]
fn random_histories_through_a_hub_converge() {
    for seed in 0..5 {
        let mut random = fastrand::Rng::with_seed(seed);
        let server = served();
        let mut hub = Member::hub(&server);
        let mut devices = [hub.device(), hub.device()];
        for step in 0..60 {
            let id = ["a", "b", "c", "d"][random.usize(..4)];
            let statement = match random.usize(..4) {
                0 => format!(
                    "insert into notes (id, title, team) values ('{id}', 'in {step}', 'red') on conflict do nothing"
                ),
                1 => format!("update notes set title = 't{step}' where id = '{id}'"),
                2 => format!("update notes set body = 'b{step}' where id = '{id}'"),
                _ => format!("delete from notes where id = '{id}'"),
            };
            match random.usize(..8) {
                0 => server.run(&statement),
                1 => hub.run(&statement),
                2 | 3 => devices[0].run(&statement),
                4 => devices[1].run(&statement),
                5 => hub.sync(),
                place => devices[place - 6].sync(),
            }
        }
        for _ in 0..2 {
            for device in &mut devices {
                device.sync();
            }
            hub.sync();
        }
        let mut seen = server.notes();
        seen.retain(|note| note.3 == "red");
        println!("seed {seed}");
        assert_eq!(hub.notes(), seen);
        for device in &mut devices {
            device.sync();
            assert_eq!(device.notes(), seen);
            assert_eq!(device.pending(), 0);
        }
    }
}
