//! A server and its devices.

use super::super::device::{Folder, Group, run};
use super::super::downloads::{Begun, Downloads};
use super::models::{self, Chore, Note, Price, Seat, notes};
use super::{Conn, DB, Server};
use carburetor::replica::{InProcess, Replica, ReplicaError, Synced};
use carburetor::testing::{Faults, Faulty};
use carburetor::{SyncGroup, SyncScope, Visible};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// Whoever is in these teams sees their notes, and all else.
pub(super) struct Teams(pub(super) Vec<String>);

impl SyncScope<Note, DB> for Teams {
    fn filter(&self) -> Visible<'_, notes::table, DB> {
        Visible::keys(notes::team, self.0.clone())
    }
}

impl SyncScope<Seat, DB> for Teams {
    fn filter(&self) -> Visible<'_, models::seats::table, DB> {
        Visible::all()
    }
}

impl SyncScope<Price, DB> for Teams {
    fn filter(&self) -> Visible<'_, models::prices::table, DB> {
        Visible::all()
    }
}

impl SyncScope<Chore, DB> for Teams {
    fn filter(&self) -> Visible<'_, models::chores::table, DB> {
        Visible::all()
    }
}

pub(super) type Served = SyncGroup<(Note, Seat, Price, Chore), Teams>;

/// Id, title, body and team.
pub(super) type Row = (String, String, Option<String>, String);

impl Server {
    pub(super) fn run(&self, statements: &str) {
        self.connect()
            .batch_execute(statements)
            .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
    }

    pub(super) fn notes(&self) -> Vec<Row> {
        notes::table
            .select((notes::id, notes::title, notes::body, notes::team))
            .order(notes::id)
            .load(&mut self.connect())
            .unwrap()
    }

    pub(super) fn guests(&self) -> Vec<(String, i32, String)> {
        use models::seats::dsl;
        dsl::seats
            .select((dsl::room, dsl::place, dsl::guest))
            .order((dsl::room, dsl::place))
            .load(&mut self.connect())
            .unwrap()
    }

    /// The chores that are not gone.
    pub(super) fn chores(&self) -> Vec<(i32, String)> {
        use models::chores::dsl;
        dsl::chores
            .filter(dsl::gone.eq(false))
            .select((dsl::id, dsl::name))
            .order(dsl::id)
            .load(&mut self.connect())
            .unwrap()
    }

    /// A device that sees the team `red`, with all that the server has.
    pub(super) fn device(&self) -> Device {
        self.device_of(&["red"])
    }

    pub(super) fn device_of(&self, teams: &[&str]) -> Device {
        let (folder, faults, downloads) = (Folder::new(), Faults::default(), Downloads::default());
        let replica = self.open(&folder, &faults, &downloads, teams);
        let conn = replica.connection().unwrap();
        let mut device = Device {
            folder,
            faults,
            downloads,
            replica,
            conn,
        };
        device.sync();
        device
    }

    fn open(
        &self,
        folder: &Folder,
        faults: &Faults,
        downloads: &Downloads,
        teams: &[&str],
    ) -> Replica<Group> {
        let teams = teams.iter().map(|team| (*team).to_owned()).collect();
        let inner: InProcess<Served, Teams, Conn> = InProcess::new(Teams(teams), self.connector());
        let downloads = downloads.clone();
        let way = Faulty::new(Begun { inner, downloads }, faults.clone());
        folder.open(way).unwrap()
    }
}

pub(super) struct Device {
    pub(super) folder: Folder,
    pub(super) faults: Faults,
    pub(super) downloads: Downloads,
    pub(super) replica: Replica<Group>,
    pub(super) conn: SqliteConnection,
}

impl Device {
    pub(super) fn run(&mut self, statements: &str) {
        run(&mut self.conn, statements);
    }

    /// A program runs the statements during the next sync, after the upload: they are unsent when the download comes.
    pub(super) fn between(&self, statements: &'static str) {
        let mut conn = self.replica.connection().unwrap();
        self.downloads.between(move || run(&mut conn, statements));
    }

    #[track_caller]
    pub(super) fn sync(&mut self) -> Synced {
        self.try_sync().unwrap()
    }

    pub(super) fn try_sync(&mut self) -> Result<Synced, ReplicaError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.replica.sync())
    }

    /// A sync that nobody waits for any more, after it has been woken so many times.
    pub(super) fn sync_in_part(&mut self, mut wakes: usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut sync = Box::pin(self.replica.sync());
        runtime.block_on(std::future::poll_fn(|context| {
            if wakes == 0 {
                return std::task::Poll::Ready(());
            }
            wakes -= 1;
            sync.as_mut().poll(context).map(|_| ())
        }));
    }

    /// The program ends, and begins again with what is in the file.
    pub(super) fn restart(&mut self, server: &Server, teams: &[&str]) {
        (self.faults, self.downloads) = (Faults::default(), Downloads::default());
        self.replica = server.open(&self.folder, &self.faults, &self.downloads, teams);
        self.conn = self.replica.connection().unwrap();
    }

    pub(super) fn notes(&mut self) -> Vec<Row> {
        notes_in(&mut self.conn)
    }

    pub(super) fn guests(&mut self) -> Vec<(String, i32, String)> {
        use super::super::models::sqlite::seats::dsl;
        dsl::seats
            .select((dsl::room, dsl::place, dsl::guest))
            .order((dsl::room, dsl::place))
            .load(&mut self.conn)
            .unwrap()
    }

    /// The notes that only the device knows to be pinned.
    pub(super) fn pinned(&mut self) -> Vec<String> {
        use super::super::models::sqlite::notes::dsl;
        dsl::notes
            .filter(dsl::pinned)
            .select(dsl::id)
            .order(dsl::id)
            .load(&mut self.conn)
            .unwrap()
    }

    /// All of them: what is gone has left.
    pub(super) fn chores(&mut self) -> Vec<(i32, String)> {
        use super::super::models::sqlite::chores::dsl;
        dsl::chores
            .select((dsl::id, dsl::name))
            .order(dsl::id)
            .load(&mut self.conn)
            .unwrap()
    }

    pub(super) fn pending(&self) -> u64 {
        self.replica.pending().unwrap()
    }

    /// How many entries the outbox has, sent or not.
    pub(super) fn entries(&mut self) -> i64 {
        diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
            "(select count(*) from carburetor_outbox_notes) + (select count(*) from carburetor_outbox_seats) + (select count(*) from carburetor_outbox_chores)",
        ))
        .first(&mut self.conn)
        .unwrap()
    }
}

/// A note of the team `red` without a body.
pub(super) fn note(id: &str, title: &str) -> Row {
    (id.into(), title.into(), None, "red".into())
}

/// All notes in the file of a device.
pub(super) fn notes_in(conn: &mut SqliteConnection) -> Vec<Row> {
    use super::super::models::sqlite::notes::dsl;
    dsl::notes
        .select((dsl::id, dsl::title, dsl::body, dsl::team))
        .order(dsl::id)
        .load(conn)
        .unwrap()
}
