//! A table of several teams, whose rows are deleted softly.

/// The models on one backend, whose instants are `$stamp`.
macro_rules! cards {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            cards (id) {
                id -> Integer,
                team -> Text,
                body -> Text,
                code -> Nullable<Text>,
                level -> Integer,
                gone -> Bool,
                at -> $stamp,
            }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = cards)]
        #[sync(backends($backend))]
        pub struct Card {
            pub id: i32,
            #[sync(visible_by)]
            pub team: String,
            pub body: String,
            pub code: Option<String>,
            #[sync(default = 1)]
            pub level: i32,
            #[sync(deleted)]
            pub gone: bool,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    cards!(Timestamptz, postgres);
}

pub(super) mod sqlite {
    cards!(TimestamptzSqlite, sqlite);
}

/// The table.
pub(super) const CARDS: &str = "
create table cards (id integer primary key, team text not null, body text not null, code text, level integer not null default 1,
  gone boolean not null default false);
";
