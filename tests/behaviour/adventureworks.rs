//! AdventureWorks: schemas, domains, keys of up to four columns of many types, and stamps without a time zone.

mod models;
mod schema;
mod scope;

use carburetor::table::TableOn;
use carburetor::{Everyone, SyncGroup, SyncTable, Timestamps};
use carburetor_tests::{Cluster, Database, Dataset};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use models::{tracked, untracked};
use pagila::replica::STEADY;

/// AdventureWorks as it is; `None`, said aloud, if it is not here.
fn database() -> Option<Database> {
    let database = Cluster::shared().database();
    database.load(Dataset::AdventureWorks).then_some(database)
}

/// A connection whose session is far from UTC: stamps without a time zone are in UTC all the same.
fn far_away(database: &Database) -> PgConnection {
    let mut conn = database.connect();
    conn.batch_execute("set timezone = 'Asia/Kathmandu'")
        .unwrap();
    conn
}

/// A connection to AdventureWorks with tracking.
fn with_tracking() -> Option<PgConnection> {
    let mut conn = far_away(&database()?);
    tracked::Group::tracking::<Pg>().install(&mut conn).unwrap();
    Some(conn)
}

const NONE: Vec<String> = Vec::new();

#[test]
fn tables_that_nobody_tracks_arrive_whole_and_their_edits_by_their_stamps() {
    let Some(database) = database() else { return };
    let mut conn = far_away(&database);
    let mut replica = untracked::Replica::default();
    replica.sync(&mut conn).unwrap();
    assert_eq!(replica.businessentity.len(), 20_777);
    assert_eq!(replica.differences(&mut conn), Ok(NONE));
    conn.batch_execute(
        "update person.personphone set modifieddate = now() at time zone 'UTC' where businessentityid < 100;
         update production.culture set name = 'None', modifieddate = now() at time zone 'UTC' where cultureid = ''",
    )
    .unwrap();
    replica.sync(&mut conn).unwrap();
    assert_eq!(replica.culture["      "].name, "None");
    assert_eq!(replica.differences(&mut conn), Ok(NONE));
}

#[test]
fn tracked_tables_arrive_whole() {
    let Some(mut conn) = with_tracking() else {
        return;
    };
    let problems = tracked::Group::tracking::<Pg>().verify(&mut conn).unwrap();
    assert_eq!(problems, []);
    let mut replica = tracked::Replica::default();
    replica.sync(&mut conn).unwrap();
    assert_eq!(replica.differences(&mut conn), Ok(NONE));
}

#[test]
fn writes_to_tracked_tables_arrive_whatever_their_key_is() {
    let Some(mut conn) = with_tracking() else {
        return;
    };
    let mut replica = tracked::Replica::default();
    replica.sync(&mut conn).unwrap();
    conn.batch_execute(
        "update humanresources.employeedepartmenthistory set enddate = '2030-01-01' where departmentid = 7;
         update humanresources.employeepayhistory set ratechangedate = ratechangedate + interval '1 microsecond' where rate > 30;
         delete from humanresources.employeedepartmenthistory where startdate < '2009-01-01';
         update person.personphone set phonenumber = phonenumber || ' ext' where businessentityid < 50;
         insert into person.countryregion (countryregioncode, name) values ('Q', 'Quux'), ('QQ', 'Quux too');
         delete from person.countryregion where countryregioncode = 'Q';
         insert into production.unitmeasure (unitmeasurecode, name) values ('Q', 'Quux');
         delete from production.culture where cultureid = '';
         delete from production.productmodelproductdescriptionculture where cultureid = 'ar';
         update person.address set spatiallocation = null, city = 'Bothell' where addressid < 10;
         delete from sales.countryregioncurrency where currencycode = 'EUR';
         update sales.salesterritoryhistory set startdate = startdate - interval '1 day';
         update production.product set listprice = listprice * 1.1, size = null",
    )
    .unwrap();
    let group = tracked::Group::scoped(&Everyone).assuming(STEADY);
    let news = group
        .download(&mut conn, replica.token.clone().unwrap())
        .unwrap();
    assert_eq!(news.table::<tracked::Culture>().removed, ["      "]);
    assert!(
        news.table::<tracked::UnitMeasure>()
            .rows
            .iter()
            .any(|unit| unit.unitmeasurecode == "Q  ")
    );
    assert!(
        news.table::<tracked::CountryRegion>()
            .removed
            .contains(&"Q".into())
    );
    replica.take(news);
    assert_eq!(replica.differences(&mut conn), Ok(NONE));
}

#[test]
fn pages_lose_and_repeat_no_row_whatever_its_key_is() {
    let Some(mut conn) = with_tracking() else {
        return;
    };
    let mut pages = tracked::Group::pages::<Pg>(Timestamps::default(), 99);
    let (mut replica, mut phones, mut texts) = (tracked::Replica::default(), 0, 0);
    while let Some(page) = pages.next(&mut conn).unwrap() {
        phones += page.table::<tracked::PersonPhone>().rows.len();
        texts += page.table::<tracked::ModelDescription>().rows.len();
        replica.take(page);
    }
    assert_eq!((phones, texts), (19_972, 762));
    assert_eq!(replica.differences(&mut conn), Ok(NONE));
}

#[test]
fn pages_of_one_stamp_go_on_in_the_order_of_padded_keys() {
    let Some(database) = database() else { return };
    let mut conn = far_away(&database);
    type Texts = SyncGroup<(untracked::Culture, untracked::ModelDescription)>;
    let long_ago = Some(chrono::DateTime::UNIX_EPOCH);
    let mut pages = Texts::pages::<Pg>((long_ago, long_ago), 3);
    let (mut cultures, mut texts) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next(&mut conn).unwrap() {
        cultures.extend(page.0.rows.iter().map(SyncTable::id));
        texts.extend(page.1.rows.iter().map(SyncTable::id));
    }
    assert_eq!(
        cultures,
        [
            "      ", "ar    ", "en    ", "es    ", "fr    ", "he    ", "th    ", "zh-cht"
        ]
    );
    assert_eq!(texts.len(), 762);
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 762);
}

#[test]
fn every_row_survives_its_journey() {
    let Some(mut conn) = with_tracking() else {
        return;
    };
    let loaded = tracked::Group::download(&mut conn, Timestamps::default()).unwrap();
    let mut json = Vec::new();
    tracked::Group::download_json(&mut conn, Timestamps::default(), &mut json).unwrap();
    let read = tracked::Group::read_json::<Pg>(&json).unwrap();
    let mut there = tracked::Replica::default();
    there.take(read);
    assert_eq!(there.differences(&mut conn), Ok(NONE));
    let culture = loaded
        .table::<tracked::Culture>()
        .rows
        .iter()
        .min_by_key(|culture| culture.id());
    let culture = culture.unwrap().encode().unwrap();
    assert_eq!(culture["cultureid"], "      ");
    assert_eq!(culture["modifieddate"], "2019-04-30T00:00:00.000000Z");
    let address = loaded.table::<tracked::Address>().rows[0].encode().unwrap();
    assert_eq!(address["spatiallocation"].as_str().map(str::len), Some(32));
}
