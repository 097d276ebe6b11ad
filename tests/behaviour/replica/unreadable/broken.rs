//! Triggers of the program's on a device that can't run, whatever the row is.

use super::*;

/// No row is to blame where the table takes none at all.
#[test]
fn a_trigger_that_can_not_run_ends_the_download_and_is_named() {
    for (broken, name) in [
        (
            "create trigger log_insert after insert on tasks begin insert into log values (new.id); end",
            "log_insert",
        ),
        (
            "create trigger log_update after update on tasks begin update tasks set title = lower(new.tilte); end",
            "log_update",
        ),
        (
            "create trigger log_delete before delete on tasks begin select unknown(old.id); end",
            "log_delete",
        ),
    ] {
        let device = Device::strict();
        device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
        device.run(broken);
        let (removed, rows) = match name {
            "log_delete" => ("1,2", vec![]),
            _ => ("", (1..20).map(|id| row(id, "later", "low")).collect()),
        };
        let error = device
            .try_take(false, removed, &rows, "", false)
            .unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with(&format!("tasks: the trigger `{name}` can't run: no such ")),
            "{error}"
        );
        assert_eq!(device.told(), [""; 0]);
        assert_eq!(device.titles(), titles([(1, "one"), (2, "two")]));
        device.run(&format!("drop trigger {name}"));
        device.take(false, removed, &rows, "");
        assert_eq!(device.titles().len(), rows.len());
    }
}

#[test]
fn a_trigger_that_can_not_run_keeps_an_edit_from_being_settled_and_loses_nothing() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low")], "");
    device.run("update tasks set level = 'high' where id = 1");
    device.run("create trigger log_update after update on tasks begin insert into log values (new.id); end");
    let answer = json!({"verdict": "superseded", "row": {"id": 1, "title": "theirs", "level": "low", "at": "7"}});
    device.script.answers(answer.clone());
    let error = device
        .try_take(false, "", &[], "", false)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("tasks: the trigger `log_update` can't run: no such table"),
        "{error}"
    );
    assert_eq!(
        (device.told().len(), device.replica.pending().unwrap()),
        (0, 1)
    );
    device.run("drop trigger log_update");
    device.script.answers(answer);
    device.take(false, "", &[], "");
    assert_eq!(device.titles(), titles([(1, "theirs")]));
    assert_eq!(
        (device.told().len(), device.replica.pending().unwrap()),
        (0, 0)
    );
}

/// What was refused before waits until the trigger can run.
#[test]
fn a_file_with_a_trigger_that_can_not_run_is_opened() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "bad", "low")], "");
    device.run("create trigger log_insert after insert on tasks begin insert into log values (new.id); end");
    let again: Replica<SyncGroup<(Task,)>> = open(&device.folder, &device.script);
    assert_eq!(again.unreadable().unwrap().len(), 1);
}
