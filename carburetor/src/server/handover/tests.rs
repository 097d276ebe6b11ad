use super::{Pages, Taken, handover};
use crate::download::Page;
use crate::server::limits::Limits;
use crate::server::problem::Problem;
use crate::server::room::{Rooms, Told};
use crate::server::served::Sent;
use futures_util::poll;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn both() -> (Pages, Taken) {
    let limits = Limits::default();
    let share = Arc::new(Rooms::new(&limits)).share("group", "scope");
    handover(None, share, &limits)
}

fn page() -> Sent {
    let rooms = Rooms::new(&Limits::default());
    let room = Arc::new(rooms).share("group", "scope").common(1).unwrap();
    Ok(Arc::new(Told::new(Page::default(), room)))
}

#[tokio::test]
async fn a_page_is_given_once_the_one_before_it_is_taken() {
    let (pages, mut taken) = both();
    pages.send(page()).await.unwrap();
    let mut second = pin!(pages.send(page()));
    assert!(poll!(second.as_mut()).is_pending());
    assert!(taken.recv().await.is_some());
    second.await.unwrap();
    assert!(taken.recv().await.is_some());
}

#[tokio::test]
async fn whoever_waits_for_a_page_is_woken_by_it() {
    let (pages, mut taken) = both();
    let waiting = tokio::spawn(async move { taken.recv().await.is_some() });
    tokio::task::yield_now().await;
    pages.send(page()).await.unwrap();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn what_was_given_last_is_taken_before_the_end() {
    let (pages, mut taken) = both();
    pages.send(page()).await.unwrap();
    drop(pages);
    assert!(taken.recv().await.is_some());
    assert!(taken.recv().await.is_none());
}

#[tokio::test]
async fn whoever_gives_learns_that_the_taker_has_gone() {
    let (pages, taken) = both();
    pages.send(page()).await.unwrap();
    let waiting = tokio::spawn(async move {
        pages.closed().await;
        pages.send(page()).await.is_err()
    });
    tokio::task::yield_now().await;
    drop(taken);
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn what_is_held_back_is_neither_given_nor_taken() {
    let (pages, mut taken) = both();
    pages.send(page()).await.unwrap();
    pages.recall().recall();
    pages.recalled().await;
    let asked = pages.recalls();
    {
        let mut taking = pin!(taken.recv());
        assert!(poll!(taking.as_mut()).is_pending());
        // Somebody says so again, while the caller is being asked.
        pages.recall().recall();
        pages.go_on(asked);
        assert!(poll!(taking.as_mut()).is_pending());
        pages.go_on(pages.recalls());
        assert!(taking.await.is_some());
    }
    pages.recall().recall();
    let mut giving = pin!(pages.send(page()));
    assert!(poll!(giving.as_mut()).is_pending());
    pages.go_on(pages.recalls());
    giving.await.unwrap();
}

#[tokio::test]
async fn whoever_is_refused_gets_nothing_that_waits() {
    let (pages, mut taken) = both();
    pages.send(page()).await.unwrap();
    pages.recall().recall();
    pages.end(Problem::busy("over"));
    drop(pages);
    assert!(taken.recv().await.unwrap().is_err());
    assert!(taken.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_time_to_take_a_page_begins_when_it_may_be_taken() {
    let (mut pages, mut taken) = both();
    pages.times[0] = Duration::from_secs(30);
    pages.send(page()).await.unwrap();
    pages.recall().recall();
    let (recalls, pages) = (pages.recalls(), Arc::new(pages));
    let sending = tokio::spawn({
        let pages = Arc::clone(&pages);
        async move { pages.send(page()).await.is_ok() && pages.finish().await.is_ok() }
    });
    // As long as the extractor takes.
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(!sending.is_finished());
    pages.go_on(recalls);
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(taken.recv().await.unwrap().is_ok());
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(taken.recv().await.unwrap().is_ok());
    assert!(sending.await.unwrap());
    // After that it runs as ever.
    pages.send(page()).await.unwrap();
    let begun = Instant::now();
    assert!(pages.finish().await.is_err());
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn whoever_takes_no_page_in_time_gets_no_more() {
    let (mut pages, mut taken) = both();
    pages.times[0] = Duration::from_millis(10);
    pages.send(page()).await.unwrap();
    assert!(pages.send(page()).await.is_err());
    assert!(taken.recv().await.unwrap().is_err());
    // The last one neither.
    pages.send(page()).await.unwrap();
    assert!(pages.finish().await.is_err());
    assert!(taken.recv().await.unwrap().is_err());
    pages.finish().await.unwrap();
}
