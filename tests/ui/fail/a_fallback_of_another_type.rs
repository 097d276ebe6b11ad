use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        last_synced_at -> Timestamp,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct User {
    id: String,
    #[sync(fallback = "nobody")]
    name: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
