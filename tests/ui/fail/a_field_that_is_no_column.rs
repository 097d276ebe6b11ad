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

struct Address;

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct User {
    id: String,
    #[diesel(embed)]
    address: Address,
    #[diesel(select_expression = users::name.concat("!"))]
    shouted: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
