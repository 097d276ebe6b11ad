use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        note -> Nullable<Text>,
        gone -> Bool,
        last_synced_at -> Timestamp,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct User {
    #[sync(id, fallback = String::new())]
    id: String,
    #[sync(fallback)]
    name: String,
    #[sync(skip, fallback = None)]
    note: Option<String>,
    #[sync(deleted, fallback = false)]
    gone: bool,
    #[sync(last_synced_at, fallback = NaiveDateTime::default())]
    last_synced_at: NaiveDateTime,
}

fn main() {}
