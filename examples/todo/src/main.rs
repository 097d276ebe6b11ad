//! A to-do list on several devices, which work with the server stopped, too.
//!
//! ```text
//! cargo run -p todo                    the server, on the file todo-server.db; or on PostgreSQL by DATABASE_URL
//! cargo run -p todo -- device anna     a device beside it, on the file todo-anna.db
//! ```

mod device;
mod model;
mod server;

use std::error::Error;
use tracing_subscriber::filter::LevelFilter;

/// Where the server listens, and devices look for it, unless `TODO_ADDRESS` says another address.
const ADDRESS: &str = "127.0.0.1:8642";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Without a subscriber nobody hears what the library warns of.
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    let address = std::env::var("TODO_ADDRESS").unwrap_or_else(|_| ADDRESS.into());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => server::run(&address).await,
        ["device", name] => device::run(&address, name).await,
        _ => Err("run `todo` for the server, and `todo device NAME` for a device beside it".into()),
    }
}
