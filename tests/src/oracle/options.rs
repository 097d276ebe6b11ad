//! What the command line says.

use std::time::Duration;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// PostgreSQL, our triggers stamp.
    Tracked,
    /// PostgreSQL, the application stamps by `now()`.
    Untracked,
    /// One SQLite file, our triggers stamp.
    Sqlite,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is tried.
    pub mode: Mode,
    /// For how long the writers begin transactions.
    pub time: Duration,
    /// How many writers there are.
    pub writers: usize,
    /// How many replicas upload; none untracked.
    pub uploaders: usize,
    /// The pause between two downloads.
    pub poll: Duration,
    /// Where the random choices begin; the interleaving of the connections stays the machine's.
    pub seed: u64,
    /// An empty PostgreSQL database to use, instead of a server of the run's own.
    pub database: Option<String>,
}

impl Options {
    /// What `--help` prints.
    pub const HELP: &'static str = "\
Writers hold transactions open, roll back, use savepoints and two-phase commit; downloads keep copies meanwhile.
At the end each copy is compared with the tables as its scope shows them. Naive downloads run beside ours and must lose rows.
Replicas upload to the same rows: every change that was accepted must be there, or a later write. Letting the last to arrive win must not do.

cargo run --release --bin oracle -- [OPTIONS]

  --mode MODE      tracked (default), untracked (PostgreSQL), or sqlite
  --seconds N      for how long the writers begin transactions (default 30)
  --writers N      how many writers there are (default 24, with sqlite 6)
  --uploaders N    how many replicas upload (default 12, with sqlite 3; untracked tables take none)
  --poll MS        the pause between two downloads of one copy (default 150)
  --seed N         where the random choices begin (default: by chance)
  --database URL   an empty PostgreSQL database to use, instead of a server of the run's own
  --help           this text

One line for each copy, one for the uploads, and the exit code: 0 if all is well, 1 if a copy of ours is wrong, a change lost, or the naive ones right,
2 if the run could not be done.
";

    /// Reads the arguments; `None` asks for help.
    ///
    /// # Errors
    ///
    /// An unknown flag, or a value that is missing or none.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Options {
            mode: Mode::Tracked,
            time: Duration::from_secs(30),
            writers: 0,
            uploaders: 0,
            poll: Duration::from_millis(150),
            seed: fastrand::u64(..),
            database: None,
        };
        let mut uploaders = None;
        let mut arguments = arguments;
        while let Some(flag) = arguments.next() {
            if matches!(flag.as_str(), "--help" | "-h") {
                return Ok(None);
            }
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("`{flag}` needs a value"))
            };
            match flag.as_str() {
                "--mode" => options.mode = mode(&value()?)?,
                "--seconds" => options.time = Duration::from_secs(number(&flag, &value()?)?),
                "--writers" => options.writers = number(&flag, &value()?)? as usize,
                "--uploaders" => uploaders = Some(number(&flag, &value()?)? as usize),
                "--poll" => options.poll = Duration::from_millis(number(&flag, &value()?)?),
                "--seed" => options.seed = number(&flag, &value()?)?,
                "--database" => options.database = Some(value()?),
                _ => return Err(format!("unknown argument `{flag}`")),
            }
        }
        if options.database.is_some() && options.mode == Mode::Sqlite {
            return Err("`--database` is for PostgreSQL: leave it out with `--mode sqlite`".into());
        }
        options.uploaders = match (options.mode, uploaders) {
            (Mode::Untracked, Some(1..)) => {
                return Err("untracked tables take no uploads: leave `--uploaders` out".into());
            }
            (Mode::Untracked, _) => 0,
            (_, Some(uploaders)) => uploaders,
            (Mode::Tracked, None) => 12,
            (Mode::Sqlite, None) => 3,
        };
        if options.writers == 0 {
            options.writers = if options.mode == Mode::Sqlite { 6 } else { 24 };
        }
        Ok(Some(options))
    }
}

fn mode(value: &str) -> Result<Mode, String> {
    match value {
        "tracked" => Ok(Mode::Tracked),
        "untracked" => Ok(Mode::Untracked),
        "sqlite" => Ok(Mode::Sqlite),
        _ => Err(format!(
            "`{value}` is no mode: write tracked, untracked or sqlite"
        )),
    }
}

fn number(flag: &str, value: &str) -> Result<u64, String> {
    value
        .parse()
        .map_err(|_| format!("`{flag} {value}` is not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Options>, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_take_values() {
        let options = parse("--mode sqlite --seconds 5 --seed 7")
            .unwrap()
            .unwrap();
        assert_eq!(
            (options.mode, options.writers, options.uploaders),
            (Mode::Sqlite, 6, 3)
        );
        assert_eq!((options.time, options.seed), (Duration::from_secs(5), 7));
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for line in [
            "--sconds 5",
            "--mode mysql",
            "--seed",
            "--poll fast",
            "30",
            "--mode untracked --uploaders 1",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
