//! What can be rented.

use crate::schema::{actor, category, film, film_actor, film_category, language};
use bigdecimal::BigDecimal;
use carburetor::SyncTable;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_derive_enum::DbEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, DbEnum)]
pub enum MpaaRating {
    #[db_enum(rename = "G")]
    General,
    #[db_enum(rename = "PG")]
    ParentalGuidance,
    #[db_enum(rename = "PG-13")]
    Over13,
    #[db_enum(rename = "R")]
    Restricted,
    #[db_enum(rename = "NC-17")]
    Over17,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = film)]
#[sync(backends(postgres))]
pub struct Film {
    #[sync(id)]
    pub film_id: i32,
    pub title: String,
    pub description: Option<String>,
    pub release_year: Option<i32>,
    pub language_id: i32,
    pub original_language_id: Option<i32>,
    pub rental_duration: i16,
    pub rental_rate: BigDecimal,
    pub length: Option<i16>,
    pub replacement_cost: BigDecimal,
    #[sync(visible_by)]
    pub rating: Option<MpaaRating>,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
    pub special_features: Option<Vec<Option<String>>>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = actor)]
#[sync(backends(postgres))]
pub struct Actor {
    #[sync(id)]
    pub actor_id: i32,
    pub first_name: String,
    pub last_name: String,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = film_actor)]
#[sync(backends(postgres))]
pub struct FilmActor {
    #[sync(id)]
    pub actor_id: i32,
    #[sync(id)]
    pub film_id: i32,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = category)]
#[sync(backends(postgres))]
pub struct Category {
    #[sync(id)]
    pub category_id: i32,
    pub name: String,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = film_category)]
#[sync(backends(postgres))]
pub struct FilmCategory {
    #[sync(id)]
    pub film_id: i32,
    #[sync(id)]
    pub category_id: i32,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, SyncTable)]
#[diesel(table_name = language)]
#[sync(backends(postgres))]
pub struct Language {
    #[sync(id)]
    pub language_id: i32,
    pub name: String,
    #[sync(last_synced_at)]
    pub last_update: DateTime<Utc>,
}
