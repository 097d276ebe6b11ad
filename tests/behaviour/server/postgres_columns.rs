//! Columns that change under a server that runs.

use super::Server;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use reqwest::StatusCode;

/// A connection's prepared statements fail for ever once a column has another type.
#[test]
fn a_column_that_grows_stops_no_server() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let ask = || program.get(red, "web/download").0;
    assert!((0..8).all(|_| ask() == StatusCode::OK));
    server
        .connect()
        .batch_execute("alter table notes alter column title type varchar(200)")
        .unwrap();
    // Each of the two connections may fail once.
    let answers: Vec<StatusCode> = (0..8).map(|_| ask()).collect();
    let later = &answers[2..];
    assert!(
        later.iter().all(|status| *status == StatusCode::OK),
        "{answers:?}"
    );
}
