//! Names that need quotes, and names that the library's own statements use.

use super::super::{Order, ids, removed, run};
use super::tables::order;
use super::{DB, Follower, Server};
use carburetor::{SyncScope, Visible};
use diesel::prelude::*;

struct Kind(&'static str);

impl SyncScope<Order, DB> for Kind {
    fn filter(&self) -> Visible<'_, order::table, DB> {
        Visible::only(
            order::kind
                .eq(self.0)
                .and(order::generation.lt(3))
                .and(order::relation.is_null().or(order::relation.ne("none")))
                .and(order::horizon.like("%h%"))
                .and(order::size.gt(0)),
        )
    }
}

#[test]
fn any_name_may_be_quoted() {
    for limit in [None, Some(1), Some(2)] {
        let server = Server::new();
        let conn = &mut server.connect();
        for (size, generation, kind) in [(1, 1, "a"), (2, 1, "b"), (3, 9, "a"), (4, 2, "a")] {
            run(
                conn,
                &format!(
                    r#"insert into "order" ("größe", name, generation, horizon, relation, "a ""kind""") values ({size}, 'n', {generation}, 'h''', null, '{kind}')"#
                ),
            );
        }
        let mut replica = Follower::<Order>::new(conn, &Kind("a"));
        assert_eq!(replica.ids(), [1, 4]);
        run(
            conn,
            r#"update "order" set "a ""kind""" = 'b' where "größe" = 1; update "order" set generation = 2 where "größe" = 3;
            update "order" set relation = 'none' where "größe" = 4; update "order" set "a ""kind""" = 'a', horizon = 'ho' where "größe" = 2"#,
        );
        match limit {
            None => {
                let news = replica.follow(conn, &Kind("a"));
                assert_eq!((removed(&news), ids(&news)), (vec![1, 4], vec![2, 3]));
            }
            Some(limit) => {
                replica.pages(conn, &Kind("a"), limit, |_, _| {});
            }
        }
        assert_eq!(replica.ids(), [2, 3]);
        replica.follow(conn, &Kind("a"));
    }
}
