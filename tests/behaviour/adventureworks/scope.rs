//! A scope on a table that its schema qualifies.

use super::schema::customer;
use super::{database, far_away};
use carburetor::{SyncGroup, SyncScope, SyncTable, TableNews, Visible};
use chrono::NaiveDateTime;
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use pagila::replica::{STEADY, difference};
use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = customer)]
#[sync(backends(postgres))]
struct Customer {
    #[sync(id)]
    customerid: i32,
    personid: Option<i32>,
    storeid: Option<i32>,
    #[sync(visible_by)]
    territoryid: Option<i32>,
    #[sync(last_synced_at)]
    modifieddate: NaiveDateTime,
}

/// Somebody who sells in one territory.
struct Seller {
    territory: i32,
}

impl SyncScope<Customer, Pg> for Seller {
    fn filter(&self) -> Visible<'_, customer::table, Pg> {
        Visible::only(customer::territoryid.eq(self.territory))
    }
}

type Sales = SyncGroup<(Customer,), Seller>;

#[test]
fn a_customer_who_leaves_the_territory_leaves_the_replica() {
    let Some(database) = database() else { return };
    let mut conn = far_away(&database);
    Sales::tracking::<Pg>().install(&mut conn).unwrap();
    let seller = Seller { territory: 2 };
    let group = Sales::scoped(&seller).assuming(STEADY);
    let mut replica = HashMap::new();
    let first = group.download(&mut conn, (None,)).unwrap();
    let token = first.next();
    first.into_tables().0.apply(&mut replica);
    assert_eq!(replica.len(), 113);

    let ids: Vec<i32> = customer::table
        .filter(customer::territoryid.eq(2))
        .order(customer::customerid)
        .select(customer::customerid)
        .limit(4)
        .load(&mut conn)
        .unwrap();
    let [moves, nowhere, goes, stays] = ids[..] else {
        panic!("{ids:?}")
    };
    conn.batch_execute(&format!(
        "update sales.customer set territoryid = 3 where customerid = {moves};
         update sales.customer set territoryid = null where customerid = {nowhere};
         delete from sales.customer where customerid = {goes};
         update sales.customer set territoryid = 1 where customerid = {stays};
         update sales.customer set territoryid = 2 where customerid = {stays};
         delete from sales.customer where customerid = (select min(customerid) from sales.customer where territoryid = 9);
         insert into sales.customer (customerid, personid, territoryid) values (90001, null, 2), (90002, null, 3)"
    ))
    .unwrap();
    let news: TableNews<Customer> = group.download(&mut conn, token).unwrap().into_tables().0;
    assert!(!news.reset);
    let mut removed = news.removed.clone();
    removed.sort();
    assert_eq!(removed, [moves, nowhere, goes]);
    let mut came: Vec<i32> = news.rows.iter().map(SyncTable::id).collect();
    came.sort();
    assert_eq!(came, [stays, 90001]);
    news.apply(&mut replica);
    let there = customer::table
        .filter(customer::territoryid.eq(2))
        .select(Customer::as_select())
        .load(&mut conn)
        .unwrap();
    assert_eq!(difference(&replica, there), None);
}
