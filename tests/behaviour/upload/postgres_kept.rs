//! Types, rules and policies that make something else of what is written.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::models::FieldsRow;
use super::tags::Tag;
use super::{DB, Server};
use carburetor::SyncGroup;
use carburetor::outcome::{Outcomes, Verdict};
use serde_json::json;

type Tags = SyncGroup<(Tag,)>;
type Fields = SyncGroup<(FieldsRow,)>;

fn message(told: &Outcomes, place: usize) -> &str {
    match &told.outcomes[place].verdict {
        Verdict::Rejected(rejection) => &rejection.message,
        other => panic!("not rejected but {other:?}"),
    }
}

#[test]
fn an_id_that_the_columns_type_cuts_is_told_and_stops_nobody() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "create table tags (id varchar(5) primary key, name text not null)",
    );
    Tags::tracking::<DB>().install(conn).unwrap();
    run(
        conn,
        "insert into tags (id, name) values ('abcde', 'by SQL')",
    );
    let mut device = Device::new(1);
    // As another row's id, as one that is sent beside it, and as nobody's.
    let ids = [
        "good", "abcde ", "twice", "twice ", "fghij  ", "fine ", "longer",
    ];
    let sent = ids.map(|id| device.insert("tags", json!({"id": id, "name": id})));
    let told = Tags::upload(conn, &changes(sent)).unwrap();
    assert_eq!(
        verdicts(&told),
        [
            "applied", "invalid", "applied", "invalid", "invalid", "applied", "invalid"
        ]
    );
    for place in [1, 3] {
        assert_eq!(
            message(&told, place),
            "tags: the id is stored in another form, which another row has: send it as its column has it"
        );
    }
    assert_eq!(
        message(&told, 4),
        r#"tags: the id is stored as "fghij": send it in that form"#
    );
    let stored = lines(conn, "select id || '.' as line from tags order by id");
    assert_eq!(stored, ["abcde.", "fine .", "good.", "twice."]);
}

#[test]
fn what_rules_and_policies_leave_out_is_told() {
    let rule = "create rule keep as on delete to fields_rows do instead nothing";
    let policy = "create role careful; grant all on all tables in schema public, carburetor to careful; grant usage on schema carburetor to careful;
        grant execute on all functions in schema carburetor to careful;
        alter table fields_rows enable row level security; create policy reads on fields_rows for select using (true);
        create policy adds on fields_rows for insert with check (true); create policy locks on fields_rows for update using (true) with check (true)";
    for (statements, role) in [(rule, None), (policy, Some("careful"))] {
        let server = Server::new();
        let conn = &mut server.connect();
        let mut device = Device::new(1);
        let row = device.insert("fields_rows", json!({"id": 1, "a": "a"}));
        Fields::upload(conn, &changes([row])).unwrap();
        run(conn, statements);
        if let Some(role) = role {
            run(conn, &format!("set role {role}"));
        }
        let sent = [device.delete("fields_rows", 1)];
        let told = Fields::upload(conn, &changes(sent)).unwrap();
        assert_eq!(verdicts(&told), ["merged"], "{statements}");
        assert_eq!(told.outcomes[0].row.as_ref().unwrap()["a"], "a");
        if let Some(role) = role {
            run(
                conn,
                &format!("reset role; drop owned by {role}; drop role {role}"),
            );
        }
    }
}
