//! Downloads: cutoff first, then rows and removals of each table in one statement.

mod ahead;
mod apply;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub(crate) mod asynchronous;
pub(crate) mod blocking;
pub(crate) mod budget;
mod caller;
#[cfg(any(
    feature = "replica",
    all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    )
))]
mod check;
mod error;
pub(crate) mod fingerprint;
mod latest;
pub(crate) mod news;
mod page;
mod page_size;
mod pages;
mod progress;
pub(crate) mod reader;
pub(crate) mod reading;
mod response;
mod run;
pub(crate) mod table;
pub(crate) mod table_sql;
mod timestamps;
pub(crate) mod unreadable;

pub use error::DownloadError;
pub use news::TableNews;
pub use page::Page;
pub use pages::Pages;
pub use response::Response;
pub use table::TableDownload;
pub use timestamps::Timestamps;
pub(crate) use timestamps::requests;
