//! Where people and shops are.

use crate::schema::{address, city, country};
use carburetor::SyncTable;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = address)]
#[sync(backends(postgres))]
pub struct Address {
    #[sync(id)]
    pub address_id: i32,
    pub street: String,
    pub address2: Option<String>,
    pub district: String,
    pub city_id: i32,
    pub postal_code: Option<String>,
    pub phone: String,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = city)]
#[sync(backends(postgres))]
pub struct City {
    #[sync(id)]
    pub city_id: i32,
    pub name: String,
    pub country_id: i32,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = country)]
#[sync(backends(postgres))]
pub struct Country {
    #[sync(id)]
    pub country_id: i32,
    pub name: String,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}
