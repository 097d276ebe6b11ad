//! A whole table as structs, beside Diesel's own `load`.

use crate::Options;
use crate::items::{self, Item, process};
use crate::race::{Runner, race};
use carburetor::SyncGroup;
use diesel::prelude::*;
use std::cell::RefCell;

/// `download` of a tracked table, and a hand-written `load`.
pub fn structs(options: &Options) {
    let rows = options.rows;
    let database = items::tracked_items(rows);
    let (by_hand, conn) = (&mut database.connect(), &mut database.connect());
    let (loader, downloader) = (process(by_hand), process(conn));
    // The result of a lap is thrown away by the next one of the other side, so each pays for one.
    let kept: RefCell<Vec<Item>> = RefCell::default();
    race(
        options.runs,
        Runner::new("Diesel load", || {
            let query = items::items::table.select(Item::as_select());
            kept.replace(query.load(by_hand).expect("the query runs"));
            assert_eq!(kept.borrow().len(), rows);
        })
        .served_by(loader),
        Runner::new("download", || {
            let news =
                SyncGroup::<(Item,)>::download(conn, (None,)).expect("the table can be downloaded");
            kept.replace(news.into_tables().0.rows);
            assert_eq!(kept.borrow().len(), rows);
        })
        .served_by(downloader),
    )
    .speed("download/load", rows, "at least 0.95");
}
