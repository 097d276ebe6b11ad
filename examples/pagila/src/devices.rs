//! The devices of the example, and what they have to say.

use carburetor::Everyone;
use diesel::prelude::*;
use pagila::naive::NaiveRentals;
use pagila::news::News;
use pagila::replica::{HeadOfficeReplica, TabletReplica};
use pagila::scopes::Shop;
use std::error::Error;
use std::time::{Duration, Instant};

/// Two tablets, the head office, and beside it somebody who follows the rentals by `max(last_update)`.
pub struct Devices {
    conn: PgConnection,
    tablets: [(i32, TabletReplica); 2],
    office: HeadOfficeReplica,
    naive: NaiveRentals,
    compared: usize,
    differences: usize,
}

/// What one device downloaded, and how long it took to load its scope, to download and to apply.
pub struct Download {
    device: String,
    news: Vec<News>,
    took: Duration,
}

impl Devices {
    pub fn connect(url: &str) -> ConnectionResult<Devices> {
        Ok(Devices {
            conn: PgConnection::establish(url)?,
            tablets: [1, 2].map(|store| (store, TabletReplica::default())),
            office: HeadOfficeReplica::default(),
            naive: NaiveRentals::default(),
            compared: 0,
            differences: 0,
        })
    }

    /// Every device downloads what is new, and is compared with the database.
    pub fn sync(&mut self, what_happened: &str) -> Result<(), Box<dyn Error>> {
        println!("\n{what_happened}");
        for download in self.download()? {
            download.print();
        }
        for difference in self.compare()? {
            println!("  DIFFERS FROM THE DATABASE: {difference}");
            self.differences += 1;
        }
        let (missing, stale) = self.naive.lost(&mut self.conn)?;
        if missing + stale > 0 {
            println!("  naive        has lost rentals: {missing} missing, {stale} out of date");
        }
        Ok(())
    }

    /// Every device downloads what is new.
    pub fn download(&mut self) -> Result<Vec<Download>, Box<dyn Error>> {
        let mut downloads = Vec::new();
        for (store, tablet) in &mut self.tablets {
            let begun = Instant::now();
            let shop = Shop::load(&mut self.conn, *store)?;
            let news = tablet.sync(&mut self.conn, &shop)?;
            downloads.push(Download {
                device: format!("shop {store}"),
                news,
                took: begun.elapsed(),
            });
        }
        let begun = Instant::now();
        let news = self.office.sync(&mut self.conn, &Everyone)?;
        downloads.push(Download {
            device: "head office".into(),
            news,
            took: begun.elapsed(),
        });
        self.naive.sync(&mut self.conn)?;
        Ok(downloads)
    }

    fn compare(&mut self) -> QueryResult<Vec<String>> {
        let mut differences = self.office.differences(&mut self.conn, &Everyone)?;
        for (store, tablet) in &self.tablets {
            let shop = Shop::load(&mut self.conn, *store)?;
            let found = tablet.differences(&mut self.conn, &shop)?;
            differences.extend(
                found
                    .into_iter()
                    .map(|found| format!("shop {store}, {found}")),
            );
        }
        self.compared += 1;
        Ok(differences)
    }

    /// Says how it went, and fails if a replica ever differed, or if the naive one lost nothing: then nothing was put to the test.
    pub fn verdict(mut self) -> Result<(), Box<dyn Error>> {
        let (missing, stale) = self.naive.lost(&mut self.conn)?;
        println!(
            "\nThe replicas were compared with the database {} times, row by row.",
            self.compared
        );
        if self.differences > 0 {
            return Err(format!("{} differences, see above", self.differences).into());
        }
        println!("They were equal each time.");
        if missing + stale == 0 {
            return Err("max(last_update) lost nothing either: this run proves nothing".into());
        }
        println!(
            "Who follows max(last_update) has lost {} changes of rentals, and will never know.",
            missing + stale
        );
        Ok(())
    }
}

impl Download {
    /// One line where little came; a line for each table where much did.
    fn print(&self) {
        let (device, took) = (&self.device, self.took.as_millis());
        let news: Vec<_> = self.news.iter().filter(|news| news.is_any()).collect();
        if news.len() > 4 {
            let rows: usize = news.iter().map(|news| news.rows).sum();
            println!("  {device:<12} {rows} rows in {took} ms");
            for news in news {
                println!("  {:<12} - {news}", "");
            }
        } else if news.is_empty() {
            println!("  {device:<12} nothing ({took} ms)");
        } else {
            let tables: Vec<_> = news.iter().map(ToString::to_string).collect();
            println!("  {device:<12} {} ({took} ms)", tables.join("; "));
        }
    }
}
