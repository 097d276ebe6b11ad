use super::*;

const EARLY: &str = "00000000000a00000000000000000001";
const LATE: &str = "00000000000b00000000000000000002";

fn clock(text: &str) -> Clock {
    text.parse().unwrap()
}

fn parse(stored: &str) -> Registers {
    Registers::parse(Some(stored), None)
}

#[test]
fn a_column_without_a_member_is_as_old_as_the_row() {
    let registers = parse(&format!(r#"{{"": "{EARLY}", "name": "{LATE}"}}"#));
    assert_eq!(registers.existence(), clock(EARLY));
    assert_eq!(registers.column("name"), clock(LATE));
    assert_eq!(registers.column("team"), clock(EARLY));
    assert_eq!(registers.last(), clock(LATE));
}

#[test]
fn where_nothing_is_stored_all_is_as_old_as_the_stamp() {
    let stamp = DateTime::from_timestamp(1_700_000_000, 7000);
    let registers = Registers::parse(None, stamp);
    assert_eq!(
        registers,
        Registers::at(Clock::new(1_700_000_000_000, 7, 0))
    );
    assert_eq!(registers.column("name"), registers.existence());
}

#[test]
fn where_there_is_no_stamp_either_all_is_older_than_everything() {
    assert_eq!(Registers::parse(None, None), Registers::at(Clock::ZERO));
}

#[test]
fn what_is_stored_outweighs_the_stamp() {
    let stored = format!(r#"{{"":"{EARLY}"}}"#);
    let registers = Registers::parse(Some(&stored), Some(DateTime::UNIX_EPOCH));
    assert_eq!(registers.existence(), clock(EARLY));
}

#[test]
fn registers_are_stored_as_they_are_read() {
    let stored = format!(r#"{{"":"{EARLY}","name":"{LATE}"}}"#);
    assert_eq!(parse(&stored).stored(clock(LATE)), stored);
}

#[test]
fn a_clock_that_is_ahead_of_the_database_is_marked_until_it_no_longer_is() {
    let mut registers = Registers::at(clock(EARLY));
    registers.set(&["name"], clock(LATE));
    let stored = registers.stored(clock(EARLY));
    let expected = format!(r#"{{"":"{EARLY}","+":"{LATE}","name":"{LATE}"}}"#);
    assert_eq!(stored, expected);
    let read = parse(&stored);
    assert_eq!(read, registers);
    assert!(!read.stored(clock(LATE)).contains('+'));
}

#[test]
fn a_row_that_is_ahead_as_a_whole_is_marked() {
    let stored = Registers::at(clock(LATE)).stored(clock(EARLY));
    assert_eq!(stored, format!(r#"{{"":"{LATE}","+":"{LATE}"}}"#));
}

#[test]
fn a_column_as_old_as_the_row_takes_no_room() {
    let mut registers = Registers::at(clock(EARLY));
    registers.set(&["name"], clock(EARLY));
    assert_eq!(
        registers.stored(clock(LATE)),
        format!(r#"{{"":"{EARLY}"}}"#)
    );
}

#[test]
fn a_row_that_is_raised_keeps_its_columns_clocks() {
    let mut registers = Registers::at(clock(EARLY));
    registers.set(&["name"], Clock::ZERO);
    registers.revive(clock(LATE), ["name", "team"].into_iter());
    assert_eq!(registers.existence(), clock(LATE));
    assert_eq!(registers.column("name"), Clock::ZERO);
    assert_eq!(registers.column("team"), clock(EARLY));
    assert_eq!(parse(&registers.stored(clock(LATE))), registers);
}

#[test]
fn the_existence_never_goes_back() {
    let mut registers = Registers::at(clock(LATE));
    registers.revive(clock(EARLY), std::iter::empty());
    assert_eq!(registers.existence(), clock(LATE));
}

#[test]
fn text_that_is_no_registers_is_as_old_as_the_stamp() {
    let stamp = DateTime::from_timestamp(1_700_000_000, 7000);
    let expected = Registers::at(Clock::new(1_700_000_000_000, 7, 0));
    for stored in [
        "",
        "{",
        "[]",
        r#"{"name":1}"#,
        r#"{"name":"12"}"#,
        r#"{"":"0000000A000000000000000000000001"}"#,
    ] {
        assert_eq!(Registers::parse(Some(stored), stamp), expected, "{stored}");
    }
}

#[test]
fn columns_that_are_written_together_share_a_member() {
    let mut registers = Registers::at(clock(EARLY));
    registers.set(&["team", "name"], clock(LATE));
    let stored = registers.stored(clock(LATE));
    let expected = format!(r#"{{"":"{EARLY}","\nname\nteam":"{LATE}"}}"#);
    assert_eq!(stored, expected);
    assert_eq!(parse(&stored), registers);
    registers.set(&["team"], clock(EARLY).successor());
    assert_eq!(registers.column("name"), clock(LATE));
    assert_eq!(registers.column("team"), clock(EARLY).successor());
    assert_eq!(parse(&registers.stored(clock(LATE))), registers);
}

#[test]
fn a_columns_own_member_outweighs_a_shared_one() {
    let stored = format!(r#"{{"team":"{EARLY}","\nname\nteam":"{LATE}","":"{EARLY}"}}"#);
    let registers = parse(&stored);
    assert_eq!(registers.column("team"), clock(EARLY));
    assert_eq!(registers.column("name"), clock(LATE));
}

#[test]
fn a_column_whose_name_has_a_new_line_shares_no_member() {
    let mut registers = Registers::at(clock(EARLY));
    registers.set(&["a\nb", "a", "b"], clock(LATE));
    registers.set(&["a", "b"], Clock::ZERO);
    let read = parse(&registers.stored(clock(LATE)));
    assert_eq!(read, registers);
    assert_eq!(read.column("a\nb"), clock(LATE));
    assert_eq!(read.column("b"), Clock::ZERO);
}

#[test]
fn a_row_that_is_written_after_a_deletion_is_later_than_that_in_every_column() {
    let stored = format!(r#"{{"":"{EARLY}","name":"{LATE}","team":"{EARLY}"}}"#);
    let before = clock(EARLY);
    let raised = parse(&stored).after(before);
    assert_eq!(raised.existence(), before.successor());
    assert_eq!(raised.column("team"), before.successor());
    assert_eq!(raised.column("name"), clock(LATE));
    let raised = parse(&stored).after(clock(LATE));
    assert_eq!(raised, Registers::at(clock(LATE).successor()));
    // A deletion that the row's existence is later than says nothing of it.
    let alive = parse(&format!(r#"{{"":"{LATE}","name":"{EARLY}"}}"#));
    assert_eq!(alive.clone().after(before), alive);
}
