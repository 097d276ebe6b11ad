//! The suite on PostgreSQL.

pub(super) use super::models::schema as tables;
pub(super) use diesel::pg::Pg as DB;
pub(super) use diesel::pg::PgConnection as Conn;
pub(super) use diesel_async::AsyncPgConnection as AsyncConn;

#[path = "asynchronous.rs"]
mod asynchronous;
#[path = "circumstances.rs"]
mod circumstances;
#[path = "clock.rs"]
mod clock;
#[path = "equality.rs"]
mod equality;
#[path = "fallbacks.rs"]
mod fallbacks;
#[path = "filters.rs"]
mod filters;
#[path = "follower.rs"]
mod follower;
#[path = "interrupted.rs"]
mod interrupted;
#[path = "json.rs"]
mod json;
#[path = "json_pages.rs"]
mod json_pages;
#[path = "keys.rs"]
mod keys;
#[path = "names.rs"]
mod names;
#[path = "origins.rs"]
mod origins;
#[path = "pages.rs"]
mod pages;
#[path = "removals.rs"]
mod removals;
#[path = "resets.rs"]
mod resets;
#[path = "rows.rs"]
mod rows;
#[path = "scopes.rs"]
mod scopes;
#[path = "set_aside.rs"]
mod set_aside;
#[path = "sizes.rs"]
mod sizes;
#[path = "soft_deletion.rs"]
mod soft_deletion;
#[path = "token.rs"]
mod token;
#[path = "transactions.rs"]
mod transactions;
#[path = "unreadable.rs"]
mod unreadable;

use super::{Everything, models, run};
use carburetor_tests::{Cluster, Database};
pub(super) use follower::Follower;

/// A database with the tracked tables of the suite.
pub(super) struct Server(Database);

impl Server {
    pub(super) fn new() -> Self {
        let database = Cluster::shared().database();
        database.psql(&models::tables(
            "timestamptz not null default now()",
            "timestamp not null default '1970-01-01'",
            "timestamp",
        ));
        let server = Server(database);
        Everything::tracking::<DB>()
            .install(&mut server.connect())
            .unwrap();
        server
    }

    pub(super) fn connect(&self) -> Conn {
        self.0.connect()
    }

    pub(super) fn url(&self) -> String {
        self.0.url()
    }

    pub(super) async fn connect_async(&self) -> AsyncConn {
        self.0.connect_async().await
    }
}

/// When the only removal of a game happened, in microseconds.
pub(super) const REMOVED_AT: &str = "(select (extract(epoch from carburetor_removed_at) * 1000000)::bigint from carburetor.removal_games)";

/// A stamp that is no instant.
pub(super) const ENDLESS: &str = "'infinity'";

/// Makes `games` a table that is not tracked.
pub(super) const FORGET_GAMES: &str = "delete from carburetor.synced_table where name = 'games'";

/// Writes `table` without stamps, whatever becomes of those it has.
pub(super) fn by_hand(conn: &mut Conn, table: &str, statement: &str) {
    run(
        conn,
        &format!(
            r#"begin; alter table {table} disable trigger "~carburetor_stamp"; {statement};
            alter table {table} enable always trigger "~carburetor_stamp"; commit"#
        ),
    );
}

/// Moves the horizon of `games` to now.
pub(super) fn pass_horizon(conn: &mut Conn) {
    run(
        conn,
        "update carburetor.synced_table set horizon = clock_timestamp() where name = 'games'; delete from carburetor.removal_games",
    );
}

/// Whether the database says that a transaction has not written.
pub(super) const JUDGES_TRANSACTIONS: bool = true;

/// Makes `words`, a table with a text column that ignores case.
pub(super) const WORDS: &str = "create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table words (id integer primary key, kind text collate loose not null, at timestamp not null default '1970-01-01')";

/// What makes an installation one of a version that had no origins.
pub(super) const WITHOUT_ORIGINS: &str =
    "alter table carburetor.clock drop column origin, drop column home;
    drop function carburetor.new_origin(), carburetor.adopt_origin(), carburetor.home()";

/// A copy in the same cluster.
pub(super) fn copied(server: &Server) -> Server {
    Server(Cluster::shared().copy(&server.0))
}
