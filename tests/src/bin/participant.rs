//! A process for the tests that kill processes: a server, or a device that counts.

use carburetor_tests::processes::{count, look, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["server", url, address] => serve(url, address).await,
        ["device", path, url, name] => count(path, url, name).await,
        ["look", path, url] => look(path, url).await,
        _ => Err("server URL ADDRESS, device PATH URL NAME, or look PATH URL".into()),
    }
}
