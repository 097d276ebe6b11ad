use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Text,
        last_synced_at -> Timestamp,
    }
}

diesel::table! {
    notes (id) {
        id -> Text,
        text -> Text,
        last_synced_at -> Timestamp,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(conflict = "custom")]
struct User {
    id: String,
    last_synced_at: NaiveDateTime,
}

#[derive(SyncTable)]
#[diesel(table_name = notes)]
struct Note {
    id: String,
    #[sync(conflict = "custom")]
    text: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
