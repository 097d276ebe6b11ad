use carburetor::SyncTable;

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
struct Borrowed<'a> {
    id: &'a str,
}

#[derive(SyncTable)]
struct Generic<T> {
    id: T,
}

fn main() {}
