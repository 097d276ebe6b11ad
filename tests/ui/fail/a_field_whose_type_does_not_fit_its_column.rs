use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Text,
        age -> Integer,
        note -> Nullable<Text>,
        at -> Timestamp,
    }
}

#[derive(SyncTable)]
struct User {
    id: String,
    age: String,
    note: String,
    #[sync(last_synced_at)]
    at: NaiveDateTime,
}

fn main() {}
