//! Signatures that AWS's own signer makes, and changes to them.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Expected, Key, Part, Payload, Refused, Request, verify};

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjE+/token==";
const HOST: &str = "lattice.example.com:8443";
const REGION: &str = "eu-west-1";
const CONTROL: &str = "vpc-lattice";
const DATA: &str = "vpc-lattice-svcs";

fn now() -> Timestamp {
    "2026-01-31T23:59:59Z".parse().unwrap()
}

/// A request, and how it is signed.
#[derive(Debug, Clone)]
struct Case {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    token: Option<&'static str>,
    service: &'static str,
    region: &'static str,
    payload: Payload,
    presigned: Option<u64>,
    at: Timestamp,
}

impl Case {
    fn new(path: &str, query: &str) -> Self {
        let mut case = Self {
            method: Method::GET,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            token: None,
            service: CONTROL,
            region: REGION,
            payload: Payload::Signed,
            presigned: None,
            at: now(),
        };
        case.header("host", HOST);
        case
    }

    fn data() -> Self {
        Self { service: DATA, payload: Payload::Unsigned, ..Self::new("/orders/1", "b=2&a=1") }
    }

    fn header(&mut self, name: &str, value: &str) {
        self.headers
            .append(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }

    /// The case with what the signer adds.
    fn signed(&self) -> Self {
        let credentials = Credentials::new(ID, SECRET, self.token.map(str::to_owned), None, "test");
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        if self.payload == Payload::Unsigned {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Some(seconds) = self.presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::from(self.at))
            .settings(settings)
            .build()
            .unwrap();
        let body = match self.payload {
            Payload::Signed => SignableBody::Bytes(&self.body),
            Payload::Unsigned => SignableBody::UnsignedPayload,
        };
        let question = if self.query.is_empty() { "" } else { "?" };
        let uri = format!("https://{HOST}{}{question}{}", self.path, self.query);
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), std::str::from_utf8(value.as_bytes()).unwrap()))
            .collect();
        let signable = SignableRequest::new(self.method.as_str(), uri, headers.into_iter(), body).unwrap();
        let (instructions, _) = sign(signable, &params.into()).unwrap().into_parts();
        let mut signed = self.clone();
        for (name, value) in instructions.headers() {
            signed.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        }
        for (name, value) in instructions.params() {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            let and = if signed.query.is_empty() { "" } else { "&" };
            signed.query = format!("{}{and}{name}={value}", signed.query);
        }
        signed
    }

    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }

    /// What a verifier of the case's own service and region says now.
    fn verdict(&self) -> Result<String, Refused> {
        self.verdict_with(self.token, None)
    }

    fn verdict_with(&self, token: Option<&str>, expires: Option<Timestamp>) -> Result<String, Refused> {
        let expected =
            Expected { service: self.service, region: self.region, payload: self.payload, now: now() };
        self.verdict_as(&expected, token, expires)
    }

    fn verdict_as(
        &self,
        expected: &Expected<'_>,
        token: Option<&str>,
        expires: Option<Timestamp>,
    ) -> Result<String, Refused> {
        verify(&self.request(), expected, |id| {
            let session_token = token.map(str::to_owned);
            (id == ID).then(|| Key { secret: SECRET.to_owned(), session_token, expires })
        })
    }

    /// Replaces in the header `Authorization`.
    fn authorization(mut self, from: &str, to: &str) -> Self {
        let old = self.headers[header::AUTHORIZATION].to_str().unwrap();
        let new = old.replacen(from, to, 1);
        assert_ne!(old, new, "nothing to replace");
        self.headers.insert(header::AUTHORIZATION, HeaderValue::try_from(new).unwrap());
        self
    }
}

fn signs(case: &Case) {
    let signed = case.signed();
    assert_eq!(signed.verdict(), Ok(ID.to_owned()), "{signed:#?}");
}

#[test]
fn methods_and_bodies() {
    for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "PURGE"] {
        for body in [&b""[..], b"{\"name\": \"a\"}", b"\xff\0\n"] {
            let method = Method::try_from(method).unwrap();
            signs(&Case { method, body: body.to_vec(), ..Case::new("/services", "") });
        }
    }
}

#[test]
fn odd_paths() {
    let paths = [
        "",
        "/",
        "//",
        "/a%20b",
        "/a%2Fb",
        "/a%2fb",
        "/%C3%A9t%C3%A9",
        "/\u{e9}t\u{e9}",
        "/a//b",
        "/a/",
        "//a/",
        "/a/./b",
        "/a/../b",
        "/../..",
        "/a/..",
        "/a/.",
        "/a/b/../",
        "/.hidden",
        "/a..b",
        "/~-._",
        "/!$&'()*+,;=:@",
        "/%zz",
        "/%25",
        "/arn%3Aaws%3Avpc-lattice%3Aeu-west-1%3A1%3Aservice%2Fsvc-1",
        "/tags/arn:aws:vpc-lattice:x:1:service/svc-1",
    ];
    for path in paths {
        signs(&Case::new(path, ""));
        signs(&Case { payload: Payload::Unsigned, service: DATA, ..Case::new(path, "x=1") });
    }
}

#[test]
fn odd_queries() {
    let queries = [
        "a=1",
        "b=1&a=2",
        "a=2&a=1",
        "a",
        "a=",
        "=a",
        "a&b",
        "a=1&&b=2",
        "&",
        "a=b=c",
        "a=%20&b=+&c=x%2By",
        "a-b=1&a=2",
        "a%3D=1&a=2",
        "A=1&a=1",
        "%C3%A9=%E2%98%83",
        "a=%zz",
        "maxResults=5&nextToken=a%2Fb%3D%3D",
        "a=/?:@!$'()*,;~",
        "a=%2f",
        "tagKeys=b&tagKeys=a&tagKeys=B",
    ];
    for query in queries {
        signs(&Case::new("/", query));
        signs(&Case { presigned: Some(300), ..Case::new("/", query) });
    }
}

#[test]
fn odd_headers() {
    let mut case = Case::new("/", "");
    for (name, value) in [
        ("x-spaces", "  a   b  c "),
        ("x-empty", ""),
        ("x-blank", "   "),
        ("x-twice", "b"),
        ("x-twice", " a  a"),
        ("x-quoted", "\"a   b\""),
        ("x-utf8", "\u{e9}  \u{e9}"),
        ("x-comma", "a,  b ,c"),
        ("x-colon", "a:b:c"),
        ("content-type", "application/json"),
        ("user-agent", "not signed"),
        ("x-amz-meta-Upper", "Upper"),
    ] {
        case.header(name, value);
    }
    signs(&case);
    let mut signed = case.signed();
    signed.headers.insert("user-agent", HeaderValue::from_static("changed"));
    assert_eq!(signed.verdict(), Ok(ID.to_owned()));
}

#[test]
fn session_tokens() {
    for presigned in [None, Some(60)] {
        let case = Case { presigned, ..Case::new("/", "a=1") };
        let with = Case { token: Some(TOKEN), ..case.clone() }.signed();
        signs(&Case { token: Some(TOKEN), ..case.clone() });
        assert_eq!(with.verdict_with(Some("other"), None), Err(Refused::WrongToken));
        assert_eq!(with.verdict_with(None, None), Err(Refused::WrongToken));
        assert_eq!(case.signed().verdict_with(Some(TOKEN), None), Err(Refused::NoToken));
    }
}

#[test]
fn a_key_ends() {
    let signed = Case { token: Some(TOKEN), ..Case::new("/", "") }.signed();
    let second = SignedDuration::from_secs(1);
    assert!(signed.verdict_with(Some(TOKEN), Some(now() + second)).is_ok());
    assert_eq!(signed.verdict_with(Some(TOKEN), Some(now())), Err(Refused::ExpiredToken));
}

#[test]
fn clocks_differ() {
    for (seconds, wanted) in [
        (0, None),
        (-300, None),
        (300, None),
        (
            -301,
            Some(
                "Signature expired: 20260131T235458Z is now earlier than 20260131T235459Z \
                 (20260131T235959Z - 5 min.)",
            ),
        ),
        (
            301,
            Some(
                "Signature not yet current: 20260201T000500Z is still later than 20260201T000459Z \
                 (20260131T235959Z + 5 min.)",
            ),
        ),
        (
            -86_400,
            Some(
                "Signature expired: 20260130T235959Z is now earlier than 20260131T235459Z \
                 (20260131T235959Z - 5 min.)",
            ),
        ),
    ] {
        let at = now() + SignedDuration::from_secs(seconds);
        let refused = Case { at, ..Case::new("/", "") }.signed().verdict().err();
        assert_eq!(refused.map(|refused| refused.to_string()).as_deref(), wanted, "{seconds}");
    }
}

#[test]
fn a_presigned_request_lasts() {
    let signed = |ago, lasts| {
        let at = now() - SignedDuration::from_secs(ago);
        Case { at, presigned: Some(lasts), ..Case::new("/services", "a=1") }.signed()
    };
    assert!(signed(3_600, 3_600).verdict().is_ok());
    let refused = signed(91, 90).verdict().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Signature expired: 20260131T235828Z is now earlier than 20260131T235829Z \
         (20260131T235959Z - 90 sec.)"
    );
    assert!(matches!(signed(-301, 600).verdict(), Err(Refused::NotYetCurrent { .. })));
    for seconds in [0, 604_801] {
        assert!(matches!(signed(0, seconds).verdict(), Err(Refused::Malformed(_))), "{seconds}");
    }
}

#[test]
fn region_and_service() {
    let signed = Case::new("/", "").signed();
    let expected = Expected { service: CONTROL, region: REGION, payload: Payload::Signed, now: now() };
    let verdict = |expected| signed.verdict_as(&expected, None, None).unwrap_err();
    let refused = verdict(Expected { region: "us-east-1", ..expected });
    assert_eq!(refused.to_string(), "Credential should be scoped to a valid region, not 'eu-west-1'.");
    assert_eq!((refused.code(), refused.status()), ("InvalidSignatureException", 403));
    let refused = verdict(Expected { service: DATA, ..expected });
    assert_eq!(refused.to_string(), "Credential should be scoped to correct service: 'vpc-lattice-svcs'.");
    let refused = signed.authorization("aws4_request", "aws5_request").verdict().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
    );
}

#[test]
fn payloads_of_the_data_plane_are_not_signed() {
    let case = Case::data();
    signs(&case);
    let mut other_body = case.signed();
    other_body.body = b"other".to_vec();
    assert!(other_body.verdict().is_ok());
    // Signed for the control plane's rules: by hash, without and with the header that says so.
    let by_hash = Case { payload: Payload::Signed, ..case.clone() };
    let mut with_header = by_hash.clone();
    with_header.header(super::CONTENT_SHA256, &super::canonical::sha256(b""));
    for by_hash in [by_hash, with_header] {
        let signed = by_hash.signed();
        assert!(signed.verdict().is_ok());
        let refused = Case { payload: Payload::Unsigned, ..signed }.verdict().unwrap_err();
        assert_eq!((&refused, refused.status()), (&Refused::SignedPayload, 403));
    }
    // And the other way round.
    let unsigned = Case { payload: Payload::Signed, ..case.signed() };
    assert_eq!(unsigned.verdict(), Err(Refused::Mismatch));
}

#[test]
fn presigned_for_the_data_plane() {
    let case = Case { presigned: Some(60), ..Case::data() };
    assert_eq!(case.signed().verdict(), Err(Refused::SignedPayload));
    let mut by_header = case.clone();
    by_header.header(super::CONTENT_SHA256, super::UNSIGNED_PAYLOAD);
    signs(&by_header);
    signs(&Case { query: "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD".to_owned(), ..case });
}

#[test]
fn unsigned_requests() {
    let mut case = Case::new("/", "a=1");
    let refused = case.verdict().unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("MissingAuthenticationTokenException", 403));
    case.header("authorization", "Bearer AWS4-HMAC-SHA256");
    assert_eq!(case.verdict(), Err(Refused::NoSignature));
    case.header("authorization", "AWS4-HMAC-SHA256 Credential=a");
    assert!(matches!(case.verdict(), Err(Refused::Malformed(_))));
}

#[test]
fn incomplete_headers() {
    let parts = [Part::Credential, Part::Signature, Part::SignedHeaders];
    for part in parts {
        let signed = Case::new("/", "").signed();
        let name = format!("{part:?}=");
        let text = signed.headers["authorization"].to_str().unwrap().to_owned();
        let (start, list) = text.split_once(' ').unwrap();
        let kept: Vec<&str> = list.split(", ").filter(|pair| !pair.starts_with(&name)).collect();
        let signed = signed.authorization(&text, &format!("{start} {}", kept.join(",")));
        assert_eq!(signed.verdict(), Err(Refused::Incomplete { missing: vec![part], presigned: false }));
    }
    let mut signed = Case::new("/", "").signed();
    signed.headers.remove("x-amz-date");
    let text = signed.headers["authorization"].to_str().unwrap().to_owned();
    let refused = signed.authorization(&text, "AWS4-HMAC-SHA256").verdict().unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("IncompleteSignatureException", 400));
    assert_eq!(
        refused.to_string(),
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either \
         a 'X-Amz-Date' or a 'Date' header."
    );
}

#[test]
fn incomplete_queries() {
    let signed = Case { presigned: Some(60), ..Case::new("/", "") }.signed();
    for part in
        [Part::Algorithm, Part::Credential, Part::Signature, Part::SignedHeaders, Part::Date, Part::Expires]
    {
        let name = format!("X-Amz-{part:?}=");
        let kept: Vec<&str> = signed.query.split('&').filter(|pair| !pair.starts_with(&name)).collect();
        let refused = Case { query: kept.join("&"), ..signed.clone() }.verdict();
        assert_eq!(refused, Err(Refused::Incomplete { missing: vec![part], presigned: true }));
    }
    let query = format!("{}&X-Amz-Date=20260131T235959Z", signed.query);
    assert!(matches!(Case { query, ..signed.clone() }.verdict(), Err(Refused::Malformed(_))));
    // Two ways at once.
    let mut both = signed;
    both.headers.extend(Case::new("/", "").signed().headers);
    assert!(matches!(both.verdict(), Err(Refused::Malformed(_))));
}

#[test]
fn malformed_headers() {
    let signed = || Case::new("/", "").signed();
    for (from, to) in [
        ("HMAC-SHA256", "HMAC-SHA1"),
        ("Credential=", "Credential"),
        ("Credential=AKIDEXAMPLE/", "Credential="),
        ("/aws4_request", "/aws4_request/more"),
        ("host;", "Host;"),
        ("host;", "host;host;"),
        ("SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date;host"),
        ("Signature=", "Other=1, Signature="),
        ("Signature=", "Signature=0, Signature="),
        (ID, &"A".repeat(129)),
        ("host;", &format!("{};", (0..129).map(|n| format!("h{n:03}")).collect::<Vec<_>>().join(";"))),
        ("host;", &"h".repeat(20_000)),
    ] {
        let refused = signed().authorization(from, to).verdict().unwrap_err();
        assert!(matches!(refused, Refused::Malformed(_)), "{to:.40}: {refused:?}");
        assert_eq!(refused.status(), 400);
    }
    for (from, to, wanted) in [
        (ID, "AKIDOTHER", Refused::UnknownKey),
        ("host;", "", Refused::HostNotSigned),
        ("host;", "host;not-there;", Refused::Mismatch),
        ("host;", "host;i v;", Refused::Mismatch),
        ("Signature=", "Signature=00", Refused::Mismatch),
        ("Signature=", "Signature=A", Refused::Mismatch),
        (
            "/20260131/",
            "/20260130/",
            Refused::WrongDate { scope: "20260130".to_owned(), signed: "20260131T235959Z".to_owned() },
        ),
    ] {
        assert_eq!(signed().authorization(from, to).verdict(), Err(wanted), "{to}");
    }
    for date in
        ["", "20260131", "2026-01-31T23:59:59Z", "20261331T235959Z", "20260131T235959+", "+0260131T235959Z"]
    {
        let mut case = signed();
        case.headers.insert("x-amz-date", HeaderValue::from_static(date));
        assert!(matches!(case.verdict(), Err(Refused::Malformed(_))), "{date}");
    }
    let mut twice = signed();
    twice.header("x-amz-date", "20260131T235959Z");
    assert!(matches!(twice.verdict(), Err(Refused::Malformed(_))));
    let long = Case { path: format!("/{}", "a".repeat(65_536)), ..signed() };
    assert!(matches!(long.verdict(), Err(Refused::Malformed(_))));
}

/// Without `x-amz-date`, the header `Date` has the time, in either form.
#[test]
fn the_date_of_http() {
    for date in ["20260131T235959Z", "Sat, 31 Jan 2026 23:59:59 GMT"] {
        let mut case = Case::new("/", "");
        case.header("date", date);
        let query = super::Query::parse("");
        // The signer knows only `x-amz-date`; the string to sign is the same but for the canonical request.
        let mut signed = case.signed().authorization(";x-amz-date", "");
        signed.headers.remove("x-amz-date");
        let request = signed.request();
        let claim = super::read::claim(&request, &query).unwrap();
        let canonical =
            super::canonical::request(&request, &query, &claim, &super::canonical::sha256(b"")).unwrap();
        let text = super::canonical::string_to_sign(&claim, &canonical);
        let tag = super::hmac::sign(&super::signing_key(SECRET, &claim.scope, REGION), text.as_bytes());
        let hex = super::canonical::hex(tag.as_ref());
        let old = signed.headers["authorization"].to_str().unwrap().to_owned();
        let (start, _) = old.split_once("Signature=").unwrap();
        let signed = signed.authorization(&old, &format!("{start}Signature={hex}"));
        assert_eq!(signed.verdict(), Ok(ID.to_owned()), "{date}");
    }
}

/// Requests of Version 4A as `aws-sigv4` 1.6.4 with its feature `sigv4a` signs them. The feature stays off in this
/// tree, since it would build the SDK once more for tests.
fn asymmetric() -> Vec<Case> {
    let signed = |case: Case, credential: &str, names: &str, set: &str, signature: &str| {
        let mut case = case;
        case.header("x-amz-date", "20260131T235959Z");
        case.header("x-amz-region-set", set);
        let text = format!(
            "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20260131/{credential}/aws4_request, SignedHeaders={names}, \
             Signature={signature}"
        );
        case.header("authorization", &text);
        case
    };
    let presigned = |token: Option<&'static str>, set: &str, signature: &str, more: &str| {
        let query = format!(
            "a=1&X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20260131%2Fvpc-lattice%2Faws4_request&X-Amz-Date=20260131T235959Z\
             &X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}&X-Amz-Region-Set={set}{more}"
        );
        Case { body: b"{}".to_vec(), token, presigned: Some(300), ..Case::new("/services", &query) }
    };
    let mut with_token = Case {
        method: Method::POST,
        body: b"{}".to_vec(),
        token: Some(TOKEN),
        ..Case::new("/a%20b//c", "b=2&a=%C3%A9")
    };
    with_token.header("x-amz-security-token", TOKEN);
    let mut data = Case { service: DATA, payload: Payload::Unsigned, ..Case::new("/orders/1", "") };
    data.header(super::CONTENT_SHA256, super::UNSIGNED_PAYLOAD);
    vec![
        signed(
            Case { body: b"{}".to_vec(), ..Case::new("/services", "maxResults=5") },
            CONTROL,
            "host;x-amz-date;x-amz-region-set",
            "eu-west-1",
            "304402205a97d61b557ae61fae7a065d9d8a7a17df000afedd07eb9f398cdecbe53b219602204b056f854e3ed1\
             10ef29c27e2ac4e02ade04fad3278add0a933b5bab6a74cc56",
        ),
        signed(
            with_token,
            CONTROL,
            "host;x-amz-date;x-amz-region-set;x-amz-security-token",
            "eu-west-1,us-*",
            "304602210081856eb7a2db0d79e4831e5c80af30522b9e7553cc8bd123f7c366097445fe0f022100c1148602de\
             dad26bdfd0c3c7c9d8bbfee646077808a5467702ccc2b2429171be",
        ),
        signed(
            data,
            DATA,
            "host;x-amz-content-sha256;x-amz-date;x-amz-region-set",
            "*",
            "3045022100b6842df819522bbc8c621cbf19e896f6cd669224627e1f7dc31610e993928e3502202b1349875957\
             404bc08a396acac289829e2d530f17705699d102fff97fd4f146",
        ),
        presigned(
            None,
            "eu-*",
            "3046022100b94186be31f6eb83f9b922fbd9df2faf8fb9a5de08fa08e277aafa63aa258def0221009f72eca6e8\
             d5d365f27339a273df6167d94c02ac14648aad834e2a11de70c2ac",
            "",
        ),
        presigned(
            Some(TOKEN),
            "eu-west-1",
            "3044022052f157aeda65fe0384c8acee142a595b2b60486ed84fa70a3dda0f816b85c1b002200ab2759a689fee\
             3864fea4ddbda5f86e8a1516d1928078853f8a712bbf4c2ee3",
            "&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2B%2Ftoken%3D%3D",
        ),
    ]
}

#[test]
fn asymmetric_signatures() {
    for signed in asymmetric() {
        assert_eq!(signed.verdict(), Ok(ID.to_owned()), "{signed:#?}");
        let path = format!("{}x", signed.path);
        assert_eq!(Case { path, ..signed.clone() }.verdict(), Err(Refused::Mismatch));
        let method = Method::PUT;
        assert_eq!(Case { method, ..signed.clone() }.verdict(), Err(Refused::Mismatch));
        let at_other =
            Expected { service: signed.service, region: "ap-south-1", payload: signed.payload, now: now() };
        let refused = signed.verdict_as(&at_other, signed.token, None).err();
        assert_eq!(refused.is_none(), signed.service == DATA, "{refused:?}");
        assert!(matches!(refused, None | Some(Refused::WrongRegion(_))));
        // Another set that fits as well.
        let mut other = signed.clone();
        match other.presigned {
            Some(_) => other.query = other.query.replace("Region-Set=eu-", "Region-Set=*,eu-"),
            None => {
                other.headers.insert("x-amz-region-set", HeaderValue::from_static("eu-west-1,*"));
            }
        }
        assert_eq!(other.verdict(), Err(Refused::Mismatch));
    }
}

#[test]
fn asymmetric_headers() {
    let signed = || asymmetric().swap_remove(0);
    for (from, to, wanted) in [
        (";x-amz-region-set", "", Refused::RegionSetNotSigned),
        ("vpc-lattice", DATA, Refused::WrongService(CONTROL.to_owned())),
        (ID, "AKIDOTHER", Refused::UnknownKey),
        ("Signature=3044", "Signature=3045", Refused::Mismatch),
        ("Signature=3044", "Signature=", Refused::Mismatch),
        ("cc56", "cc57", Refused::Mismatch),
        ("cc56", "cc5600", Refused::Mismatch),
    ] {
        assert_eq!(signed().authorization(from, to).verdict(), Err(wanted), "{to}");
    }
    let with_region = signed().authorization("vpc-lattice", "eu-west-1/vpc-lattice").verdict();
    assert!(matches!(with_region, Err(Refused::Malformed(_))));
    assert!(matches!(signed().authorization("ECDSA-P256", "HMAC").verdict(), Err(Refused::Malformed(_))));
    let mut without = signed();
    without.headers.remove("x-amz-region-set");
    let missing = Refused::Incomplete { missing: vec![Part::RegionSet], presigned: false };
    assert_eq!(without.verdict(), Err(missing));
    let mut without = asymmetric().swap_remove(3);
    without.query = without.query.replace("&X-Amz-Region-Set=eu-*", "");
    let missing = Refused::Incomplete { missing: vec![Part::RegionSet], presigned: true };
    assert_eq!(without.verdict(), Err(missing));
}

/// The public key is the one that AWS publishes with its test suite for this access key.
#[test]
fn a_key_pair_follows_from_the_secret() {
    let key = super::asymmetric::public_key(ID, SECRET).unwrap();
    assert_eq!(
        super::canonical::hex(&key),
        "04b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1\
         865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518"
    );
}

#[test]
fn sets_of_regions() {
    for (set, fits) in [
        ("eu-west-1", true),
        ("us-east-1, eu-west-1", true),
        ("*", true),
        ("eu-*", true),
        ("*-1", true),
        ("eu-*-1", true),
        ("e*w*s*1", true),
        ("**", true),
        ("eu-west-1*", true),
        ("", false),
        ("eu-west-", false),
        ("eu-west-11", false),
        ("us-*", false),
        ("*-2", false),
        ("eu-west*west-1", false),
        ("*x*", false),
    ] {
        assert_eq!(super::asymmetric::covers(set, REGION), fits, "{set}");
    }
}

/// Requests of many kinds.
fn cases() -> impl Strategy<Value = Case> {
    let headers = proptest::collection::vec(("x-[a-z]{1,4}", "[ -~]{0,12}"), 0..5);
    let token = prop_oneof![Just(None), Just(Some(TOKEN))];
    let presigned = prop_oneof![Just(None), Just(Some(60))];
    let payload = prop_oneof![Just(Payload::Signed), Just(Payload::Unsigned)];
    let query = "([a-c%&=+ -]|%[0-9a-f]{2}){0,12}".prop_filter("as sent", |query| {
        // The signer reads what is not UTF-8 as a replacement character, which this verifier does not.
        !query.contains(' ') && percent_encoding::percent_decode_str(query).decode_utf8().is_ok()
    });
    ("(/([a-z. ~+@]|%[2-7][0-9a-f]){0,5}){1,4}", query, headers, any::<Vec<u8>>(), token, presigned, payload)
        .prop_map(|(path, query, headers, body, token, presigned, payload)| {
            let service = if payload == Payload::Signed { CONTROL } else { DATA };
            let mut case = Case::new(&path.replace(' ', ""), &query);
            for (name, value) in headers {
                case.header(&name, &value);
            }
            if payload == Payload::Unsigned {
                case.header(super::CONTENT_SHA256, super::UNSIGNED_PAYLOAD);
            }
            Case { method: Method::POST, body, token, presigned, payload, service, ..case }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_is_refused(case in cases(), at in any::<prop::sample::Index>(), byte in 1_u8..=255) {
        let signed = case.signed();
        prop_assert_eq!(signed.verdict(), Ok(ID.to_owned()));
        let mut changed = vec![
            ("method", Case { method: Method::PUT, ..signed.clone() }),
            ("path", Case { path: format!("{}x", signed.path), ..signed.clone() }),
            // More segments than the path can take back by `..`.
            ("path", Case { path: format!("/Y/Y/Y/Y/Y{}", signed.path), ..signed.clone() }),
            ("query", Case { query: format!("{}&z", signed.query), ..signed.clone() }),
            ("byte", Case { query: format!("%FF&{}", signed.query), ..signed.clone() }),
        ];
        if case.payload == Payload::Signed {
            let mut body = signed.body.clone();
            body.push(byte);
            changed.push(("body", Case { body, ..signed.clone() }));
            if !signed.body.is_empty() {
                let mut body = signed.body.clone();
                body[at.index(signed.body.len())] ^= byte;
                changed.push(("body", Case { body, ..signed.clone() }));
            }
        }
        if signed.presigned.is_some() {
            // Every parameter that the signer added, by its last character.
            let added = signed.query.match_indices("X-Amz-").map(|(at, _)| at);
            for start in added {
                let end = signed.query[start..].find('&').map_or(signed.query.len(), |length| start + length);
                let last = if signed.query[..end].ends_with('0') { "1" } else { "0" };
                let mut query = signed.query.clone();
                query.replace_range(end - 1..end, last);
                changed.push(("parameter", Case { query, ..signed.clone() }));
            }
        } else {
            let text = signed.headers["authorization"].to_str().unwrap().to_owned();
            // Spaces and commas between parts may vary; every other character counts.
            let at = at.index(text.len());
            let old = text.as_bytes()[at];
            if !b" ,".contains(&old) {
                let mut new = text.clone();
                new.replace_range(at..=at, if old == b'0' { "1" } else { "0" });
                changed.push(("authorization", signed.clone().authorization(&text, &new)));
            }
            let names = text.split_once("SignedHeaders=").and_then(|(_, rest)| rest.split(',').next()).unwrap();
            for name in names.split(';') {
                let mut case = signed.clone();
                case.headers.remove(name);
                changed.push(("header removed", case));
                let mut case = signed.clone();
                case.header(name, "more");
                changed.push(("header repeated", case));
                let mut case = signed.clone();
                let value = [signed.headers[name].as_bytes(), b"x"].concat();
                case.headers.remove(name);
                case.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(&value).unwrap());
                changed.push(("header changed", case));
            }
        }
        for (what, case) in changed {
            prop_assert!(case.verdict().is_err(), "{}: {:#?}", what, case);
        }
        let other = |_: &str| Some(Key {
            secret: "other".to_owned(),
            session_token: case.token.map(str::to_owned),
            expires: None,
        });
        let expected = Expected { service: case.service, region: REGION, payload: case.payload, now: now() };
        prop_assert_eq!(verify(&signed.request(), &expected, other), Err(Refused::Mismatch));
    }

    #[test]
    fn anything_may_be_sent(
        authorization in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..80),
            "AWS4-(HMAC|ECDSA-P256)-SHA256[ ,]{0,2}(Credential=[A-Z/0-9a-z_-]{0,40}\
             |Signature=[0-9a-f]{0,9}|SignedHeaders=[a-z;-]{0,20}|[ -~]{0,9}|, ){0,6}"
                .prop_map(String::into_bytes),
        ],
        date in "\\PC{0,20}|[0-9]{8}T[0-9]{6}Z",
        path in "\\PC{0,20}",
        query in "(\\PC{0,9}|(X-Amz-(Algorithm|Date|Credential|Signature|Expires|SignedHeaders)=\\PC{0,9})|&){0,9}",
    ) {
        let mut case = Case::new(&path, &query);
        if let Ok(value) = HeaderValue::from_bytes(&authorization) {
            case.headers.insert(header::AUTHORIZATION, value);
        }
        if let Ok(value) = HeaderValue::from_bytes(date.as_bytes()) {
            case.headers.insert("x-amz-date", value);
        }
        let refused = case.verdict().unwrap_err();
        prop_assert!(!refused.to_string().is_empty());
    }
}
