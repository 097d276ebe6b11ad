//! Writers with overlapping transactions against downloads whose copies are compared with the tables, row by row.

use carburetor_tests::oracle::{Options, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => match run(&options) {
            Ok(verdict) => {
                print!("{verdict}");
                ExitCode::from(u8::from(!verdict.passed()))
            }
            Err(error) => {
                eprintln!("oracle: {error}");
                ExitCode::from(2)
            }
        },
        Ok(None) => {
            print!("{}", Options::HELP);
            ExitCode::SUCCESS
        }
        Err(mistake) => {
            eprintln!("oracle: {mistake}; --help shows what there is");
            ExitCode::from(2)
        }
    }
}
