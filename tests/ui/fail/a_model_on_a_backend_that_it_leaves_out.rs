use carburetor::SyncTable;
use carburetor::table::TableOn;
use chrono::{DateTime, Utc};

diesel::table! {
    users (id) {
        id -> Text,
        last_synced_at -> Timestamptz,
    }
}

#[derive(SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(postgres))]
struct User {
    id: String,
    last_synced_at: DateTime<Utc>,
}

struct Unsynced;

fn on_sqlite<M: TableOn<diesel::sqlite::Sqlite>>() {}

fn synced<M: SyncTable>() {}

fn main() {
    on_sqlite::<User>();
    synced::<Unsynced>();
}
