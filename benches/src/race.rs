//! Two ways to do the same, measured in turn so that whatever else the machine does slows both alike.

use crate::process::cpu;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// One way, and the server process that works for it.
pub struct Runner<'a> {
    /// What it is, for the reader.
    pub name: &'a str,
    /// The server's process, if there is one.
    pub server: Option<String>,
    /// Does it once.
    pub run: Box<dyn FnMut() + 'a>,
}

impl<'a> Runner<'a> {
    /// A way to do it that nobody else works for.
    pub fn new(name: &'a str, run: impl FnMut() + 'a) -> Self {
        Runner {
            name,
            server: None,
            run: Box::new(run),
        }
    }

    /// The same, with the process of the server that works for it.
    pub fn served_by(self, process: i32) -> Self {
        Runner {
            server: Some(process.to_string()),
            ..self
        }
    }
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Lap {
    wall: Duration,
    client: Duration,
    server: Duration,
}

/// One of the two ways.
type Side = fn(&(Lap, Lap)) -> Lap;

/// The laps of two ways.
pub struct Race {
    laps: Vec<(Lap, Lap)>,
    names: (String, String),
}

/// Runs both `runs` times in turn, after once without measuring; every other time in the other order.
pub fn race(runs: usize, mut floor: Runner<'_>, mut ours: Runner<'_>) -> Race {
    (floor.run)();
    (ours.run)();
    let laps = (0..runs).map(|run| {
        if run % 2 == 0 {
            let first = lap(&mut floor);
            (first, lap(&mut ours))
        } else {
            let first = lap(&mut ours);
            (lap(&mut floor), first)
        }
    });
    Race {
        laps: laps.collect(),
        names: (floor.name.to_owned(), ours.name.to_owned()),
    }
}

impl Race {
    /// Prints how many times the floor's speed ours is, and the figures of both per second, for `rows` rows in each run.
    pub fn speed(&self, name: &str, rows: usize, target: &str) {
        self.figures(rows);
        let of = |value: fn(&(Lap, Lap)) -> f64| median(self.laps.iter().map(value));
        let cpu = of(|(floor, ours)| {
            (floor.client + floor.server).as_secs_f64() / (ours.client + ours.server).as_secs_f64()
        });
        println!("  by processor time {cpu:.2}");
        let ratio = of(|(floor, ours)| floor.wall.as_secs_f64() / ours.wall.as_secs_f64());
        ratio_line(name, ratio, target);
    }

    /// Prints how many times the floor's time ours takes.
    pub fn latency(&self, name: &str, target: &str) {
        for (label, wall) in [
            (&self.names.0, self.walls(|lap| lap.0)),
            (&self.names.1, self.walls(|lap| lap.1)),
        ] {
            println!(
                "  {label:<44} {:>9.0} us, median of {}",
                median(wall.into_iter()) * 1e6,
                self.laps.len()
            );
        }
        let ratio = self
            .laps
            .iter()
            .map(|(floor, ours)| ours.wall.as_secs_f64() / floor.wall.as_secs_f64());
        ratio_line(name, median(ratio), target);
    }

    fn walls(&self, side: impl Fn(&(Lap, Lap)) -> Lap) -> Vec<f64> {
        self.laps
            .iter()
            .map(|laps| side(laps).wall.as_secs_f64())
            .collect()
    }

    fn figures(&self, rows: usize) {
        let sides: [(&str, Side); 2] = [
            (&self.names.0, |laps| laps.0),
            (&self.names.1, |laps| laps.1),
        ];
        for (label, side) in sides {
            let of = |value: fn(Lap) -> Duration| {
                median(self.laps.iter().map(|laps| value(side(laps)).as_secs_f64()))
            };
            println!(
                "  {label:<44} {:>9.0} rows/s, processor s: client {:.2}, server {:.2}, median of {}",
                rows as f64 / of(|lap| lap.wall),
                of(|lap| lap.client),
                of(|lap| lap.server),
                self.laps.len()
            );
        }
    }
}

fn lap(runner: &mut Runner<'_>) -> Lap {
    let server = runner.server.clone();
    let served = || server.as_deref().map(cpu).unwrap_or_default();
    let (client_before, server_before, began) = (cpu("self"), served(), Instant::now());
    (runner.run)();
    Lap {
        wall: began.elapsed(),
        client: cpu("self") - client_before,
        server: served() - server_before,
    }
}

/// A runtime on this thread, so that all its work is counted and nothing is handed from core to core.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// Prints a ratio for machines, with the target for readers.
pub fn ratio_line(name: &str, value: f64, target: &str) {
    println!("ratio {name} {value:.2}    ({target})");
}

/// Prints a figure for machines, with the target for readers.
pub fn figure_line(name: &str, value: f64, target: &str) {
    println!("figure {name} {value:.2}    ({target})");
}

/// The time, in milliseconds, that so many of a hundred don't exceed; `times` are sorted.
pub fn percentile_ms(times: &[Duration], part: usize) -> f64 {
    times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3
}

/// The middle value.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
