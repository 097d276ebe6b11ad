//! A server in this program, on a port of this machine.

use carburetor_tests::Database;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Connections for a server, at most so many.
pub fn pool(database: &Database, connections: usize) -> Pool<AsyncPgConnection> {
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new(database.url());
    let pool = Pool::builder(manager).max_size(connections);
    pool.build().expect("the pool is made")
}

/// Serves whoever comes, and says where.
pub fn serve<F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    serving: impl FnOnce(TcpListener) -> F,
) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    runtime.spawn(serving(listener));
    address
}
