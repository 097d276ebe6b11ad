use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, thread};

use crate::database::Database;
use crate::server::client;

/// A real database that nobody here wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dataset {
    /// A video rental: 15 tables, where all rows of a table share one timestamp.
    Pagila,
    /// A maker of bicycles: 55 tables in five schemas.
    AdventureWorks,
}

impl Dataset {
    /// The folder of its SQL files below `CARBURETOR_DATA` or, without that, `../shared/data` beside the workspace.
    ///
    /// `None`, said aloud, if it is not there.
    pub fn folder(self) -> Option<PathBuf> {
        let data = env::var_os("CARBURETOR_DATA").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            PathBuf::from,
        );
        let folder = data.join(match self {
            Dataset::Pagila => "pagila",
            Dataset::AdventureWorks => "adventureworks",
        });
        if folder.join("01_schema.sql").exists() {
            return Some(folder);
        }
        skip(&format!(
            "{self:?} is not in {}; name the folder of the data sets in CARBURETOR_DATA",
            folder.display()
        ));
        None
    }
}

impl Database {
    /// Loads a data set into this empty database, and checks every row of it.
    ///
    /// Returns `false`, said aloud, if the data or `psql` are not here.
    #[must_use = "without data there is nothing to test"]
    pub fn load(&self, set: Dataset) -> bool {
        let Some(folder) = set.folder() else {
            return false;
        };
        let Some(psql) = client("psql") else {
            return false;
        };
        let mut gzip = Command::new("gzip")
            .args(["--decompress", "--stdout", "02_data.sql.gz"])
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip starts");
        let rows = gzip.stdout.take().expect("the output of gzip is a pipe");
        // One session for all files: schema, rows from the pipe, constraints, and the comparison with what is expected.
        let files = ["01_schema.sql", "-", "03_constraints.sql", "check.sql"]
            .map(|file| format!("--file={file}"));
        let output = Command::new(psql)
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--dbname",
                &self.url(),
            ])
            .args(files)
            .current_dir(&folder)
            .stdin(rows)
            .output()
            .expect("psql starts");
        assert!(
            output.status.success(),
            "{set:?} was not loaded: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            gzip.wait().is_ok_and(|status| status.success()),
            "the rows of {set:?} were not unpacked"
        );
        true
    }
}

/// Says that the current test is skipped, past the capture of the test harness, which hides what a passing test prints.
pub(crate) fn skip(reason: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("a test");
    // Nothing is left to say it to if the standard error is closed.
    let _ = writeln!(io::stderr(), "SKIPPED {test}: {reason}");
}
