//! Whoever follows a feed while others write.

use super::super::super::program::Program;
use super::held::Held;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// The forms of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Events,
    Lines,
    Socket,
}

impl Form {
    pub(super) const ALL: [Form; 3] = [Form::Events, Form::Lines, Form::Socket];
}

/// What has come and was not looked at yet, as lines.
type Said = Arc<Mutex<Vec<u8>>>;

/// Reads a feed all the time.
pub(super) struct Follower {
    pub(super) form: Form,
    pub(super) held: Held,
    said: Said,
    reading: JoinHandle<()>,
}

impl Follower {
    /// Follows `team` from where `held` stands.
    pub(super) fn open(program: &Program, team: &str, form: Form, held: Held) -> Self {
        let said = Said::default();
        let reading = match form {
            Form::Socket => Self::socket(program, team, held.token.as_deref(), said.clone()),
            Form::Events | Form::Lines => {
                Self::answer(program, team, form, held.token.as_deref(), said.clone())
            }
        };
        Follower {
            form,
            held,
            said,
            reading,
        }
    }

    fn answer(
        program: &Program,
        team: &str,
        form: Form,
        since: Option<&str>,
        said: Said,
    ) -> JoinHandle<()> {
        let client = program.client(team);
        let request = match (form, since) {
            (Form::Lines, since) => {
                let request = client.get(program.url(&path(since)));
                request.header("accept", "application/x-ndjson")
            }
            // As an `EventSource` comes back.
            (_, Some(since)) => {
                let request = client.get(program.url(&path(None)));
                request.header("last-event-id", since)
            }
            (_, None) => client.get(program.url(&path(None))),
        };
        let mut answer = program.runtime.block_on(request.send()).unwrap();
        assert_eq!(answer.status(), 200);
        let headers = format!("headers: {:?}\n", answer.headers());
        said.lock().unwrap().extend_from_slice(headers.as_bytes());
        program.runtime.spawn(async move {
            while let Ok(Some(chunk)) = answer.chunk().await {
                said.lock().unwrap().extend_from_slice(&chunk);
            }
        })
    }

    fn socket(program: &Program, team: &str, since: Option<&str>, said: Said) -> JoinHandle<()> {
        let mut socket = program.socket(team, &path(since), None).unwrap();
        program.runtime.spawn(async move {
            while let Some(text) = socket.text().await {
                let mut said = said.lock().unwrap();
                said.extend_from_slice(text.as_bytes());
                said.push(b'\n');
            }
        })
    }

    /// Takes what has come since, and gives it to be looked at.
    pub(super) fn look(&mut self) -> String {
        assert!(!self.reading.is_finished(), "the feed has ended");
        let mut said = self.said.lock().unwrap();
        let end = said.iter().rposition(|byte| *byte == b'\n');
        let whole: Vec<u8> = said.drain(..end.map_or(0, |end| end + 1)).collect();
        drop(said);
        let text = String::from_utf8(whole).unwrap();
        for line in text.lines() {
            let page = match self.form {
                Form::Events => line.strip_prefix("data: "),
                Form::Lines | Form::Socket => line.starts_with('{').then_some(line),
            };
            if let Some(page) = page {
                let page: Value = serde_json::from_str(page).unwrap();
                self.held.take(&page);
            }
        }
        text
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

fn path(since: Option<&str>) -> String {
    let since = since.map_or_else(String::new, |token| format!("&since={token}"));
    format!("web/feed?limit=3{since}")
}
