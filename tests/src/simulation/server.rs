//! The server: an SQLite file with tracked tables, whose clock the simulation moves.

use super::models::{TABLES, Web};
use crate::Folder;
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{ConnectionError, ConnectionResult};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the server's time begins: ahead of every real clock, so that only the simulation moves it.
pub(super) const BEGINNING: i64 = 4_000_000_000_000_000;

/// The database that owns the tables.
pub(super) struct Server {
    path: PathBuf,
}

impl Server {
    pub(super) fn start(folder: &Folder) -> Arc<Self> {
        let server = Server {
            path: folder.file("server"),
        };
        let mut conn = server.connect();
        conn.batch_execute(TABLES).expect("the tables are made");
        Web::tracking::<Sqlite>()
            .install(&mut conn)
            .expect("the tables are tracked");
        server.set_time(&mut conn, 0);
        Arc::new(server)
    }

    pub(super) fn connect(&self) -> SqliteConnection {
        self.connector()().expect("the server's file opens")
    }

    pub(super) fn connector(
        &self,
    ) -> impl Fn() -> ConnectionResult<SqliteConnection> + Send + Sync + 'static {
        let path = self.path.to_string_lossy().into_owned();
        move || {
            let mut conn = SqliteConnection::establish(&path)?;
            conn.batch_execute(
                "pragma journal_mode = wal; pragma busy_timeout = 10000; pragma synchronous = off; pragma foreign_keys = on",
            )
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        }
    }

    /// Moves the clock on to this many microseconds after the beginning. It never goes back.
    pub(super) fn set_time(&self, conn: &mut SqliteConnection, micros: i64) {
        let now = BEGINNING + micros;
        conn.batch_execute(&format!(
            "update carburetor_clock set now = max(now, {now})"
        ))
        .expect("the clock moves");
    }
}
