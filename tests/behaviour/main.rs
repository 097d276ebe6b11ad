//! The behaviour of the library on real databases.
