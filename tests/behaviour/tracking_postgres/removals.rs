//! What leaves a table, or a scope, leaves a removal.

use super::{database, definition, install, line, lines, run, tracked_users, users};

const REMOVED: &str =
    "select id, team from carburetor.removal_users order by carburetor_removed_at";

#[test]
fn a_deleted_row_leaves_its_id_and_what_scopes_look_at() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'red'), ('b', null), ('c', 'red'); delete from users where id < 'c'",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id, team from carburetor.removal_users order by id"
        ),
        ["a,red", "b,"]
    );
}

#[test]
fn a_row_that_moves_leaves_every_team_it_was_in() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'A'); update users set team = 'B'; update users set team = null; update users set team = 'D'",
    );
    assert_eq!(lines(&mut conn, REMOVED), ["a,A", "a,B", "a,"]);
}

#[test]
fn an_ordinary_update_leaves_nothing() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'A'), ('b', null); update users set name = 'x', team = team",
    );
    assert_eq!(lines(&mut conn, REMOVED), Vec::<String>::new());
}

#[test]
fn a_changed_id_leaves_the_old_one() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'A'); update users set id = 'b'",
    );
    assert_eq!(lines(&mut conn, REMOVED), ["a,A"]);
    assert_eq!(lines(&mut conn, "select id from users"), ["b"]);
}

#[test]
fn the_same_removal_again_only_moves_its_instant() {
    let mut conn = tracked_users();
    let row = "insert into users (id, team) values ('a', null); delete from users";
    run(&mut conn, row);
    run(
        &mut conn,
        "create table before as table carburetor.removal_users",
    );
    run(&mut conn, row);
    assert_eq!(
        lines(
            &mut conn,
            "select r.id, r.carburetor_removed_at > b.carburetor_removed_at as later from carburetor.removal_users r, before b"
        ),
        ["a,t"]
    );
    run(
        &mut conn,
        "update carburetor.removal_users set carburetor_removed_at = '2200-01-01'",
    );
    run(&mut conn, row);
    assert_eq!(
        line(
            &mut conn,
            "select carburetor_removed_at - '2200-01-01' from carburetor.removal_users"
        ),
        "00:00:00.000001"
    );
}

#[test]
fn a_removal_is_published_before_its_instant() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id) values ('a'); begin; delete from users",
    );
    let published = "select count(*) from pg_locks where locktype = 'advisory' and classid::bigint >> 19 = 1441 and pid = pg_backend_pid()";
    assert_eq!(line(&mut conn, published), "1");
    assert_eq!(
        lines(
            &mut conn,
            "select id from carburetor.removal_users where carburetor_removed_at >= now()"
        ),
        ["a"]
    );
}

#[test]
fn a_cascade_leaves_removals() {
    let mut conn = tracked_users();
    run(&mut conn, "create table posts (id int primary key, author text references users on update cascade on delete cascade,
        updated_at timestamptz not null default now())");
    install(&mut conn, &[&definition("posts", &["id"], &["author"])]);
    run(
        &mut conn,
        "insert into users (id) values ('a'), ('b'); insert into posts values (1, 'a'), (2, 'b'); update users set id = 'c' where id = 'a'; delete from users where id = 'b'",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id, author from carburetor.removal_posts order by id"
        ),
        ["1,a", "2,b"]
    );
}

#[test]
fn composite_ids_of_a_quoted_table_in_another_schema() {
    let mut conn = database().connect();
    run(
        &mut conn,
        r#"create schema "Größe""s"; create table "Größe""s"."Meß $carburetor$ 'x'" ("Straße" text, "Nr." int, "für wen" text, primary key ("Nr.", "Straße"))"#,
    );
    let table = definition(
        "Größe\"s.Meß $carburetor$ 'x'",
        &["Straße", "Nr."],
        &["für wen", "Nr."],
    );
    install(&mut conn, &[&table]);
    run(
        &mut conn,
        r#"insert into "Größe""s"."Meß $carburetor$ 'x'" values ('lang', 1, 'ä'); update "Größe""s"."Meß $carburetor$ 'x'" set "Nr." = 2; delete from "Größe""s"."Meß $carburetor$ 'x'""#,
    );
    let removal = format!(
        "carburetor.\"{}\"",
        table.removal_name().replace('"', "\"\"")
    );
    assert_eq!(
        lines(
            &mut conn,
            &format!(
                r#"select "Straße", "Nr.", "für wen" from {removal} order by carburetor_removed_at"#
            )
        ),
        ["lang,1,ä", "lang,2,ä"]
    );
    assert_eq!(
        super::problems(&mut conn, &[&table]),
        Vec::<[String; 2]>::new()
    );
}

#[test]
fn columns_named_as_our_variables_are_no_trouble() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table t (ignored int primary key, r int, excluded text, tg_op text)",
    );
    install(
        &mut conn,
        &[&definition("t", &["ignored"], &["r", "excluded", "tg_op"])],
    );
    run(
        &mut conn,
        "insert into t values (1, 2, 'x', 'y'); delete from t; insert into t values (1, 2, 'x', 'y'); delete from t",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select ignored, r, excluded, tg_op from carburetor.removal_t"
        ),
        ["1,2,x,y"]
    );
}

#[test]
fn two_transactions_that_remove_the_same_id_agree() {
    let database = database();
    let mut one = database.connect();
    run(&mut one, super::USERS);
    install(&mut one, &[&users()]);
    run(&mut one, "insert into users (id, team) values ('a', 'A')");
    run(
        &mut one,
        "begin; delete from users; insert into users (id, team) values ('a', 'A')",
    );
    let mut other = database.connect();
    let waiting = std::thread::spawn(move || run(&mut other, "delete from users where id = 'a'"));
    let blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let mut watcher = database.connect();
    while line(&mut watcher, blocked) != "1" {
        assert!(!waiting.is_finished(), "the other deletion waits");
    }
    run(&mut one, "commit");
    waiting.join().expect("no deadlock");
    // The waiting deletion saw the row as it was; it was another one by then.
    assert_eq!(lines(&mut one, "select id from users"), ["a"]);
    assert_eq!(lines(&mut one, REMOVED), ["a,A"]);
}
