//! Downloads of a group: rows, removals, scopes, resets.

use carburetor::table::TableOn;
use carburetor::tracking;
use carburetor::{Assumptions, SyncGroup, SyncScope, SyncTable, Visible};
use carburetor_tests::Cluster;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;

diesel::table! { users (id) { id -> Text, name -> Text, team -> Text, updated_at -> Timestamptz, } }
diesel::table! { games (id) { id -> Integer, title -> Nullable<Text>, team -> Text, updated_at -> Timestamptz, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(postgres))]
struct User {
    #[sync(id)]
    id: String,
    name: String,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = games)]
#[sync(backends(postgres))]
struct Game {
    #[sync(id)]
    id: i32,
    title: Option<String>,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

struct TeamMember {
    teams: Vec<String>,
}

impl SyncScope<User, Pg> for TeamMember {
    fn filter(&self) -> Visible<'_, users::table, Pg> {
        Visible::only(users::team.eq_any(&self.teams))
    }
}

impl SyncScope<Game, Pg> for TeamMember {
    fn filter(&self) -> Visible<'_, games::table, Pg> {
        Visible::only(games::team.eq_any(&self.teams))
    }
}

/// A clock that never steps back, as on this machine while the tests run.
fn steady() -> Assumptions {
    Assumptions {
        slack: std::time::Duration::ZERO,
        ..Assumptions::default()
    }
}

type Mobile = SyncGroup<(User, Game)>;
type Web = SyncGroup<(User, Game), TeamMember>;

fn database() -> PgConnection {
    let database = Cluster::shared().database();
    database.psql(
        "create table users (id text primary key, name text not null, team text not null, updated_at timestamptz not null default now());
         create table games (id int primary key, title text, team text not null, updated_at timestamptz not null default now());",
    );
    let up = tracking::postgres::up(&[
        <User as TableOn<Pg>>::definition(),
        <Game as TableOn<Pg>>::definition(),
    ]);
    database.psql(&up.schema);
    for table in up.tables {
        database.psql(&table);
    }
    for index in up.indexes {
        database.psql(&index.plain);
    }
    database.connect()
}

#[test]
fn a_row_that_leaves_a_scope_leaves_the_replica() {
    let conn = &mut database();
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'blue'); insert into games values (1, 'Go', 'red'), (2, null, 'red')")
        .unwrap();
    let everything = Mobile::download(conn, (None, None)).unwrap();
    assert!(everything.0.reset);
    assert_eq!(everything.0.rows.len(), 2);
    assert_eq!(everything.table::<Game>().rows.len(), 2);
    let red = TeamMember {
        teams: vec!["red".into()],
    };
    let first = Web::scoped(&red)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    assert_eq!(
        first
            .0
            .rows
            .iter()
            .map(|user| user.id.as_str())
            .collect::<Vec<_>>(),
        ["a"]
    );
    conn.batch_execute(
        "update users set team = 'blue' where id = 'a'; delete from games where id = 2",
    )
    .unwrap();
    let second = Web::scoped(&red)
        .assuming(steady())
        .download(conn, first.next())
        .unwrap();
    assert!(!second.0.reset);
    assert_eq!(second.0.removed, ["a"]);
    assert_eq!(second.1.removed, [2]);
    let third = Web::scoped(&red)
        .assuming(steady())
        .download_consistent(conn, (Some(second.0.cutoff), Some(second.1.cutoff)))
        .unwrap();
    assert!(!third.0.reset);
}
