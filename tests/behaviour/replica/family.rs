//! Parents and their children, which a deletion of the parent takes along on the server.

macro_rules! family {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            parents (id) { id -> Text, name -> Text, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
        #[diesel(table_name = parents)]
        #[sync(backends($backend))]
        pub struct Parent {
            pub id: String,
            pub name: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        diesel::table! {
            children (id) { id -> Integer, parent -> Text, name -> Text, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
        #[diesel(table_name = children)]
        #[sync(backends($backend))]
        pub struct Child {
            pub id: i32,
            pub parent: String,
            pub name: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    family!(Timestamptz, postgres);
}

pub(super) mod sqlite {
    family!(TimestamptzSqlite, sqlite);
}

/// The tables of a server.
pub(super) const TABLES: &str = "
create table parents (id text primary key, name text not null);
create table children (id integer primary key, parent text not null references parents on delete cascade, name text not null);
create index children_parent on children (parent);
";
