//! The suite on SQLite.

pub(super) use super::cards::sqlite as cards;
pub(super) use super::folders::sqlite as folders;
pub(super) use super::goods::sqlite as goods;
pub(super) use super::models::sqlite as models;
pub(super) use super::projects::sqlite as projects;
pub(super) use super::rooms::sqlite as rooms;
pub(super) use super::tags::sqlite as tags;
pub(super) use diesel::sqlite::Sqlite as DB;
pub(super) use diesel::sqlite::SqliteConnection as Conn;

#[path = "agreement.rs"]
mod agreement;
#[path = "asynchronous.rs"]
mod asynchronous;
#[path = "cascades.rs"]
mod cascades;
#[path = "confirmations.rs"]
mod confirmations;
#[path = "constraints.rs"]
mod constraints;
#[path = "contents.rs"]
mod contents;
#[path = "copies.rs"]
mod copies;
#[path = "damaged.rs"]
mod damaged;
#[path = "existence.rs"]
mod existence;
#[path = "kept.rs"]
mod kept;
#[path = "meetings.rs"]
mod meetings;
#[path = "mixture.rs"]
mod mixture;
#[path = "outboxes.rs"]
mod outboxes;
#[path = "outcomes.rs"]
mod outcomes;
#[path = "peers.rs"]
mod peers;
#[path = "properties.rs"]
mod properties;
#[path = "references.rs"]
mod references;
#[path = "refusals.rs"]
mod refusals;
#[path = "remade.rs"]
mod remade;
#[path = "repeats.rs"]
mod repeats;
#[path = "revivals.rs"]
mod revivals;
#[path = "rules.rs"]
mod rules;
#[path = "scopes.rs"]
mod scopes;
#[path = "series.rs"]
mod series;
#[path = "sqlite_clauses.rs"]
mod sqlite_clauses;
#[path = "strategies.rs"]
mod strategies;
#[path = "swaps.rs"]
mod swaps;
#[path = "times.rs"]
mod times;
#[path = "trees.rs"]
mod trees;
#[path = "unreadable.rs"]
mod unreadable;

use super::models::TABLES;
use carburetor::SyncGroup;

/// How many histories the properties try.
pub(super) const CASES: u32 = 64;

/// What is refused costs no statement of its own.
pub(super) const FEW_STATEMENTS: bool = false;

/// What the names of the tracking's tables begin with.
pub(super) const CARBURETOR: &str = "carburetor_";

/// An hour before a stored instant.
pub(super) const HOUR_BEFORE: &str = "at - 3600000000";

/// The query of the names of a table's columns, as `line`.
pub(super) fn columns_of(table: &str) -> String {
    format!("select name as line from pragma_table_info('{table}')")
}

/// Every table of the suite.
pub(super) type Everything = SyncGroup<(
    models::FieldsRow,
    models::LaterRow,
    models::ServerRow,
    models::ClientRow,
    models::CustomRow,
    models::Task,
    models::Person,
    models::Note,
)>;

use diesel::connection::{Connection, SimpleConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const SETTINGS: &str =
    "pragma foreign_keys = on; pragma busy_timeout = 10000; pragma synchronous = off";

pub(super) type AsyncConn = SyncConnectionWrapper<Conn>;

/// A file with the tracked tables of the suite; it goes when it is dropped.
pub(super) struct Server(PathBuf);

impl Server {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("carburetor-upload-{}-{number}", std::process::id());
        let server = Server(std::env::temp_dir().join(name));
        let mut conn = server.connect();
        conn.batch_execute(TABLES).unwrap();
        Everything::tracking::<DB>().install(&mut conn).unwrap();
        server
    }

    pub(super) fn connect(&self) -> Conn {
        let mut conn = Conn::establish(self.0.to_str().unwrap()).unwrap();
        conn.batch_execute(SETTINGS).unwrap();
        conn
    }

    pub(super) async fn connect_async(&self) -> AsyncConn {
        let mut conn = AsyncConn::establish(self.0.to_str().unwrap())
            .await
            .unwrap();
        conn.batch_execute(SETTINGS).await.unwrap();
        conn
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What the system's folder for temporary files keeps, it cleans up itself.
        let _ = std::fs::remove_file(&self.0);
    }
}
