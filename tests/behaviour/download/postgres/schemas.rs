//! Tables whose model names a schema.

use super::{run, steady, tracked};
use carburetor::{SyncGroup, SyncScope, SyncTable, Visible};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;

diesel::table! { play.games (id) { id -> Integer, team -> Nullable<Text>, gone -> Nullable<Timestamptz>, at -> Timestamptz, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = games)]
#[sync(backends(postgres))]
struct Game {
    id: i32,
    #[sync(visible_by)]
    team: Option<String>,
    #[sync(deleted)]
    gone: Option<DateTime<Utc>>,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

struct Team(&'static str);

impl SyncScope<Game, Pg> for Team {
    fn filter(&self) -> Visible<'_, games::table, Pg> {
        Visible::only(
            games::team
                .is_null()
                .or(games::team.eq(self.0).and(games::id.lt(9))),
        )
    }
}

#[test]
fn a_table_of_a_schema_is_scoped_like_any_other() {
    let (_, mut conn) = tracked::<(Game,)>(
        "create schema play; create table games (id int primary key, wrong int);
         create table play.games (id int primary key, team text, gone timestamptz, at timestamptz not null default now())",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into play.games (id, team) values (1, 'red'), (2, 'blue'), (3, null), (4, 'red'), (5, 'red'), (10, 'red')",
    );
    let red = Team("red");
    let group = || SyncGroup::<(Game,), Team>::scoped(&red).assuming(steady());
    let first = group().download(conn, (None,)).unwrap();
    assert_eq!(super::super::ids(&first.0), [1, 3, 4, 5]);
    run(
        conn,
        "update play.games set team = 'blue' where id in (1, 3); update play.games set team = null where id = 2; update play.games set gone = now() where id = 4;
         delete from play.games where id in (5, 10)",
    );
    let second = group().download(conn, first.next()).unwrap();
    assert_eq!(
        (
            super::super::removed(&second.0),
            super::super::ids(&second.0)
        ),
        (vec![1, 3, 4, 5], vec![2])
    );
    let mut removed = Vec::new();
    let mut pages = group().pages(first.next(), 1);
    while let Some(page) = pages.next(conn).unwrap() {
        removed.extend(page.0.removed.clone());
    }
    removed.sort();
    assert_eq!(removed, [1, 3, 4, 5]);
}
