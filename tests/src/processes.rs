//! A server and devices as processes of their own, to be killed.

use axum::Router;
use carburetor::replica::{Http, Replica};
use carburetor::server::Sync;
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use std::error::Error;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

macro_rules! entry {
    ($module:ident, $stamp:ident, $backend:ident) => {
        /// The table on one side.
        pub mod $module {
            #![allow(missing_docs, reason = "of what Diesel makes")]

            diesel::table! { entries (id) { id -> Text, value -> BigInt, at -> $stamp, } }

            /// A number that one device counts up.
            #[derive(Debug, diesel::Queryable, carburetor::SyncTable)]
            #[diesel(table_name = entries)]
            #[sync(backends($backend))]
            pub struct Entry {
                /// The device and the place.
                pub id: String,
                /// What it has come to.
                pub value: i64,
                /// When the server wrote it.
                #[sync(last_synced_at)]
                pub at: chrono::DateTime<chrono::Utc>,
            }
        }
    };
}

entry!(postgres, Timestamptz, postgres);
entry!(sqlite, TimestamptzSqlite, sqlite);

/// The table on the server.
pub const TABLE: &str = "create table entries (id text primary key, value bigint not null)";

/// The group as the server has it.
pub type Served = SyncGroup<(postgres::Entry,)>;

type Device = Replica<SyncGroup<(sqlite::Entry,)>>;

/// How many rows a device counts in.
const PLACES: u64 = 20;

type Failure = Box<dyn Error + Send + std::marker::Sync>;

/// Serves the database at `url` on the `address`, until it is killed.
pub async fn serve(url: &str, address: &str) -> Result<(), Failure> {
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(url);
    let pool = Pool::builder(manager).max_size(4).build()?;
    let sync = Sync::new(pool).group::<Served, Everyone>("all");
    let app: Router = sync.router();
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening");
    Ok(axum::serve(listener, app).await?)
}

/// Counts in the file `path` and syncs, until its input ends; then until nothing is left to send, and says what it holds.
///
/// Each number is said after it was committed: whoever reads it may rely on it.
pub async fn count(path: &str, url: &str, name: &str) -> Result<(), Failure> {
    let replica = Device::open(path, Http::new(url)?)?;
    let conn = &mut replica.connection()?;
    let goes_on = end_of_input();
    let mut said = std::io::stdout();
    while goes_on.load(Ordering::Relaxed) {
        let (place, value) = step(conn, name)?;
        // The next one reads a whole line or none.
        said.write_all(format!("{place} {value}\n").as_bytes())?;
        if fastrand::u8(0..4) == 0 {
            // The next time, or the time after that.
            let _ = replica.sync().await;
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..10))).await;
    }
    settle(&replica, conn).await
}

/// Syncs the file `path` without counting, and says what it holds.
pub async fn look(path: &str, url: &str) -> Result<(), Failure> {
    let replica = Device::open(path, Http::new(url)?)?;
    let conn = &mut replica.connection()?;
    settle(&replica, conn).await
}

/// Syncs until nothing is left to send, and says what the file holds.
async fn settle(replica: &Device, conn: &mut SqliteConnection) -> Result<(), Failure> {
    while replica.sync().await.is_err() || replica.pending()? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for rejected in replica.rejected()? {
        let code = serde_json::to_value(rejected.rejection.code)?;
        let id = rejected.change.id.as_str().unwrap_or_default().to_owned();
        println!("rejected {id} {}", code.as_str().unwrap_or_default());
    }
    for (id, value) in entries(conn)? {
        println!("has {id} {value}");
    }
    Ok(())
}

/// Counts one place up; now and then it is deleted and begun anew.
fn step(conn: &mut SqliteConnection, name: &str) -> QueryResult<(String, i64)> {
    let place = format!("{name}-{}", fastrand::u64(0..PLACES));
    conn.immediate_transaction(|conn| {
        let own = format!("{name}-%");
        let next: i64 = sqlite::entries::table
            .filter(sqlite::entries::id.like(own))
            .select(diesel::dsl::max(sqlite::entries::value))
            .first::<Option<i64>>(conn)?
            .unwrap_or_default()
            + 1;
        if fastrand::u8(0..10) == 0 {
            diesel::delete(sqlite::entries::table.find(&place)).execute(conn)?;
        }
        diesel::sql_query(
            "insert into entries (id, value) values (?, ?) on conflict (id) do update set value = excluded.value",
        )
        .bind::<Text, _>(&place)
        .bind::<BigInt, _>(next)
        .execute(conn)?;
        Ok((place, next))
    })
}

/// What the table holds.
pub fn entries(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, i64)>> {
    sqlite::entries::table
        .select((sqlite::entries::id, sqlite::entries::value))
        .order(sqlite::entries::id)
        .load(conn)
}

/// Turns false when the input ends.
fn end_of_input() -> &'static AtomicBool {
    static GOES_ON: AtomicBool = AtomicBool::new(true);
    std::thread::spawn(|| {
        // An input that fails has ended, too.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        GOES_ON.store(false, Ordering::Relaxed);
    });
    &GOES_ON
}
