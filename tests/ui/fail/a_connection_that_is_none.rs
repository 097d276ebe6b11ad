use carburetor::{SyncGroup, SyncTable};

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
    let mut text = String::from(":memory:");
    let _ = SyncGroup::<(User, Game)>::download(&mut text, (None, None));
}
