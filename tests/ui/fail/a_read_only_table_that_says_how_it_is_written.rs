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
#[sync(read_only, online_only, conflict = "server_wins")]
struct User {
    id: String,
    #[sync(conflict = "client_wins")]
    name: String,
    last_synced_at: NaiveDateTime,
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(readonly, read_only = true)]
struct Person {
    id: String,
    last_synced_at: NaiveDateTime,
}

fn main() {}
