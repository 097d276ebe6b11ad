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

struct Unsynced;

fn main() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    let _ = SyncGroup::<User>::download(conn, carburetor::Timestamps::default());
    let _ = SyncGroup::<(User, Unsynced)>::download(conn, (None, None));
    type U = User;
    type Seventeen = (U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U);
    let _ = SyncGroup::<Seventeen>::download(conn, carburetor::Timestamps::default());
}
