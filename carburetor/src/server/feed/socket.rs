//! Feeds over web sockets.

use super::HEARTBEAT;
use crate::server::handover::Taken;
use crate::server::problem::Problem;
use crate::server::room::Told;
use crate::server::served::Sent;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// Nothing is expected of whoever follows but the answers to heartbeats.
const LONGEST: usize = 1024;

/// What an idle socket holds of memory.
const BUFFER: usize = 2048;

/// Sends each page as a text.
pub(super) fn open(
    upgrade: WebSocketUpgrade,
    first: Arc<Told>,
    taken: Taken,
    time: Duration,
) -> Response {
    upgrade
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(move |socket| async move {
            // A socket that fails is closed.
            let _ = send(socket, first, taken, time).await;
        })
}

async fn send(
    mut socket: WebSocket,
    first: Arc<Told>,
    mut taken: Taken,
    time: Duration,
) -> Result<(), axum::Error> {
    let mut page: Option<Sent> = Some(Ok(first));
    let mut silent_since = Instant::now();
    loop {
        if let Some(page) = page.take() {
            let (page, _room) = match page {
                Ok(page) => Arc::unwrap_or_clone(page).into_parts(),
                Err(problem) => {
                    let code = match () {
                        () if problem.is_refusal() => close_code::POLICY,
                        () if problem.is_momentary() => close_code::AGAIN,
                        () => close_code::ERROR,
                    };
                    return close(socket, time, code, *problem).await;
                }
            };
            let text = String::from_utf8(page).unwrap_or_default();
            write(&mut socket, time, Message::Text(text.into())).await?;
            silent_since = Instant::now();
        }
        tokio::select! {
            next = taken.recv() => match next {
                Some(next) => page = Some(next),
                None => return close(socket, time, close_code::RESTART, Problem::busy("come back in a moment")).await,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Err(error)) if is_too_long(&error) => {
                    let problem = Problem::said_too_much(LONGEST);
                    return close(socket, time, close_code::SIZE, problem).await;
                }
                Some(said) => drop(said?),
            },
            () = sleep_until(silent_since + HEARTBEAT) => {
                write(&mut socket, time, Message::Ping(Default::default())).await?;
                silent_since = Instant::now();
            }
        }
    }
}

/// Whether more was said than is expected. The error has no type that could be named without the crate that axum takes it from.
fn is_too_long(error: &axum::Error) -> bool {
    error.to_string().contains("Message too long")
}

async fn close(
    mut socket: WebSocket,
    time: Duration,
    code: u16,
    problem: Problem,
) -> Result<(), axum::Error> {
    let reason = problem.code().into();
    let frame = CloseFrame { code, reason };
    write(&mut socket, time, Message::Close(Some(frame))).await
}

/// Writes a message, unless nobody reads it.
async fn write(
    socket: &mut WebSocket,
    time: Duration,
    message: Message,
) -> Result<(), axum::Error> {
    let written = timeout(time, socket.send(message)).await;
    written.unwrap_or_else(|late| Err(axum::Error::new(late)))
}
