//! Answers to uploads that are long.

use super::Server;
use super::world::Device;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

/// Changes of the note `id` that come to nothing, each of which is answered with the row.
fn rejected(id: &str, count: u16) -> Vec<u8> {
    let millis = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
    let changes: Vec<_> = (0..count)
        .map(|counter| {
            let clock = carburetor::clock::Clock::new(millis, counter, 7).to_string();
            json!({"table": "notes", "id": id, "clock": clock, "update": {"title": null}})
        })
        .collect();
    json!({"carburetor": 1, "changes": changes})
        .to_string()
        .into()
}

#[test]
fn an_upload_whose_answer_would_be_long_is_to_be_sent_in_parts() {
    let server = Server::new();
    let limits = Limits {
        answer: 100_000,
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let mut device = Device::new(&program, "red");
    let values = (0..10).map(|number| format!("('n{number}', 'n', 'red')"));
    let values = values.collect::<Vec<_>>().join(", ");
    let insert = format!("insert into notes (id, title, team) values {values}");
    server.connect().batch_execute(&insert).unwrap();
    program.runtime.block_on(device.replica.sync()).unwrap();
    let long = format!(
        "update notes set title = '{}' where id like 'n%'",
        "z".repeat(40_000)
    );
    server.connect().batch_execute(&long).unwrap();
    let red = &program.client("red");
    // What could be written is not, either.
    let mut many: Value = serde_json::from_slice(&rejected("n1", 50)).unwrap();
    let sent = many["changes"].as_array_mut().unwrap();
    let mut good = sent[0].clone();
    good["clock"] = sent[49]["clock"].clone();
    good["id"] = json!("b");
    good["update"]["title"] = json!("written");
    sent[49] = good;
    let (status, said) = program.post(red, "web/upload", many.to_string().into());
    assert_eq!(
        (status.as_u16(), &said["code"]),
        (413, &json!("batch")),
        "{said}"
    );
    let is_written = |(_, title): &(String, String)| title == "written";
    assert!(!server.notes("red").iter().any(is_written));
    assert_eq!(program.post(red, "web/upload", rejected("n1", 2)).0, 200);
    // One alone is answered, whatever it is.
    let huge = format!(
        "update notes set title = '{}' where id = 'n2'",
        "z".repeat(200_000)
    );
    server.connect().batch_execute(&huge).unwrap();
    assert_eq!(program.post(red, "web/upload", rejected("n2", 1)).0, 200);
    device
        .conn
        .batch_execute("update notes set team = 'blue' where id like 'n%'")
        .unwrap();
    let synced = program.runtime.block_on(device.replica.sync()).unwrap();
    assert_eq!(
        (synced.rejected, device.replica.pending().unwrap()),
        (10, 0)
    );
    assert_eq!(device.notes().len(), 12);
}
