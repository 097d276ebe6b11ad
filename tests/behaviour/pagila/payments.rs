//! `payment` is partitioned by a date that is part of its key, and has no stamp before the tracking.

use super::{assert_equal, office, tracked};
use carburetor::{Everyone, SyncGroup, SyncTable, TableNews};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use pagila::models::Payment;
use pagila::replica::STEADY;

type Id = <Payment as SyncTable>::Id;

/// What `changes` say to somebody who holds all payments.
fn news(changes: &[&str]) -> Option<TableNews<Payment>> {
    let mut conn = tracked()?;
    let mut office = office(&mut conn);
    let payments = SyncGroup::<(Payment,)>::scoped(&Everyone).assuming(STEADY);
    let token = payments.download(&mut conn, (None,)).unwrap().next();
    for change in changes {
        conn.batch_execute(change).unwrap();
    }
    let news = payments.download(&mut conn, token).unwrap();
    office.sync(&mut conn, &Everyone).unwrap();
    assert_equal(&office, &mut conn);
    Some(news.into_tables().0)
}

/// The ids of the rows, and of what left.
fn ids(news: TableNews<Payment>) -> (Vec<Id>, Vec<Id>) {
    assert!(!news.reset);
    (news.rows.iter().map(SyncTable::id).collect(), news.removed)
}

fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

/// When payment 16051 was made, in the partition of January.
const MADE: &str = "2022-01-29T01:58:52.222594Z";

#[test]
fn a_payment_that_moves_to_another_partition_arrives_under_its_new_key() {
    let moved =
        "update payment set payment_date = '2022-03-05 06:07:08.090001Z' where payment_id = 16051";
    let Some(news) = news(&[moved]) else { return };
    assert_eq!(
        ids(news),
        (
            vec![(16051, at("2022-03-05T06:07:08.090001Z"))],
            vec![(16051, at(MADE))]
        )
    );
}

#[test]
fn a_payment_that_moves_there_and_back_leaves_nowhere() {
    let Some(news) = news(&[
        "update payment set payment_date = payment_date + interval '2 months' where payment_id = 16051",
        "update payment set payment_date = payment_date - interval '2 months' where payment_id = 16051",
    ]) else {
        return;
    };
    // Nobody was told of the key that it had meanwhile; that this never was to be seen can't be known.
    let between = at("2022-03-29T01:58:52.222594Z");
    assert_eq!(ids(news), (vec![(16051, at(MADE))], vec![(16051, between)]));
}

#[test]
fn an_edit_that_leaves_the_key_alone_is_one_row() {
    let edit = "update payment set amount = amount + 1 where payment_id = 16051";
    let Some(news) = news(&[edit]) else { return };
    assert_eq!(ids(news), (vec![(16051, at(MADE))], vec![]));
}

#[test]
fn writes_to_a_partition_itself_are_seen() {
    let Some(news) = news(&[
        "delete from payment_p2022_01 where payment_id = 16051",
        "insert into payment_p2022_07 (payment_id, customer_id, staff_id, rental_id, amount, payment_date)
         values (16051, 1, 1, 2, 0.99, '2022-07-01 00:00:00Z')",
    ]) else {
        return;
    };
    assert_eq!(
        ids(news),
        (
            vec![(16051, at("2022-07-01T00:00:00Z"))],
            vec![(16051, at(MADE))]
        )
    );
}
