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
struct User {
    id: String,
    nickname: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
