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
enum Mood {
    Sad,
}

#[derive(SyncTable)]
struct Unit;

#[derive(SyncTable)]
struct Tuple(String);

#[derive(SyncTable)]
union Both {
    a: u8,
    b: i8,
}

fn main() {}
