use carburetor::SyncTable;
use chrono::{DateTime, Utc};

diesel::table! {
    users (id) {
        id -> Text,
        last_synced_at -> Timestamptz,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct User {
    id: String,
    last_synced_at: DateTime<Utc>,
}

fn main() {}
