use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::{Bool, Text};
use diesel::{Connection, PgConnection, RunQueryDsl};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio_postgres::{Client, NoTls};

/// One database of a server, and the ways to connect to it.
#[derive(Clone, Debug)]
pub struct Database {
    port: u16,
    name: String,
}

impl Database {
    pub(crate) fn on(port: u16, name: String) -> Self {
        Database { port, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port on 127.0.0.1 that it is reached at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL that all clients understand, as user `postgres`.
    pub fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// The URL as another role, which needs no password.
    pub fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{}", self.port, self.name)
    }

    /// A synchronous Diesel connection.
    pub fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url())
            .unwrap_or_else(|error| panic!("{}: {error}", self.url()))
    }

    /// An asynchronous Diesel connection.
    pub async fn connect_async(&self) -> AsyncPgConnection {
        AsyncPgConnection::establish(&self.url())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.url()))
    }

    /// A connection without Diesel; its other half runs as a task of the current runtime.
    pub async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.url()));
        tokio::spawn(connection);
        client
    }

    /// Runs statements on a connection of their own.
    pub fn psql(&self, statements: &str) {
        self.connect()
            .batch_execute(statements)
            .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
    }

    /// The value of an SQL expression of type text.
    pub fn text(&self, expression: &str) -> String {
        diesel::select(sql::<Text>(expression))
            .get_result(&mut self.connect())
            .unwrap_or_else(|error| panic!("{error} in:\n{expression}"))
    }

    /// Asks again and again until an SQL condition is true, for what no statement can wait for.
    ///
    /// Panics after half a minute.
    pub fn wait_until(&self, condition: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut conn = self.connect();
        loop {
            let reached: bool = diesel::select(sql::<Bool>(condition))
                .get_result(&mut conn)
                .unwrap_or_else(|error| panic!("{error} in:\n{condition}"));
            if reached {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "waited in vain until {condition}"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}
