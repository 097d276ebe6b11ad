//! A server whose role lacks rights.

use super::super::program::Program;
use super::failures::upload;
use super::world::routes;
use super::{DB, Server, models};
use carburetor::SyncGroup;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;

/// The answers to a look at its health, a download and an upload of a new note.
fn answers(program: &Program) -> [(u16, String); 3] {
    let red = &program.client("red");
    let answers = [
        program.get(red, "health"),
        program.get(red, "web/download"),
        program.post(red, "web/upload", upload()),
    ];
    answers.map(|(status, answer)| {
        let code = answer["code"].as_str().unwrap_or_default();
        (status.as_u16(), code.to_owned())
    })
}

fn are(codes: [(u16, &str); 3]) -> [(u16, String); 3] {
    codes.map(|(status, code)| (status, code.to_owned()))
}

#[test]
fn a_role_without_grants_is_a_fault_of_the_setup_until_it_has_them() {
    let server = Server::new();
    let mut conn = server.connect();
    conn.batch_execute(
        "do $$ begin create role server_stranger login; exception when duplicate_object or unique_violation then null; end $$",
    )
    .unwrap();
    let program =
        Program::start(|| routes(server.pool_as("server_stranger", 2), Limits::default()));
    let setup = (500, "setup");
    let nothing = are([(503, "setup"), setup, setup]);
    assert_eq!(answers(&program), nothing);
    conn.batch_execute("grant select, insert, update, delete on notes to server_stranger")
        .unwrap();
    assert_eq!(answers(&program), nothing);
    let tracking = SyncGroup::<(models::Note,)>::tracking::<DB>();
    conn.batch_execute(&tracking.grants_sql("server_stranger"))
        .unwrap();
    assert_eq!(answers(&program), are([(200, ""), (200, ""), setup]));
    conn.batch_execute(&tracking.upload_grants_sql("server_stranger"))
        .unwrap();
    assert_eq!(answers(&program), are([(200, ""), (200, ""), (200, "")]));
    assert_eq!(server.count("new"), 1);
}
