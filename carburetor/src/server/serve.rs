//! The program's routes on its sockets, with little memory for each of them.

use super::patient::PatientStream;
use super::shutdown::Shutdown;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long whoever has connected may take to say what he wants.
const HEAD: Duration = Duration::from_secs(30);

/// Serves what the program has mounted until `shutdown` begins, then waits for the answers that are under way, for [`Limits::grace`](super::Limits::grace) at most.
///
/// It takes the place of `axum::serve` where many feeds are open as lines or events, which then take less memory each. It speaks HTTP/1 only, takes any listener of
/// axum's, tells handlers by `ConnectInfo` who has connected, and closes a connection that doesn't ask anything for 30 s. An accept that fails is the listener's to
/// try again. A connection whose other side doesn't read ends as that of [`Patient`](super::Patient).
///
#[doc = include_str!("../../docs/examples/serve.md")]
pub async fn serve<L>(mut listener: L, app: Router, shutdown: &Shutdown)
where
    L: Listener,
    L::Addr: Clone + Sync + 'static,
{
    // Else each connection would have routes of its own.
    let app = app.with_state(());
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let (open, mut closed) = mpsc::channel::<Infallible>(1);
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.begun() => break,
        };
        let routes = TowerToHyperService::new(app.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let address = ConnectInfo(address.clone());
            request.extensions_mut().insert(address);
            // Hyper keeps the room of what answers as long as the connection is open.
            Box::pin(routes.call(request))
        });
        let connection = {
            let stream = PatientStream::new(stream, shutdown.send_time());
            http.serve_connection(TokioIo::new(stream), service)
        };
        let mut connection = connection.with_upgrades();
        let (shutdown, open) = (shutdown.clone(), open.clone());
        // The task has room for one of what it moves: it polls the connection where it is. One that fails is closed.
        tokio::spawn(async move {
            let ended = tokio::select! {
                _ = &mut connection => true,
                () = shutdown.begun() => false,
            };
            if !ended {
                Pin::new(&mut connection).graceful_shutdown();
                // What isn't sent by then is cut off.
                let _ = timeout(shutdown.grace(), &mut connection).await;
            }
            drop(open);
        });
    }
    drop((listener, open));
    // Nothing is sent: it comes back when the last connection has ended.
    closed.recv().await;
}
