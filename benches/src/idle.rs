//! What a feed in which nothing happens takes of the server's memory.

use crate::Options;
use crate::followed::{
    self, EVENTS, FLOOR, LINES, NEWS, Program, SOCKET, Serving, TEAMS, Watching, hold,
};
use crate::process::{open_files, resident};
use crate::race::figure_line;
use diesel::connection::SimpleConnection;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Instant;

/// The argument with which this program is the client.
pub const CLIENT: &str = "--hold";

/// How many feeds are open.
const FEEDS: usize = 10_000;

/// Opens feeds from another process, so that its memory doesn't count; then all of them are told something.
pub fn idle(_: &Options) {
    let allowed = open_files();
    if allowed < FEEDS as u64 + 1000 {
        println!(
            "  skipped: {FEEDS} sockets and some more are needed, and `ulimit -n` is {allowed}"
        );
        return;
    }
    let database = followed::database(Watching::Polling);
    for (name, serving, form) in [
        ("feed_idle_axum_kib", Serving::Axum, FLOOR),
        ("feed_idle_lines_kib", Serving::Axum, LINES),
        ("feed_idle_events_kib", Serving::Axum, EVENTS),
        ("feed_idle_socket_kib", Serving::Axum, SOCKET),
        ("feed_idle_served_axum_kib", Serving::Carburetor, FLOOR),
        ("feed_idle_served_lines_kib", Serving::Carburetor, LINES),
        ("feed_idle_served_events_kib", Serving::Carburetor, EVENTS),
        ("feed_idle_served_socket_kib", Serving::Carburetor, SOCKET),
    ] {
        let program = Program::serving(&database, Watching::Polling, serving);
        // What the first ones take, the others don't take again.
        let warm = open(&program, 100, form);
        let before = resident();
        let mut held = open(&program, FEEDS, form);
        let kib = resident().saturating_sub(before) as f64 / FEEDS as f64;
        figure_line(name, kib, "at most 16");
        if form != FLOOR {
            let begun = Instant::now();
            let news = format!(
                "insert into notes select 'news ' || n, '{NEWS}', 't' || n from generate_series(0, {TEAMS} - 1) n
                 on conflict (id) do update set title = excluded.title"
            );
            let conn = &mut database.connect();
            conn.batch_execute(&news).expect("the rows are written");
            held.says("told");
            let seconds = begun.elapsed().as_secs_f64();
            println!("  all {FEEDS} were told after {seconds:.2} s");
            // Else the next ones know it already.
            conn.batch_execute("delete from notes where id like 'news %'")
                .expect("the rows are deleted");
        }
        drop((warm, held));
    }
}

/// A process that holds feeds open.
struct Held(std::process::Child, BufReader<ChildStdout>);

impl Held {
    /// Waits for what it says.
    fn says(&mut self, wanted: &str) {
        let mut line = String::new();
        self.1.read_line(&mut line).expect("the client says so");
        assert_eq!(line.trim(), wanted);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends with its input.
        let _ = self.0.wait();
    }
}

fn open(program: &Program, feeds: usize, form: &str) -> Held {
    let itself = std::env::current_exe().expect("this program has a path");
    let mut client = Command::new(itself)
        .args([
            CLIENT,
            &program.address().to_string(),
            &feeds.to_string(),
            form,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let said = client.stdout.take().expect("it is piped");
    let mut held = Held(client, BufReader::new(said));
    held.says("open");
    held
}

/// The client.
pub fn client(mut arguments: impl Iterator<Item = String>) {
    let mut next = || arguments.next().expect("an address and a number");
    let address = next().parse().expect("an address");
    let feeds = next().parse().expect("a number");
    hold(address, feeds, &next());
}
