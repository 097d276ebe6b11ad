//! Rows that are nothing but their ids.

use super::device::{Folder, run};
use super::script::Script;
use carburetor::replica::Replica;
use carburetor::{SyncGroup, SyncTable};
use serde_json::json;

diesel::table! { links (note, tag) { note -> Integer, tag -> Integer, at -> BigInt, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = links)]
#[sync(name = "links", backends(sqlite))]
struct Link {
    #[sync(id)]
    note: i32,
    #[sync(id)]
    tag: i32,
    #[sync(last_synced_at)]
    at: i64,
}

#[test]
fn a_row_of_ids_only_is_tried_again() {
    let (folder, script) = (Folder::new(), Script::default());
    let replica: Replica<SyncGroup<(Link,)>> = Replica::builder()
        .name("links")
        .open(folder.file("device"), script.clone())
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    run(
        &mut replica.connection().unwrap(),
        "insert into links (note, tag) values (1, 2)",
    );
    script.answers(json!({"verdict": "rejected", "code": "needs_parent", "message": "later"}));
    script.says(r#"{"carburetor":1,"tables":{"links":{"reset":true,"removed":[],"rows":[],"cutoff":"2026-02-01T00:00:00.000000Z"}},"more":false,"next":"t"}"#);
    runtime.block_on(replica.sync()).unwrap();
    let kept = replica.rejected().unwrap();
    assert_eq!(kept.len(), 1);
    let retried = replica.retry(kept[0].seq);
    assert_eq!(retried.map_err(|error| error.to_string()), Ok(true));
    assert_eq!(replica.pending().unwrap(), 1);
}
