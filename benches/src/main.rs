//! What carburetor costs beside what it stands on, in the same run. See the README.

mod arrival;
mod bare;
mod cold;
mod feed;
mod followed;
mod idle;
mod incremental;
mod items;
mod json;
mod process;
mod race;
mod redelivery;
mod serving;
mod sqlite;
mod structs;
mod upload;
mod upload_sqlite;
mod writes;

use std::env;

/// What the command line asks for.
pub struct Options {
    /// The rows of a table.
    rows: usize,
    /// How often a whole table is read.
    runs: usize,
    groups: Vec<String>,
}

impl Options {
    /// How often something short is done.
    fn laps(&self) -> usize {
        self.runs * 50
    }
}

/// What runs a group.
type Group = fn(&Options);

/// The groups, in the order in which they run.
const GROUPS: &[(&str, Group)] = &[
    ("json", json::json),
    ("structs", structs::structs),
    ("incremental", incremental::incremental),
    ("writes", writes::writes),
    ("redelivery", redelivery::redelivery),
    ("sqlite", sqlite::sqlite),
    ("upload", upload::upload),
    ("upload_sqlite", upload_sqlite::upload),
    ("cold", cold::cold),
    ("feed", feed::feed),
    ("arrival", arrival::arrival),
    ("idle", idle::idle),
];

fn main() {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some(idle::CLIENT) => return idle::client(arguments),
        Some(cold::REPLICA) => return cold::client(arguments),
        _ => {}
    }
    let options = options();
    for (name, run) in GROUPS {
        if options.groups.is_empty() || options.groups.iter().any(|group| group == name) {
            println!("{name}");
            run(&options);
        }
    }
}

fn options() -> Options {
    let mut options = Options {
        rows: 1_000_000,
        runs: 9,
        groups: Vec::new(),
    };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => options.rows = number(arguments.next()),
            "--runs" => options.runs = number(arguments.next()),
            group if GROUPS.iter().any(|(name, _)| *name == group) => {
                options.groups.push(argument);
            }
            // What `cargo bench` adds.
            "--bench" => {}
            unknown => {
                let groups: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
                eprintln!(
                    "{unknown} is none of: --rows N, --runs N, {}",
                    groups.join(", ")
                );
                std::process::exit(2);
            }
        }
    }
    options
}

fn number(argument: Option<String>) -> usize {
    let number = argument.and_then(|argument| argument.parse().ok());
    number.unwrap_or_else(|| {
        eprintln!("--rows and --runs take a number");
        std::process::exit(2);
    })
}
