//! Values that are equal in the database and not in JSON.

use super::super::{User, run};
use super::tables::users;
use super::{DB, Follower, Server, WORDS};
use carburetor::{SyncGroup, SyncScope, SyncTable, Visible};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::serialize::{Output, Result, ToSql};
use diesel::sql_types::Text;

diesel::table! { words (id) { id -> Integer, kind -> Text, at -> Timestamp, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = words)]
struct Word {
    #[sync(id)]
    id: i32,
    #[sync(visible_by)]
    kind: String,
    #[sync(last_synced_at)]
    at: NaiveDateTime,
}

struct Kinds(&'static [&'static str]);

impl SyncScope<Word, DB> for Kinds {
    fn filter(&self) -> Visible<'_, words::table, DB> {
        Visible::keys(words::kind, self.0.iter().map(|&kind| kind.to_owned()))
    }
}

#[test]
fn where_case_is_ignored_what_left_resets_the_table() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, WORDS);
    SyncGroup::<(Word,)>::tracking::<DB>()
        .install(conn)
        .unwrap();
    run(
        conn,
        "insert into words (id, kind) values (1, 'RED'), (2, 'blue'), (3, 'green')",
    );
    let mut replica = Follower::<Word>::new(conn, &Kinds(&["red", "blue"]));
    assert_eq!(replica.ids(), [1, 2]);
    assert!(
        !replica
            .follow(conn, &Kinds(&["red", "blue", "green"]))
            .reset
    );
    assert!(replica.follow(conn, &Kinds(&["blue", "green"])).reset);
    assert!(!replica.follow(conn, &Kinds(&["blue", "green"])).reset);
    let news = replica.pages(conn, &Kinds(&["green"]), 1, |_, _| {});
    assert!(news[0].reset);
    assert_eq!(replica.ids(), [3]);
}

/// A team that nobody may read in a log.
#[derive(Clone, diesel::expression::AsExpression)]
#[diesel(sql_type = Text)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl ToSql<Text, DB> for Secret
where
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> Result {
        ToSql::<Text, DB>::to_sql(&self.0, out)
    }
}

impl SyncScope<User, DB> for Secret {
    fn filter(&self) -> Visible<'_, users::table, DB> {
        Visible::only(users::team.eq(self.clone()))
    }
}

#[test]
fn a_scope_is_told_from_another_by_what_the_database_gets() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'red'), ('2', 'b', 'blue')",
    );
    let mut replica = Follower::<User>::new(conn, &Secret("red".into()));
    assert!(!replica.follow(conn, &Secret("red".into())).reset);
    assert!(replica.follow(conn, &Secret("blue".into())).reset);
    assert_eq!(replica.ids(), ["2"]);
}
