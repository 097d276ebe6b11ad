//! Downloads Pagila to two shops and the head office while people work on it, and compares what they hold with the database.

mod devices;
mod rush;

use devices::Devices;
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use pagila::scopes::HeadOffice;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL").map_err(
        |_| "set DATABASE_URL to a PostgreSQL that holds Pagila, or run examples/pagila/load",
    )?;
    let mut ann = PgConnection::establish(&url)?;
    let mut bob = PgConnection::establish(&url)?;
    // A program with migrations checks in what `tracking` prints, and runs that.
    let tracking = HeadOffice::tracking::<Pg>();
    tracking.install(&mut ann)?;
    if let Some(problem) = tracking.verify(&mut ann)?.first() {
        return Err(problem.to_string().into());
    }
    let mut devices = Devices::connect(&url)?;

    devices.sync("The first download")?;
    devices.sync("Nothing has changed")?;

    ann.batch_execute(
        "begin;
         update rental set return_date = now() where rental_id in (101, 102, 103);
         insert into rental (rental_id, rental_date, inventory_id, customer_id, staff_id)
         values (90001, now(), 1, 1, 1), (90002, now(), 5, 4, 2)",
    )?;
    bob.batch_execute("update rental set return_date = now() where rental_id = 104")?;
    devices.sync(
        "Ann rents and takes back, and does not commit; Bob begins later and commits first",
    )?;
    ann.batch_execute("commit")?;
    devices.sync("Ann commits: her rows are older than what has been downloaded")?;

    ann.batch_execute("update customer set store_id = 2 where customer_id = 1")?;
    bob.batch_execute("update customer set store_id = 1 where customer_id = 4")?;
    devices.sync("Mary moves from shop 1 to shop 2, Barbara the other way")?;
    ann.batch_execute("update customer set store_id = 1 where customer_id = 1")?;
    bob.batch_execute(
        "update customer set store_id = 2 where customer_id = 2;
         update customer set store_id = 1 where customer_id = 2",
    )?;
    devices.sync("Mary moves back; Patricia moves and is back before anybody asks")?;

    ann.batch_execute(
        "update film set rating = 'NC-17' where film_id = 1;
         update film set rating = 'PG-13' where film_id = 3;
         update film set rental_rate = 1.49, special_features = array['Trailers', null] where film_id = 6",
    )?;
    devices.sync("A film becomes one for adults, another stops to be, a third costs less")?;

    ann.batch_execute(
        "insert into payment (payment_id, customer_id, staff_id, rental_id, amount, payment_date)
         values (90001, 1, 1, 90001, 2.99, '2022-03-31 23:59:59Z');
         update payment set payment_date = payment_date + interval '1 month' where payment_id in (16051, 16065)",
    )?;
    devices.sync(
        "A payment; two others were booked in the wrong month and move to another partition",
    )?;

    ann.batch_execute("begin; delete from film_actor where film_id = 1; update store set address_id = 5; rollback")?;
    bob.batch_execute(
        "begin;
         delete from payment where payment_id = 90001;
         savepoint before_the_mistake;
         delete from payment where customer_id = 1;
         rollback to before_the_mistake;
         delete from rental where rental_id = 90001;
         commit",
    )?;
    devices.sync("Ann changes her mind; Bob deletes a payment and its rental, and takes back a larger deletion")?;

    ann.batch_execute("update inventory set store_id = 2 where inventory_id = 1")?;
    devices.sync("A copy goes to the other shop, and its rentals with it, which name no shop")?;

    println!("\nSix people work at the same time, and everybody downloads all the while");
    let rush = rush::start(&url, 6, 120);
    let mut rounds = 0;
    while !rush.is_over() {
        devices.download()?;
        rounds += 1;
    }
    println!("  {}", rush.end()?);
    println!("  {rounds} rounds of downloads meanwhile");
    devices.sync("After the rush")?;

    devices.verdict()
}
