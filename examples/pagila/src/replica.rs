//! Replicas in memory, and how each is compared with the database.

use crate::models::*;
use crate::news::News;
use crate::schema::*;
use crate::scopes::{HeadOfficeTables, Shop, TabletTables};
use carburetor::{
    Assumptions, DownloadError, Everyone, Response, SyncGroup, SyncTable, Timestamps, Token,
};
use diesel::prelude::*;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// The rows of one table, by id.
pub type Rows<M> = HashMap<<M as SyncTable>::Id, M>;

/// Defines a replica of a group: per table the rows, and the plain Diesel query that they have to equal.
macro_rules! replica {
    (
        $(#[$doc:meta])*
        $Replica:ident of $Tables:ty, within $scope:ident: $Scope:ty {
            $($field:ident: $Model:ty = $query:expr;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $Replica {
            $(pub $field: Rows<$Model>,)+
            pub token: Option<Token>,
        }

        impl $Replica {
            /// Downloads what is new since the last time, and applies it.
            pub fn sync(&mut self, conn: &mut PgConnection, $scope: &$Scope) -> Result<Vec<News>, DownloadError> {
                let since = self.token.as_ref().map_or_else(Timestamps::default, Timestamps::from);
                let group = SyncGroup::<$Tables, $Scope>::scoped($scope).assuming(STEADY);
                Ok(self.take(group.download_consistent(conn, since)?))
            }

            /// Applies a download, and says what was in it.
            pub fn take(&mut self, response: Response<$Tables>) -> Vec<News> {
                self.token = Some(response.next());
                let ($($field,)+) = response.into_tables();
                let news = vec![$(News::of(&$field)),+];
                $($field.apply(&mut self.$field);)+
                news
            }

            /// What differs from the database, in words; nothing if all is well.
            pub fn differences(&self, conn: &mut PgConnection, $scope: &$Scope) -> QueryResult<Vec<String>> {
                let _ = $scope;
                let mut found = Vec::new();
                $(
                    let expected = $query.select(<$Model>::as_select()).load(conn)?;
                    found.extend(difference(&self.$field, expected));
                )+
                Ok(found)
            }
        }
    };
}

replica! {
    /// The tablet of one shop.
    TabletReplica of TabletTables, within shop: Shop {
        stores: Store = store::table.filter(store::store_id.eq(shop.store));
        staff: Staff = staff::table.filter(staff::store_id.eq(shop.store));
        customers: Customer = customer::table.filter(customer::store_id.eq(shop.store));
        inventory: Inventory = inventory::table.filter(inventory::store_id.eq(shop.store));
        rentals: Rental = rental::table.filter(rental::inventory_id.eq_any(&shop.copies));
        films: Film = film::table.filter(film::rating.ne(MpaaRating::Over17));
        categories: Category = category::table;
        film_categories: FilmCategory = film_category::table;
        languages: Language = language::table;
    }
}

replica! {
    /// The head office.
    HeadOfficeReplica of HeadOfficeTables, within everyone: Everyone {
        actors: Actor = actor::table;
        addresses: Address = address::table;
        categories: Category = category::table;
        cities: City = city::table;
        countries: Country = country::table;
        customers: Customer = customer::table;
        films: Film = film::table;
        film_actors: FilmActor = film_actor::table;
        film_categories: FilmCategory = film_category::table;
        inventory: Inventory = inventory::table;
        languages: Language = language::table;
        payments: Payment = payment::table;
        rentals: Rental = rental::table;
        staff: Staff = staff::table;
        stores: Store = store::table;
    }
}

/// The clock of one machine does not step back while the example runs. Without this promise each download brings the last second's
/// rows once more.
pub const STEADY: Assumptions = Assumptions {
    slack: Duration::ZERO,
    margin: Duration::from_secs(2),
    prepare_grace: Duration::from_secs(3600),
};

/// How the rows of a replica differ from those that the database has.
pub fn difference<M>(rows: &Rows<M>, expected: Vec<M>) -> Option<String>
where
    M: SyncTable<Id: Eq + Hash> + PartialEq,
{
    let total = expected.len();
    let missing = expected.iter().filter(|row| !rows.contains_key(&row.id()));
    let missing = missing.count();
    let stale = expected
        .iter()
        .filter(|row| rows.get(&row.id()).is_some_and(|ours| ours != *row))
        .count();
    let extra = rows.len() + missing - total;
    let differs = missing + stale + extra > 0;
    differs.then(|| {
        let name = M::NAME;
        format!("{name}: {missing} of {total} rows missing, {stale} stale, {extra} should be gone")
    })
}
