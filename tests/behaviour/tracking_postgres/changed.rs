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
        line(
            &mut conn,
            "select generation > 1 from carburetor.synced_table"
        ),
        "t"
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

/// The migration fires no trigger, so that no stamp tells of the values.
#[test]
fn a_column_whose_values_changed_by_its_declaration_is_told_and_resets_the_table_once() {
    const TYPED: &str =
        "its column name is of type character varying(9), and was text when it was tracked";
    const OTHER: &str = "its column name is another one than when it was tracked, so that replicas have what that one held";
    for (migration, told) in [
        (
            "alter table games alter column name type varchar(9) using upper(name)",
            TYPED,
        ),
        (
            "alter table games drop column name; alter table games add column name text default 'new'",
            OTHER,
        ),
        (
            "alter table games rename column name to old; alter table games add column name text",
            OTHER,
        ),
        (
            "alter table games rename column name to old; alter table games rename column other to name",
            OTHER,
        ),
    ] {
        let mut conn = database().connect();
        run(
            &mut conn,
            "create table games (id int primary key, name text, other text); alter table games drop column other; alter table games add column other text",
        );
        let mut games = definition("games", &["id"], &[]);
        games.columns.push(ColumnDefinition::new("name"));
        install(&mut conn, &[&games]);
        run(&mut conn, "insert into games values (1, 'one', 'two')");
        install(&mut conn, &[&games]);
        healthy(&mut conn, &[&games]);
        run(&mut conn, migration);
        let problems = problems(&mut conn, &[&games]);
        let [[problem, remedy]] = &problems[..] else {
            panic!("{migration}: {problems:?}");
        };
        assert_eq!(problem, told, "{migration}");
        assert!(remedy.ends_with("which resets the replicas"), "{remedy}");
        let generation = "select generation from carburetor.synced_table";
        for _ in 0..2 {
            install(&mut conn, &[&games]);
            healthy(&mut conn, &[&games]);
            assert_eq!(line(&mut conn, generation), "2", "{migration}");
        }
    }
}

/// What the numbers of columns are in another table says nothing of their values: a dump has no gaps.
#[test]
fn columns_beside_and_other_tables_numbers_reset_nothing() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table games (id int primary key, gone text, name text, updated_at timestamptz not null default now())",
    );
    let mut games = definition("games", &["id"], &[]);
    games.columns.push(ColumnDefinition::new("name"));
    install(&mut conn, &[&games]);
    run(
        &mut conn,
        "alter table games drop column gone; alter table games add column more text default 'x'",
    );
    healthy(&mut conn, &[&games]);
    run(
        &mut conn,
        r#"update carburetor.synced_table set definition = regexp_replace(regexp_replace(definition, '"oid":\d+', '"oid":1'), '"name" : 3', '"name" : 7')"#,
    );
    healthy(&mut conn, &[&games]);
    install(&mut conn, &[&games]);
    // An installation of before knew no numbers.
    run(
        &mut conn,
        r#"update carburetor.synced_table set definition = regexp_replace(definition, ',"oid":.*', '}')"#,
    );
    healthy(&mut conn, &[&games]);
    install(&mut conn, &[&games]);
    assert_eq!(
        line(&mut conn, "select generation from carburetor.synced_table"),
        "1"
    );
    assert_eq!(
        line(
            &mut conn,
            r#"select definition like '%"numbers"%' from carburetor.synced_table"#
        ),
        "t"
    );
}

/// What a type is called depends on where a session looks for it.
#[test]
fn a_type_is_the_same_one_whatever_the_search_path() {
    const TYPE: &str = "create schema app; create type app.mood as enum ('good', 'bad');
        create domain app.code as varchar(9)";
    let mut conn = database().connect();
    run(&mut conn, TYPE);
    run(
        &mut conn,
        "create table games (id int primary key, mood app.mood, moods app.mood[], code app.code, name varchar(9)[], text text)",
    );
    let mut games = definition("games", &["id"], &[]);
    let columns = ["mood", "moods", "code", "name", "text"];
    games.columns.extend(columns.map(ColumnDefinition::new));
    let paths = ["public", "public, app", "app, public, pg_catalog", "public"];
    for path in paths {
        run(&mut conn, &format!("set search_path = {path}"));
        install(&mut conn, &[&games]);
        for path in paths {
            run(&mut conn, &format!("set search_path = {path}"));
            healthy(&mut conn, &[&games]);
        }
    }
    let generation = "select generation from carburetor.synced_table";
    assert_eq!(line(&mut conn, generation), "1");
    // Installations of before wrote what their session called it.
    run(
        &mut conn,
        r#"update carburetor.synced_table set definition = regexp_replace(replace(definition, '"app.', '"'), ',"file":.*', '}')"#,
    );
    healthy(&mut conn, &[&games]);
    install(&mut conn, &[&games]);
    healthy(&mut conn, &[&games]);
    assert_eq!(line(&mut conn, generation), "1");
    // One of the same name is another one.
    run(
        &mut conn,
        "create type public.mood as enum ('good', 'bad');
        alter table games alter column mood type public.mood using 'bad', alter column text type app.code using 'x'",
    );
    let told: Vec<_> = problems(&mut conn, &[&games])
        .into_iter()
        .map(|[problem, _]| problem)
        .collect();
    assert_eq!(
        told,
        [
            "its column mood is of type public.mood, and was app.mood when it was tracked",
            "its column text is of type app.code, and was text when it was tracked",
        ]
    );
    install(&mut conn, &[&games]);
    healthy(&mut conn, &[&games]);
    assert_eq!(line(&mut conn, generation), "2");
}

#[test]
fn a_text_that_may_be_longer_resets_nothing_unless_its_values_are_written_anew() {
    for (migration, expected) in [
        ("alter column name type varchar(100)", "1"),
        ("alter column name type varchar", "1"),
        ("alter column name type text", "1"),
        ("alter column name type varchar(100) using upper(name)", "2"),
        ("alter column name type varchar(9)", "2"),
    ] {
        let mut conn = database().connect();
        run(
            &mut conn,
            "create table games (id int primary key, name varchar(50)); insert into games values (1, 'one')",
        );
        let mut games = definition("games", &["id"], &[]);
        games.columns.push(ColumnDefinition::new("name"));
        install(&mut conn, &[&games]);
        run(&mut conn, &format!("alter table games {migration}"));
        let problems = problems(&mut conn, &[&games]);
        let [[problem, remedy]] = &problems[..] else {
            panic!("{migration}: {problems:?}");
        };
        assert!(problem.contains("when it was tracked"), "{problem}");
        let resets = remedy.ends_with("which resets the replicas");
        assert_eq!(resets, expected == "2", "{migration}: {remedy}");
        for _ in 0..2 {
            install(&mut conn, &[&games]);
            healthy(&mut conn, &[&games]);
            let generation = "select generation from carburetor.synced_table";
            assert_eq!(line(&mut conn, generation), expected, "{migration}");
            // What is written anew since is no matter.
            run(&mut conn, "vacuum full games");
        }
    }
}
