use carburetor::SyncTable;
use chrono::NaiveDateTime;

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        gone -> Nullable<Bool>,
        born -> Nullable<Timestamp>,
        since -> Nullable<Timestamp>,
        day -> Date,
    }
}

type Moment = Option<NaiveDateTime>;

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(untracked)]
struct User {
    id: String,
    #[sync(last_synced_at)]
    since: Option<NaiveDateTime>,
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(untracked)]
struct UnderAnotherName {
    id: String,
    #[sync(last_synced_at)]
    since: Moment,
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(untracked)]
struct WithNullableCreation {
    id: String,
    #[sync(created_at)]
    born: Moment,
    #[sync(last_synced_at)]
    since: Moment,
}

fn main() {}
