//! Every value of Pagila as JSON and back.

use super::tracked;
use carburetor::Timestamps;
use carburetor::table::TableOn;
use diesel::pg::Pg;
use pagila::models::*;
use pagila::scopes::HeadOffice;
use serde_json::Value;
use std::fmt::Debug;

/// What the values of one column look like.
fn value<M: TableOn<Pg>>(row: &M, column: &str) -> Value {
    row.encode().unwrap()[column].clone()
}

fn round_trip<M: TableOn<Pg> + PartialEq + Debug>(rows: &[M]) {
    assert!(!rows.is_empty());
    for row in rows {
        let text = serde_json::to_string(&row.encode().unwrap()).unwrap();
        let back = M::decode(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(&back, row);
        let id = M::encode_id(&row.id()).unwrap();
        assert_eq!(M::decode_id(id).unwrap(), row.id());
    }
}

macro_rules! for_each_model {
    ($each:ident) => {
        $each!(
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
            Store
        )
    };
}

#[test]
fn every_row_of_every_table_survives_its_journey() {
    let Some(mut conn) = tracked() else { return };
    let response = HeadOffice::download(&mut conn, Timestamps::default()).unwrap();
    macro_rules! travel {
        ($($Model:ty),+) => { $(round_trip(&response.table::<$Model>().rows);)+ };
    }
    for_each_model!(travel);
}

#[test]
fn what_the_server_writes_row_by_row_reads_as_what_diesel_loads() {
    let Some(mut conn) = tracked() else { return };
    let loaded = HeadOffice::download(&mut conn, Timestamps::default()).unwrap();
    let mut json = Vec::new();
    HeadOffice::download_json(&mut conn, Timestamps::default(), &mut json).unwrap();
    let read = HeadOffice::read_json::<Pg>(&json).unwrap();
    macro_rules! compare {
        ($($Model:ty),+) => {
            $(assert_eq!(read.table::<$Model>().rows, loaded.table::<$Model>().rows);)+
        };
    }
    for_each_model!(compare);
}

#[test]
fn columns_travel_under_the_names_that_the_database_has() {
    let Some(mut conn) = tracked() else { return };
    let response = HeadOffice::download(&mut conn, Timestamps::default()).unwrap();
    let film = response
        .table::<Film>()
        .rows
        .iter()
        .find(|film| film.film_id == 3);
    let film = film.unwrap();
    assert_eq!(value(film, "rating"), "NC-17");
    assert_eq!(value(film, "rental_rate"), "2.99");
    assert_eq!(value(film, "release_year"), 2017);
    assert_eq!(
        value(film, "special_features"),
        serde_json::json!(["Trailers", "Deleted Scenes"])
    );
    assert_eq!(value(film, "last_update"), "2022-09-10T16:46:03.905795Z");
    let language = &response.table::<Language>().rows[0];
    assert_eq!(value(language, "name"), "English             ");
    let address = &response.table::<Address>().rows[0];
    assert!(value(address, "address").is_string());
    let customer = &response.table::<Customer>().rows[0];
    assert_eq!(value(customer, "create_date"), "2022-02-14");
    let mut payments = response.table::<Payment>().rows.iter();
    let payment = payments
        .find(|payment| payment.payment_id == 16051)
        .unwrap();
    let id = <Payment as TableOn<Pg>>::encode_id(&carburetor::SyncTable::id(payment)).unwrap();
    assert_eq!(
        id,
        serde_json::json!([16051, "2022-01-29T01:58:52.222594Z"])
    );
}
