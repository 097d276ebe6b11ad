//! A feed beside a sync that is ahead of it.

use super::device::Folder;
use bytes::Bytes;
use carburetor::replica::{Phase, Transport, TransportError};
use diesel::prelude::*;
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use std::sync::{Arc, Mutex};

/// A server whose feed says an old word while a download is under way.
#[derive(Clone, Default)]
struct Late {
    feed: Arc<Mutex<Option<tokio::sync::mpsc::UnboundedSender<Bytes>>>>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

fn page(title: &str, token: &str) -> Bytes {
    format!(
        r#"{{"carburetor":1,"tables":{{"notes":{{"reset":false,"removed":[],"rows":[{{"id":"a","title":"{title}","body":null,"team":"red","at":"2026-01-01T00:00:00.000000Z"}}],"cutoff":"2026-01-01T00:00:00.000000Z"}}}},"more":false,"next":"{token}"}}"#
    )
    .into()
}

impl Transport for Late {
    async fn download(
        &self,
        _since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let feed = self.feed.lock().unwrap().clone();
        feed.unwrap().send(page("two", "t2")).unwrap();
        Ok(futures_util::stream::iter([Ok(page("three", "t3"))]))
    }

    async fn feed(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(since.map(str::to_owned));
        let (sender, mut pages) = tokio::sync::mpsc::unbounded_channel();
        if asked.len() == 1 {
            sender.send(page("one", "t1")).unwrap();
        }
        *self.feed.lock().unwrap() = Some(sender);
        Ok(futures_util::stream::poll_fn(move |context| {
            pages.poll_recv(context).map(|page| page.map(Ok))
        }))
    }

    async fn upload(&self, _changes: Vec<u8>) -> Result<Bytes, TransportError> {
        Err(TransportError::Offline("no network".into()))
    }
}

#[tokio::test]
async fn what_a_feed_said_before_a_sync_is_not_shown_after_it() {
    use super::models::sqlite::notes::dsl;
    let (folder, server) = (Folder::new(), Late::default());
    let replica = folder.open(server.clone()).unwrap();
    let mut conn = replica.connection().unwrap();
    let mut title = || dsl::notes.select(dsl::title).first::<String>(&mut conn);
    let seen = async {
        let mut statuses = pin!(replica.status());
        while statuses.next().await.unwrap().phase != Phase::Live {}
        assert_eq!(title().unwrap(), "one");
        replica.sync().await.unwrap();
        while server.asked.lock().unwrap().len() == 1 {
            assert_eq!(title().unwrap(), "three");
            tokio::task::yield_now().await;
        }
        assert_eq!(title().unwrap(), "three");
    };
    tokio::select! {
        ended = replica.run() => panic!("{ended:?}"),
        () = seen => {}
    }
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(asked, [None, Some("t3".to_owned())]);
}
