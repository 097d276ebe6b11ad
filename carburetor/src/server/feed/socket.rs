//! Feeds over web sockets.

use super::HEARTBEAT;
use crate::download::Page;
use crate::server::handover::Taken;
use crate::server::problem::Problem;
use crate::server::served::Sent;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Nothing is expected of whoever follows but the answers to heartbeats.
const LONGEST: usize = 1024;

/// What an idle socket holds of memory.
const BUFFER: usize = 2048;

/// Sends each page as a text.
pub(super) fn open(upgrade: WebSocketUpgrade, first: Arc<Page>, taken: Taken) -> Response {
    upgrade
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .on_upgrade(|socket| async move {
            // A socket that fails is closed.
            let _ = send(socket, first, taken).await;
        })
}

async fn send(
    mut socket: WebSocket,
    first: Arc<Page>,
    mut taken: Taken,
) -> Result<(), axum::Error> {
    let mut page: Option<Sent> = Some(Ok(first));
    let mut silent_since = Instant::now();
    loop {
        if let Some(page) = page.take() {
            let page = match page {
                Ok(page) => Arc::unwrap_or_clone(page).into_json(),
                Err(problem) => {
                    let code = match problem.is_refusal() {
                        true => close_code::POLICY,
                        false => close_code::ERROR,
                    };
                    return close(socket, code, *problem).await;
                }
            };
            let text = String::from_utf8(page).unwrap_or_default();
            socket.send(Message::Text(text.into())).await?;
            silent_since = Instant::now();
        }
        tokio::select! {
            next = taken.recv() => match next {
                Some(next) => page = Some(next),
                None => return close(socket, close_code::RESTART, Problem::busy("come back in a moment")).await,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(said) => drop(said?),
            },
            () = sleep_until(silent_since + HEARTBEAT) => {
                socket.send(Message::Ping(Default::default())).await?;
                silent_since = Instant::now();
            }
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, problem: Problem) -> Result<(), axum::Error> {
    let reason = problem.code().into();
    socket
        .send(Message::Close(Some(CloseFrame { code, reason })))
        .await
}
