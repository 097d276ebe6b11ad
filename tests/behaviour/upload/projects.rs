//! A tree of tables, of which a scope shows each by the keys of the one above.

/// The models on one backend, whose instants are `$stamp`.
macro_rules! projects {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            projects (id) { id -> Text, team -> Text, at -> $stamp, }
        }

        diesel::table! {
            jobs (id) { id -> Integer, project -> Nullable<Text>, title -> Text, at -> $stamp, }
        }

        diesel::table! {
            remarks (id) { id -> Integer, job -> Integer, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = projects)]
        #[sync(backends($backend))]
        pub struct Project {
            pub id: String,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = jobs)]
        #[sync(backends($backend))]
        pub struct Job {
            pub id: i32,
            #[sync(visible_by)]
            pub project: Option<String>,
            pub title: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = remarks)]
        #[sync(backends($backend))]
        pub struct Remark {
            pub id: i32,
            #[sync(visible_by)]
            pub job: i32,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    projects!(Timestamptz, postgres);
}

pub(super) mod sqlite {
    projects!(TimestamptzSqlite, sqlite);
}

/// The tables, and a row of each for either team.
pub(super) const PROJECTS: &str = "
create table projects (id text primary key, team text not null);
create table jobs (id integer primary key, project text references projects (id), title text not null unique);
create table remarks (id integer primary key, job integer not null references jobs);
";

pub(super) const ROWS: &str = "
insert into projects (id, team) values ('ours', 'red'), ('theirs', 'blue');
insert into jobs (id, project, title) values (1, 'ours', 'one'), (2, 'theirs', 'two'), (3, null, 'three');
insert into remarks (id, job) values (1, 1), (2, 2);
";
