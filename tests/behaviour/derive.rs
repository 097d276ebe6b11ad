//! What `#[derive(SyncTable)]` makes of a model.

use carburetor::SyncTable;
use carburetor::table::TableOn;
use chrono::NaiveDateTime;
use diesel::sqlite::Sqlite;

diesel::table! {
    users (id) {
        id -> Text,
        name -> Text,
        note -> Nullable<Text>,
        last_synced_at -> Timestamp,
    }
}

#[derive(SyncTable, Debug, Clone, PartialEq)]
struct User {
    id: String,
    name: String,
    note: Option<String>,
    last_synced_at: NaiveDateTime,
}

#[test]
fn the_definition_names_table_and_columns() {
    let definition = <User as TableOn<Sqlite>>::definition();
    assert_eq!(definition.table, "users");
}
