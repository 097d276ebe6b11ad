//! The servers that the other tests stand on do what they promise.

use carburetor_tests::{Cluster, Database};
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

fn count(conn: &mut PgConnection, table: &str) -> QueryResult<i64> {
    diesel::select(sql::<BigInt>(&format!("(SELECT count(*) FROM {table})"))).get_result(conn)
}

fn setting(database: &Database, name: &str) -> String {
    diesel::select(sql::<Text>(&format!("current_setting('{name}')")))
        .get_result(&mut database.connect())
        .expect("a setting that exists")
}

#[test]
fn a_cluster_runs_with_the_settings_of_the_tests() {
    let database = Cluster::shared().database();
    let settings = [
        "max_prepared_transactions",
        "max_connections",
        "wal_level",
        "fsync",
        "server_encoding",
    ];
    assert_eq!(
        settings.map(|name| setting(&database, name)),
        ["64", "300", "replica", "off", "UTF8"]
    );
}

#[test]
fn databases_do_not_see_each_other() {
    let [one, other] = [Cluster::shared().database(), Cluster::shared().database()];
    one.psql("CREATE TABLE note (id int); INSERT INTO note VALUES (1)");
    assert_eq!(count(&mut one.connect(), "note"), Ok(1));
    assert!(count(&mut other.connect(), "note").is_err());
}

#[tokio::test]
async fn every_client_reaches_the_same_database() {
    let database = Cluster::shared().database();
    database.psql("CREATE TABLE note (id int); INSERT INTO note VALUES (1)");
    let mut conn = database.connect_async().await;
    let seen: i64 = diesel_async::RunQueryDsl::get_result(
        diesel::select(sql::<BigInt>("(SELECT count(*) FROM note)")),
        &mut conn,
    )
    .await
    .expect("the table exists");
    let client = database.client().await;
    let row = client
        .query_one("SELECT count(*) FROM note", &[])
        .await
        .expect("the table exists");
    assert_eq!((seen, row.get::<_, i64>(0)), (1, 1));
}

#[test]
fn a_dropped_cluster_leaves_nothing_behind() {
    let cluster = Cluster::start();
    let folder = cluster.folder().to_owned();
    let mut conn = cluster.database().connect();
    drop(cluster);
    assert!(!folder.exists());
    assert!(
        diesel::select(sql::<Bool>("true"))
            .get_result::<bool>(&mut conn)
            .is_err()
    );
}
