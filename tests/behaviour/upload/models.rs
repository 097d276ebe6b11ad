//! The tables of the suite: one per strategy, and two with every rule.

/// The models on one backend, whose instants are `$stamp`.
macro_rules! models {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use carburetor::merge::{Merge, Versions};
        use chrono::{DateTime, Utc};

        models!(@strategy $stamp $backend fields_rows FieldsRow "fields");
        models!(@strategy $stamp $backend later_rows LaterRow "last_write_wins");
        models!(@strategy $stamp $backend server_rows ServerRow "server_wins");
        models!(@strategy $stamp $backend client_rows ClientRow "client_wins");
        models!(@strategy $stamp $backend custom_rows CustomRow "custom");

        impl Merge for CustomRow {
            // Both texts, the server's first.
            fn merge(versions: Versions<Self>) -> Self {
                let [server, sent] = [&versions.server, &versions.sent];
                CustomRow {
                    a: format!("{}+{}", server.a, sent.a),
                    b: server.b.clone().or(sent.b.clone()),
                    ..versions.server
                }
            }
        }

        diesel::table! {
            people (id) {
                id -> Text,
                name -> Text,
                email -> Nullable<Text>,
                team -> Text,
                kind -> Text,
                score -> Integer,
                at -> $stamp,
            }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = people)]
        #[sync(backends($backend))]
        pub struct Person {
            pub id: String,
            pub name: String,
            pub email: Option<String>,
            #[sync(visible_by)]
            pub team: String,
            #[sync(immutable)]
            pub kind: String,
            #[sync(read_only)]
            pub score: i32,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        diesel::table! {
            tasks (id) {
                id -> Integer,
                person -> Text,
                title -> Text,
                points -> Integer,
                level -> Text,
                at -> $stamp,
            }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = tasks)]
        #[sync(backends($backend))]
        pub struct Task {
            pub id: i32,
            pub person: String,
            pub title: String,
            pub points: i32,
            #[sync(default = "low".to_owned())]
            pub level: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        diesel::table! {
            notes (id) { id -> Integer, body -> Text, gone -> Bool, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = notes)]
        #[sync(backends($backend))]
        pub struct Note {
            pub id: i32,
            pub body: String,
            #[sync(deleted)]
            pub gone: bool,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
    (@strategy $stamp:ident $backend:ident $table:ident $model:ident $strategy:literal) => {
        diesel::table! {
            $table (id) { id -> Integer, a -> Text, b -> Nullable<Text>, c -> Nullable<Text>, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = $table)]
        #[sync(backends($backend), conflict = $strategy)]
        pub struct $model {
            pub id: i32,
            pub a: String,
            pub b: Option<String>,
            #[sync(conflict = "fields")]
            pub c: Option<String>,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    models!(Timestamptz, postgres);
}

pub(super) mod sqlite {
    models!(TimestamptzSqlite, sqlite);
}

/// The tables.
pub(super) const TABLES: &str = "
create table fields_rows (id integer primary key, a text not null, b text, c text);
create table later_rows (id integer primary key, a text not null, b text, c text);
create table server_rows (id integer primary key, a text not null, b text, c text);
create table client_rows (id integer primary key, a text not null, b text, c text);
create table custom_rows (id integer primary key, a text not null, b text, c text);
create table people (id text primary key, name text not null, email text, team text not null, kind text not null,
  score integer not null default 0, constraint people_email unique (email));
create table tasks (id integer primary key, person text not null, title text not null, points integer not null, level text not null default 'low',
  constraint tasks_points check (points >= 0), constraint tasks_person foreign key (person) references people (id));
create table notes (id integer primary key, body text not null, gone boolean not null default false);
";
