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
#[sync(untracked)]
struct User {
    #[sync(id, visible_by)]
    id: String,
    #[sync(visible_by)]
    name: String,
    #[sync(visible_by, immutable)]
    gone: bool,
    last_synced_at: NaiveDateTime,
}

fn main() {}
