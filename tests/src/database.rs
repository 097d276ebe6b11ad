use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
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
}
