//! Pagila, the sample database of a video rental, with downloads for its shops and its head office.

pub mod models;
pub mod naive;
pub mod news;
pub mod replica;
pub mod schema;
pub mod scopes;
