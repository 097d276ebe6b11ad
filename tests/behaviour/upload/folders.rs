//! Tables whose rows go when others go.

/// The models on one backend, whose instants are `$stamp`.
macro_rules! folders {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            folders (id) { id -> Integer, parent -> Nullable<Integer>, team -> Text, at -> $stamp, }
        }

        diesel::table! {
            files (id) { id -> Integer, folder -> Integer, team -> Text, at -> $stamp, }
        }

        diesel::table! {
            links (id) { id -> Integer, file -> Nullable<Integer>, team -> Text, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = folders)]
        #[sync(backends($backend))]
        pub struct Folder {
            pub id: i32,
            pub parent: Option<i32>,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = files)]
        #[sync(backends($backend))]
        pub struct File {
            pub id: i32,
            pub folder: i32,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = links)]
        #[sync(backends($backend))]
        pub struct Link {
            pub id: i32,
            pub file: Option<i32>,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    folders!(Timestamptz, postgres);

    /// Keeps file 9 away.
    pub(in super::super) const KEEPS_AWAY: &str = "
create function keeps_away() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger keeps_away before insert on files for each row when (new.id = 9) execute function keeps_away();
";

    /// Lets nobody write the team of folder 5.
    pub(in super::super) const GUARDS: &str = "
create function guards() returns trigger language plpgsql as $$ begin raise exception 'it is guarded'; end $$;
create trigger guards before update of team on folders for each row when (new.id = 5) execute function guards();
";
}

pub(super) mod sqlite {
    folders!(TimestamptzSqlite, sqlite);

    /// Keeps file 9 away.
    pub(in super::super) const KEEPS_AWAY: &str = "create trigger keeps_away before insert on files when new.id = 9 begin select raise(ignore); end;";

    /// Lets nobody write the team of folder 5.
    pub(in super::super) const GUARDS: &str = "create trigger guards before update of team on folders when new.id = 5 begin select raise(abort, 'it is guarded'); end;";
}

/// The tables. Folders take their folders and files along, files leave their links behind, and pins are nobody's to see.
pub(super) const FOLDERS: &str = "
create table folders (id integer primary key, parent integer references folders on delete cascade, team text not null);
create table files (id integer primary key, folder integer not null references folders (id) on delete cascade, team text not null);
create table links (id integer primary key, file integer references files (id) on delete set null, team text not null);
create table pins (id integer primary key, file integer not null references files (id) on delete cascade);
";
