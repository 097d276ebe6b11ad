pub use diesel;
