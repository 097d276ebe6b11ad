//! The suite with a server on SQLite.

pub(super) use diesel::sqlite::Sqlite as DB;
pub(super) use diesel::sqlite::SqliteConnection as Conn;

#[path = "answers.rs"]
mod answers;
#[path = "cancellation.rs"]
mod cancellation;
#[path = "sqlite_durability.rs"]
mod durability;
#[path = "exchange.rs"]
mod exchange;
#[path = "failures.rs"]
mod failures;
#[path = "feeds.rs"]
mod feeds;
#[path = "figures.rs"]
mod figures;
#[path = "forms.rs"]
mod forms;
#[path = "hostile.rs"]
mod hostile;
#[path = "layers.rs"]
mod layers;
#[path = "many.rs"]
mod many;
#[path = "openapi.rs"]
mod openapi;
#[path = "sqlite_reads.rs"]
mod reads;
#[path = "refusals.rs"]
mod refusals;
#[path = "revocation.rs"]
mod revocation;
#[path = "serving.rs"]
mod serving;
#[path = "sites.rs"]
mod sites;
#[path = "stalled.rs"]
mod stalled;
#[path = "tenants.rs"]
mod tenants;
#[path = "unreadable.rs"]
mod unreadable;
#[path = "world.rs"]
mod world;

pub(super) mod models {
    super::super::program::note!(TimestamptzSqlite, sqlite);
}

use super::program::TABLES;
use carburetor::SyncGroup;
use carburetor::server::sqlite_pool;
use carburetor_tests::Folder;
use diesel::connection::{Connection, SimpleConnection};
use diesel::prelude::*;
use diesel_async::pooled_connection::deadpool;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use std::time::{Duration, Instant};

/// The table of the database's clock.
pub(super) const CLOCK: &str = "carburetor_clock";

pub(super) type AsyncConn = SyncConnectionWrapper<Conn>;

/// Whether a statement of the program's own can be dropped on a runtime of one thread.
pub(super) const DROPS_ON_ONE_THREAD: bool = false;

pub(super) type Pool = deadpool::Pool<AsyncConn>;

/// The group whose figures are looked at.
pub(super) const NAME: &str = "measured_on_sqlite";

/// A file with the tracked table of the suite.
pub(super) struct Server(Folder);

impl Server {
    pub(super) fn new() -> Self {
        let server = Server(Folder::new());
        let conn = &mut server.connect();
        conn.batch_execute(TABLES).unwrap();
        SyncGroup::<(models::Note,)>::tracking::<DB>()
            .install(conn)
            .unwrap();
        server
    }

    /// How many notes have this id.
    pub(super) fn count(&self, id: &str) -> i64 {
        let of_id = models::notes::table.find(id.to_owned());
        of_id.count().get_result(&mut self.connect()).unwrap()
    }

    /// Waits until somebody else can write; why not, if that takes too long.
    pub(super) fn is_quiet(&self, patience: Duration) -> Option<String> {
        let (mut conn, begun) = (self.connect(), Instant::now());
        conn.batch_execute("pragma busy_timeout = 0").unwrap();
        loop {
            match conn.batch_execute("begin immediate; rollback") {
                Ok(()) => return None,
                Err(error) if begun.elapsed() > patience => return Some(error.to_string()),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    pub(super) fn path(&self) -> String {
        self.0.file("server").to_string_lossy().into_owned()
    }

    /// Both statements, one after the other: there is one writer at a time.
    pub(super) fn overlap(&self, late: &str, early: &str, meanwhile: impl FnOnce()) {
        for statement in [early, late] {
            self.connect().batch_execute(statement).unwrap();
        }
        meanwhile();
    }

    pub(super) fn connect(&self) -> Conn {
        let mut conn = Conn::establish(&self.path()).unwrap();
        conn.batch_execute("pragma busy_timeout = 10000; pragma journal_mode = wal")
            .unwrap();
        conn
    }

    pub(super) fn pool(&self, _size: usize) -> Pool {
        sqlite_pool(&self.path()).unwrap()
    }

    /// Where no database is.
    pub(super) fn nowhere() -> Pool {
        sqlite_pool("/hidden-user/hidden-word/hidden-place.db").unwrap()
    }

    /// Lets nobody write.
    pub(super) const HOLD: &str = "begin immediate";

    pub(super) const UNTRACK: &str = "drop table carburetor_clock; drop table carburetor_removal_notes; drop table carburetor_synced_table";
}
