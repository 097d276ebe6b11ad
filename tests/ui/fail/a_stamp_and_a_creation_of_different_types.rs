use carburetor::SyncTable;
use chrono::{DateTime, NaiveDateTime, Utc};

diesel::table! {
    users (id) {
        id -> Text,
        created -> Timestamp,
        touched -> Nullable<Timestamptz>,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(untracked, backends(postgres))]
struct User {
    id: String,
    #[sync(created_at)]
    created: NaiveDateTime,
    #[sync(last_synced_at)]
    touched: Option<DateTime<Utc>>,
}

fn main() {}
