//! From one definition to another.

use super::{USERS, database, definition, install, line, lines, migrate, problems, run, users};
use carburetor::table::{ColumnDefinition, TableDefinition};
use carburetor::tracking::postgres;
use diesel::PgConnection;

const STATE: &str = "select s.generation, s.horizon > b.horizon as later from carburetor.synced_table s join before b using (name) order by name";

fn remember(conn: &mut PgConnection) {
    run(
        conn,
        "drop table if exists before; create table before as table carburetor.synced_table",
    );
}

fn change(conn: &mut PgConnection, old: &[&TableDefinition], new: &[&TableDefinition]) {
    let difference = postgres::difference(old, new).to_string();
    migrate(conn, &difference).unwrap_or_else(|error| panic!("{error} in:\n{difference}"));
}

fn healthy(conn: &mut PgConnection, definitions: &[&TableDefinition]) {
    assert_eq!(problems(conn, definitions), Vec::<[String; 2]>::new());
}

#[test]
fn a_new_visible_by_column_moves_the_horizon() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    let (old, new) = (definition("users", &["id"], &[]), users());
    install(&mut conn, &[&old]);
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'A'); delete from users",
    );
    remember(&mut conn);
    assert_eq!(
        problems(&mut conn, &[&new])[0][0],
        "its definition changed since it was tracked"
    );
    change(&mut conn, &[&old], &[&new]);
    assert_eq!(lines(&mut conn, STATE), ["1,t"]);
    run(
        &mut conn,
        "insert into users (id, team) values ('b', 'B'); update users set team = 'C'",
    );
    assert_eq!(
        lines(&mut conn, "select id, team from carburetor.removal_users"),
        ["b,B"]
    );
    healthy(&mut conn, &[&new]);
    change(&mut conn, &[&new], &[&old]);
    healthy(&mut conn, &[&old]);
}

#[test]
fn another_id_moves_the_generation() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table users (id text primary key, team text not null unique, updated_at timestamptz not null default now())",
    );
    let (old, new) = (
        definition("users", &["id"], &[]),
        definition("users", &["team"], &[]),
    );
    install(&mut conn, &[&old]);
    remember(&mut conn);
    change(&mut conn, &[&old], &[&new]);
    assert_eq!(lines(&mut conn, STATE), ["2,t"]);
    run(
        &mut conn,
        "insert into users (id, team) values ('b', 'B'); delete from users",
    );
    assert_eq!(
        lines(&mut conn, "select team from carburetor.removal_users"),
        ["B"]
    );
    healthy(&mut conn, &[&new]);
}

#[test]
fn another_stamp_gets_its_trigger_and_index() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table users (id text primary key, updated_at timestamptz not null default now(), seen timestamptz)",
    );
    let old = definition("users", &["id"], &[]);
    let mut new = old.clone();
    new.columns[1].name = "seen".into();
    install(&mut conn, &[&old]);
    change(&mut conn, &[&old], &[&new]);
    run(&mut conn, "insert into users values ('a', '2000-01-01')");
    assert_eq!(
        line(
            &mut conn,
            "select updated_at = '2000-01-01' and seen > now() - interval '1 minute' from users"
        ),
        "t"
    );
    healthy(&mut conn, &[&new]);
}

#[test]
fn tables_come_and_go() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    run(&mut conn, "create table games (id int primary key)");
    let (users, games) = (users(), definition("games", &["id"], &[]));
    install(&mut conn, &[&users]);
    change(&mut conn, &[&users], &[&games]);
    assert_eq!(
        lines(&mut conn, "select name from carburetor.synced_table"),
        ["games"]
    );
    assert_eq!(
        lines(
            &mut conn,
            "select tgrelid::regclass, count(*) from pg_trigger group by 1"
        ),
        ["games,4"]
    );
    healthy(&mut conn, &[&games]);
}

#[test]
fn columns_without_a_register_change_nothing() {
    let mut old = users();
    old.columns.push(ColumnDefinition {
        skip: true,
        ..ColumnDefinition::new("name")
    });
    assert_eq!(
        postgres::difference(&[&old], &[&users()]).tables,
        Vec::<String>::new()
    );
    assert_eq!(
        postgres::difference(&[&users()], &[&old]).indexes,
        Vec::new()
    );
}

#[test]
fn a_wider_type_is_taken_over_once_the_trigger_is_out_of_its_way() {
    let mut conn = database().connect();
    run(&mut conn, "create table games (id int primary key)");
    let games = definition("games", &["id"], &[]);
    install(&mut conn, &[&games]);
    run(&mut conn, "insert into games values (1); delete from games;
        drop trigger \"~carburetor_removal_update\" on games; alter table games alter column id type bigint");
    assert_eq!(
        problems(&mut conn, &[&games])
            .into_iter()
            .map(|[problem, _]| problem)
            .collect::<Vec<_>>(),
        [
            "games has no trigger ~carburetor_removal_update",
            "its column id is of type bigint, and was integer when it was tracked",
            "its table of conflicts lacks the column id, or has it with another type",
            "its table of deletion clocks lacks the column id, or has it with another type",
            "its table of removals lacks the column id, or has it with another type",
        ]
    );
    install(&mut conn, &[&games]);
    assert_eq!(
        line(&mut conn, "select generation from carburetor.synced_table"),
        "2"
    );
    run(
        &mut conn,
        "insert into games values (4000000000); delete from games",
    );
    assert_eq!(
        lines(&mut conn, "select id from carburetor.removal_games"),
        ["4000000000"]
    );
    healthy(&mut conn, &[&games]);
}
