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
    #[diesel(deserialize_as = String)]
    name: Vec<u8>,
    #[diesel(serialize_as = Option<String>)]
    note: Option<String>,
    last_synced_at: NaiveDateTime,
}

fn main() {}
