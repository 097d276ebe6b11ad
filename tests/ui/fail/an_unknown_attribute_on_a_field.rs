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
    #[sync(idd)]
    id: String,
    #[sync(visibleby, skp)]
    name: String,
    #[sync(telepathic)]
    note: Option<String>,
    #[sync(rename = "flag")]
    gone: bool,
    #[sync(untracked)]
    created: NaiveDateTime,
    #[sync(updated_at)]
    last_synced_at: NaiveDateTime,
}

fn main() {}
