use super::super::room::Rooms;
use super::*;
use futures_util::stream::{self, BoxStream};
use std::sync::Arc;

const TIME: Duration = Duration::from_secs(30);

/// Limits by which a scope has room for one body.
fn limits() -> Limits {
    Limits {
        body: 2 * PIECE,
        bodies: 8 * PIECE,
        time: TIME,
        ..Limits::default()
    }
}

/// A body whose parts come so long after each other, with so many bytes each.
fn in_parts(parts: &'static [(u64, usize)]) -> Request {
    let parts: BoxStream<'static, Result<Vec<u8>, std::io::Error>> =
        Box::pin(stream::iter(parts).then(|(seconds, bytes)| async move {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            Ok(vec![b' '; *bytes])
        }));
    Request::new(Body::from_stream(parts))
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_room_while_he_sends_is_not_told_to_be_slow() {
    let (limits, short) = (limits(), Duration::from_secs(1));
    let rooms = Arc::new(Rooms::new(&limits));
    let share = rooms.share("g", "a");
    let taken = share.body(PIECE, TIME).await.unwrap();
    let holder = async {
        tokio::time::sleep(TIME - short).await;
        drop(taken);
    };
    // All of it takes longer than it may, and what of that he takes doesn't.
    const PARTS: [(u64, usize); 3] = [(1, PIECE), (20, PIECE), (5, 0)];
    let request = in_parts(&PARTS);
    let (body, ()) = tokio::join!(body("g", request, &share, &limits), holder);
    assert_eq!(body.unwrap().0.len(), 2 * PIECE);
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_too_slowly_is_told_so_and_whoever_finds_no_room_that_others_are_there() {
    let limits = limits();
    let rooms = Arc::new(Rooms::new(&limits));
    let share = rooms.share("g", "a");
    const SLOW: [(u64, usize); 2] = [(16, PIECE); 2];
    let slow = body("g", in_parts(&SLOW), &share, &limits).await;
    assert_eq!(slow.unwrap_err().code(), "slow");
    let _taken = share.body(PIECE, TIME).await.unwrap();
    const QUICK: [(u64, usize); 2] = [(0, PIECE); 2];
    let busy = body("g", in_parts(&QUICK), &share, &limits).await;
    assert_eq!(busy.unwrap_err().code(), "busy");
}
