//! One condition at a time, on the same request.

use super::*;

/// Whether a statement with this condition applies to the session's request.
const CASES: &[(&str, bool)] = &[
    // Texts.
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestMethod": "GET"}}"#, true),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestMethod": "get"}}"#, false),
    (r#"{"StringEquals": {"VPC-LATTICE-SVCS:requestmethod": "GET"}}"#, true),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestMethod": ["PUT", "GET"]}}"#, true),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestMethod": "G*"}}"#, false),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestMethod": []}}"#, false),
    (r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestMethod": []}}"#, true),
    (r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestMethod": ["PUT", "GET"]}}"#, false),
    (r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestMethod": ["PUT", "POST"]}}"#, true),
    (r#"{"StringEqualsIgnoreCase": {"vpc-lattice-svcs:RequestMethod": "get"}}"#, true),
    (r#"{"StringNotEqualsIgnoreCase": {"vpc-lattice-svcs:RequestMethod": "get"}}"#, false),
    (r#"{"StringLike": {"vpc-lattice-svcs:RequestPath": "/orders/*"}}"#, true),
    (r#"{"StringLike": {"vpc-lattice-svcs:RequestPath": "/orders/?"}}"#, true),
    (r#"{"StringLike": {"vpc-lattice-svcs:RequestPath": "/orders"}}"#, false),
    (r#"{"StringNotLike": {"vpc-lattice-svcs:RequestPath": "/admin/*"}}"#, true),
    (r#"{"stringlike": {"vpc-lattice-svcs:SourceVpc": "vpc-*"}}"#, true),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestHeader/X-Stage": "beta"}}"#, true),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestQueryString/sort": "date"}}"#, false),
    // Absent keys.
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestHeader/x-none": "a"}}"#, false),
    (r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestHeader/x-none": "a"}}"#, true),
    (r#"{"StringEqualsIfExists": {"vpc-lattice-svcs:RequestHeader/x-none": "a"}}"#, true),
    (r#"{"StringEqualsIfExists": {"vpc-lattice-svcs:RequestHeader/x-stage": "a"}}"#, false),
    (r#"{"StringNotEqualsIfExists": {"vpc-lattice-svcs:RequestHeader/x-stage": "beta"}}"#, false),
    (r#"{"NumericLessThan": {"vpc-lattice-svcs:RequestHeader/x-none": "1"}}"#, false),
    (r#"{"NotIpAddress": {"vpc-lattice-svcs:RequestHeader/x-none": "10.0.0.0/8"}}"#, true),
    (r#"{"Bool": {"vpc-lattice-svcs:RequestHeader/x-none": "false"}}"#, false),
    (r#"{"Null": {"vpc-lattice-svcs:RequestHeader/x-none": "true"}}"#, true),
    (r#"{"Null": {"vpc-lattice-svcs:RequestHeader/x-none": false}}"#, false),
    (r#"{"Null": {"aws:PrincipalOrgID": "false"}}"#, true),
    (r#"{"Null": {"aws:PrincipalOrgID": ["true", "false"]}}"#, true),
    // Several values.
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestQueryString/page": "3"}}"#, true),
    (r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestQueryString/page": "3"}}"#, false),
    (r#"{"ForAnyValue:StringEquals": {"vpc-lattice-svcs:RequestQueryString/page": "3"}}"#, true),
    (r#"{"ForAnyValue:StringEquals": {"vpc-lattice-svcs:RequestQueryString/page": "4"}}"#, false),
    (r#"{"ForAllValues:StringEquals": {"vpc-lattice-svcs:RequestQueryString/page": "3"}}"#, false),
    (r#"{"ForAllValues:StringEquals": {"vpc-lattice-svcs:RequestQueryString/page": ["2", "3"]}}"#, true),
    (r#"{"ForAnyValue:StringNotEquals": {"vpc-lattice-svcs:RequestQueryString/page": "3"}}"#, true),
    (r#"{"ForAllValues:StringNotEquals": {"vpc-lattice-svcs:RequestQueryString/page": "3"}}"#, false),
    (r#"{"ForAllValues:StringEquals": {"vpc-lattice-svcs:RequestQueryString/none": "3"}}"#, true),
    (r#"{"ForAnyValue:StringEquals": {"vpc-lattice-svcs:RequestQueryString/none": "3"}}"#, false),
    (r#"{"ForAnyValue:StringNotEquals": {"vpc-lattice-svcs:RequestQueryString/none": "3"}}"#, false),
    (r#"{"ForAnyValue:StringEqualsIfExists": {"vpc-lattice-svcs:RequestQueryString/none": "3"}}"#, true),
    (r#"{"ForAllValues:StringEquals": {"vpc-lattice-svcs:RequestHeader/x-tier": ["gold", "silver"]}}"#, true),
    // Numbers.
    (r#"{"NumericEquals": {"vpc-lattice-svcs:Port": 443}}"#, true),
    (r#"{"NumericEquals": {"vpc-lattice-svcs:Port": "443.0"}}"#, true),
    (r#"{"NumericNotEquals": {"vpc-lattice-svcs:Port": ["80", "443"]}}"#, false),
    (r#"{"NumericLessThan": {"vpc-lattice-svcs:Port": "443"}}"#, false),
    (r#"{"NumericLessThanEquals": {"vpc-lattice-svcs:Port": "443"}}"#, true),
    (r#"{"NumericGreaterThan": {"vpc-lattice-svcs:RequestHeader/x-count": 12}}"#, true),
    (r#"{"NumericGreaterThanEquals": {"vpc-lattice-svcs:RequestHeader/x-count": 13}}"#, false),
    (r#"{"NumericEquals": {"vpc-lattice-svcs:RequestHeader/x-stage": 1}}"#, false),
    (r#"{"NumericNotEquals": {"vpc-lattice-svcs:RequestHeader/x-stage": 1}}"#, true),
    // Dates.
    (r#"{"DateEquals": {"aws:CurrentTime": "2026-08-01T12:00:00+02:00"}}"#, true),
    (r#"{"DateLessThan": {"aws:CurrentTime": "2026-08-02"}}"#, true),
    (r#"{"DateLessThanEquals": {"aws:CurrentTime": "2026-08-01T09:59:59Z"}}"#, false),
    (r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-08-01T09:59:59Z"}}"#, true),
    (r#"{"DateGreaterThanEquals": {"aws:EpochTime": "1785578400"}}"#, true),
    (r#"{"DateNotEquals": {"aws:CurrentTime": "2026-08-01T10:00:00Z"}}"#, false),
    // Flags, addresses, ARNs.
    (r#"{"Bool": {"aws:SecureTransport": "true"}}"#, true),
    (r#"{"Bool": {"aws:SecureTransport": false}}"#, false),
    (r#"{"BoolIfExists": {"aws:ViaAWSService": "true"}}"#, true),
    (r#"{"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "10.0.0.0/8"]}}"#, true),
    (r#"{"IpAddress": {"aws:SourceIp": "10.1.2.4"}}"#, false),
    (r#"{"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, false),
    (r#"{"NotIpAddress": {"aws:SourceIp": "2001:db8::/32"}}"#, true),
    (r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/apps/checkout"}}"#, true),
    (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}"#, true),
    (r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}"#, true),
    (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:*:role/apps/checkout"}}"#, false),
    (r#"{"ArnLike": {"aws:PrincipalArn": "*"}}"#, true),
    (
        r#"{"ArnNotLike": {"vpc-lattice-svcs:ServiceNetworkArn": "arn:*:vpc-lattice:*:*:servicenetwork/sn-x"}}"#,
        true,
    ),
    (r#"{"ArnEquals": {"vpc-lattice-svcs:SourceVpc": "*"}}"#, false),
    // The principal and the service.
    (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-shop", "aws:PrincipalAccount": "111122223333"}}"#, true),
    (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-shop", "aws:PrincipalAccount": "444455556666"}}"#, false),
    (
        r#"{"StringEquals": {"aws:PrincipalOrgID": "o-shop"}, "NumericEquals": {"vpc-lattice-svcs:Port": 80}}"#,
        false,
    ),
    (r#"{"StringEquals": {"aws:PrincipalType": "AssumedRole"}}"#, true),
    (r#"{"StringEquals": {"aws:PrincipalTag/Kubernetes-Namespace": "shop"}}"#, true),
    (r#"{"StringEquals": {"aws:PrincipalTag/kubernetes-namespace": "Shop"}}"#, false),
    (r#"{"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/kubernetes-namespace}"}}"#, true),
    (
        r#"{"StringEquals": {"aws:ResourceAccount": "123456789012", "aws:RequestedRegion": "us-west-2"}}"#,
        true,
    ),
    (r#"{"StringEquals": {"vpc-lattice-svcs:SourceVpcOwnerAccount": "${aws:PrincipalAccount}"}}"#, true),
    // Variables: their values are literal, an absent one makes the statement void.
    (
        r#"{"StringLike": {"aws:PrincipalTag/eks-cluster-name": "${aws:PrincipalTag/eks-cluster-name}"}}"#,
        true,
    ),
    (
        r#"{"StringLike": {"vpc-lattice-svcs:RequestHeader/x-stage": "${aws:PrincipalTag/none, 'be'}*"}}"#,
        true,
    ),
    (r#"{"StringEquals": {"vpc-lattice-svcs:RequestHeader/x-stage": "${aws:PrincipalTag/none}"}}"#, false),
    (r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestHeader/x-stage": "${aws:PrincipalTag/none}"}}"#, false),
    (
        r#"{"StringNotEquals": {"vpc-lattice-svcs:RequestHeader/x-stage": ["${aws:PrincipalTag/none}", "beta"]}}"#,
        false,
    ),
    (
        r#"{"StringEquals": {"vpc-lattice-svcs:RequestHeader/x-stage": ["${aws:PrincipalTag/none}", "beta"]}}"#,
        true,
    ),
    (
        r#"{"StringEquals": {"vpc-lattice-svcs:RequestHeader/x-tier": "${vpc-lattice-svcs:RequestHeader/x-tier}"}}"#,
        false,
    ),
    (r#"{"StringEquals": {"aws:PrincipalTag/eks-cluster-name": "prod${*}"}}"#, true),
    (r#"{"Bool": {"aws:SecureTransport": "${aws:SecureTransport}"}}"#, true),
    // Nothing to ask.
    (r"{}", true),
    (r#"{"StringEquals": {}}"#, true),
];

#[test]
fn conditions_hold_as_iam_says() {
    for (condition, expected) in CASES {
        let policy = resource(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {condition}}}"#
        ));
        let applies = policy.decide(&session(), &request()) != Decision::Silent;
        assert_eq!(applies, *expected, "{condition}");
    }
}

#[test]
fn without_the_version_that_has_them_variables_are_text() {
    let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"vpc-lattice-svcs:RequestHeader/x": "${aws:PrincipalAccount}"}}}"#;
    let mut request = request();
    let Action::Invoke(http) = &mut request.action else { panic!("an invocation") };
    http.headers = vec![("x".into(), "${aws:PrincipalAccount}".into())];
    for (version, expected) in
        [(r#""Version": "2008-10-17","#, true), ("", true), (r#""Version": "2012-10-17","#, false)]
    {
        let policy = Policy::resource(&format!(r#"{{{version} "Statement": {statement}}}"#)).unwrap();
        assert_eq!(policy.decide(&session(), &request) != Decision::Silent, expected, "{version}");
    }
}

#[test]
fn anonymous_callers_have_few_keys() {
    for (condition, expected) in [
        (r#"{"StringEquals": {"aws:PrincipalType": "Anonymous"}}"#, true),
        (r#"{"StringNotEqualsIgnoreCase": {"aws:PrincipalType": "anonymous"}}"#, false),
        (r#"{"StringEquals": {"aws:PrincipalAccount": "anonymous"}}"#, true),
        (r#"{"Null": {"aws:PrincipalArn": "true", "aws:PrincipalOrgID": "true"}}"#, true),
        (r#"{"StringEquals": {"aws:PrincipalTag/kubernetes-namespace": "shop"}}"#, false),
    ] {
        let policy = resource(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {condition}}}"#
        ));
        let applies = policy.decide(&Caller::Anonymous, &request()) != Decision::Silent;
        assert_eq!(applies, expected, "{condition}");
    }
}
