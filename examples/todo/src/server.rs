//! The server: the table's owner.

use crate::model::Todo;
use carburetor::Everyone;
use carburetor::server::{Database, Shutdown, Sync, sqlite_pool};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use std::error::Error;

const TABLE: &str = "create table if not exists items (id text primary key, title text not null, done boolean not null)";

pub async fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let (router, shutdown) = match std::env::var("DATABASE_URL") {
        Ok(url) => {
            let mut conn = AsyncPgConnection::establish(&url).await?;
            conn.batch_execute(TABLE).await?;
            Todo::tracking::<diesel::pg::Pg>()
                .install_async(&mut conn)
                .await?;
            let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(url);
            println!("the table `items` lies on PostgreSQL");
            routes(Pool::builder(manager).build()?)
        }
        Err(_) => {
            let path = "todo-server.db";
            let mut conn = SqliteConnection::establish(path)?;
            conn.batch_execute(TABLE)?;
            Todo::tracking::<Sqlite>().install(&mut conn)?;
            println!("the table `items` lies in {path}");
            routes(sqlite_pool(path)?)
        }
    };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| {
            format!("{address}: {error}; set TODO_ADDRESS to another address, for devices as well")
        })?;
    println!("listening on http://{}", listener.local_addr()?);
    println!("beside it: cargo run -p todo -- device anna");
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            // Without the signal nobody can stop it this way.
            let _ = tokio::signal::ctrl_c().await;
            shutdown.begin();
        })
        .await?;
    Ok(())
}

/// One group, for everyone: a program with accounts passes its own extractor instead.
fn routes<D: Database>(database: D) -> (axum::Router, Shutdown)
where
    Todo: carburetor::server::ServedGroup<D::Connection, Scope = Everyone>,
{
    let sync = Sync::new(database).group::<Todo, Everyone>("todo");
    let shutdown = sync.shutdown();
    (axum::Router::new().nest("/sync", sync.router()), shutdown)
}
