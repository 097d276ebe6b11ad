//! Readers that don't read, and writers that are too many.

use super::super::program::Program;
use super::Server;
use super::world::with_routes;
use axum::Router;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// More than what the sockets of a connection hold.
fn fill(server: &Server) {
    let long = "z".repeat(10_000);
    let values: Vec<String> = (0..3000)
        .map(|number| {
            format!("('n{number:04}', '{long}', 'red'), ('m{number:04}', '{long}', 'blue')")
        })
        .collect();
    for values in values.chunks(500) {
        let insert = format!(
            "insert into notes (id, title, team) values {}",
            values.join(", ")
        );
        server.connect().batch_execute(&insert).unwrap();
    }
}

/// Asks, and reads no more than the beginning of the answer.
fn stall(program: &Program, team: &str, path: &str, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(program.address).unwrap();
    let request =
        format!("GET /sync/{path} HTTP/1.1\r\nhost: x\r\nx-team: {team}\r\n{head}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut beginning = [0; 12];
    stream.read_exact(&mut beginning).unwrap();
    stream
}

/// How long what is free soon may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

const LINES: &str = "accept: application/x-ndjson";

/// What is answered to a download of one row.
pub(super) fn ask(program: &Program, team: &str) -> (u16, String) {
    let (status, said) = program.get(&program.client(team), "web/download?limit=1");
    let detail = said["detail"].as_str().unwrap_or_default();
    (status.as_u16(), detail.to_owned())
}

/// Limits by which two readers that don't read are all that a scope may have, so long each.
fn few_readers(send_time: Duration) -> Limits {
    Limits {
        streams: 3,
        streams_per_scope: 2,
        // What lies in the connections stays there.
        waiting: 1 << 30,
        send_time,
        page: 1000,
        ..Limits::default()
    }
}

#[test]
fn readers_that_stall_leave_room_for_others_and_then_for_their_own() {
    let server = Server::new();
    fill(&server);
    let stalls = |program: &Program| [(); 2].map(|()| stall(program, "red", "web/download", LINES));
    // Here they stall until the end.
    let patient = server.serve(4, few_readers(Duration::from_secs(3600)));
    let stalled = stalls(&patient);
    let busy = "too many downloads are under way in this scope";
    assert_eq!(ask(&patient, "red"), (503, busy.into()));
    assert_eq!(ask(&patient, "blue").0, 200);
    drop(stalled);
    let program = server.serve(4, few_readers(Duration::from_secs(1)));
    let stalled = stalls(&program);
    let began = Instant::now();
    loop {
        match ask(&program, "red") {
            (200, _) => break,
            refused => assert!(began.elapsed() < PATIENCE, "{refused:?} for ever"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(stalled);
}

#[test]
fn pages_that_wait_take_so_many_bytes_of_a_scope_and_no_more() {
    let server = Server::new();
    fill(&server);
    let limits = Limits {
        waiting: 8 << 20,
        time: Duration::from_secs(5),
        page: 1000,
        ..Limits::default()
    };
    let program = server.serve(4, limits);
    // Its pages are of some 5 MB: one of them is all that a scope may have.
    let stalled = stall(&program, "red", "web/download", LINES);
    let busy = "too many pages wait to be sent";
    let began = Instant::now();
    loop {
        match ask(&program, "red") {
            (503, said) if said == busy => break,
            // The sockets still take what is sent.
            other => assert!(began.elapsed() < PATIENCE, "{other:?} for ever"),
        }
    }
    assert_eq!(ask(&program, "blue").0, 200);
    drop(stalled);
    let began = Instant::now();
    while ask(&program, "red").0 != 200 {
        assert!(began.elapsed() < PATIENCE);
    }
}

#[test]
fn a_shutdown_ends_though_nobody_reads() {
    let limits = Limits {
        send_time: Duration::from_secs(1),
        grace: Duration::from_secs(1),
        ..Limits::default()
    };
    for start in [Program::serve, Program::start_until] {
        let server = Server::new();
        fill(&server);
        let (app, shutdown) = with_routes(server.pool(4), limits, Router::new());
        let mut program = start(app, &shutdown);
        const SOCKET: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        let stalled = [
            ("web/download", LINES),
            ("web/download", "accept: */*"),
            ("web/feed", LINES),
            ("web/feed", "accept: */*"),
            ("web/feed", SOCKET),
        ]
        .map(|(path, head)| stall(&program, "red", path, head));
        shutdown.begin();
        let began = Instant::now();
        program.ended();
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        drop(stalled);
    }
}

#[test]
fn uploads_take_so_many_bytes_of_a_scope_and_no_more() {
    let server = Server::new();
    let limits = Limits {
        body: 100_000,
        bodies: 400_000,
        time: Duration::from_secs(8),
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    // One of which only the end is missing has the room of its scope.
    let mut stalled = begun(&program, "content-length: 100000");
    stalled.write_all(&[b' '; 99_999]).unwrap();
    let upload = json!({"carburetor": 1, "changes": []}).to_string();
    let send = |team: &str| {
        let sent = program.post(&program.client(team), "web/upload", upload.clone().into());
        sent.0.as_u16()
    };
    // Another one waits for that.
    until_waiting(&program, &upload);
    assert_eq!(send("blue"), 200);
    stalled.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 12];
    stalled.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(send("red"), 200);
}

/// Waits until an upload does.
fn until_waiting(program: &Program, upload: &str) {
    let begun = Instant::now();
    while !waits(program, upload) {
        assert!(begun.elapsed() < PATIENCE, "none ever waits");
    }
}

/// Whether an upload waits rather than being answered.
fn waits(program: &Program, upload: &str) -> bool {
    let request = program.client("red").post(program.url("web/upload"));
    let request = request.header("content-type", "application/json");
    let sending = request.body(upload.to_owned()).send();
    let moment = Duration::from_millis(500);
    let sent = program
        .runtime
        .block_on(async { tokio::time::timeout(moment, sending).await });
    if let Ok(sent) = &sent {
        assert!(sent.as_ref().unwrap().status() != 503, "it was refused");
    }
    sent.is_err()
}

/// An upload of the team "red" whose body is still to come.
pub(super) fn begun(program: &Program, length: &str) -> TcpStream {
    let mut stream = TcpStream::connect(program.address).unwrap();
    let head = format!(
        "POST /sync/web/upload HTTP/1.1\r\nhost: x\r\nx-team: red\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn an_upload_takes_room_for_what_has_come_whatever_it_says_of_its_length() {
    let upload = super::cancellation::upload("slow");
    let most = vec![b' '; 98_900 - upload.len()];
    for length in ["content-length: 99900", "transfer-encoding: chunked"] {
        let is_chunked = length.starts_with("transfer");
        let chunk = |bytes: &[u8]| match is_chunked {
            true => [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat(),
            false => bytes.to_vec(),
        };
        let server = Server::new();
        let limits = Limits {
            body: 100_000,
            bodies: 400_000,
            time: Duration::from_secs(60),
            ..Limits::default()
        };
        let program = server.serve(2, limits);
        let small = || {
            let (status, said) = program.post(&program.client("red"), "web/upload", b"{".to_vec());
            assert_eq!((status.as_u16(), &said["code"]), (400, &json!("message")));
        };
        let mut first = begun(&program, length);
        first.write_all(&chunk(&upload)).unwrap();
        small();
        // What has come takes it all.
        first.write_all(&chunk(&most)).unwrap();
        until_waiting(&program, "{");
        // What is there waits to be applied.
        let mut writer = server.connect();
        writer.batch_execute(Server::HOLD).unwrap();
        first.write_all(&chunk(&[b' '; 1000])).unwrap();
        if is_chunked {
            first.write_all(b"0\r\n\r\n").unwrap();
        }
        let mut answer = [0; 12];
        first.set_nonblocking(true).unwrap();
        let early = first.read(&mut answer);
        assert!(early.is_err(), "it was answered before: {early:?}");
        first.set_nonblocking(false).unwrap();
        writer.batch_execute("rollback").unwrap();
        first.set_read_timeout(Some(PATIENCE)).unwrap();
        first.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        small();
    }
}

#[test]
fn a_body_that_says_to_be_too_long_is_refused_before_it_comes() {
    let server = Server::new();
    let limits = Limits {
        body: 1000,
        time: Duration::from_secs(3600),
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    for length in ["1001", "1000000000000"] {
        let mut stream = begun(&program, &format!("content-length: {length}"));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{length}");
    }
}
