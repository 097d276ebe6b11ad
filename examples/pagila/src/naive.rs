//! What many programs do: ask for the rows that are as new as the newest that one has, or newer.

use crate::models::Rental;
use crate::replica::Rows;
use crate::schema::rental;
use chrono::DateTime;
use diesel::prelude::*;

/// The head office's rentals, followed by `max(last_update)`.
#[derive(Default)]
pub struct NaiveRentals(pub Rows<Rental>);

impl NaiveRentals {
    pub fn sync(&mut self, conn: &mut PgConnection) -> QueryResult<()> {
        let newest = self.0.values().map(|rental| rental.last_update).max();
        let changed: Vec<Rental> = rental::table
            .filter(rental::last_update.ge(newest.unwrap_or(DateTime::UNIX_EPOCH)))
            .select(Rental::as_select())
            .load(conn)?;
        self.0
            .extend(changed.into_iter().map(|row| (row.rental_id, row)));
        Ok(())
    }

    /// The rentals of the database that never came, and those that came only as they were before their last change.
    pub fn lost(&self, conn: &mut PgConnection) -> QueryResult<(usize, usize)> {
        let all: Vec<Rental> = rental::table.select(Rental::as_select()).load(conn)?;
        let known = |row: &&Rental| self.0.contains_key(&row.rental_id);
        let missing = all.iter().filter(|row| !known(row)).count();
        let stale = all
            .iter()
            .filter(known)
            .filter(|row| self.0[&row.rental_id] != **row);
        Ok((missing, stale.count()))
    }
}
