//! Many people who work at the same time: transactions that overlap, fail, and change their minds.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// People at work, each on a connection of their own.
pub struct Rush(Vec<JoinHandle<ConnectionResult<Work>>>);

/// How one person's transactions ended.
#[derive(Default)]
struct Work {
    committed: usize,
    rolled_back: usize,
    refused: usize,
}

/// What they do, to rows that the database chooses.
const STATEMENTS: &[&str] = &[
    "update rental set return_date = now() where rental_id = (select 2 + floor(random() * 16000)::int)",
    "update customer set store_id = 3 - store_id where customer_id = (select 1 + floor(random() * 599)::int)",
    "update customer set active = 1 - active where customer_id = (select 1 + floor(random() * 599)::int)",
    "insert into rental (rental_date, inventory_id, customer_id, staff_id)
     select clock_timestamp(), 1 + floor(random() * 4581)::int, 1 + floor(random() * 599)::int, 1",
    "insert into payment (customer_id, staff_id, rental_id, amount, payment_date)
     select customer_id, staff_id, rental_id, 2.99, timestamptz '2022-02-01Z' + random() * interval '150 days'
     from rental where rental_id = (select 2 + floor(random() * 16000)::int)",
    "update payment set payment_date = timestamptz '2022-02-01Z' + random() * interval '150 days'
     where payment_id = (select 16050 + floor(random() * 16000)::int)",
    "delete from payment where payment_id = (select 16050 + floor(random() * 16000)::int)",
    "delete from film_actor where (actor_id, film_id) =
     (select actor_id, film_id from film_actor offset floor(random() * 5000) limit 1)",
    "update film set rating = (enum_range(rating))[1 + floor(random() * 5)]
     where film_id = (select 1 + floor(random() * 1000)::int)",
    "update inventory set store_id = 3 - store_id where inventory_id = (select 1 + floor(random() * 4581)::int)",
];

/// Sets `people` to work, each for `transactions`.
pub fn start(url: &str, people: usize, transactions: usize) -> Rush {
    let work = |person: usize| {
        let url = url.to_owned();
        thread::spawn(move || work(&url, person, transactions))
    };
    Rush((0..people).map(work).collect())
}

impl Rush {
    pub fn is_over(&self) -> bool {
        self.0.iter().all(JoinHandle::is_finished)
    }

    /// Waits for everybody, and says what they did.
    pub fn end(self) -> ConnectionResult<String> {
        let mut total = Work::default();
        let people = self.0.len();
        for person in self.0 {
            let work = person.join().expect("work does not panic")?;
            total.committed += work.committed;
            total.rolled_back += work.rolled_back;
            total.refused += work.refused;
        }
        let Work {
            committed,
            rolled_back,
            refused,
        } = total;
        Ok(format!(
            "{people} people: {committed} transactions committed, {rolled_back} rolled back, {refused} refused by the database"
        ))
    }
}

fn work(url: &str, person: usize, transactions: usize) -> ConnectionResult<Work> {
    let mut conn = PgConnection::establish(url)?;
    let mut done = Work::default();
    for number in 0..transactions {
        // Some transactions stay open ten times as long as others.
        let pause = Duration::from_millis(if number % 10 == person { 50 } else { 5 });
        let result = conn.transaction(|conn| {
            for statement in 0..1 + number % 4 {
                conn.batch_execute(
                    STATEMENTS[(number * 7 + person * 3 + statement) % STATEMENTS.len()],
                )?;
                thread::sleep(pause);
            }
            match number % 8 {
                7 => Err(diesel::result::Error::RollbackTransaction),
                _ => Ok(()),
            }
        });
        match result {
            Ok(()) => done.committed += 1,
            Err(diesel::result::Error::RollbackTransaction) => done.rolled_back += 1,
            // Two people at the same rows: the database lets one of them go on.
            Err(_) => done.refused += 1,
        }
    }
    Ok(done)
}
