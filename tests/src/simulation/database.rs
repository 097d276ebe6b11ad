//! The server's database: an SQLite file, or a database of a PostgreSQL cluster of the simulation's own.

use super::models::{Member, TABLES, Table, postgres, sqlite};
use super::rows::{Line, query};
use super::statement::Dialect;
use super::triggers;
use super::troubles::{Trouble, Troubles};
use crate::{Cluster, Folder};
use bytes::Bytes;
use carburetor::replica::{InProcess, Transport, TransportError};
use carburetor::tracking;
use diesel::connection::{Connection, SimpleConnection};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{ConnectionError, ConnectionResult, QueryableByName};
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// What the server runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// An SQLite file.
    Sqlite,
    /// A cluster of the simulation's own.
    Postgres,
}

/// A database with the tracked tables, and the connection of whoever looks after it.
pub(super) enum Database {
    Sqlite {
        path: PathBuf,
        conn: SqliteConnection,
    },
    Postgres {
        url: String,
        conn: PgConnection,
    },
}

/// Where SQLite's time begins: ahead of every real clock, so that only the simulation moves it.
const BEGINNING: i64 = 4_000_000_000_000_000;

/// Rows of which nobody could write before their day.
const AHEAD: &str = r#"
insert into lists (id, team, title, at) values ('0', 'red', 'ahead', '2200-01-01 00:00:00.000000+00:00');
insert into tasks (id, team, list, title, points, at) values ('0', 'red', '0', 'ahead', 1, '2200-01-01 00:00:00.000000+00:00');
insert into pads (id, team, "left", "right", at) values ('0', 'blue', 'ahead', 'ahead', '2200-01-01 00:00:00.000000+00:00');
"#;

impl Database {
    pub(super) fn new(backend: Backend, folder: &Folder, troubles: &Troubles) -> Self {
        let mut database = match backend {
            Backend::Sqlite => {
                let path = folder.file("server");
                let conn = sqlite_connector(&path)().expect("the server's file opens");
                Database::Sqlite { path, conn }
            }
            Backend::Postgres => {
                let url = Cluster::shared().database().url();
                let conn = PgConnection::establish(&url).expect("the server is reached");
                Database::Postgres { url, conn }
            }
        };
        database.execute(TABLES).expect("the tables are made");
        database.install();
        if troubles.has(Trouble::Future) {
            database.begin_ahead();
        }
        if troubles.has(Trouble::Triggers) {
            let triggers = match backend {
                Backend::Sqlite => triggers::SQLITE,
                Backend::Postgres => triggers::POSTGRES,
            };
            database.execute(triggers).expect("the triggers are made");
        }
        database
    }

    fn install(&mut self) {
        match self {
            Database::Sqlite { conn, .. } => sqlite::Served::tracking::<Sqlite>().install(conn),
            Database::Postgres { conn, .. } => postgres::Served::tracking::<Pg>().install(conn),
        }
        .expect("the tables are tracked");
    }

    /// The tables have rows of a time far ahead when they are tracked.
    fn begin_ahead(&mut self) {
        let down = match self {
            Database::Sqlite { conn, .. } => sqlite::Served::tracking::<Sqlite>().down_sql(conn),
            Database::Postgres { .. } => Ok(postgres::Served::tracking::<Pg>().down_sql()),
        };
        self.execute(&down.expect("what is tracked is known"))
            .expect("the tables are tracked no more");
        self.execute(AHEAD).expect("the rows are written");
        self.install();
    }

    /// A copy of it as it is.
    pub(super) fn copy(&mut self) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        match self {
            Database::Sqlite { path, conn } => {
                let path = path.with_file_name(format!("copy-{number}"));
                let copy = format!("vacuum into '{}'", path.display());
                conn.batch_execute(&copy).expect("the copy is made");
                let conn = sqlite_connector(&path)().expect("the copy opens");
                Database::Sqlite { path, conn }
            }
            Database::Postgres { url, conn } => {
                let (server, name) = url.rsplit_once('/').expect("a URL names a database");
                let connect = |name: &str| PgConnection::establish(&format!("{server}/{name}"));
                // Nobody may be connected to it.
                *conn = connect("postgres").expect("the server is reached");
                let copy = format!("{name}_copy_{number}");
                let sql = format!("create database \"{copy}\" template \"{name}\"");
                conn.batch_execute(&sql).expect("the copy is made");
                *conn = connect(name).expect("the server is reached");
                Database::Postgres {
                    conn: connect(&copy).expect("the copy is reached"),
                    url: format!("{server}/{copy}"),
                }
            }
        }
    }

    /// Gives it another origin, as whoever restores a copy does.
    pub(super) fn renew(&mut self) {
        match self {
            Database::Sqlite { conn, .. } => tracking::new_origin(conn),
            Database::Postgres { conn, .. } => tracking::new_origin(conn),
        }
        .expect("the origin is another one");
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Database::Sqlite { .. } => Dialect::Sqlite,
            Database::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// Runs statements in a transaction.
    pub(super) fn execute(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Database::Sqlite { conn, .. } => conn.transaction(|conn| conn.batch_execute(sql)),
            Database::Postgres { conn, .. } => conn.transaction(|conn| conn.batch_execute(sql)),
        }
    }

    pub(super) fn load<T>(&mut self, sql: String) -> Vec<T>
    where
        T: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
    {
        let found = match self {
            Database::Sqlite { conn, .. } => diesel::sql_query(sql).load(conn),
            Database::Postgres { conn, .. } => diesel::sql_query(sql).load(conn),
        };
        found.expect("the server is read")
    }

    /// The rows of a table.
    pub(super) fn lines(&mut self, table: &Table) -> Vec<Line> {
        let object = match self {
            Database::Sqlite { .. } => "json_object",
            Database::Postgres { .. } => "json_build_object",
        };
        self.load(query(table, object, "carburetor_registers"))
    }

    /// The name of the table of deletions.
    pub(super) fn deletions(&self, table: &Table) -> String {
        match self {
            Database::Sqlite { .. } => format!("carburetor_register_{}", table.name),
            Database::Postgres { .. } => format!("carburetor.register_{}", table.name),
        }
    }

    /// Moves the clock on to this many microseconds after the beginning; it never goes back. PostgreSQL's own goes on by itself.
    pub(super) fn set_time(&mut self, micros: i64) {
        if let Database::Sqlite { .. } = self {
            let now = BEGINNING + micros;
            let sql = format!("update carburetor_clock set now = max(now, {now})");
            self.execute(&sql).expect("the clock moves");
        }
    }

    /// The query for what the clock shows, in microseconds since 1970.
    pub(super) fn now(&self) -> &'static str {
        match self {
            Database::Sqlite { .. } => "select now as number from carburetor_clock",
            Database::Postgres { .. } => {
                "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as number"
            }
        }
    }

    /// Another connection on PostgreSQL, where writers need not wait for each other.
    pub(super) fn another(&self) -> Option<PgConnection> {
        match self {
            Database::Sqlite { .. } => None,
            Database::Postgres { url, .. } => {
                Some(PgConnection::establish(url).expect("the server is reached"))
            }
        }
    }

    /// What `member` sees of it.
    pub(super) fn way(&self, member: Member) -> Way {
        match self {
            Database::Sqlite { path, .. } => {
                Way::Sqlite(InProcess::new(member, sqlite_connector(path)))
            }
            Database::Postgres { url, .. } => {
                let url = url.clone();
                Way::Postgres(InProcess::new(member, move || {
                    PgConnection::establish(&url)
                }))
            }
        }
    }
}

pub(super) fn sqlite_connector(
    path: &Path,
) -> impl Fn() -> ConnectionResult<SqliteConnection> + Send + Sync + 'static {
    let path = path.to_string_lossy().into_owned();
    move || {
        let mut conn = SqliteConnection::establish(&path)?;
        conn.batch_execute(
            "pragma journal_mode = wal; pragma busy_timeout = 10000; pragma synchronous = off; pragma foreign_keys = on",
        )
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
}

/// A way to the server, whatever it runs on.
pub(super) enum Way {
    Sqlite(InProcess<sqlite::Served, Member, SqliteConnection>),
    Postgres(InProcess<postgres::Served, Member, PgConnection>),
}

impl Way {
    /// All pages at once: the server doesn't change while they are on their way.
    pub(super) async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Result<Bytes, TransportError>>, TransportError> {
        Ok(match self {
            Way::Sqlite(way) => way.download(since, limit).await?.collect().await,
            Way::Postgres(way) => way.download(since, limit).await?.collect().await,
        })
    }

    pub(super) async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        match self {
            Way::Sqlite(way) => way.upload(changes).await,
            Way::Postgres(way) => way.upload(changes).await,
        }
    }
}
