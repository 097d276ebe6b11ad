//! What a feed in which nothing happens takes of the server's memory.

use crate::Options;
use crate::followed::{self, FLOOR, LINES, Program, SOCKET, Watching, hold};
use crate::process::resident;
use crate::race::figure_line;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The argument with which this program is the client.
pub const CLIENT: &str = "--hold";

/// How many feeds are open.
const FEEDS: usize = 10_000;

/// Opens feeds from another process, so that its memory doesn't count.
pub fn idle(_: &Options) {
    let database = followed::database(Watching::Polling);
    for (name, form) in [
        ("feed_idle_axum_kib", FLOOR),
        ("feed_idle_lines_kib", LINES),
        ("feed_idle_socket_kib", SOCKET),
    ] {
        let program = Program::start(&database, Watching::Polling);
        // What the first ones take, the others don't take again.
        let warm = open(&program, 100, form);
        let before = resident();
        let held = open(&program, FEEDS, form);
        let kib = resident().saturating_sub(before) as f64 / FEEDS as f64;
        drop((warm, held));
        figure_line(name, kib, "at most 16");
    }
}

/// A process that holds feeds open.
struct Held(std::process::Child);

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
    let mut line = String::new();
    BufReader::new(said)
        .read_line(&mut line)
        .expect("the client says so");
    assert_eq!(line.trim(), "open");
    Held(client)
}

/// The client.
pub fn client(mut arguments: impl Iterator<Item = String>) {
    let mut next = || arguments.next().expect("an address and a number");
    let address = next().parse().expect("an address");
    let feeds = next().parse().expect("a number");
    hold(address, feeds, &next());
}
