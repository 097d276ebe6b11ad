//! Replicas that converge, or a seed that shows how they don't.

use carburetor_tests::simulation::{Backend, Trouble, run};
use std::process::ExitCode;

const HELP: &str = "simulate: replicas, a server and a network that fails, by seeds

    cargo run --release --bin simulate -- --seeds 200

  --seeds N   runs the seeds 0 to N - 1 (default 50)
  --seed N    runs this one alone
  --steps N   the length of each schedule (default 300)
  --with T    what befalls every second history besides: restores, lines, triggers, hubs,
              future, disks, values; several with commas, or all
  --server B  what the server runs on: sqlite (default), or postgres, a cluster of its own
";

struct Options {
    seeds: std::ops::Range<u64>,
    steps: u64,
    backend: Backend,
    troubles: Vec<Trouble>,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        seeds: 0..50,
        steps: 300,
        backend: Backend::Sqlite,
        troubles: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--help" {
            return Ok(None);
        }
        let value = arguments.next().unwrap_or_default();
        if argument == "--server" {
            options.backend = match value.as_str() {
                "sqlite" => Backend::Sqlite,
                "postgres" => Backend::Postgres,
                _ => return Err("--server: it is sqlite or postgres".into()),
            };
            continue;
        }
        if argument == "--with" {
            let troubles = match value.as_str() {
                "all" => Some(Trouble::ALL.to_vec()),
                names => names.split(',').map(Trouble::named).collect(),
            };
            options.troubles = troubles.ok_or("--with: --help shows what there is")?;
            continue;
        }
        let value = value.parse::<u64>();
        let value = value.map_err(|_| format!("{argument}: a number is missing"))?;
        match argument.as_str() {
            "--seeds" => options.seeds = 0..value,
            "--seed" => options.seeds = value..value + 1,
            "--steps" => options.steps = value,
            _ => {
                return Err(format!(
                    "{argument}: there is no such option; --help shows what there is"
                ));
            }
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("simulate: {mistake}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("simulate: {error}");
            return ExitCode::from(2);
        }
    };
    let mut failed = Vec::new();
    for seed in options.seeds.clone() {
        match runtime.block_on(run(options.backend, seed, options.steps, &options.troubles)) {
            Ok(tally) => println!(
                "seed {seed}: converged; {} steps, {} syncs, {} broken, {} crashes, {} changes accepted",
                tally.steps, tally.synced, tally.broken, tally.crashed, tally.accepted
            ),
            Err(problem) => {
                println!("seed {seed}: FAILED: {problem}");
                failed.push(seed);
            }
        }
    }
    match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => {
            println!(
                "failed: {failed:?}; each fails again by --seed N --steps {}",
                options.steps
            );
            ExitCode::FAILURE
        }
    }
}
