//! Downloads: cutoff first, then rows and removals of each table in one statement.

mod apply;
pub(crate) mod blocking;
mod error;
mod fingerprint;
mod news;
pub(crate) mod reading;
mod response;
pub(crate) mod table;
mod table_sql;
mod timestamps;

pub use error::DownloadError;
pub use news::TableNews;
pub use response::Response;
pub use table::TableDownload;
pub use timestamps::Timestamps;
pub(crate) use timestamps::requests;
