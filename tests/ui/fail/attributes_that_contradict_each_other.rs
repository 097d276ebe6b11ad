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
    #[sync(id, skip)]
    id: String,
    #[sync(skip, visible_by)]
    name: String,
    #[sync(read_only, immutable)]
    note: Option<String>,
    #[sync(local, deleted)]
    gone: bool,
    #[sync(created_at, local)]
    created: NaiveDateTime,
    #[sync(last_synced_at, immutable, conflict = "server_wins")]
    last_synced_at: NaiveDateTime,
}

fn main() {}
