//! A failure has one cause, whichever way the server is reached.

use super::super::device::{Folder, run, status};
use super::{Conn, Pool, Server, UNTRACK, models};
use carburetor::replica::{Cause, Http, InProcess, Task, Transport};
use carburetor::server::Sync;
use carburetor::{Everyone, SyncGroup};
use diesel::ConnectionResult;

type Served = SyncGroup<(models::Note, models::Seat, models::Price, models::Chore)>;

/// What an edit and a sync come to on this way.
async fn told(way: impl Transport) -> Vec<(Task, Cause, Option<u16>)> {
    let folder = Folder::new();
    let replica = folder.open(way).unwrap();
    run(
        &mut replica.connection().unwrap(),
        "insert into notes (id, title, team) values ('mine', 'mine', 'red')",
    );
    replica.sync().await.unwrap_err();
    let obstacles = status(&replica).obstacles;
    let told = obstacles
        .iter()
        .map(|one| (one.task, one.cause, one.refused));
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(task, ..)| *task);
    told
}

/// The same on both ways.
fn both(
    connector: impl Fn() -> ConnectionResult<Conn> + Send + std::marker::Sync + 'static,
    pool: Pool,
) -> [Vec<(Task, Cause, Option<u16>)>; 2] {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let here = told(InProcess::<Served, Everyone, Conn>::new(
            Everyone, connector,
        ));
        let here = here.await;
        let app = Sync::new(pool).group::<Served, Everyone>("web").router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/web", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let there = told(Http::new(&url).unwrap()).await;
        serving.abort();
        [here, there]
    })
}

#[test]
fn what_a_person_has_to_mend_is_told_so_in_process_as_over_http() {
    let setup = |task| (task, Cause::Setup, Some(500));
    let expected = [Task::Upload, Task::Download].map(setup);
    for (what, breaks) in [
        ("the tracking is missing", UNTRACK),
        ("a table is missing", "alter table notes rename to away"),
        (
            "a column is missing",
            "alter table notes rename column body to away",
        ),
    ] {
        let server = Server::new();
        server.run(breaks);
        let [here, there] = both(server.connector(), server.pool());
        assert_eq!(there, expected, "{what}, over HTTP");
        assert_eq!(here, expected, "{what}, in process");
    }
}

#[test]
fn a_database_that_is_away_is_told_so_in_process_as_over_http() {
    let nowhere = || diesel::ConnectionError::BadConnection("it is away".into());
    let [here, there] = both(move || Err(nowhere()), Server::nowhere());
    let busy = |task| (task, Cause::Busy, Some(503));
    assert_eq!(there, [Task::Upload, Task::Download].map(busy));
    assert_eq!(here, there);
}
