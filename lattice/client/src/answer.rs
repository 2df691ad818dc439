//! Members of answers. The SDK takes answers in which any of them is absent.

use std::collections::HashMap;

use lattice::{
    Tags,
    observed::{Attempt, Status},
};

use crate::{Error, Operation};

/// The error for an answer without something that nothing can be done without. What was called for may have been done.
pub(crate) fn lacks(call: Operation, what: &str) -> Error {
    Error::Unanswered { call, source: format!("the answer lacks {what}").into() }
}

/// A member that has to be there, such as "an id".
pub(crate) fn required<'a, T: From<&'a str>>(
    call: Operation,
    what: &str,
    member: Option<&'a str>,
) -> Result<T, Error> {
    // The SDK itself fills in an empty text for some of the members that the model requires.
    member.filter(|text| !text.is_empty()).map(T::from).ok_or_else(|| lacks(call, what))
}

/// A small number, such as a port.
pub(crate) fn number(member: Option<i32>) -> Option<u16> {
    member.and_then(|number| u16::try_from(number).ok())
}

/// A status by the API's word. Nobody knows what an absent one means.
pub(crate) fn status(word: Option<&str>, code: Option<&str>, message: Option<&str>) -> Status {
    let failed = |what| Status::Failed {
        what,
        message: [code, message].into_iter().flatten().collect::<Vec<_>>().join(": "),
    };
    match word.unwrap_or("absent") {
        "CREATE_IN_PROGRESS" => Status::Creating,
        "ACTIVE" => Status::Active,
        "UPDATE_IN_PROGRESS" => Status::Updating,
        "DELETE_IN_PROGRESS" => Status::Deleting,
        "CREATE_FAILED" => failed(Attempt::Create),
        "UPDATE_FAILED" => failed(Attempt::Update),
        "DELETE_FAILED" => failed(Attempt::Delete),
        word => Status::Unknown(word.into()),
    }
}

/// The id that an identifier stands for: itself, or the last part of an ARN.
pub(crate) fn id_of(identifier: &str) -> &str {
    identifier.rsplit('/').next().unwrap_or(identifier)
}

/// Tags as the SDK wants them.
pub(crate) fn tag_map(tags: &Tags) -> Option<HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}
