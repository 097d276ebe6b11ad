use carburetor::SyncTable;
use carburetor::table::TableOn;
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
struct User {
    id: String,
    #[sync(visibly_by)]
    name: String,
    last_synced_at: NaiveDateTime,
}

fn name<M: TableOn<diesel::sqlite::Sqlite>>() -> &'static str {
    M::NAME
}

fn main() {
    name::<User>();
    let insert = UserInsert { id: String::new(), name: String::new() };
    let _ = diesel::insert_into(users::table).values(&insert);
    let changes = UserChangeset { name: Some(String::new()) };
    let _ = diesel::update(users::table).set(&changes);
}
