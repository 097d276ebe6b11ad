//! The suite on SQLite.

pub(super) use super::models::sqlite as tables;
pub(super) use diesel::sqlite::Sqlite as DB;
pub(super) use diesel::sqlite::SqliteConnection as Conn;

#[path = "asynchronous.rs"]
mod asynchronous;
#[path = "circumstances.rs"]
mod circumstances;
#[path = "classes.rs"]
mod classes;
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

use super::{Everything, Game, models};
use diesel::connection::{Connection, SimpleConnection};
use diesel_async::AsyncConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
pub(super) use follower::Follower;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) type AsyncConn = SyncConnectionWrapper<Conn>;

/// A file with the tracked tables of the suite; it goes when it is dropped.
pub(super) struct Server(PathBuf);

impl Server {
    fn number() -> u32 {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        NUMBER.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn new() -> Self {
        let name = format!(
            "carburetor-download-{}-{}",
            std::process::id(),
            Self::number()
        );
        let server = Server(std::env::temp_dir().join(name));
        let mut conn = server.connect();
        conn.batch_execute(&models::tables(
            "text not null default '1970-01-01 00:00:00.000000+00:00'",
            "text not null default '1970-01-01 00:00:00.000000'",
            "text",
        ))
        .unwrap();
        Everything::tracking::<DB>().install(&mut conn).unwrap();
        server
    }

    /// The file as it is, under another name.
    pub(super) fn copy(&self) -> Self {
        let copy = Server(self.0.with_extension(format!("copy-{}", Self::number())));
        std::fs::copy(&self.0, &copy.0).unwrap();
        copy
    }

    pub(super) fn url(&self) -> String {
        self.0.to_str().unwrap().to_owned()
    }

    pub(super) fn connect(&self) -> Conn {
        Conn::establish(&self.url()).unwrap()
    }

    pub(super) async fn connect_async(&self) -> AsyncConn {
        AsyncConn::establish(&self.url()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What the system's folder for temporary files keeps, it cleans up itself.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// When the only removal of a game happened, in microseconds.
pub(super) const REMOVED_AT: &str = "(select carburetor_removed_at from carburetor_removal_games)";

/// A stamp that is no instant.
pub(super) const ENDLESS: &str = "'never'";

/// Makes `games` a table that is not tracked.
pub(super) const FORGET_GAMES: &str = "delete from carburetor_synced_table where name = 'games'";

/// Writes `table` without stamps, whatever becomes of those it has.
pub(super) fn by_hand(conn: &mut Conn, _table: &str, statement: &str) {
    let written = carburetor::untracked(conn, |conn| conn.batch_execute(statement));
    written.unwrap_or_else(|error| panic!("{error} in:\n{statement}"));
}

/// Moves the horizon of `games` to now.
pub(super) fn pass_horizon(conn: &mut Conn) {
    carburetor::SyncGroup::<(Game,)>::tracking::<DB>()
        .purge(conn, std::time::Duration::ZERO)
        .unwrap();
}

/// Whether the database says that a transaction has not written.
pub(super) const JUDGES_TRANSACTIONS: bool = false;

/// Makes `words`, a table with a text column that ignores case.
pub(super) const WORDS: &str = "create table words (id integer primary key, kind text collate nocase not null, at text not null default '1970-01-01 00:00:00.000000')";

/// What makes an installation one of a version that had no origins.
pub(super) const WITHOUT_ORIGINS: &str = "drop trigger carburetor_pause; drop table carburetor_pause; alter table carburetor_clock drop column origin";

/// A copy of the file, which has been told that it is one.
pub(super) fn copied(server: &Server) -> Server {
    let copy = server.copy();
    carburetor::tracking::new_origin(&mut copy.connect()).unwrap();
    copy
}
