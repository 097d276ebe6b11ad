use carburetor::{Filtered, SyncFilter, SyncGroup, SyncScope, SyncTable, Visible};
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

use diesel::sqlite::Sqlite;

struct Team;

impl SyncScope<User, Sqlite> for Team {
    fn filter(&self) -> Visible<'_, users::table, Sqlite> {
        Visible::all()
    }
}

struct Published;

impl SyncFilter<User, Sqlite> for Published {
    fn filter() -> Visible<'static, users::table, Sqlite> {
        Visible::all()
    }
}

fn main() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    let _ = SyncGroup::<(User, Game), Team>::scoped(&Team).download(conn, (None, None));
    let _ = SyncGroup::<(User, Filtered<Game, Published>)>::download(conn, (None, None));
}
