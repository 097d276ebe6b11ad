//! Writers need no rights on our schema, and nobody can forge what it holds.

use super::{USERS, database, install, lines, run, users};
use carburetor::tracking::postgres;
use diesel::connection::SimpleConnection;

/// A role of this name, whatever other tests of this cluster did.
fn role(conn: &mut diesel::PgConnection, name: &str) {
    run(
        conn,
        &format!(
            "do $$ begin create role {name}; exception when duplicate_object or unique_violation then null; end $$"
        ),
    );
}

#[test]
fn a_role_without_rights_on_the_schema_writes() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    role(&mut conn, "tracking_writer");
    install(&mut conn, &[&users()]);
    run(&mut conn, "grant insert, update, delete, truncate, select on users to tracking_writer; set role tracking_writer;
        insert into users (id, team) values ('a', 'A'), ('b', 'B'); update users set team = 'C' where id = 'a'; delete from users where id = 'b'");
    let error = conn
        .batch_execute("select from carburetor.removal_users")
        .expect_err("no rights")
        .to_string();
    assert_eq!(error, "permission denied for schema carburetor");
    run(&mut conn, "truncate users; reset role");
    assert_eq!(
        lines(
            &mut conn,
            "select id, team from carburetor.removal_users order by id"
        ),
        ["a,A", "b,B"]
    );
    assert_eq!(
        lines(&mut conn, "select generation from carburetor.synced_table"),
        ["2"]
    );
}

#[test]
fn a_downloading_role_reads_what_it_must_and_writes_nothing() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    role(&mut conn, "\"tracking reader\"");
    install(&mut conn, &[&users()]);
    run(&mut conn, &postgres::grants(&[&users()], "tracking reader"));
    run(&mut conn, "set role \"tracking reader\"");
    assert_eq!(
        lines(&mut conn, "select name from carburetor.synced_table"),
        ["users"]
    );
    assert_eq!(
        lines(
            &mut conn,
            "select 1 from carburetor.watermark union all select 1 from carburetor.removal_users"
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        lines(&mut conn, "select count(*) from carburetor.clock"),
        ["1"]
    );
    assert_eq!(
        super::problems(&mut conn, &[&users()]),
        Vec::<[String; 2]>::new()
    );
    for (statement, error) in [
        (
            "delete from carburetor.removal_users",
            "permission denied for table removal_users",
        ),
        (
            "update carburetor.synced_table set generation = 9",
            "permission denied for table synced_table",
        ),
        (
            "select carburetor.reset_table('users')",
            "permission denied for function reset_table",
        ),
        (
            "create temporary table fake (id text, team text); create trigger t after delete on fake for each row execute function carburetor.removal_users()",
            "permission denied for function carburetor.removal_users",
        ),
    ] {
        assert_eq!(
            conn.batch_execute(statement)
                .expect_err(statement)
                .to_string(),
            error
        );
    }
}
