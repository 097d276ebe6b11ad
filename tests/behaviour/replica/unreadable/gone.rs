//! What is kept of rows that can't be shown goes with them: with the account, and with the scope.

use super::*;

#[test]
fn what_one_account_could_not_read_is_not_shown_to_the_next_one() {
    for is_later in [true, false] {
        let device = Device::new();
        device.take(true, "", &[row(1, "hers", "urgent")], "");
        let Device {
            folder,
            script,
            replica,
        } = device;
        assert_eq!(replica.unreadable().unwrap().len(), 1);
        drop(replica);
        let (told, mut conn) = match is_later {
            true => {
                let bob = open_as::<LaterGroup>(&folder, &script, "bob");
                (bob.unreadable().unwrap(), bob.connection().unwrap())
            }
            false => {
                let bob = open_as::<Group>(&folder, &script, "bob");
                (bob.unreadable().unwrap(), bob.connection().unwrap())
            }
        };
        assert!(told.is_empty(), "{told:?}");
        let shown: i64 = tasks::table.count().first(&mut conn).unwrap();
        assert_eq!(shown, 0);
    }
}

#[test]
fn signing_out_leaves_no_row_or_value_in_any_table_of_the_file() {
    let device = Device::new();
    device.take(
        true,
        "",
        &[row(1, "secret", "low"), row(2, "secret", "low")],
        "",
    );
    run(
        &mut device.replica.connection().unwrap(),
        "insert or replace into tasks (id, title, level, at) values (1, 'public', 'low', 1)",
    );
    device
        .script
        .answers(json!({"verdict": "applied", "stamp": "2026-01-01T00:00:00.000009Z"}));
    let left = r#","left":{"column":"title","values":["secret"]}"#;
    let urgent = [row(3, "secret", "urgent"), row(4, "secret", "low")];
    device.try_take(false, "", &urgent, left, true).unwrap_err();
    let tables = device.tables_with("secret");
    let expected = [
        "carburetor_held_tasks",
        "carburetor_stage_left",
        "carburetor_staged_tasks",
        "carburetor_unreadable",
    ];
    assert_eq!(tables, expected);
    device.replica.sign_out().unwrap();
    assert_eq!(device.tables_with("secret"), [""; 0]);
    assert!(device.titles().is_empty());
}

#[test]
fn what_leaves_the_scope_does_not_come_with_the_next_version_of_the_program() {
    let device = Device::new();
    let not_sent = |id: i32| {
        format!(
            r#","unreadable":[{{"id":{id},"column":"level","message":"expected UTF-8, got other bytes"}}]"#
        )
    };
    device.take(
        true,
        "",
        &[
            row(1, "red", "low"),
            row(4, "red", "low"),
            row(5, "blue", "low"),
            row(6, "red", "low"),
        ],
        "",
    );
    device.take(
        false,
        "",
        &[
            row(1, "red", "urgent"),
            row(2, "red", "urgent"),
            row(3, "blue", "urgent"),
            row(6, "blue", "urgent"),
        ],
        &not_sent(4),
    );
    device.take(false, "", &[], &not_sent(5));
    assert_eq!(device.replica.unreadable().unwrap().len(), 6);
    device.take(
        false,
        "",
        &[],
        r#","left":{"column":"title","values":["red"]}"#,
    );
    let told = device.replica.unreadable().unwrap();
    let mut told: Vec<_> = told.into_iter().filter_map(|error| error.id).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, [json!(3), json!(5), json!(6)]);
    let Device {
        folder,
        script,
        replica,
    } = device;
    drop(replica);
    let later = open::<LaterGroup>(&folder, &script);
    let shown: Vec<(i32, String)> = tasks::table
        .select((tasks::id, tasks::title))
        .order(tasks::id)
        .load(&mut later.connection().unwrap())
        .unwrap();
    assert_eq!(shown, titles([(3, "blue"), (5, "blue"), (6, "blue")]));
}

#[test]
fn what_can_not_be_read_and_comes_after_a_value_has_left_stays() {
    let device = Device::new();
    device.take(true, "", &[row(1, "red", "low"), row(2, "red", "low")], "");
    // The row has moved to where it may be seen; its older version may not be.
    device.take(
        false,
        "",
        &[row(1, "blue", "urgent")],
        r#","left":{"column":"title","values":["red"]}"#,
    );
    assert!(device.titles().is_empty());
    assert_eq!(device.replica.unreadable().unwrap()[0].id, Some(json!(1)));
}

/// What came of it in between is of no use, and what was there before is older than that.
#[test]
fn what_left_between_two_pages_goes_in_its_older_version_too() {
    for level in ["high", "urgent"] {
        let device = Device::new();
        device.take(true, "", &[row(1, "mine", "low"), row(2, "two", "low")], "");
        let came = [row(1, "theirs", level)];
        device.try_take(false, "", &came, "", true).unwrap_err();
        let left = r#","left":{"column":"title","values":["theirs"]}"#;
        device.take(false, "", &[row(3, "three", "low")], left);
        assert_eq!(
            device.titles(),
            titles([(2, "two"), (3, "three")]),
            "{level}"
        );
        assert!(device.replica.unreadable().unwrap().is_empty(), "{level}");
    }
}
