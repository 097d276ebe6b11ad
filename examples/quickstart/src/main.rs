//! A first group, on embedded SQLite.

fn main() {}
