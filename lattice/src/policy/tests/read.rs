//! Reading policies: what is refused and where, and that no text does harm.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A statement with these members added to, or in place of, sound ones. `null` takes one away.
fn changed(change: &Value) -> String {
    let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            statement.as_object_mut().unwrap().remove(name);
        } else {
            statement[name] = value.clone();
        }
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

#[test]
fn errors_name_their_place() {
    let at = "Statement[0]";
    let condition = |condition: Value| changed(&json!({ "Condition": condition }));
    for (text, place) in [
        (String::new(), "policy".to_owned()),
        ("[]".into(), "policy".into()),
        ("{".repeat(5_000), "policy".into()),
        (format!("{}{{}}", " ".repeat(MOST_BYTES)), "policy".into()),
        (r#"{"Version": "2012-10-17", "Version": "2012-10-17"}"#.into(), "policy".into()),
        ("{}".into(), "Statement".into()),
        (r#"{"Statement": []}"#.into(), "Statement".into()),
        (r#"{"Statement": "x"}"#.into(), "Statement".into()),
        (r#"{"Version": "2012-10-18", "Statement": []}"#.into(), "Version".into()),
        (r#"{"Id": 1, "Statement": []}"#.into(), "Id".into()),
        (r#"{"statement": []}"#.into(), "statement".into()),
        (changed(&json!({"Effect": null})), format!("{at}.Effect")),
        (changed(&json!({"Effect": "allow"})), format!("{at}.Effect")),
        (changed(&json!({"Sid": 1})), format!("{at}.Sid")),
        (changed(&json!({"Other": "x"})), format!("{at}.Other")),
        (changed(&json!({"Principal": null})), format!("{at}.Principal")),
        (changed(&json!({"Principal": "123456789012"})), format!("{at}.Principal")),
        (changed(&json!({"Principal": {}})), format!("{at}.Principal")),
        (changed(&json!({"Principal": {"AWS": []}})), format!("{at}.Principal.AWS")),
        (changed(&json!({"Principal": {"Aws": "*"}})), format!("{at}.Principal.Aws")),
        (
            changed(&json!({"Principal": {"AWS": "arn:aws:iam::123456789012:role/*"}})),
            format!("{at}.Principal.AWS"),
        ),
        (
            changed(&json!({"Principal": {"AWS": "arn:aws:iam::123456789012:group/x"}})),
            format!("{at}.Principal.AWS"),
        ),
        (changed(&json!({"NotPrincipal": "*"})), format!("{at}.Principal")),
        (changed(&json!({"Principal": null, "NotPrincipal": "*"})), format!("{at}.NotPrincipal")),
        (changed(&json!({"Action": null})), format!("{at}.Action")),
        (changed(&json!({"Action": []})), format!("{at}.Action")),
        (changed(&json!({"Action": "Invoke"})), format!("{at}.Action")),
        (changed(&json!({"Action": "a:b c"})), format!("{at}.Action")),
        (changed(&json!({"Action": [1]})), format!("{at}.Action")),
        (changed(&json!({"NotAction": "*"})), format!("{at}.NotAction")),
        (changed(&json!({"Resource": null})), format!("{at}.Resource")),
        (changed(&json!({"Resource": ""})), format!("{at}.Resource")),
        (changed(&json!({"Resource": "*/${aws:x"})), format!("{at}.Resource")),
        (condition(json!([])), format!("{at}.Condition")),
        (condition(json!({"StringIs": {"a": "b"}})), format!("{at}.Condition.StringIs")),
        (condition(json!({"BinaryEquals": {"a": "Yg=="}})), format!("{at}.Condition.BinaryEquals")),
        (
            condition(json!({"ForSomeValues:StringEquals": {}})),
            format!("{at}.Condition.ForSomeValues:StringEquals"),
        ),
        (condition(json!({"NullIfExists": {"a": "true"}})), format!("{at}.Condition.NullIfExists")),
        (condition(json!({"StringEquals": "a"})), format!("{at}.Condition.StringEquals")),
        (condition(json!({"StringEquals": {"": "a"}})), format!("{at}.Condition.StringEquals.")),
        (condition(json!({"StringEquals": {"k": {}}})), format!("{at}.Condition.StringEquals.k")),
        (condition(json!({"StringEquals": {"k": null}})), format!("{at}.Condition.StringEquals.k")),
        (condition(json!({"StringEquals": {"k": "${x"}})), format!("{at}.Condition.StringEquals.k")),
        (condition(json!({"NumericEquals": {"k": ["1", "x"]}})), format!("{at}.Condition.NumericEquals.k")),
        (condition(json!({"DateEquals": {"k": "soon"}})), format!("{at}.Condition.DateEquals.k")),
        (condition(json!({"Bool": {"k": "yes"}})), format!("{at}.Condition.Bool.k")),
        (condition(json!({"Null": {"k": "no"}})), format!("{at}.Condition.Null.k")),
        (condition(json!({"IpAddress": {"k": "10.0.0.0/40"}})), format!("{at}.Condition.IpAddress.k")),
        (
            document(&format!(
                "{0}, {0}",
                r#"{"Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#
            )),
            "Statement[1].Sid".into(),
        ),
    ] {
        let error = Policy::resource(&text).expect_err(&text);
        assert_eq!(error.place, place, "{text}: {error}");
    }
    let error = Policy::identity(&changed(&json!({}))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Statement[0].Principal: a policy attached to a user or role names no principals"
    );
    Policy::identity(&changed(&json!({"Principal": null}))).unwrap();
}

#[test]
fn a_single_statement_needs_no_list() {
    let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
    let policy = Policy::resource(&format!(r#"{{"Id": "x", "Statement": {statement}}}"#)).unwrap();
    assert!(matches!(policy.decide(&Caller::Anonymous, &request()), Decision::Allow(_)));
}

#[test]
fn the_longest_policies_are_decided_quickly() {
    let mut request = request();
    let Action::Invoke(http) = &mut request.action else { panic!("an invocation") };
    http.headers = vec![("h".into(), "a".repeat(8_000))];
    let key = "vpc-lattice-svcs:RequestHeader/h";
    let stars = format!("{}b", "*a".repeat(12_000));
    let variables = format!("${{{key}}}").repeat(800);
    for pattern in [stars, variables] {
        let policy = resource(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {{"StringLike": {{"{key}": "{pattern}"}}}}}}"#
        ));
        assert_eq!(policy.decide(&Caller::Anonymous, &request), Decision::Silent);
    }
}

/// JSON made of the words of policies, so that many samples come far.
fn policy_like() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "*",
        "Allow",
        "Deny",
        "AWS",
        "123456789012",
        "vpc-lattice-svcs:Invoke",
        "${aws:PrincipalTag/x}",
        "${",
        "${a,'b'}",
        "2012-10-17",
        "10.0.0.0/8",
        "true",
        "1",
        "aws:SourceIp",
        "aws:CurrentTime",
        "2026-08-01",
        "arn:aws:iam::*:x",
    ]);
    let name = prop::sample::select(vec![
        "Version",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "AWS",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "StringEquals",
        "ForAllValues:StringLike",
        "NumericLessThan",
        "IpAddress",
        "NotIpAddress",
        "ArnLike",
        "Null",
        "Bool",
        "DateLessThanIfExists",
        "aws:SourceIp",
        "",
    ]);
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(root in policy_like(), change in policy_like(), condition in policy_like()) {
        let mut texts = vec![root.to_string(), changed(&json!({"Condition": condition}))];
        if change.is_object() {
            texts.push(changed(&change));
        }
        for text in texts {
            for policy in [Policy::resource(&text), Policy::identity(&text)].into_iter().flatten() {
                let _ = policy.decide(&session(), &request());
                let _ = policy.decide(&Caller::Anonymous, &request());
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", json in "[{}\\[\\]\",:a0 ]{0,60}") {
        prop_assert!(Policy::resource(&text).is_err());
        prop_assert!(Policy::resource(&json).is_err());
    }
}
