//! Pages over rows that share their stamps.

use super::{assert_equal, office, tracked, untracked};
use carburetor::{SyncGroup, SyncTable, Timestamps};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use pagila::replica::{HeadOfficeReplica, STEADY};
use pagila::schema::{film_actor, rental};
use pagila::scopes::HeadOffice;
use std::collections::HashSet;

#[derive(SyncTable)]
#[diesel(table_name = film_actor)]
#[sync(untracked, backends(postgres))]
struct Part {
    #[sync(id)]
    actor_id: i32,
    #[sync(id)]
    film_id: i32,
    #[sync(last_synced_at)]
    last_update: DateTime<Utc>,
}

#[derive(SyncTable)]
#[diesel(table_name = rental)]
#[sync(untracked, backends(postgres))]
struct Lent {
    #[sync(id)]
    rental_id: i32,
    #[sync(last_synced_at)]
    last_update: DateTime<Utc>,
}

/// As they are in Pagila: all rows but two share the stamp of their table.
#[test]
fn pages_from_a_timestamp_lose_and_repeat_no_row_of_one_stamp() {
    let Some(database) = untracked() else { return };
    let mut conn = database.connect();
    let long_ago = "2000-01-01T00:00:00Z".parse().ok();
    let mut pages = SyncGroup::<(Part, Lent)>::pages::<Pg>((long_ago, long_ago), 700);
    let (mut parts, mut rentals) = (HashSet::new(), HashSet::new());
    let (mut stamps, mut count) = (HashSet::new(), 0);
    while let Some(page) = pages.next(&mut conn).unwrap() {
        let (part, rental) = page.into_tables();
        assert!(!part.reset && !rental.reset);
        count += part.rows.len() + rental.rows.len();
        stamps.extend(part.rows.iter().map(|row| row.last_update));
        parts.extend(part.rows.iter().map(SyncTable::id));
        rentals.extend(rental.rows.iter().map(SyncTable::id));
    }
    assert_eq!(stamps.len(), 1);
    assert_eq!((parts.len(), rentals.len(), count), (5462, 16_044, 21_506));
}

#[test]
fn pages_from_the_beginning_bring_every_row_once() {
    let Some(mut conn) = tracked() else { return };
    let mut pages = HeadOffice::pages::<Pg>(Timestamps::default(), 777);
    let (mut office, mut rows) = (HeadOfficeReplica::default(), 0);
    while let Some(page) = pages.next(&mut conn).unwrap() {
        let size: usize = office.take(page).iter().map(|news| news.rows).sum();
        assert!(size <= 777);
        rows += size;
    }
    assert_eq!(rows, 49_636);
    assert_equal(&office, &mut conn);
}

#[test]
fn pages_from_a_token_bring_what_changed_once() {
    let Some(mut conn) = tracked() else { return };
    let mut office = office(&mut conn);
    conn.batch_execute(
        "update rental set return_date = now();
         delete from payment where customer_id < 100;
         update film_actor set last_update = now()",
    )
    .unwrap();
    let token = office.token.clone().unwrap();
    let mut pages = HeadOffice::scoped(&carburetor::Everyone)
        .assuming(STEADY)
        .pages::<Pg>(token, 1000);
    let (mut rows, mut removals) = (0, 0);
    while let Some(page) = pages.next(&mut conn).unwrap() {
        for news in office.take(page) {
            assert!(!news.reset);
            rows += news.rows;
            removals += news.removals;
        }
    }
    let left = 16_049 - office.payments.len();
    assert_eq!((rows, removals), (16_044 + 5462, left));
    assert_equal(&office, &mut conn);
}
