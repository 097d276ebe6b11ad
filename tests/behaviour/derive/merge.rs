//! Models that merge two rows themselves.

use super::Note;
use carburetor::clock::Clock;
use carburetor::merge::{Merge, Rows, Versions};
use carburetor::table::TableOn;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use serde_json::{Map, Value, json};

diesel::table! {
    counters (id) { id -> Text, hits -> BigInt, name -> Text, last_synced_at -> Timestamp, }
}

#[derive(carburetor::SyncTable)]
#[diesel(table_name = counters)]
struct Counter {
    id: String,
    #[sync(conflict = "custom")]
    hits: i64,
    name: String,
    last_synced_at: chrono::NaiveDateTime,
}

impl Merge for Counter {
    fn merge(versions: Versions<Self>) -> Self {
        assert!(versions.sent_clock > versions.server_clock);
        let before = versions.base.map_or(0, |base| base.hits);
        Counter {
            hits: versions.server.hits + versions.sent.hits - before,
            ..versions.server
        }
    }
}

fn counter(hits: &str) -> Map<String, Value> {
    let row = json!({"id": "a", "hits": hits, "name": "A", "last_synced_at": "2026-01-02T12:00:00.000000Z"});
    row.as_object().unwrap().clone()
}

fn rows<'r>(server: &'r Map<String, Value>, sent: &str, base: Option<&str>) -> Rows<'r> {
    Rows {
        server,
        sent: counter(sent),
        base: base.map(counter),
        server_clock: Clock::new(1, 0, 0),
        sent_clock: Clock::new(2, 0, 7),
    }
}

#[test]
fn a_model_merges_rows_as_they_travel() {
    let server = counter("15");
    for merge in [
        <Counter as TableOn<Pg>>::merging(),
        <Counter as TableOn<Sqlite>>::merging(),
    ] {
        let merge = merge.expect("the model says `custom`");
        assert_eq!(
            merge(rows(&server, "12", Some("10"))).unwrap(),
            counter("17")
        );
        assert_eq!(merge(rows(&server, "12", None)).unwrap(), counter("27"));
    }
}

#[test]
fn a_row_that_the_model_can_not_read_is_no_merge() {
    let server = counter("15");
    let merge = <Counter as TableOn<Pg>>::merging().expect("the model says `custom`");
    let error = merge(rows(&server, "twelve", None)).unwrap_err();
    assert!(error.to_string().starts_with("counters.hits: "), "{error}");
}

#[test]
fn a_model_without_custom_conflicts_has_no_merge() {
    assert!(<Note as TableOn<Pg>>::merging().is_none());
    assert!(<Note as TableOn<Sqlite>>::merging().is_none());
}
