//! Scopes: what one caller sees.

use super::super::{Game, User, ids, removed, run};
use super::tables::{games, users};
use super::{Conn, DB, Follower, Server};
use carburetor::{DownloadError, SyncGroup, SyncScope, Visible};
use diesel::prelude::*;
use diesel::sql_types::Bool;

/// Whoever belongs to some teams.
pub(super) struct Teams(Vec<String>);

impl Teams {
    pub(super) fn of(team: &str) -> Self {
        Teams(vec![team.into()])
    }
}

impl SyncScope<User, DB> for Teams {
    fn filter(&self) -> Visible<'_, users::table, DB> {
        Visible::only(users::team.eq_any(&self.0))
    }
}

impl SyncScope<Game, DB> for Teams {
    fn filter(&self) -> Visible<'_, games::table, DB> {
        Visible::only(games::team.eq_any(&self.0))
    }
}

/// A scope whose expression is given by a function.
struct By(fn() -> Visible<'static, users::table, DB>);

impl SyncScope<User, DB> for By {
    fn filter(&self) -> Visible<'_, users::table, DB> {
        (self.0)()
    }
}

fn five(conn: &mut Conn) {
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'red'), ('2', 'b', 'blue'), ('3', 'c', null), ('4', 'd', 'Red'), ('5', 'e', 'r%d')",
    );
}

/// The ids that `visible` shows, at first and after every row has moved on by one team.
fn shown(visible: fn() -> Visible<'static, users::table, DB>) -> (String, String) {
    let server = Server::new();
    let conn = &mut server.connect();
    five(conn);
    let scope = By(visible);
    let mut replica = Follower::<User>::new(conn, &scope);
    let first = replica.ids().concat();
    run(
        conn,
        "update users set team = case team when 'red' then 'blue' when 'blue' then null when 'Red' then 'r%d' when 'r%d' then 'red' else 'Red' end",
    );
    replica.follow(conn, &scope);
    (first, replica.ids().concat())
}

fn both(first: &str, then: &str) -> (String, String) {
    (first.into(), then.into())
}

#[test]
fn an_empty_set_shows_nothing() {
    assert_eq!(
        shown(|| Visible::only(users::team.eq_any(Vec::<String>::new()))),
        both("", "")
    );
}

#[test]
fn all_shows_everything_and_none_nothing() {
    assert_eq!(shown(Visible::all), both("12345", "12345"));
    assert_eq!(shown(Visible::none), both("", ""));
}

#[test]
fn a_row_for_which_the_expression_is_null_is_hidden() {
    assert_eq!(
        shown(|| Visible::only(users::team.ne("red"))),
        both("245", "134")
    );
    assert_eq!(
        shown(|| Visible::only(diesel::dsl::not(users::team.eq("red")))),
        both("245", "134")
    );
}

#[test]
fn null_can_be_asked_for() {
    assert_eq!(
        shown(|| Visible::only(users::team.is_null())),
        both("3", "2")
    );
    assert_eq!(
        shown(|| Visible::only(users::team.is_not_null().and(users::team.ne("blue")))),
        both("145", "345")
    );
}

#[test]
fn conditions_can_be_joined() {
    assert_eq!(
        shown(|| Visible::only(
            users::team
                .eq("red")
                .or(users::team.is_null())
                .or(users::id.eq("4"))
        )),
        both("134", "245")
    );
    assert_eq!(
        shown(|| Visible::only(
            users::id
                .between("2", "4")
                .and(users::team.is_not_null().or(users::id.eq("3")))
        )),
        both("234", "34")
    );
}

#[test]
fn patterns_may_be_used() {
    assert_eq!(
        shown(|| Visible::only(users::team.like("r\\%%").escape('\\'))),
        both("5", "4")
    );
}

#[test]
fn what_a_scope_hides_is_told_to_nobody() {
    let server = Server::new();
    let conn = &mut server.connect();
    five(conn);
    let scope = By(Visible::none);
    let mut replica = Follower::<User>::new(conn, &scope);
    run(
        conn,
        "delete from users where id = '1'; update users set name = 'x'",
    );
    let news = replica.follow(conn, &scope);
    assert_eq!(
        (ids(&news), removed(&news), news.reset),
        (vec![], vec![], false)
    );
}

/// A scope of unchecked SQL.
struct Sql(&'static str);

impl SyncScope<User, DB> for Sql {
    fn filter(&self) -> Visible<'_, users::table, DB> {
        Visible::only(diesel::dsl::sql::<Bool>(self.0))
    }
}

/// A scope that looks at a column that is not marked.
struct Named;

impl SyncScope<User, DB> for Named {
    fn filter(&self) -> Visible<'_, users::table, DB> {
        Visible::only(users::name.eq("x"))
    }
}

/// The message that refuses `scope`, from every way to download.
fn refusal<S: SyncScope<User, DB>>(scope: &S) -> String {
    let server = Server::new();
    let conn = &mut server.connect();
    let group = || SyncGroup::<(User,), S>::scoped(scope);
    let message = |error: DownloadError| {
        assert!(matches!(error, DownloadError::Scope(_)), "{error:?}");
        error.to_string()
    };
    let single = message(group().download(conn, (None,)).unwrap_err());
    assert_eq!(
        message(group().download_consistent(conn, (None,)).unwrap_err()),
        single
    );
    assert_eq!(
        message(
            group()
                .download_json(conn, (None,), &mut Vec::new())
                .unwrap_err()
        ),
        single
    );
    assert_eq!(
        message(group().pages((None,), 1).next(conn).map(drop).unwrap_err()),
        single
    );
    // The connection serves on.
    assert_eq!(users::table.count().get_result::<i64>(conn), Ok(0));
    single
}

#[test]
fn what_changes_without_a_write_is_refused() {
    const PREFIX: &str = "the scope or filter of users can't use ";
    let bind = "it may change what is visible without any row being written; compute it first and bind it as a value";
    let same = |sql: &'static str| {
        move |culprit: &str, remedy: &str| (sql, format!("{PREFIX}`{culprit}`: {remedy}"))
    };
    let cases = [
        same("now() is not null")("now", bind),
        same("current_user is not null")("current_user", bind),
        same("team = 'red'")("team", bind),
        same("(select true)")(
            "select",
            "a subquery changes what is visible without any row being written; load its rows into the scope value first",
        ),
        same("\"games\".\"team\" = 'red'")(
            "games.team",
            "only columns of the table itself can be looked at",
        ),
        same("\"users\".\"email\" = 'red'")(
            "users.email",
            "add the column to the model, marked `#[sync(visible_by)]`",
        ),
    ];
    for (sql, message) in cases {
        assert_eq!(refusal(&Sql(sql)), message);
    }
    assert_eq!(
        refusal(&Named),
        format!(
            "{PREFIX}`users.name`: mark the field `#[sync(visible_by)]` and install the tracking again, so that removals know the column"
        )
    );
}
