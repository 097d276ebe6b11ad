use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    on_devices (id) {
        id -> Text,
        last_synced_at -> Timestamp,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        note -> Nullable<Text>,
        gone -> Bool,
        created -> Timestamp,
        last_synced_at -> Timestamp,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(sqlite), untracked)]
struct User {
    id: String,
    last_synced_at: NaiveDateTime,
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(postgres), sqlite(table = on_devices))]
struct Player {
    id: String,
    last_synced_at: NaiveDateTime,
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(sqlite(table = users))]
struct Own {
    id: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
