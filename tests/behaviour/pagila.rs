//! Pagila as its example uses it: types, keys and triggers that nobody here chose, and one stamp for all rows of a table.

mod pages;
mod payments;
mod travel;

use carburetor::Everyone;
use carburetor_tests::{Cluster, Database, Dataset};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use pagila::replica::{HeadOfficeReplica, TabletReplica};
use pagila::scopes::{HeadOffice, Shop, Tablet};

/// Pagila without tracking; `None`, said aloud, if it is not here.
fn untracked() -> Option<Database> {
    let database = Cluster::shared().database();
    database.load(Dataset::Pagila).then_some(database)
}

/// A connection to Pagila with tracking.
fn tracked() -> Option<PgConnection> {
    let mut conn = untracked()?.connect();
    HeadOffice::tracking::<Pg>().install(&mut conn).unwrap();
    Some(conn)
}

/// A head office that holds everything.
fn office(conn: &mut PgConnection) -> HeadOfficeReplica {
    let mut office = HeadOfficeReplica::default();
    let news = office.sync(conn, &Everyone).unwrap();
    assert!(news.iter().all(|news| news.reset && news.removals == 0));
    assert_eq!(news.iter().map(|news| news.rows).sum::<usize>(), 49_636);
    office
}

/// Fails if a row differs from what plain Diesel loads.
fn assert_equal(office: &HeadOfficeReplica, conn: &mut PgConnection) {
    let differences = office.differences(conn, &Everyone).unwrap();
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn all_fifteen_tables_are_tracked_and_arrive_whole() {
    let Some(mut conn) = tracked() else { return };
    let mut problems = HeadOffice::tracking::<Pg>().verify(&mut conn).unwrap();
    problems.append(&mut Tablet::tracking::<Pg>().verify(&mut conn).unwrap());
    assert_eq!(problems, []);
    // Most of its ids are from sequences.
    let warnings = HeadOffice::tracking::<Pg>().warnings(&mut conn).unwrap();
    assert!(!warnings.is_empty());
    let office = office(&mut conn);
    assert_equal(&office, &mut conn);
}

#[test]
fn a_tablet_holds_what_its_shop_shows() {
    let Some(mut conn) = tracked() else { return };
    for (store, rentals) in [(1, 7923), (2, 8121), (3, 0)] {
        let shop = Shop::load(&mut conn, store).unwrap();
        let mut tablet = TabletReplica::default();
        tablet.sync(&mut conn, &shop).unwrap();
        assert_eq!((tablet.rentals.len(), tablet.films.len()), (rentals, 790));
        let differences = tablet.differences(&mut conn, &shop).unwrap();
        assert_eq!(differences, Vec::<String>::new());
    }
}

#[test]
fn a_film_that_a_filter_begins_to_hide_leaves_the_tablet() {
    let Some(mut conn) = tracked() else { return };
    let shop = Shop::load(&mut conn, 1).unwrap();
    let mut tablet = TabletReplica::default();
    tablet.sync(&mut conn, &shop).unwrap();
    // The filter compares with an enum; a rating that is NULL hides a film too.
    conn.batch_execute(
        "update film set rating = 'NC-17' where film_id = 1; update film set rating = null where film_id = 2",
    )
    .unwrap();
    let news = tablet.sync(&mut conn, &shop).unwrap();
    assert_eq!((news[5].rows, news[5].removals), (0, 2));
    conn.batch_execute("update film set rating = 'PG-13' where film_id in (1, 2)")
        .unwrap();
    let news = tablet.sync(&mut conn, &shop).unwrap();
    assert_eq!((news[5].rows, news[5].removals), (2, 0));
    let differences = tablet.differences(&mut conn, &shop).unwrap();
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn rentals_follow_a_copy_that_goes_to_another_shop() {
    let Some(mut conn) = tracked() else { return };
    let mut tablets = [1, 2].map(|store| (store, TabletReplica::default()));
    let mut sync = |conn: &mut PgConnection| {
        tablets.each_mut().map(|(store, tablet)| {
            let shop = Shop::load(conn, *store).unwrap();
            let news = tablet.sync(conn, &shop).unwrap();
            let differences = tablet.differences(conn, &shop).unwrap();
            assert_eq!(differences, Vec::<String>::new());
            (news[4].rows, news[4].left, news[4].reset)
        })
    };
    assert_eq!(sync(&mut conn), [(7923, 0, true), (8121, 0, true)]);
    conn.batch_execute("update inventory set store_id = 2 where inventory_id = 1")
        .unwrap();
    assert_eq!(sync(&mut conn), [(0, 1, false), (3, 0, false)]);
}

#[test]
fn a_trigger_of_pagila_does_not_have_the_last_word() {
    let Some(mut conn) = tracked() else { return };
    // Pagila's trigger sets the start of the transaction.
    conn.batch_execute("begin; update actor set first_name = 'ANN' where actor_id = 1")
        .unwrap();
    let later = sql::<Bool>("(select last_update > now() from actor where actor_id = 1)");
    assert_eq!(diesel::select(later).get_result(&mut conn), Ok(true));
}

#[test]
fn a_row_whose_stamp_is_null_arrives_and_gets_one_with_its_first_edit() {
    let Some(database) = untracked() else { return };
    let mut conn = database.connect();
    conn.batch_execute(
        "alter table customer disable trigger last_updated;
         update customer set last_update = null where customer_id < 11;
         alter table customer enable trigger last_updated",
    )
    .unwrap();
    HeadOffice::tracking::<Pg>().install(&mut conn).unwrap();
    let mut office = office(&mut conn);
    assert_equal(&office, &mut conn);
    assert_eq!(office.customers[&10].last_update, None);
    conn.batch_execute(
        "update customer set email = null, last_update = null where customer_id = 10",
    )
    .unwrap();
    let news = office.sync(&mut conn, &Everyone).unwrap();
    assert_eq!((news[5].table, news[5].rows), ("customer", 1));
    assert!(office.customers[&10].last_update.is_some());
    assert_equal(&office, &mut conn);
}
