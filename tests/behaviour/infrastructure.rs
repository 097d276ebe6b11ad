//! The servers that the other tests stand on do what they promise.

use carburetor_tests::{Cluster, Dataset, Pgbouncer};
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

fn count(conn: &mut PgConnection, table: &str) -> QueryResult<i64> {
    diesel::select(sql::<BigInt>(&format!("(SELECT count(*) FROM {table})"))).get_result(conn)
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
        settings.map(|name| database.text(&format!("current_setting('{name}')"))),
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

#[test]
fn a_standby_receives_a_row_and_lags_while_it_pauses() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.psql("CREATE TABLE note (id int)");
    let Some(standby) = cluster.standby() else {
        return;
    };
    let mut replica = standby.database(&database).connect();
    database.psql("INSERT INTO note VALUES (1)");
    standby.wait_caught_up();
    assert_eq!(count(&mut replica, "note"), Ok(1));

    standby.pause();
    database.psql("INSERT INTO note VALUES (2)");
    assert_eq!(count(&mut replica, "note"), Ok(1));
    standby.resume();
    standby.wait_caught_up();
    assert_eq!(count(&mut replica, "note"), Ok(2));
}

#[test]
fn a_promoted_standby_takes_writes_on_a_new_timeline() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.psql("CREATE TABLE note (id int)");
    let Some(standby) = cluster.standby() else {
        return;
    };
    standby.wait_caught_up();
    drop(cluster);

    let successor = standby.database(&database);
    assert!(count(&mut successor.connect(), "note").is_ok());
    standby.promote();
    successor.psql("INSERT INTO note VALUES (1)");
    assert_eq!(count(&mut successor.connect(), "note"), Ok(1));
    assert_eq!(
        successor.text("substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"),
        "00000002"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_for_a_synchronous_standby() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.psql("CREATE TABLE note (id int)");
    let Some(standby) = cluster.synchronous_standby() else {
        return;
    };
    standby.pause();
    let client = database.client().await;
    client
        .batch_execute("SET synchronous_commit = remote_apply")
        .await
        .expect("a setting that exists");
    let commit =
        tokio::spawn(async move { client.batch_execute("INSERT INTO note VALUES (1)").await });
    database.wait_until("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')");
    assert_eq!(count(&mut database.connect(), "note"), Ok(0));

    standby.resume();
    commit
        .await
        .expect("the task ends")
        .expect("the commit succeeds");
    assert_eq!(
        count(&mut standby.database(&database).connect(), "note"),
        Ok(1)
    );
}

/// Queries without a prepared statement, which travels with a transaction but not between two.
async fn backend(client: &tokio_postgres::Client) -> String {
    let messages = client
        .simple_query("SELECT pg_backend_pid()")
        .await
        .expect("the query passes");
    let pid = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    pid.expect("one row").to_owned()
}

#[tokio::test]
async fn transactions_through_pgbouncer_change_their_server_connection() {
    let database = Cluster::shared().database();
    let bouncer = Pgbouncer::without_prepared_statements(&database);
    let [one, other] = [
        bouncer.database().client().await,
        bouncer.database().client().await,
    ];
    for client in [&one, &other] {
        client
            .batch_execute("BEGIN")
            .await
            .expect("a transaction begins");
    }
    assert_eq!(backend(&one).await, backend(&one).await);
    assert_ne!(backend(&one).await, backend(&other).await);
    for client in [&one, &other] {
        client
            .batch_execute("COMMIT")
            .await
            .expect("a transaction ends");
    }
    assert_ne!(backend(&one).await, backend(&one).await);
}

#[tokio::test]
async fn prepared_statements_pass_through_pgbouncer() {
    let database = Cluster::shared().database();
    let Some(bouncer) = Pgbouncer::with_prepared_statements(&database) else {
        return;
    };
    let [one, other] = [
        bouncer.database().client().await,
        bouncer.database().client().await,
    ];
    for client in [&one, &other] {
        client
            .batch_execute("BEGIN")
            .await
            .expect("a transaction begins");
    }
    for client in [&one, &other] {
        client
            .batch_execute("COMMIT")
            .await
            .expect("a transaction ends");
    }
    let statement = one
        .prepare("SELECT $1::int4 + 1")
        .await
        .expect("the statement is valid");
    for number in 0..4 {
        let row = one
            .query_one(&statement, &[&number])
            .await
            .expect("the statement is known everywhere");
        assert_eq!(row.get::<_, i32>(0), number + 1);
    }
}

#[test]
fn pagila_is_loaded_whole() {
    let database = Cluster::shared().database();
    if database.load(Dataset::Pagila) {
        assert_eq!(count(&mut database.connect(), "public.film"), Ok(1000));
    }
}

#[test]
fn adventureworks_is_loaded_whole() {
    let database = Cluster::shared().database();
    if database.load(Dataset::AdventureWorks) {
        assert_eq!(count(&mut database.connect(), "sales.customer"), Ok(19820));
    }
}
