//! The suite against a server on SQLite.

pub(super) use super::family::sqlite as family_models;
pub(super) use super::models::sqlite as models;
pub(super) use diesel::sqlite::Sqlite as DB;
pub(super) use diesel::sqlite::SqliteConnection as Conn;

#[path = "accounts.rs"]
mod accounts;
#[path = "causes.rs"]
mod causes;
#[path = "end_to_end.rs"]
mod end_to_end;
#[path = "full_disk.rs"]
mod full_disk;
#[path = "held.rs"]
mod held;
#[path = "hub.rs"]
mod hub;
#[path = "late.rs"]
mod late;
#[path = "live.rs"]
mod live;
#[path = "lost.rs"]
mod lost;
#[path = "many_keys.rs"]
mod many_keys;
#[path = "moved.rs"]
mod moved;
#[path = "obstacles.rs"]
mod obstacles;
#[path = "odd_ids.rs"]
mod odd_ids;
#[path = "over_http.rs"]
mod over_http;
#[path = "plans.rs"]
mod plans;
#[path = "portions.rs"]
mod portions;
#[path = "relay.rs"]
mod relay;
#[path = "retried.rs"]
mod retried;
#[path = "settling.rs"]
mod settling;
#[path = "staging.rs"]
mod staging;
#[path = "strays.rs"]
mod strays;
#[path = "swapped.rs"]
mod swapped;
#[path = "together.rs"]
mod together;
#[path = "two_groups.rs"]
mod two_groups;
#[path = "world.rs"]
mod world;
#[path = "wrong_clock.rs"]
mod wrong_clock;

use super::device::Folder;
use super::models::TABLES;
use carburetor::SyncGroup;
use diesel::connection::{Connection, SimpleConnection};
use diesel_async::pooled_connection::deadpool;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

pub(super) type Pool = deadpool::Pool<SyncConnectionWrapper<Conn>>;

/// Takes the tracking away.
pub(super) const UNTRACK: &str = "drop table carburetor_clock; drop table carburetor_removal_notes; drop table carburetor_synced_table";

/// Keeps a server's notes from being deleted.
pub(super) const KEEPS_NOTES: &str = "create trigger keeps_notes before delete on notes begin select raise(abort, 'notes stay'); end";

/// A file with the tracked tables of the suite.
pub(super) struct Server(Folder);

impl Server {
    pub(super) fn new() -> Self {
        let server = Server(Folder::new());
        let mut conn = server.connect();
        conn.batch_execute(TABLES).unwrap();
        SyncGroup::<(models::Note, models::Seat, models::Price, models::Chore)>::tracking::<DB>()
            .install(&mut conn)
            .unwrap();
        server
    }

    pub(super) fn connect(&self) -> Conn {
        self.connector()().unwrap()
    }

    pub(super) fn path(&self) -> String {
        self.0.file("server").to_str().unwrap().to_owned()
    }

    pub(super) fn connector(
        &self,
    ) -> impl Fn() -> diesel::ConnectionResult<Conn> + Send + Sync + 'static {
        let path = self.path();
        move || {
            let mut conn = Conn::establish(&path)?;
            conn.batch_execute("pragma busy_timeout = 10000; pragma synchronous = off")
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        }
    }

    pub(super) fn pool(&self) -> Pool {
        carburetor::server::sqlite_pool(&self.path()).unwrap()
    }

    /// Where no database is.
    pub(super) fn nowhere() -> Pool {
        carburetor::server::sqlite_pool("/nowhere/nothing.db").unwrap()
    }
}
