//! How neighbours answer: in JSON, or in XML of two kinds.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::signature::Refused;

use super::Error;

/// The protocol of a neighbour, with the operation's name where answers carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// JSON 1.1, with the operation in a header.
    Json,
    /// JSON, with the operation in the path.
    Rest,
    /// Forms, answered in XML: STS.
    Query(&'static str),
    /// Forms, answered in EC2's XML.
    Ec2(&'static str),
}

/// An answer as it goes onto the wire.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) content_type: &'static str,
    pub(crate) error: Option<&'static str>,
}

impl Protocol {
    /// The answer to a call.
    pub(crate) fn reply(self, outcome: &Result<Value, Error>, request_id: &str) -> Reply {
        let body = match outcome {
            Ok(members) => self.success(members, request_id),
            Err(error) => self.failure(error, request_id),
        };
        let (status, error) = match outcome {
            Ok(_) => (200, None),
            Err(error) => (error.status, Some(error.code)),
        };
        Reply {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            body: Bytes::from(body),
            content_type: match self {
                Self::Json => "application/x-amz-json-1.1",
                Self::Rest => "application/json",
                Self::Query(_) | Self::Ec2(_) => "text/xml",
            },
            error,
        }
    }

    /// The error of a signature that does not hold. STS and EC2 have names of their own for most.
    pub(crate) fn refusal(self, refused: &Refused) -> Error {
        let code = match (self, refused.code()) {
            (Self::Query(_), "InvalidSignatureException") => "SignatureDoesNotMatch",
            (Self::Query(_), "UnrecognizedClientException") => "InvalidClientTokenId",
            (Self::Query(_), "MissingAuthenticationTokenException") => "MissingAuthenticationToken",
            (Self::Query(_), "IncompleteSignatureException") => "IncompleteSignature",
            (Self::Query(_), "ExpiredTokenException") => "ExpiredToken",
            (Self::Ec2(_), "ExpiredTokenException") => "RequestExpired",
            (Self::Ec2(_), _) => "AuthFailure",
            (_, code) => code,
        };
        Error { code, message: refused.to_string(), status: refused.status() }
    }

    fn success(self, members: &Value, request_id: &str) -> String {
        match self {
            Self::Json | Self::Rest => members.to_string(),
            Self::Query(name) => {
                let mut xml = format!(
                    "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>"
                );
                write_xml(members, &mut xml);
                xml + &format!(
                    "</{name}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
                )
            }
            Self::Ec2(name) => {
                let mut xml = format!(
                    "<{name}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{request_id}</requestId>"
                );
                write_xml(members, &mut xml);
                xml + &format!("</{name}Response>")
            }
        }
    }

    fn failure(self, error: &Error, request_id: &str) -> String {
        let (code, message) = (error.code, escape(&error.message));
        match self {
            Self::Json => json!({"__type": code, "message": error.message}).to_string(),
            Self::Rest => json!({"message": error.message}).to_string(),
            Self::Query(_) => format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            ),
            Self::Ec2(_) => format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
            ),
        }
    }
}

/// Writes an object's members as elements. The items of a list are `<item>`, as in EC2's answers.
fn write_xml(value: &Value, xml: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                xml.extend(["<", name, ">"]);
                write_xml(member, xml);
                xml.extend(["</", name, ">"]);
            }
        }
        Value::Array(items) => {
            for item in items {
                xml.push_str("<item>");
                write_xml(item, xml);
                xml.push_str("</item>");
            }
        }
        Value::String(text) => xml.push_str(&escape(text)),
        Value::Null => {}
        other => xml.push_str(&other.to_string()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
