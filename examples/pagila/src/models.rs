//! The models: ordinary Diesel structs with one derive more.
//!
//! `#[sync(id)]` marks the key, `#[sync(last_synced_at)]` the stamp, `#[sync(visible_by)]` the columns that scopes and filters look at.

mod catalogue;
mod place;
mod shop;

pub use catalogue::{Actor, Category, Film, FilmActor, FilmCategory, Language};
pub use catalogue::{MpaaRating, MpaaRatingMapping};
pub use place::{Address, City, Country};
pub use shop::{Customer, Inventory, Payment, Rental, Staff, Store};
