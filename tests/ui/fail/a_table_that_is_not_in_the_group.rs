use carburetor::{SyncGroup, SyncTable};
use diesel::prelude::*;

diesel::table! {
    users (id) {
        id -> Integer,
        last_synced_at -> BigInt,
    }
}

diesel::table! {
    games (id) {
        id -> Integer,
        last_synced_at -> BigInt,
    }
}

#[derive(SyncTable)]
#[sync(backends(sqlite))]
struct User {
    id: i32,
    last_synced_at: i64,
}

#[derive(SyncTable)]
#[sync(backends(sqlite))]
struct Game {
    id: i32,
    last_synced_at: i64,
}

/// It has the name of one that is.
#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(sqlite))]
struct Named {
    id: i32,
    last_synced_at: i64,
}

fn main() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    let news = SyncGroup::<(User,)>::download(conn, (None,)).unwrap();
    news.table::<User>();
    news.table::<Game>();
    news.table::<Named>();
}
