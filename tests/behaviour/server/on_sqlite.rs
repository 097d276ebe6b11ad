//! The suite with a server on SQLite.

pub(super) use diesel::sqlite::Sqlite as DB;
pub(super) use diesel::sqlite::SqliteConnection as Conn;

#[path = "exchange.rs"]
mod exchange;
#[path = "failures.rs"]
mod failures;
#[path = "feeds.rs"]
mod feeds;
#[path = "figures.rs"]
mod figures;
#[path = "hostile.rs"]
mod hostile;
#[path = "layers.rs"]
mod layers;
#[path = "many.rs"]
mod many;
#[path = "openapi.rs"]
mod openapi;
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
use diesel_async::pooled_connection::deadpool;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

pub(super) type Pool = deadpool::Pool<SyncConnectionWrapper<Conn>>;

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

    fn path(&self) -> String {
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
        conn.batch_execute("pragma journal_mode = wal; pragma busy_timeout = 10000")
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

    pub(super) const UNTRACK: &str = "drop table carburetor_clock; drop table carburetor_removal_notes; drop table carburetor_synced_table";
}
