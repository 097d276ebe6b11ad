//! Registers that a statement gives, and what follows from clocks that are ahead of the database's.

use super::registers::{ahead, ahead_of, of, one_user, registers, stamped, stored};
use super::{lines, run};
use carburetor::clock::Clock;
use diesel::{ExecuteCopyFromDsl, PgConnection};

#[test]
fn a_statement_that_gives_registers_is_taken_as_given() {
    let mut conn = one_user();
    let given = of(&[("", Clock::new(1, 2, 3)), ("name", Clock::new(4, 5, 6))]);
    let text = serde_json::to_string(&given).expect("JSON");
    run(
        &mut conn,
        &format!("update users set age = 9, carburetor_registers = '{text}'"),
    );
    assert_eq!(registers(&mut conn), given);
    run(
        &mut conn,
        "update users set age = 8, carburetor_registers = null",
    );
    assert_eq!(stored(&mut conn), "null");
    run(
        &mut conn,
        &format!(
            "delete from users; insert into users (id, carburetor_registers) values ('b', '{text}')"
        ),
    );
    assert_eq!(registers(&mut conn), given);
    run(&mut conn, "update users set age = 1");
    assert_eq!(registers(&mut conn)["name"], Clock::new(4, 5, 6));
}

#[test]
fn untracked_writes_leave_registers_as_they_are() {
    let mut conn = one_user();
    let untracked = |conn: &mut PgConnection, statement: &str| {
        run(
            conn,
            &format!("begin; set local carburetor.untracked = on; {statement}; commit"),
        );
    };
    untracked(&mut conn, "update users set name = 'x'");
    assert_eq!(stored(&mut conn), "null");
    run(&mut conn, "update users set age = 2");
    let before = registers(&mut conn);
    untracked(&mut conn, "update users set name = 'y', age = 5");
    assert_eq!(registers(&mut conn), before);
    untracked(
        &mut conn,
        "update users set carburetor_registers = '{\"\": \"00000000000000010000000000000000\"}'",
    );
    assert_eq!(registers(&mut conn), of(&[("", Clock::ZERO.successor())]));
}

#[test]
fn a_row_written_ahead_of_the_clock_is_written_with_the_successor() {
    let mut conn = one_user();
    let sent = ahead_of(&mut conn);
    let given = of(&[("", Clock::new(1, 0, 0)), ("name", sent), ("+", sent)]);
    let text = serde_json::to_string(&given).expect("JSON");
    run(
        &mut conn,
        &format!("update users set name = 'x', carburetor_registers = '{text}'"),
    );
    assert_eq!(registers(&mut conn), given);
    assert_eq!(ahead(&mut conn), sent.to_string());
    run(&mut conn, "update users set name = 'y'");
    let next = sent.successor();
    assert_eq!(
        registers(&mut conn),
        of(&[("", Clock::new(1, 0, 0)), ("name", next), ("+", next)])
    );
    assert_eq!(ahead(&mut conn), next.to_string());
    run(&mut conn, "update users set age = 7");
    let last = next.successor();
    assert_eq!(
        registers(&mut conn),
        of(&[
            ("", Clock::new(1, 0, 0)),
            ("name", next),
            ("age", last),
            ("+", last)
        ])
    );
    assert_eq!(ahead(&mut conn), last.to_string());
}

#[test]
fn a_clock_that_is_no_longer_ahead_is_forgotten() {
    let mut conn = one_user();
    let old = Clock::new(1_700_000_000_000, 0xffff, 9);
    run(
        &mut conn,
        &format!(
            "update users set carburetor_registers = '{{\"\": \"{old}\", \"+\": \"{old}\"}}'; update users set age = 6"
        ),
    );
    let aged = stamped(&mut conn);
    assert_eq!(registers(&mut conn), of(&[("", old), ("age", aged)]));
}

#[test]
fn what_is_no_registers_breaks_no_write() {
    for nonsense in [
        "1",
        "[]",
        "[\"+\"]",
        "\"+\"",
        "null",
        "{}",
        "{\"+\": 1}",
        "{\"+\": \"zz\"}",
        "{\"+\": {}}",
        "{\"+\": \"ffffffffffffffffffffffffffffffff\"}",
    ] {
        let mut conn = one_user();
        run(
            &mut conn,
            &format!(
                "update users set carburetor_registers = '{nonsense}'; update users set age = 5"
            ),
        );
        let aged = stamped(&mut conn);
        assert_eq!(registers(&mut conn)["age"], aged, "{nonsense}");
        assert!(!registers(&mut conn).contains_key("+"), "{nonsense}");
        run(
            &mut conn,
            &format!("update users set carburetor_registers = '{nonsense}'; delete from users"),
        );
    }
}

#[test]
fn copied_rows_bring_their_registers_or_none() {
    let mut conn = one_user();
    run(&mut conn, "delete from users");
    let mut copy = |text: &'static [u8]| {
        let rows = diesel::copy_from(schema::users::table)
            .from_raw_data(
                (
                    schema::users::id,
                    schema::users::name,
                    schema::users::carburetor_registers,
                ),
                move |out: &mut dyn std::io::Write| {
                    out.write_all(text)
                        .map_err(|error| diesel::result::Error::SerializationError(error.into()))
                },
            )
            .execute(&mut conn);
        assert_eq!(rows.ok(), Some(1));
    };
    copy(b"b\tBob\t\\N\n");
    copy(b"c\tCem\t{\"\": \"00000000000000010000000000000000\"}\n");
    assert_eq!(
        lines(
            &mut conn,
            "select id, carburetor_registers ->> '' as existence from users order by id"
        ),
        ["b,", "c,00000000000000010000000000000000"]
    );
}

mod schema {
    diesel::table! {
        users (id) { id -> Text, name -> Nullable<Text>, carburetor_registers -> Nullable<Jsonb>, }
    }
}
