//! Who downloads what.

use crate::models::*;
use crate::schema::{category, customer, film, film_category, inventory, language};
use crate::schema::{rental, staff, store};
use carburetor::{Filtered, SyncFilter, SyncGroup, SyncScope, Visible};
use diesel::pg::Pg;
use diesel::prelude::*;

/// What the head office holds: everything.
pub type HeadOffice = SyncGroup<HeadOfficeTables>;

pub type HeadOfficeTables = (
    Actor,
    Address,
    Category,
    City,
    Country,
    Customer,
    Film,
    FilmActor,
    FilmCategory,
    Inventory,
    Language,
    Payment,
    Rental,
    Staff,
    Store,
);

/// What the tablet on a shop's counter holds: what belongs to the shop, and the films that may lie on a counter.
pub type Tablet = SyncGroup<TabletTables, Shop>;

pub type TabletTables = (
    Store,
    Staff,
    Customer,
    Inventory,
    Rental,
    Filtered<Film, Family>,
    Category,
    FilmCategory,
    Language,
);

/// One shop, as a tablet sees it.
#[derive(Debug)]
pub struct Shop {
    pub store: i32,
    /// A rental names no shop, only the copy of the film that was rented. So the shop's copies are loaded first.
    pub copies: Vec<i32>,
}

impl Shop {
    pub fn load(conn: &mut PgConnection, store: i32) -> QueryResult<Shop> {
        let copies = inventory::table
            .filter(inventory::store_id.eq(store))
            .order(inventory::inventory_id)
            .select(inventory::inventory_id)
            .load(conn)?;
        Ok(Shop { store, copies })
    }
}

impl SyncScope<Store, Pg> for Shop {
    fn filter(&self) -> Visible<'_, store::table, Pg> {
        Visible::only(store::store_id.eq(self.store))
    }
}

impl SyncScope<Staff, Pg> for Shop {
    fn filter(&self) -> Visible<'_, staff::table, Pg> {
        Visible::only(staff::store_id.eq(self.store))
    }
}

impl SyncScope<Customer, Pg> for Shop {
    fn filter(&self) -> Visible<'_, customer::table, Pg> {
        Visible::only(customer::store_id.eq(self.store))
    }
}

impl SyncScope<Inventory, Pg> for Shop {
    fn filter(&self) -> Visible<'_, inventory::table, Pg> {
        Visible::only(inventory::store_id.eq(self.store))
    }
}

impl SyncScope<Rental, Pg> for Shop {
    fn filter(&self) -> Visible<'_, rental::table, Pg> {
        Visible::keys(rental::inventory_id, self.copies.clone())
    }
}

impl SyncScope<Film, Pg> for Shop {
    fn filter(&self) -> Visible<'_, film::table, Pg> {
        Visible::all()
    }
}

impl SyncScope<Category, Pg> for Shop {
    fn filter(&self) -> Visible<'_, category::table, Pg> {
        Visible::all()
    }
}

impl SyncScope<FilmCategory, Pg> for Shop {
    fn filter(&self) -> Visible<'_, film_category::table, Pg> {
        Visible::all()
    }
}

impl SyncScope<Language, Pg> for Shop {
    fn filter(&self) -> Visible<'_, language::table, Pg> {
        Visible::all()
    }
}

/// Children look at the tablet too.
#[derive(Debug)]
pub struct Family;

impl SyncFilter<Film, Pg> for Family {
    fn filter() -> Visible<'static, film::table, Pg> {
        Visible::only(film::rating.ne(MpaaRating::Over17))
    }
}
