//! Redirects and headers over HTTP, as its client takes them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use carburetor::replica::{Http, Renewal, Transport, TransportError};
use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

/// A server at work until it is dropped, and what it hears.
struct Server {
    address: SocketAddr,
    heard: Heard,
    task: JoinHandle<()>,
}

type Heard = Arc<Mutex<Vec<String>>>;

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct World {
    heard: Heard,
    /// With which status `/old` leads where.
    redirect: (StatusCode, String),
    token: &'static str,
}

async fn answer(
    State(world): State<World>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get("authorization");
    let token = token.map_or("", |token| token.to_str().unwrap());
    let body = String::from_utf8(body.to_vec()).unwrap();
    let heard = format!("{method} {uri} {token} {body}");
    world.heard.lock().unwrap().push(heard);
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    if let Some(rest) = path.strip_prefix("/old/") {
        let (status, to) = world.redirect;
        let location = match uri.query() {
            // Some servers drop it.
            Some(_) => format!("{to}{}", rest.split('?').next().unwrap_or_default()),
            None => format!("{to}{rest}"),
        };
        return (status, [("location", location)]).into_response();
    }
    match (method.as_str(), uri.path()) {
        _ if !world.token.is_empty() && token != world.token => {
            StatusCode::UNAUTHORIZED.into_response()
        }
        ("POST", "/new/upload") => format!("took {body}").into_response(),
        ("GET", "/new/download") => {
            format!("{}\n", uri.query().unwrap_or_default()).into_response()
        }
        ("GET", "/new/upload") => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve(status: u16, to: &str, token: &'static str) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let redirect = (StatusCode::from_u16(status).unwrap(), to.to_owned());
    let world = World {
        heard: heard.clone(),
        redirect,
        token,
    };
    let app = Router::new().fallback(answer).with_state(world);
    let task = tokio::spawn(async move {
        axum::serve(listener, app).await.unwrap();
    });
    Server {
        address,
        heard,
        task,
    }
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

async fn upload(http: &Http) -> Result<String, TransportError> {
    let answer = http.upload(b"changes".to_vec()).await?;
    Ok(String::from_utf8(answer.to_vec()).unwrap())
}

#[tokio::test]
async fn an_upload_is_redirected_as_an_upload() {
    for status in [301, 302, 307, 308] {
        let server = serve(status, "/new/", "").await;
        let http = Http::new(&server.url("/old")).unwrap();
        assert_eq!(upload(&http).await.unwrap(), "took changes", "{status}");
        let redirected = ["POST /old/upload  changes", "POST /new/upload  changes"];
        assert_eq!(server.heard(), redirected);
        // What has moved for good is found at once from then on, by clones, too.
        upload(&http.clone()).await.unwrap();
        let again = if matches!(status, 301 | 308) { 1 } else { 0 };
        assert_eq!(server.heard(), redirected[again..]);
    }
}

#[tokio::test]
async fn an_upload_of_a_client_that_follows_by_itself_arrives_too() {
    let server = serve(301, "/new/", "").await;
    let http = Http::with_client(reqwest::Client::new(), &server.url("/old")).unwrap();
    assert_eq!(upload(&http).await.unwrap(), "took changes");
}

#[tokio::test]
async fn a_redirected_download_keeps_its_token() {
    let server = serve(302, "/new/", "").await;
    let http = Http::new(&server.url("/old")).unwrap();
    let mut pages = pin!(http.download(Some("token"), 7).await.unwrap());
    assert_eq!(pages.next().await.unwrap().unwrap(), "limit=7&since=token");
}

#[tokio::test]
async fn another_host_hears_nothing_and_is_named() {
    let other = serve(200, "", "").await;
    for status in [301, 302, 307, 308] {
        let server = serve(status, &other.url("/new/"), "").await;
        let http = Http::new(&server.url("/old")).unwrap();
        let http = http.header(AUTHORIZATION, |_| async {
            Ok(HeaderValue::from_static("me"))
        });
        let error = upload(&http).await.unwrap_err().to_string();
        let address = other.url("/new/upload");
        assert_eq!(
            error,
            format!(
                "the server refuses ({status} redirect): the group is elsewhere: {address}; give `Http` that address, if it is to be trusted"
            )
        );
        let Err(error) = http.download(Some("token"), 7).await.map(|_| ()) else {
            panic!("it has followed");
        };
        assert!(!error.to_string().contains("token"), "{error}");
    }
    assert_eq!(other.heard(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_that_leads_in_a_circle_is_an_error() {
    let server = serve(302, "/old/", "").await;
    let http = Http::new(&server.url("/old")).unwrap();
    let error = upload(&http).await.unwrap_err().to_string();
    assert!(error.contains("it redirects again and again"), "{error}");
    assert_eq!(server.heard().len(), 6);
}

/// A token that is renewed, and how often it was asked for.
fn renewed(http: Http, tokens: &'static [&'static str]) -> (Http, Arc<Mutex<Vec<Renewal>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let http = http.header(AUTHORIZATION, move |renewal| {
        let mut noted = noted.lock().unwrap();
        noted.push(renewal);
        let anew = noted.iter().filter(|one| **one == Renewal::Anew).count();
        let token = tokens.get(anew).copied();
        async move {
            let token = token.ok_or("nobody is signed in")?;
            Ok(HeaderValue::from_static(token))
        }
    });
    (http, asked)
}

#[tokio::test]
async fn a_token_that_has_run_out_is_renewed_and_the_request_sent_again() {
    let server = serve(200, "", "second").await;
    let http = Http::new(&server.url("/new")).unwrap();
    let (http, asked) = renewed(http, &["first", "second"]);
    for _ in 0..2 {
        assert_eq!(upload(&http).await.unwrap(), "took changes");
    }
    assert_eq!(
        server.heard(),
        [
            "POST /new/upload first changes",
            "POST /new/upload second changes",
            "POST /new/upload second changes",
        ]
    );
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, [Renewal::AtHand, Renewal::Anew, Renewal::AtHand]);
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_is_not_renewed_again_and_again() {
    let server = serve(200, "", "other").await;
    let (http, _) = renewed(
        Http::new(&server.url("/new")).unwrap(),
        &["first", "second", "third"],
    );
    let error = upload(&http).await.unwrap_err();
    assert!(
        matches!(error, TransportError::Refused { status: 401, .. }),
        "{error}"
    );
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn who_has_no_token_sends_nothing() {
    let server = serve(200, "", "other").await;
    let (http, _) = renewed(Http::new(&server.url("/new")).unwrap(), &[]);
    let error = upload(&http).await.unwrap_err();
    assert!(matches!(error, TransportError::Credentials(_)), "{error}");
    assert!(
        error.to_string().ends_with("nobody is signed in"),
        "{error}"
    );
    assert_eq!(server.heard(), [""; 0]);
    assert!(!format!("{http:?}").contains("first"));
}
