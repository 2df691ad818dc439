//! The suite and its echo server.

use crate::error::Result;
use crate::gomodule::{Built, Module, Program, required_version};

const GO_MOD: &str = include_str!("../../conformance/go.mod");

/// The suite, as an image is called.
pub(super) const SUITE: &str = "conformance-suite";
/// The server that its manifests want, as they call it.
pub(super) const ECHO: &str = "echo-basic";

static MODULE: Module = Module {
    name: "conformance",
    title: "Gateway API's conformance suite",
    files: &[
        GO_MOD,
        include_str!("../../conformance/go.sum"),
        include_str!("../../conformance/conformance_test.go"),
    ],
    programs: &[
        Program { name: SUITE, package: ".", tests: true },
        Program { name: ECHO, package: "sigs.k8s.io/gateway-api/conformance/echo-basic", tests: false },
    ],
    link_flags: || "-s -w".into(),
};

/// Both programs; what is missing is built, which takes three minutes on two cores.
pub(super) async fn ensure() -> Result<Built> {
    let built = Built::from_environment(&MODULE)?;
    built.ensure(|_| true).await?;
    Ok(built)
}

/// The version of Gateway API that the suite is for, as `v1.6.3`.
pub(super) fn version() -> &'static str {
    required_version(GO_MOD, "sigs.k8s.io/gateway-api/conformance").unwrap_or("v0.0.0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_is_for_the_definitions_that_worlds_have() {
        let definitions = include_str!("../../gatewayapi/go.mod");
        assert_eq!(required_version(definitions, "sigs.k8s.io/gateway-api"), Some(version()));
    }
}
