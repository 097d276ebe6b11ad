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
#[diesel(table_name = users)]
#[sync(name = "users", untracked, untracked)]
#[sync(name = "people")]
struct User {
    #[sync(id, id)]
    id: String,
    #[sync(default = String::new())]
    #[sync(default = String::from("-"))]
    name: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
