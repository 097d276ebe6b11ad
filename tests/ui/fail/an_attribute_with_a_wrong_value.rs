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
#[diesel(table_name = 7)]
#[sync(name = users, conflict = "newest", online_only = true, untracked(yes), backends(mysql))]
struct User {
    #[sync(id = "id")]
    id: String,
    #[sync(default = )]
    name: String,
    #[sync(conflict = fields)]
    note: Option<String>,
    #[diesel(column_name = "not a name")]
    gone: bool,
    last_synced_at: NaiveDateTime,
}

fn main() {}
