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

fn main() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    // Each of the two has its place here.
    SyncGroup::<(User, Game, User)>::download(conn, (None, None, None)).unwrap();
    SyncGroup::<(User, Game, User)>::download_json(conn, (None, None, None), &mut Vec::new()).unwrap();
}
