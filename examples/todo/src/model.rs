//! The table, on the server and on every device.

use carburetor::{SyncGroup, SyncTable};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

diesel::table! {
    items (id) {
        id -> Text,
        title -> Text,
        done -> Bool,
        at -> Timestamptz,
    }
}

/// SQLite has no TIMESTAMPTZ.
pub mod sqlite {
    diesel::table! {
        items (id) {
            id -> Text,
            title -> Text,
            done -> Bool,
            at -> TimestamptzSqlite,
        }
    }
}

/// Something to do. Two devices that edit the title and the mark of one item both keep their edit.
#[derive(Debug, Queryable, SyncTable)]
#[diesel(table_name = items)]
#[sync(sqlite(table = sqlite::items))]
pub struct Item {
    pub id: String,
    pub title: String,
    pub done: bool,
    #[sync(last_synced_at)]
    pub at: DateTime<Utc>,
}

/// What syncs together.
pub type Todo = SyncGroup<(Item,)>;
