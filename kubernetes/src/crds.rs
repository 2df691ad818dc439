//! The custom resource definitions, made from the types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::{CustomResourceExt as _, Resource as _};

use crate::{
    GatewayParameters, NodeTargets, ServiceNetwork, TargetGroupBinding,
    multicluster::{ServiceExport, ServiceImport},
    policy::{AccessLogPolicy, IAMAuthPolicy, TargetGroupPolicy, VpcAssociationPolicy},
    target_group::TargetGroup,
};

/// The definitions as files of the chart: names and texts.
///
/// # Errors
/// When a definition can't be written as YAML.
pub fn files() -> Result<Vec<(String, String)>, serde_saphyr::ser::Error> {
    all()
        .into_iter()
        .map(|(name, crd)| {
            let text = serde_saphyr::to_string(&crd)?;
            Ok((name, format!("# Made by `cargo xtask crds` from the types in kubernetes/src.\n{text}")))
        })
        .collect()
}

/// Every definition that Lath installs, with the name of its file.
#[must_use]
pub fn all() -> Vec<(String, CustomResourceDefinition)> {
    let crds = [
        TargetGroupBinding::crd(),
        NodeTargets::crd(),
        GatewayParameters::crd(),
        ServiceNetwork::crd(),
        TargetGroupPolicy::crd(),
        IAMAuthPolicy::crd(),
        VpcAssociationPolicy::crd(),
        AccessLogPolicy::crd(),
        ServiceExport::crd(),
        ServiceImport::crd(),
        TargetGroup::crd(),
    ];
    // As in the AWS controller's definitions, objects of these kinds need no spec.
    let bare = [ServiceNetwork::kind(&()), ServiceExport::kind(&()), ServiceImport::kind(&())];
    crds.into_iter()
        .map(|mut crd| {
            for version in &mut crd.spec.versions {
                let schemas = version.schema.iter_mut();
                for schema in schemas.flat_map(|schema| &mut schema.open_api_v3_schema) {
                    drop_formats(schema);
                    if bare.iter().any(|kind| *kind == crd.spec.names.kind) {
                        schema.required = None;
                    }
                }
            }
            (format!("{}.yaml", crd.spec.names.plural), crd)
        })
        .collect()
}

/// Drops Rust's formats of integers, which the API server does not know and warns about. Minimum and maximum say it all.
fn drop_formats(schema: &mut JSONSchemaProps) {
    if schema.format.as_ref().is_some_and(|format| format.starts_with("uint")) {
        schema.format = None;
    }
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(drop_formats);
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => drop_formats(items),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(drop_formats),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    /// The checked-in definitions are what `cargo xtask crds` makes.
    #[test]
    fn the_chart_has_these_definitions() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/helm/lath/crds");
        for (name, text) in super::files().unwrap() {
            let checked_in = std::fs::read_to_string(folder.join(&name)).unwrap();
            assert!(checked_in == text, "{name} is stale: run `cargo xtask crds`");
        }
    }
}
