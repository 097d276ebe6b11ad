//! Partitioned tables: Pagila's `payment`, by range of a column that is part of the id.

use super::{database, definition, install, line, lines, problems, run};
use carburetor::table::TableDefinition;
use diesel::PgConnection;

fn payment() -> TableDefinition {
    definition("payment", &["payment_date", "payment_id"], &["customer_id"])
}

const PAYMENT: &str = "
create table payment (payment_id int not null, customer_id int not null, amount numeric(5, 2) not null, payment_date timestamptz not null)
  partition by range (payment_date);
create table payment_01 (payment_id int not null, customer_id int not null, amount numeric(5, 2) not null, payment_date timestamptz not null);
alter table payment attach partition payment_01 for values from ('2022-01-01') to ('2022-02-01');
create table payment_02 partition of payment for values from ('2022-02-01') to ('2022-03-01');
alter table payment add primary key (payment_date, payment_id);
insert into payment values (1, 7, 1.5, '2022-01-05'), (2, 8, 2.5, '2022-02-05')";

const STATE: &str = "select generation, partitions from carburetor.synced_table";
const REMOVED: &str = "select payment_id, customer_id, (payment_date at time zone 'UTC')::date from carburetor.removal_payment order by carburetor_removed_at";

fn tracked_payments() -> PgConnection {
    let mut conn = database().connect();
    run(&mut conn, "set timezone = 'UTC'");
    run(&mut conn, PAYMENT);
    install(&mut conn, &[&payment()]);
    conn
}

fn problem_texts(conn: &mut PgConnection) -> Vec<String> {
    problems(conn, &[&payment()])
        .into_iter()
        .map(|[problem, _]| problem)
        .collect()
}

#[test]
fn every_partition_has_all_triggers() {
    let mut conn = tracked_payments();
    assert_eq!(lines(&mut conn, STATE), ["1,\"{payment_01,payment_02}\""]);
    assert_eq!(
        lines(&mut conn, "select tgrelid::regclass, string_agg(format('%s %s', tgname, tgenabled), ', ' order by tgname) from pg_trigger group by 1 order by 1::text"),
        ["payment", "payment_01", "payment_02"].map(|name| format!(
            "{name},\"~carburetor_removal_delete A, ~carburetor_removal_update A, ~carburetor_stamp A, ~carburetor_truncate A\""
        ))
    );
    assert_eq!(problem_texts(&mut conn), Vec::<String>::new());
    install(&mut conn, &[&payment()]);
    assert_eq!(lines(&mut conn, STATE), ["1,\"{payment_01,payment_02}\""]);
}

#[test]
fn a_write_to_a_partition_itself_counts() {
    let mut conn = tracked_payments();
    run(
        &mut conn,
        "update payment_01 set amount = 3; delete from payment_02",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select payment_id from payment where updated_at > (select horizon from carburetor.synced_table)"
        ),
        ["1"]
    );
    assert_eq!(lines(&mut conn, REMOVED), ["2,8,2022-02-05"]);
}

#[test]
fn a_row_that_moves_to_another_partition_leaves_its_old_id() {
    let mut conn = tracked_payments();
    run(
        &mut conn,
        "update payment set payment_date = '2022-02-09', customer_id = 9 where payment_id = 1",
    );
    assert_eq!(lines(&mut conn, REMOVED), ["1,7,2022-01-05"]);
    assert_eq!(
        lines(
            &mut conn,
            "select payment_id, customer_id from payment_02 where updated_at > (select horizon from carburetor.synced_table)"
        ),
        ["1,9"]
    );
}

#[test]
fn truncating_the_table_or_one_partition_moves_the_generation() {
    let mut conn = tracked_payments();
    run(&mut conn, "truncate payment_01");
    assert_eq!(
        line(&mut conn, "select generation from carburetor.synced_table"),
        "2"
    );
    run(
        &mut conn,
        "create table before as table carburetor.synced_table; truncate payment",
    );
    assert_eq!(
        line(
            &mut conn,
            "select s.generation > b.generation from carburetor.synced_table s, before b"
        ),
        "t"
    );
}

#[test]
fn a_new_empty_partition_is_adopted_without_a_reset() {
    let mut conn = tracked_payments();
    run(
        &mut conn,
        "create table payment_03 partition of payment for values from ('2022-03-01') to ('2022-04-01')",
    );
    assert_eq!(
        problem_texts(&mut conn),
        [
            "payment_03 came after the table was tracked",
            "payment_03 has no trigger ~carburetor_truncate"
        ]
    );
    install(&mut conn, &[&payment()]);
    assert_eq!(
        lines(&mut conn, STATE),
        ["1,\"{payment_01,payment_02,payment_03}\""]
    );
    assert_eq!(problem_texts(&mut conn), Vec::<String>::new());
}

#[test]
fn a_partition_that_comes_with_rows_moves_the_generation() {
    let mut conn = tracked_payments();
    run(
        &mut conn,
        "create table payment_03 (like payment including all); insert into payment_03 values (3, 9, 1, '2022-03-03', '2000-01-01');
         alter table payment attach partition payment_03 for values from ('2022-03-01') to ('2022-04-01')",
    );
    assert_eq!(
        problems(&mut conn, &[&payment()])[0],
        [
            "payment_03 came after the table was tracked",
            "run its part of up.sql again; if it came with rows, and has none now, run: select carburetor.reset_table('payment')"
        ]
    );
    install(&mut conn, &[&payment()]);
    assert_eq!(
        lines(&mut conn, STATE),
        ["2,\"{payment_01,payment_02,payment_03}\""]
    );
    run(&mut conn, "update payment_03 set amount = 2");
    assert_eq!(
        lines(
            &mut conn,
            "select payment_id from payment_03 where updated_at > (select horizon from carburetor.synced_table)"
        ),
        ["3"]
    );
}

#[test]
fn a_partition_that_leaves_moves_the_generation() {
    let mut conn = tracked_payments();
    run(&mut conn, "alter table payment detach partition payment_01");
    assert_eq!(
        problem_texts(&mut conn),
        ["payment_01 is no longer a partition"]
    );
    install(&mut conn, &[&payment()]);
    assert_eq!(lines(&mut conn, STATE), ["2,{payment_02}"]);
    assert_eq!(
        lines(
            &mut conn,
            "select tgname from pg_trigger where tgrelid = 'payment_01'::regclass"
        ),
        Vec::<String>::new()
    );
    run(
        &mut conn,
        "delete from payment_01; drop table payment_01; drop table payment_02",
    );
    install(&mut conn, &[&payment()]);
    assert_eq!(lines(&mut conn, STATE), ["3,{}"]);
}

#[test]
fn a_trigger_disabled_on_one_partition_is_found() {
    let mut conn = tracked_payments();
    run(
        &mut conn,
        "alter table payment_01 disable trigger \"~carburetor_stamp\"",
    );
    assert_eq!(
        problem_texts(&mut conn),
        ["the trigger ~carburetor_stamp of payment_01 is disabled, or not enabled always"]
    );
    install(&mut conn, &[&payment()]);
    assert_eq!(lines(&mut conn, STATE), ["2,\"{payment_01,payment_02}\""]);
    assert_eq!(problem_texts(&mut conn), Vec::<String>::new());
}
