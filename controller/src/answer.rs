//! What answers of the Kubernetes API mean to whoever wrote something.

/// Whether a write was refused because the object has changed, has gone, or is another one by now. The watch brings
/// what is true, so there is nothing to repeat and nobody to tell.
pub(crate) fn came_too_late(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    // A patch that names another UID than the object's is refused as a change of a field that can't change.
    status.is_conflict()
        || status.is_not_found()
        || (status.is_invalid() && status.message.contains("metadata.uid"))
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn conflicts_absence_and_another_uid_are_no_failures() {
        for (code, reason, message, late) in [
            (409, "Conflict", "the object has been modified", true),
            (404, "NotFound", "pods \"web-0\" not found", true),
            (
                422,
                "Invalid",
                "Pod \"web-0\" is invalid: metadata.uid: Invalid value: \"x\": field is immutable",
                true,
            ),
            (422, "Invalid", "spec.targetGroup cannot be changed", false),
            (403, "Forbidden", "pods is forbidden", false),
        ] {
            let error = kube::Error::Api(Status::failure(message, reason).with_code(code).boxed());
            assert_eq!(came_too_late(&error), late, "{code} {message}");
        }
    }
}
