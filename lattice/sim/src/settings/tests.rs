//! Tests of the table of settings.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_default_is_a_value_that_its_setting_takes() {
    for row in table() {
        for value in [&row.instant, &row.realistic] {
            let set = Settings::instant().with(row.name, value);
            let set = set.unwrap_or_else(|error| panic!("{error}"));
            let listed = set.list().into_iter().find(|(name, _)| *name == row.name).unwrap().1;
            assert_eq!(&listed, value, "{}", row.name);
        }
    }
}

#[test]
fn rows_are_complete_and_names_are_unique() {
    let rows = table();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
    for row in rows {
        assert!(row.meaning.ends_with('.') && !row.allowed.is_empty(), "{row:?}");
        assert!(
            row.name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._46".contains(&byte)),
            "{}",
            row.name
        );
    }
}

fn check(assignment: &str, expected: Result<&str, &str>) {
    let mut settings = Settings::instant();
    let name = assignment.split('=').next().unwrap();
    let result = settings.assign(assignment).map_err(|error| error.to_string());
    let value = settings.list().into_iter().find(|(listed, _)| *listed == name).map(|(_, value)| value);
    match expected {
        Ok(expected) => assert_eq!((result, value.as_deref()), (Ok(()), Some(expected)), "{assignment}"),
        Err(expected) => assert_eq!(result, Err(expected.to_owned()), "{assignment}"),
    }
}

#[test]
fn assignments_are_read_or_refused_with_what_is_allowed() {
    check("target.drain_seconds=300", Ok("300"));
    check("target.drain_seconds=0.5", Ok("0.5"));
    check("target.reregister_draining=vanishes", Ok("vanishes"));
    check("health.first_check_delay=interval", Ok("interval"));
    check("health.first_check_delay=3", Ok("3"));
    check("api.rate=unlimited", Ok("unlimited"));
    check("api.rate=0.5", Ok("0.5"));
    check("api.retry_after=7", Ok("7"));
    check("dns.partition_id=abc", Ok("abc"));
    check("accounts=2", Ok("2"));
    check("accounts=3", Err("setting accounts: 3 is not allowed, it must be a whole number from 1 to 2"));
    check(
        "target.drain_seconds=NaN",
        Err("setting target.drain_seconds: NaN is not allowed, it must be seconds from 0 to 31536000"),
    );
    check("drain=1", Err("there is no setting drain; `lath sim settings` lists them"));
    check("drain", Err("drain is no setting, it must be NAME=VALUE"));
    check(
        "api.list_order=name",
        Err(
            "setting api.list_order: name is not allowed, it must be one of: creation (Oldest first); newest (Newest first)",
        ),
    );
}
