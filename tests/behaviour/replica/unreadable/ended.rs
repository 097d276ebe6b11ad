//! Edits that the device's own table does not let be undone, and transactions that it ends.

use super::*;

/// Makes a trigger of the program that ends the whole transaction, before what `at` says.
fn rolls_back(device: &Device, at: &str) {
    device.run(&format!(
        "create trigger program_back before {at} begin select raise(rollback, 'all of it goes'); end"
    ));
}

/// What is told of that.
const ROLLED_BACK: &str = "tasks: the table in this device's file, by a trigger or a constraint, ends the whole transaction: all of it goes; let it refuse the row alone, with `raise(abort, ..)`";

#[test]
fn a_trigger_that_rolls_the_transaction_back_is_an_error_that_passes_with_it() {
    let device = Device::strict();
    rolls_back(&device, "insert on tasks when new.title = 'back'");
    let rows = [row(1, "one", "low"), row(2, "back", "low")];
    let error = device.try_take(true, "", &rows, "", false).unwrap_err();
    assert_eq!(error.to_string(), ROLLED_BACK);
    assert!(device.titles().is_empty());
    device.run("drop trigger program_back");
    device.take(true, "", &rows, "");
    assert_eq!(device.titles(), titles([(1, "one"), (2, "back")]));
}

#[test]
fn a_transaction_that_ends_while_another_row_is_looked_for_leaves_nothing() {
    let device = Device::strict();
    rolls_back(&device, "insert on tasks when new.title = 'back'");
    let rows = [
        row(1, "bad", "low"),
        row(2, "back", "low"),
        row(3, "three", "low"),
        row(4, "four", "low"),
    ];
    device.try_take(true, "", &rows, "", true).unwrap_err();
    let error = device.try_take(false, "", &[], "", false).unwrap_err();
    assert!(device.titles().is_empty());
    assert_eq!(device.replica.pending().unwrap(), 0);
    assert_eq!(error.to_string(), ROLLED_BACK);
    device.run("drop trigger program_back");
    device.take(true, "", &rows, "");
    let expected = [(2, "back"), (3, "three"), (4, "four")];
    assert_eq!(device.titles(), titles(expected));
    assert_eq!(device.told().len(), 1);
}

#[test]
fn an_edit_whose_undoing_ends_the_transaction_is_not_lost() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low")], "");
    rolls_back(&device, "delete on tasks");
    device.run("insert into tasks (id, title, level) values (5, x'ff', 'low')");
    device.script.answers(json!({"verdict": "applied"}));
    let two = [row(2, "two", "low")];
    let error = device.try_take(false, "", &two, "", false).unwrap_err();
    assert_eq!(device.replica.pending().unwrap(), 1);
    assert!(device.replica.rejected().unwrap().is_empty());
    assert_eq!(error.to_string(), ROLLED_BACK);
    device.run("drop trigger program_back");
    device.take(false, "", &two, "");
    assert_eq!(device.replica.pending().unwrap(), 0);
    assert_eq!(device.replica.rejected().unwrap().len(), 1);
    assert_eq!(device.titles(), titles([(1, "one"), (2, "two")]));
}

#[test]
fn an_edit_whose_answer_ends_the_transaction_is_not_lost() {
    let merged =
        json!({"verdict": "merged", "row": {"id": 1, "title": "back", "level": "high", "at": "7"}});
    let applied = json!({"verdict": "applied", "stamp": "2026-01-01T00:00:00.000009Z"});
    for answer in [merged, applied] {
        let device = Device::strict();
        device.take(true, "", &[row(1, "one", "low"), row(2, "two", "low")], "");
        device.run("update tasks set level = 'high' where id = 1");
        device.run("update tasks set level = 'high' where id = 2");
        rolls_back(&device, "update on tasks when old.id = 1");
        device.script.answers(answer.clone());
        let error = device.try_take(false, "", &[], "", false).unwrap_err();
        assert_eq!(device.replica.pending().unwrap(), 2, "{answer}");
        assert_eq!(error.to_string(), ROLLED_BACK, "{answer}");
        device.run("drop trigger program_back");
        device.take(false, "", &[], "");
        assert_eq!(device.replica.pending().unwrap(), 0, "{answer}");
    }
}

/// The program's own edit is at fault, and not what the server has.
#[test]
fn an_edit_that_can_not_be_undone_is_told_as_such() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low")], "");
    device.run(
        "create trigger program_stay before delete on tasks begin select raise(abort, 'they stay'); end;
insert into tasks (id, title, level) values (5, x'ff', 'low')",
    );
    device.script.answers(json!({"verdict": "applied"}));
    device
        .try_take(false, "", &[row(2, "two", "low")], "", true)
        .unwrap_err();
    assert_eq!(device.replica.rejected().unwrap().len(), 1);
    assert_eq!(
        device.told(),
        [
            "tasks of 5: the edit doesn't stand, and the table in this device's file refuses to undo it: they stay; let the table take that, and what the server has of the row comes with a later download"
        ]
    );
}

/// A program that took rows by another one's hands: the edit is rejected, and the table keeps it all the same.
#[test]
fn an_edit_that_the_table_does_not_let_be_taken_back_is_told() {
    let device = Device::strict();
    device.take(true, "", &[row(1, "one", "low")], "");
    device.run(
        "update tasks set title = 'mine'; create trigger program_frozen before update on tasks begin select raise(abort, 'it is frozen'); end",
    );
    device.script.answers(json!({"verdict": "rejected", "code": "invalid", "message": "no", "row": {"id": 1, "title": "one", "level": "low", "at": "1"}}));
    device.take(false, "", &[row(2, "two", "low")], "");
    assert_eq!(device.titles(), titles([(1, "mine"), (2, "two")]));
    assert_eq!(device.replica.pending().unwrap(), 0);
    assert_eq!(device.replica.rejected().unwrap().len(), 1);
    assert_eq!(device.told().len(), 1);
    device.run("drop trigger program_frozen");
    device.take(false, "", &[], "");
    assert_eq!(device.titles(), titles([(1, "one"), (2, "two")]));
    assert!(device.told().is_empty());
}
