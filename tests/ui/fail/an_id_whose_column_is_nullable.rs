use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Nullable<Text>,
        last_synced_at -> Timestamp,
    }
}

type Key = Option<String>;

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct User {
    id: Key,
    last_synced_at: NaiveDateTime,
}

fn main() {}
