use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        gone -> Nullable<Bool>,
        since -> Nullable<Timestamp>,
        day -> Date,
    }
}

type Moment = Option<NaiveDateTime>;

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct User {
    id: String,
    #[sync(deleted)]
    gone: Option<bool>,
    #[sync(last_synced_at)]
    since: Option<NaiveDateTime>,
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
struct Player {
    id: String,
    #[sync(deleted)]
    name: String,
    #[sync(last_synced_at)]
    since: Moment,
}

fn main() {}
