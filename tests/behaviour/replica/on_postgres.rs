//! The suite against a server on PostgreSQL.

pub(super) use super::family::postgres as family_models;
pub(super) use super::models::postgres as models;
pub(super) use diesel::pg::Pg as DB;
pub(super) use diesel::pg::PgConnection as Conn;

#[path = "accounts.rs"]
mod accounts;
#[path = "causes.rs"]
mod causes;
#[path = "end_to_end.rs"]
mod end_to_end;
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
#[path = "moved.rs"]
mod moved;
#[path = "odd_ids.rs"]
mod odd_ids;
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

use super::models::TABLES;
use carburetor::SyncGroup;
use carburetor_tests::{Cluster, Database};
use diesel::connection::Connection;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool;

pub(super) type Pool = deadpool::Pool<AsyncPgConnection>;

/// Takes the tracking away.
pub(super) const UNTRACK: &str = "drop schema carburetor cascade";

/// Keeps a server's notes from being deleted.
pub(super) const KEEPS_NOTES: &str = "create function keeps_notes() returns trigger language plpgsql as $$ begin raise exception 'notes stay'; end $$;
create trigger keeps_notes before delete on notes for each row execute function keeps_notes()";

/// A database with the tracked tables of the suite.
pub(super) struct Server(Database);

impl Server {
    pub(super) fn new() -> Self {
        let database = Cluster::shared().database();
        database.psql(TABLES);
        let server = Server(database);
        SyncGroup::<(models::Note, models::Seat, models::Price, models::Chore)>::tracking::<DB>()
            .install(&mut server.connect())
            .unwrap();
        server
    }

    pub(super) fn connect(&self) -> Conn {
        self.connector()().unwrap()
    }

    pub(super) fn connector(
        &self,
    ) -> impl Fn() -> diesel::ConnectionResult<Conn> + Send + Sync + 'static {
        let url = self.0.url();
        move || Conn::establish(&url)
    }

    pub(super) fn pool(&self) -> Pool {
        Pool::builder(AsyncDieselConnectionManager::new(self.0.url()))
            .build()
            .unwrap()
    }

    /// Where no database is.
    pub(super) fn nowhere() -> Pool {
        let url = "postgres://nobody@127.0.0.1:1/nowhere";
        Pool::builder(AsyncDieselConnectionManager::new(url))
            .build()
            .unwrap()
    }
}
