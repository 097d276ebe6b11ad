use carburetor::SyncTable;
use chrono::NaiveDateTime;

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
#[sync(name, conflict, crate, sqlite, backends)]
struct User {
    id: String,
    #[sync(default)]
    name: String,
    #[sync(conflict)]
    note: Option<String>,
    last_synced_at: NaiveDateTime,
}

#[derive(SyncTable)]
#[diesel(table_name)]
#[sync(name = "", sqlite(path = users), backends())]
struct Bare {
    id: String,
    #[sync]
    #[diesel(column_name)]
    name: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
