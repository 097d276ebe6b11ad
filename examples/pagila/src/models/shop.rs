//! Shops, the people in them, and what they do.

use crate::schema::{customer, inventory, payment, rental, staff, store};
use bigdecimal::BigDecimal;
use carburetor::SyncTable;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = store)]
#[sync(backends(postgres))]
pub struct Store {
    #[sync(id)]
    pub store_id: i32,
    pub manager_staff_id: i32,
    pub address_id: i32,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

/// The password stays on the server.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = staff)]
#[sync(backends(postgres))]
pub struct Staff {
    #[sync(id)]
    pub staff_id: i32,
    pub first_name: String,
    pub last_name: String,
    pub address_id: i32,
    pub email: Option<String>,
    #[sync(visible_by)]
    pub store_id: i32,
    pub active: bool,
    pub username: String,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
    pub picture: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = customer)]
#[sync(backends(postgres))]
pub struct Customer {
    #[sync(id)]
    pub customer_id: i32,
    #[sync(visible_by)]
    pub store_id: i32,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub address_id: i32,
    pub activebool: bool,
    pub create_date: NaiveDate,
    #[sync(last_synced_at)]
    pub last_update: Option<DateTime<Utc>>,
    pub active: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = inventory)]
#[sync(backends(postgres))]
pub struct Inventory {
    #[sync(id)]
    pub inventory_id: i32,
    pub film_id: i32,
    #[sync(visible_by)]
    pub store_id: i32,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = rental)]
#[sync(backends(postgres))]
pub struct Rental {
    #[sync(id)]
    pub rental_id: i32,
    pub rental_date: DateTime<Utc>,
    #[sync(visible_by)]
    pub inventory_id: i32,
    pub customer_id: i32,
    pub return_date: Option<DateTime<Utc>>,
    pub staff_id: i32,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

/// A partitioned table; its key holds the date that decides where a row lies.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = payment)]
#[sync(backends(postgres))]
pub struct Payment {
    #[sync(id)]
    pub payment_id: i32,
    pub customer_id: i32,
    pub staff_id: i32,
    pub rental_id: i32,
    pub amount: BigDecimal,
    #[sync(id)]
    pub payment_date: DateTime<Utc>,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}
