//! Uploads: a replica's changes, applied on the server and answered one by one.

mod decide;
mod sent;
mod table;

pub(crate) use table::UploadTable;
