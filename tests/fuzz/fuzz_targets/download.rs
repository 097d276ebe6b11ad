//! A download that can be read reads back as it was, with columns of many types.
#![no_main]

use carburetor::{SyncGroup, SyncTable};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sqlite::Sqlite;

diesel::table! {
    things (id) {
        id -> BigInt,
        name -> Nullable<Text>,
        small -> SmallInt,
        weight -> Double,
        photo -> Binary,
        born -> Nullable<Date>,
        is_good -> Bool,
        at -> TimestamptzSqlite,
    }
}

#[derive(Debug, Clone, SyncTable)]
#[sync(backends(sqlite))]
#[diesel(table_name = things)]
struct Thing {
    id: i64,
    name: Option<String>,
    small: i16,
    weight: f64,
    photo: Vec<u8>,
    born: Option<NaiveDate>,
    is_good: bool,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

type Things = SyncGroup<(Thing,)>;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(news) = Things::read_json::<Sqlite>(bytes) {
        let written = news.to_json::<Sqlite>().unwrap();
        let again = Things::read_json::<Sqlite>(&written).unwrap();
        assert_eq!(again.to_json::<Sqlite>().unwrap(), written);
    }
});
