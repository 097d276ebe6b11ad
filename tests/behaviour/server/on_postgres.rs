//! The suite with a server on PostgreSQL.

pub(super) use diesel::pg::Pg as DB;
pub(super) use diesel::pg::PgConnection as Conn;

#[path = "answers.rs"]
mod answers;
#[path = "cancellation.rs"]
mod cancellation;
#[path = "postgres_columns.rs"]
mod columns;
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
#[path = "postgres_grants.rs"]
mod grants;
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
#[path = "streams.rs"]
mod streams;
#[path = "tenants.rs"]
mod tenants;
#[path = "postgres_waits.rs"]
mod waits;
#[path = "watchers.rs"]
mod watchers;
#[path = "world.rs"]
mod world;

pub(super) mod models {
    super::super::program::note!(Timestamptz, postgres);
}

use super::program::TABLES;
use carburetor::SyncGroup;
use carburetor_tests::{Cluster, Database};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool;
use std::time::{Duration, Instant};

/// The table of the database's clock.
pub(super) const CLOCK: &str = "carburetor.clock";

pub(super) type AsyncConn = AsyncPgConnection;

/// Whether a statement of the program's own can be dropped on a runtime of one thread.
pub(super) const DROPS_ON_ONE_THREAD: bool = true;

pub(super) type Pool = deadpool::Pool<AsyncConn>;

/// The group whose figures are looked at.
pub(super) const NAME: &str = "measured_on_postgres";

/// A database with the tracked table of the suite.
pub(super) struct Server(Database);

impl Server {
    pub(super) fn new() -> Self {
        Self::on(Cluster::shared())
    }

    pub(super) fn on(cluster: &Cluster) -> Self {
        let database = cluster.database();
        database.psql(TABLES);
        SyncGroup::<(models::Note,)>::tracking::<DB>()
            .install(&mut database.connect())
            .unwrap();
        Server(database)
    }

    /// Both statements, the first one of a transaction that is committed after the second one has been: there they overlap.
    pub(super) fn overlap(&self, late: &str, early: &str, meanwhile: impl FnOnce()) {
        let mut open = self.connect();
        open.batch_execute(&format!("begin; {late}")).unwrap();
        self.connect().batch_execute(early).unwrap();
        meanwhile();
        // A cutoff after the commit is above its stamps by now.
        std::thread::sleep(std::time::Duration::from_millis(400));
        open.batch_execute("commit").unwrap();
    }

    pub(super) fn connect(&self) -> Conn {
        self.0.connect()
    }

    pub(super) fn url(&self) -> String {
        self.0.url()
    }

    /// How many notes have this id.
    pub(super) fn count(&self, id: &str) -> i64 {
        let of_id = models::notes::table.find(id.to_owned());
        of_id.count().get_result(&mut self.connect()).unwrap()
    }

    /// Waits until no transaction is open and no lock is held; what is, if that takes too long.
    pub(super) fn is_quiet(&self, patience: Duration) -> Option<String> {
        let open = "(select string_agg(concat_ws(' ', pid, state, query), '; ') from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and (state <> 'idle' or xact_start is not null or pid in (select pid from pg_locks)))";
        let (conn, begun) = (&mut self.connect(), Instant::now());
        loop {
            let left: Option<String> = diesel::select(sql::<Nullable<Text>>(open))
                .get_result(conn)
                .unwrap();
            if left.is_none() || begun.elapsed() > patience {
                return left;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn pool(&self, size: usize) -> Pool {
        self.pool_as("postgres", size)
    }

    pub(super) fn pool_as(&self, role: &str, size: usize) -> Pool {
        let manager = AsyncDieselConnectionManager::new(self.0.url_as(role));
        Pool::builder(manager).max_size(size).build().unwrap()
    }

    /// Where no database is.
    pub(super) fn nowhere() -> Pool {
        let url = "postgres://hidden-user:hidden-word@127.0.0.1:1/hidden-place";
        Pool::builder(AsyncDieselConnectionManager::new(url))
            .build()
            .unwrap()
    }

    /// Lets nobody write.
    pub(super) const HOLD: &str = "begin; lock table notes in share row exclusive mode";

    pub(super) const UNTRACK: &str = "drop schema carburetor cascade";
}
