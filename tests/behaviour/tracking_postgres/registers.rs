//! Every write moves the registers of the columns that it changed.

use super::{database, definition, install, line, lines, run};
use carburetor::clock::Clock;
use carburetor::table::{ColumnDefinition, Storage, TableDefinition};
use carburetor::tracking::postgres;
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, RunQueryDsl};
use std::collections::BTreeMap;

/// Users with two columns that travel besides the team.
pub(super) fn users() -> TableDefinition {
    let mut users = definition("users", &["id"], &["team"]);
    users.columns.push(ColumnDefinition {
        storage: Storage::Text,
        ..ColumnDefinition::new("name")
    });
    users.columns.push(ColumnDefinition {
        storage: Storage::Integer,
        ..ColumnDefinition::new("age")
    });
    users
}

pub(super) const USERS: &str =
    "create table users (id text primary key, name text, age int, team text, note text,
    updated_at timestamptz not null default now())";

/// A database with a tracked user, as the database inserted it.
pub(super) fn one_user() -> PgConnection {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    run(
        &mut conn,
        "insert into users (id, name, age, team) values ('a', 'Ann', 1, 'red')",
    );
    conn
}

pub(super) fn stored(conn: &mut PgConnection) -> String {
    line(
        conn,
        "select translate(coalesce(carburetor_registers::text, 'null'), '\"', '''') from users",
    )
    .replace('\'', "\"")
    .trim_matches('"')
    .to_owned()
}

/// The registers of the only user.
pub(super) fn registers(conn: &mut PgConnection) -> BTreeMap<String, Clock> {
    let stored = stored(conn);
    serde_json::from_str(&stored).unwrap_or_else(|error| panic!("{error}: {stored}"))
}

pub(super) fn of(clocks: &[(&str, Clock)]) -> BTreeMap<String, Clock> {
    let clocks = clocks.iter();
    clocks
        .map(|(name, clock)| ((*name).to_owned(), *clock))
        .collect()
}

/// The clock of the only user's stamp.
pub(super) fn stamped(conn: &mut PgConnection) -> Clock {
    let micros = line(
        conn,
        "select (extract(epoch from updated_at) * 1000000)::bigint from users",
    );
    at(micros.parse().expect("microseconds"))
}

fn at(micros: i64) -> Clock {
    Clock::of_database(chrono::DateTime::from_timestamp_micros(micros).expect("an instant"))
}

/// A clock ten seconds ahead of the database's, of a replica.
pub(super) fn ahead_of(conn: &mut PgConnection) -> Clock {
    let now = line(
        conn,
        "select (extract(epoch from clock_timestamp()) * 1000)::bigint",
    );
    Clock::new(now.parse::<u64>().expect("milliseconds") + 10_000, 7, 42)
}

pub(super) fn ahead(conn: &mut PgConnection) -> String {
    line(conn, "select ahead from carburetor.clock")
        .trim_matches('"')
        .to_owned()
}

#[test]
fn an_insert_leaves_the_registers_null() {
    let mut conn = one_user();
    assert_eq!(stored(&mut conn), "null");
}

#[test]
fn an_update_moves_the_register_of_the_changed_column_only() {
    let mut conn = one_user();
    let inserted = stamped(&mut conn);
    run(&mut conn, "update users set name = 'Anna', age = age");
    let renamed = stamped(&mut conn);
    assert_eq!(
        registers(&mut conn),
        of(&[("", inserted), ("name", renamed)])
    );
    run(&mut conn, "update users set age = null, team = 'blue'");
    let moved = stamped(&mut conn);
    assert_eq!(
        registers(&mut conn),
        of(&[
            ("", inserted),
            ("name", renamed),
            ("age", moved),
            ("team", moved)
        ])
    );
    run(&mut conn, "update users set name = 'Ann'");
    let again = stamped(&mut conn);
    assert_eq!(registers(&mut conn)["name"], again);
    assert_eq!(registers(&mut conn)["age"], moved);
}

#[test]
fn a_column_outside_of_the_model_has_no_register() {
    let mut conn = one_user();
    let inserted = stamped(&mut conn);
    run(&mut conn, "update users set note = 'x'");
    assert_eq!(registers(&mut conn), of(&[("", inserted)]));
}

#[test]
fn a_touch_makes_the_registers_what_the_old_stamp_said() {
    let mut conn = one_user();
    let inserted = stamped(&mut conn);
    diesel::sql_query(postgres::touch(&users()))
        .bind::<diesel::sql_types::Text, _>("a")
        .execute(&mut conn)
        .expect("touched");
    assert!(stamped(&mut conn) > inserted);
    assert_eq!(registers(&mut conn), of(&[("", inserted)]));
    run(
        &mut conn,
        "update users set name = name; update users set id = id",
    );
    assert_eq!(registers(&mut conn), of(&[("", inserted)]));
}

#[test]
fn rows_without_a_stamp_are_older_than_everything() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table users (id text primary key, name text, age int, team text, updated_at timestamp);
         insert into users (id) values ('a')",
    );
    let mut users = users();
    for column in &mut users.columns {
        if column.last_synced_at {
            column.storage = Storage::Timestamp;
            column.nullable = true;
        }
    }
    install(&mut conn, &[&users]);
    run(
        &mut conn,
        "set timezone = 'Asia/Kathmandu'; update users set age = 3",
    );
    let aged = stamped(&mut conn);
    assert_eq!(
        registers(&mut conn),
        of(&[("", Clock::ZERO), ("age", aged)])
    );
    run(
        &mut conn,
        "begin; alter table users disable trigger user; update users set carburetor_registers = null, updated_at = '1969-01-01';
         alter table users enable always trigger \"~carburetor_stamp\"; commit; update users set age = 4",
    );
    assert_eq!(registers(&mut conn)[""], Clock::ZERO);
}

#[test]
fn an_upsert_and_the_triggers_of_others_move_registers() {
    let mut conn = one_user();
    let inserted = stamped(&mut conn);
    run(
        &mut conn,
        "create function older() returns trigger language plpgsql as 'begin new.age := new.age + 1; return new; end';
         create trigger older before update on users for each row execute function older();
         insert into users (id, name) values ('a', 'Anna') on conflict (id) do update set name = excluded.name",
    );
    let renamed = stamped(&mut conn);
    assert_eq!(
        registers(&mut conn),
        of(&[("", inserted), ("name", renamed), ("age", renamed)])
    );
}

#[test]
fn a_changed_id_is_a_new_row() {
    let mut conn = one_user();
    run(&mut conn, "update users set age = 2");
    assert_ne!(stored(&mut conn), "null");
    run(&mut conn, "update users set id = 'b', age = 3");
    assert_eq!(stored(&mut conn), "null");
    run(&mut conn, "update users set id = 'c'");
    assert_eq!(stored(&mut conn), "null");
}

#[test]
fn columns_of_any_name_have_a_register() {
    let names = [
        "größe", "a\"b", "it's", "a,b{}", "a\\b", "NULL", "x y", "clock",
    ];
    let mut items = definition("items", &["id"], &[]);
    let mut columns = String::new();
    for name in names {
        let column = ColumnDefinition::new(name);
        columns += &format!("{} int, ", column.quoted());
        items.columns.push(column);
    }
    let mut conn = database().connect();
    run(
        &mut conn,
        &format!("create table items (id int primary key, {columns} updated_at timestamptz)"),
    );
    items.columns[1].nullable = true;
    install(&mut conn, &[&items]);
    run(&mut conn, "insert into items (id) values (1)");
    for column in items.columns.iter().skip(2) {
        run(
            &mut conn,
            &format!("update items set {} = 1", column.quoted()),
        );
    }
    let known = lines(
        &mut conn,
        "select encode(convert_to(jsonb_object_keys(carburetor_registers), 'UTF8'), 'hex') as name from items",
    );
    let hex = |name: &str| -> String { name.bytes().map(|byte| format!("{byte:02x}")).collect() };
    for name in names {
        assert!(known.contains(&hex(name)), "{name}: {known:?}");
    }
    assert_eq!(known.len(), names.len() + 1);
}

#[test]
fn a_search_path_of_the_writer_hides_no_edit() {
    let mut conn = one_user();
    run(
        &mut conn,
        "create schema evil;
         create function evil.same(text, text) returns boolean language sql as $$ select true $$;
         create operator evil.= (leftarg = text, rightarg = text, function = evil.same);
         create function evil.other(text, text) returns boolean language sql as $$ select false $$;
         create operator evil.<> (leftarg = text, rightarg = text, function = evil.other);
         create function evil.to_hex(bigint) returns text language sql as $$ select 'f' $$;
         create collation evil.\"C\" from pg_catalog.\"POSIX\";
         create domain evil.text as pg_catalog.int4;
         set search_path = evil, pg_catalog, public; update public.users set name = 'x'; reset search_path",
    );
    let renamed = stamped(&mut conn);
    assert_eq!(registers(&mut conn)["name"], renamed);
}

#[test]
fn read_only_tables_have_no_registers() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    let read_only = TableDefinition {
        read_only: true,
        ..users()
    };
    install(&mut conn, &[&read_only]);
    let kept = "select relname from pg_class where relnamespace = 'carburetor'::regnamespace and relkind = 'r' and relname like '%users' order by 1";
    assert_eq!(lines(&mut conn, kept), ["removal_users"]);
    let column = "select attname from pg_attribute where attrelid = 'users'::regclass and attname = 'carburetor_registers'";
    assert_eq!(lines(&mut conn, column), Vec::<String>::new());
    run(
        &mut conn,
        "insert into users (id) values ('a'); update users set age = 1; delete from users",
    );
    assert_eq!(
        super::problems(&mut conn, &[&read_only]),
        Vec::<[String; 2]>::new()
    );
    // There and back.
    for (old, new) in [(&read_only, &users()), (&users(), &read_only)] {
        let difference = postgres::difference(&[old], &[new]).to_string();
        super::migrate(&mut conn, &difference).expect("the difference");
        assert_eq!(
            super::problems(&mut conn, &[new]),
            Vec::<[String; 2]>::new()
        );
    }
    assert_eq!(lines(&mut conn, kept), ["removal_users"]);
    assert_eq!(lines(&mut conn, column), Vec::<String>::new());
}

#[test]
fn a_column_of_the_registers_name_and_another_type_is_refused() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    run(
        &mut conn,
        "alter table users add column carburetor_registers text",
    );
    assert_eq!(
        super::refusal(&mut conn, &users()),
        "carburetor: can't track \"users\": its column carburetor_registers is of type text, and the tracking keeps jsonb there; rename it"
    );
    assert!(
        conn.batch_execute("select from carburetor.synced_table")
            .is_err()
    );
}
