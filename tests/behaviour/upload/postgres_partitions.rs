//! Uploads of a table in partitions: a row whose key changes moves from one to another.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::races::blocked_by;
use super::{Conn, DB, Server};
use carburetor::{SyncGroup, SyncTable};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;
use std::thread;

diesel::table! {
    places (region, id) { region -> Text, id -> Integer, name -> Text, at -> Timestamptz, }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = places, primary_key(region, id))]
#[sync(backends(postgres))]
pub struct Place {
    #[sync(id)]
    pub region: String,
    #[sync(id)]
    pub id: i32,
    pub name: String,
    #[sync(last_synced_at)]
    pub at: DateTime<Utc>,
}

type Places = SyncGroup<(Place,)>;

const PLACES: &str = "
create table places (region text, id integer, name text not null, primary key (region, id)) partition by list (region);
create table places_north partition of places for values in ('north');
create table places_south partition of places for values in ('south');
";

#[test]
fn a_row_that_moves_away_and_back_meanwhile_loses_no_later_change() {
    let upload = |conn: &mut Conn, sent: &_| Places::upload(conn, sent).unwrap();
    for is_within in [false, true] {
        for deletes in [false, true] {
            let server = &Server::new();
            let conn = &mut server.connect();
            run(conn, PLACES);
            Places::tracking::<DB>().install(conn).unwrap();
            let row = json!({"region": "north", "id": 1, "name": "first"});
            let mut first = Device::ago(1, 60).insert("places", row);
            first.id = json!(["north", 1]);
            upload(conn, &changes([first]));
            let mut device = Device::ahead(2, 20);
            let id = json!(["north", 1]);
            let sent = match deletes {
                true => device.delete("places", id),
                false => device.update("places", id, json!({"name": "sent"})),
            };
            let sent = changes([sent]);
            let told = thread::scope(|scope| {
                run(
                    conn,
                    "begin; update places set region = 'south'; update places set region = 'north'",
                );
                let waiting = scope.spawn(move || {
                    let conn = &mut server.connect();
                    match is_within {
                        true => conn
                            .transaction(|conn| diesel::QueryResult::Ok(upload(conn, &sent)))
                            .unwrap(),
                        false => upload(conn, &sent),
                    }
                });
                server.0.wait_until(&blocked_by(conn));
                run(conn, "commit");
                verdicts(&waiting.join().unwrap())
            });
            let stored = lines(conn, "select region || ' ' || name as line from places");
            let left = (!deletes).then(|| "north sent".to_owned());
            assert_eq!(stored, Vec::from_iter(left), "{told:?}");
        }
    }
}
