//! The network that fails, as users' tests have it.

use bytes::Bytes;
use carburetor::replica::{Transport, TransportError};
use carburetor::testing::{Fault, Faults, Faulty};
use futures_util::{Stream, StreamExt, stream};
use std::sync::{Arc, Mutex};

/// A server that notes what reaches it, and has three pages.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<Vec<u8>>>>);

impl Ear {
    fn heard(&self) -> Vec<String> {
        let heard = self.0.lock().unwrap();
        heard
            .iter()
            .map(|message| String::from_utf8(message.clone()).unwrap())
            .collect()
    }
}

impl Transport for Ear {
    async fn download(
        &self,
        _since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        Ok(stream::iter(["one", "two", "three"]).map(|page| Ok(page.into())))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        self.0.lock().unwrap().push(changes.clone());
        Ok(changes.into())
    }
}

fn world() -> (Ear, Faults, Faulty<Ear>) {
    let (ear, faults) = (Ear::default(), Faults::default());
    let way = Faulty::new(ear.clone(), faults.clone());
    (ear, faults, way)
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

fn upload(way: &Faulty<Ear>, message: &str) -> bool {
    wait(way.upload(message.into())).is_ok()
}

/// How many pages come, and whether the download comes to its end; none if it doesn't begin.
fn download(way: &Faulty<Ear>) -> Option<(usize, bool)> {
    wait(async {
        let pages: Vec<_> = way.download(None, 10).await.ok()?.collect().await;
        let came = pages.iter().filter(|page| page.is_ok()).count();
        Some((came, pages.iter().all(Result::is_ok)))
    })
}

#[test]
fn a_lost_request_reaches_no_server() {
    let (ear, faults, way) = world();
    faults.next(Fault::LoseRequest);
    assert!(!upload(&way, "a"));
    assert!(upload(&way, "b"));
    faults.next(Fault::LoseRequest);
    assert_eq!(download(&way), None);
    assert_eq!(download(&way), Some((3, true)));
    assert_eq!(ear.heard(), ["b"]);
}

#[test]
fn the_answer_gets_lost_after_the_server_took_the_upload() {
    let (ear, faults, way) = world();
    faults.next(Fault::LoseAnswer);
    assert_eq!(download(&way), Some((3, true)));
    assert!(!upload(&way, "a"));
    assert_eq!(ear.heard(), ["a"]);
    assert!(upload(&way, "b"));
}

#[test]
fn a_late_upload_arrives_after_later_ones() {
    let (ear, faults, way) = world();
    faults.next(Fault::Delay);
    assert!(!upload(&way, "a"));
    assert!(upload(&way, "b"));
    assert_eq!(ear.heard(), ["b"]);
    assert!(matches!(wait(way.arrive()), Some(Ok(answer)) if answer == "a"));
    assert_eq!(ear.heard(), ["b", "a"]);
    assert!(wait(way.arrive()).is_none());
}

#[test]
fn a_repeated_upload_reaches_the_server_twice() {
    let (ear, faults, way) = world();
    faults.next(Fault::Repeat);
    assert!(upload(&way, "a"));
    assert_eq!(ear.heard(), ["a", "a"]);
}

#[test]
fn a_download_breaks_off_after_so_many_pages() {
    let (_, faults, way) = world();
    for pages in 0..3 {
        faults.next(Fault::Cut { pages });
        assert_eq!(download(&way), Some((pages, false)));
    }
    faults.next(Fault::Cut { pages: 3 });
    assert_eq!(download(&way), Some((3, true)));
    assert_eq!(download(&way), Some((3, true)));
}

#[test]
fn nothing_gets_through_offline() {
    let (ear, faults, way) = world();
    wait(async {
        let mut pages = std::pin::pin!(way.download(None, 10).await.unwrap());
        assert!(pages.next().await.unwrap().is_ok());
        faults.set_offline(true);
        assert!(pages.next().await.unwrap().is_err());
    });
    assert_eq!(download(&way), None);
    assert!(!upload(&way, "a"));
    faults.set_offline(false);
    assert!(upload(&way, "b"));
    assert_eq!(ear.heard(), ["b"]);
}

#[test]
fn the_same_seed_brings_the_same_faults() {
    let all = |seed| {
        let ear = Ear::default();
        let way = Faulty::new(ear.clone(), Faults::by_seed(seed));
        let ends: Vec<_> = (0..50)
            .map(|number| (upload(&way, &number.to_string()), download(&way)))
            .collect();
        (ends, ear.heard())
    };
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}

#[test]
fn a_healed_network_fails_no_more() {
    let (ear, faults) = (Ear::default(), Faults::by_seed(1));
    let way = Faulty::new(ear.clone(), faults.clone());
    faults.next(Fault::LoseRequest);
    faults.set_offline(true);
    faults.heal();
    for _ in 0..50 {
        assert!(upload(&way, "a"));
        assert_eq!(download(&way), Some((3, true)));
    }
    assert_eq!(ear.heard().len(), 50);
}
