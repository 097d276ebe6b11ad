//! The body of an upload, and the room that it takes while it comes.

use super::limits::Limits;
use super::meter;
use super::problem::Problem;
use super::room::{PIECE, Room, Share, no_room};
use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use std::error::Error;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The whole body of `request` to `group` with the room that it takes, unless it is too long or comes too slowly. Room is taken for what has come: who sends
/// little by little holds little.
pub(super) async fn body(
    group: &str,
    request: Request,
    share: &Share,
    limits: &Limits,
) -> Result<(Vec<u8>, Room), Problem> {
    let said = length(request.headers());
    let coming = request.into_body();
    if said.is_some_and(|said| said > limits.body as u64) {
        return Err(too_long(coming.into_data_stream(), limits));
    }
    let said = said.and_then(|said| usize::try_from(said).ok());
    let most = said.unwrap_or(limits.body);
    let mut room = share.body(most.min(PIECE), limits.time).await?;
    let mut sending = Left(limits.time);
    let body = read(coming, most, share, &mut room, limits, &mut sending).await;
    meter::body(group, limits.time.saturating_sub(sending.0));
    let body = body?;
    room.fit(body.len());
    Ok((body, room))
}

/// The time that is left for something. What else is waited for doesn't count.
struct Left(Duration);

impl Left {
    async fn of<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let began = Instant::now();
        let done = timeout(self.0, work).await.ok();
        self.0 = self.0.saturating_sub(began.elapsed());
        done
    }
}

/// `sending` is left to whoever sends: while the server has no room, it isn't he who is slow.
async fn read(
    coming: Body,
    most: usize,
    share: &Share,
    room: &mut Room,
    limits: &Limits,
    sending: &mut Left,
) -> Result<Vec<u8>, Problem> {
    let mut coming = coming.into_data_stream();
    let mut waiting = Left(limits.time);
    let mut body = Vec::new();
    loop {
        let part = match sending.of(coming.next()).await {
            Some(Some(part)) => part.map_err(|error| broken(&error, limits))?,
            Some(None) => return Ok(body),
            None => return Err(too_slow(limits)),
        };
        let length = body.len() + part.len();
        if length > limits.body {
            return Err(too_long(coming, limits));
        }
        let wanted = length.next_multiple_of(PIECE).min(most);
        let grown = share.grow(room, wanted.max(length), waiting.0);
        waiting.of(grown).await.unwrap_or_else(|| Err(no_room()))?;
        body.extend_from_slice(&part);
    }
}

/// How long the body is, where the request says so.
fn length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    // What no number holds is more than anybody takes.
    Some(length.to_str().ok()?.parse().unwrap_or(u64::MAX))
}

/// More than the server takes. What still comes is read for a while and dropped: whoever is cut off while he sends doesn't hear why.
fn too_long(mut coming: BodyDataStream, limits: &Limits) -> Problem {
    let time = limits.time;
    tokio::spawn(async move {
        let rest = async { while let Some(Ok(_)) = coming.next().await {} };
        // Who goes on for longer is cut off.
        let _ = timeout(time.min(LINGER), rest).await;
    });
    too_many_bytes(limits)
}

/// How long what nobody wants is read.
const LINGER: Duration = Duration::from_secs(5);

fn too_many_bytes(limits: &Limits) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body",
        format!("more than {} bytes", limits.body),
        "send fewer changes at once",
    )
}

fn too_slow(limits: &Limits) -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "slow",
        format!("the body was not there after {:?}", limits.time),
        "send fewer changes at once",
    )
}

/// The connection broke, or a layer of the program takes no more.
fn broken(error: &axum::Error, limits: &Limits) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return too_many_bytes(limits);
        }
        cause = error.source();
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        "message",
        "the body can't be read",
        "send it again",
    )
}

#[cfg(test)]
mod tests;
