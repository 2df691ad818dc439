//! `cargo xtask model`: turns the facts of VPC Lattice's service model into the simulator's table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// The facts, relative to the workspace.
pub(crate) const SOURCE: &str = "lattice/sim/model/vpc-lattice-2022-11-30.json";
/// The table made from them, relative to the workspace.
const TABLE: &str = "lattice/sim/src/model/table.rs";

/// Writes the table; with `check` it only says whether the checked-in one is current.
pub(crate) fn run(workspace: &Path, check: bool) -> Result<()> {
    let source = workspace.join(SOURCE);
    let facts = std::fs::read_to_string(&source)
        .with_context(|| format!("reading the model's facts in {}", source.display()))?;
    let table = generate(&facts).with_context(|| format!("reading {SOURCE}"))?;
    let path = workspace.join(TABLE);
    if check {
        let current = std::fs::read_to_string(&path).unwrap_or_default();
        ensure!(current == table, "{TABLE} is stale, run `cargo xtask model` and commit what it writes");
        return Ok(());
    }
    std::fs::write(&path, table).with_context(|| format!("writing {}", path.display()))
}

/// The Rust text of the table for `facts`.
///
/// Equal facts give equal text: everything is in order of name. Only shapes that an operation or an error
/// reaches are written.
fn generate(facts: &str) -> Result<String> {
    let facts: Value = serde_json::from_str(facts).context("the facts are not JSON")?;
    let operations = facts["operations"].as_array().context("no list `operations`")?;
    let shapes: BTreeMap<&str, &Value> = facts["shapes"]
        .as_object()
        .context("no object `shapes`")?
        .iter()
        .map(|(name, shape)| (name.as_str(), shape))
        .collect();
    let mut operations: Vec<&Value> = operations.iter().collect();
    operations.sort_by_key(|operation| operation["name"].as_str().map(str::to_owned));

    let mut out = String::from(
        "//! Every operation and shape of VPC Lattice's API. Written by `cargo xtask model`; do not edit.\n\n\
         use super::{\n    ErrorKind, ErrorShape, Location, Member, Operation, Pattern, Range, Shape, boolean, integer, list, map,\n    \
         structure, text, timestamp, union,\n};\n\n",
    );
    let mut reached = BTreeSet::new();
    let mut errors: BTreeSet<&str> = BTreeSet::new();
    writeln!(out, "pub(super) static OPERATIONS: [Operation; {}] = [", operations.len())?;
    for operation in &operations {
        write_operation(&mut out, operation)?;
        for key in ["input", "output"] {
            reach(string(operation, key)?, &shapes, &mut reached)?;
        }
        errors.extend(operation["errors"].as_array().into_iter().flatten().filter_map(Value::as_str));
    }
    out.push_str("];\n\n");

    writeln!(out, "pub(super) static ERRORS: [ErrorShape; {}] = [", errors.len())?;
    for name in &errors {
        let shape = shapes.get(name).with_context(|| format!("no shape {name}"))?;
        let status = shape["status"].as_u64().with_context(|| format!("{name} has no status"))?;
        writeln!(
            out,
            "    ErrorShape {{ kind: {}, name: {name:?}, status: {status}, body: &{} }},",
            error_kind(name)?,
            constant(name)
        )?;
        reach(name, &shapes, &mut reached)?;
    }
    out.push_str("];\n\n");

    for name in reached {
        write_shape(&mut out, name, shapes[name])?;
    }
    Ok(out)
}

/// Adds `name` and every shape it refers to.
fn reach<'a>(
    name: &'a str,
    shapes: &BTreeMap<&'a str, &'a Value>,
    into: &mut BTreeSet<&'a str>,
) -> Result<()> {
    if !into.insert(name) {
        return Ok(());
    }
    let shape = shapes.get(name).with_context(|| format!("no shape {name}"))?;
    let direct = ["member", "key", "value"].into_iter().filter_map(|key| shape[key].as_str());
    let members = shape["members"].as_object().into_iter().flatten();
    for next in direct.chain(members.filter_map(|(_, member)| member["shape"].as_str())) {
        reach(next, shapes, into)?;
    }
    Ok(())
}

fn write_operation(out: &mut String, operation: &Value) -> Result<()> {
    let name = string(operation, "name")?;
    let errors = operation["errors"].as_array().with_context(|| format!("{name} lists no errors"))?;
    let errors: Vec<&str> =
        errors.iter().map(|error| error_kind(error.as_str().unwrap_or_default())).collect::<Result<_>>()?;
    writeln!(
        out,
        "    Operation {{\n        name: {name:?},\n        method: {:?},\n        path: {:?},\n        status: {},\n        \
         idempotent: {},\n        read_only: {},\n        errors: &[{}],\n        input: &{},\n        output: &{},\n    }},",
        string(operation, "method")?,
        string(operation, "path")?,
        operation["status"].as_u64().with_context(|| format!("{name} has no status"))?,
        operation["idempotent"] == true,
        operation["readOnly"] == true,
        errors.join(", "),
        constant(string(operation, "input")?),
        constant(string(operation, "output")?),
    )?;
    Ok(())
}

fn write_shape(out: &mut String, name: &str, shape: &Value) -> Result<()> {
    let head = format!("static {}: Shape = ", constant(name));
    match string(shape, "type")? {
        "string" => {
            let values: Vec<&str> =
                shape["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let pattern = match shape["pattern"].as_str() {
                // A raw string holds any pattern but one with a quotation mark.
                Some(pattern) if !pattern.contains('"') => format!("Some(Pattern::new(r\"{pattern}\"))"),
                Some(pattern) => bail!("{name}: the pattern {pattern} holds a quotation mark"),
                None => "None".to_owned(),
            };
            writeln!(out, "{head}text({name:?}, {}, {pattern}, &{values:?});", range(shape))?;
        }
        "integer" | "long" => writeln!(out, "{head}integer({name:?}, {});", range(shape))?,
        "boolean" => writeln!(out, "{head}boolean({name:?});")?,
        "timestamp" => writeln!(out, "{head}timestamp({name:?});")?,
        "list" => {
            writeln!(
                out,
                "{head}list({name:?}, {}, &{});",
                range(shape),
                constant(string(shape, "member")?)
            )?;
        }
        "map" => {
            let (key, value) = (constant(string(shape, "key")?), constant(string(shape, "value")?));
            writeln!(out, "{head}map({name:?}, {}, &{key}, &{value});", range(shape))?;
        }
        "structure" => {
            let make = if shape["union"] == true { "union" } else { "structure" };
            writeln!(out, "{head}{make}({name:?}, &[")?;
            let members = shape["members"].as_object().with_context(|| format!("{name} has no members"))?;
            for (member, facts) in members.iter().collect::<BTreeMap<_, _>>() {
                let location = match facts["location"].as_str() {
                    None => "Body",
                    Some("uri") => "Path",
                    Some("querystring") => "Query",
                    Some("header") => "Header",
                    Some(other) => bail!("{name}.{member}: unknown location {other}"),
                };
                writeln!(
                    out,
                    "    Member {{ name: {member:?}, shape: &{}, required: {}, location: Location::{location}, token: {} }},",
                    constant(string(facts, "shape")?),
                    facts["required"] == true,
                    facts["idempotencyToken"] == true,
                )?;
            }
            out.push_str("]);\n");
        }
        other => bail!("{name}: unknown type {other}"),
    }
    Ok(())
}

fn string<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no string `{key}` in {value}"))
}

fn range(shape: &Value) -> String {
    let bound = |key: &str| shape[key].as_i64().map_or_else(|| "None".to_owned(), |n| format!("Some({n})"));
    format!("Range::new({}, {})", bound("min"), bound("max"))
}

fn error_kind(name: &str) -> Result<&'static str> {
    Ok(match name {
        "AccessDeniedException" => "ErrorKind::AccessDenied",
        "ConflictException" => "ErrorKind::Conflict",
        "InternalServerException" => "ErrorKind::InternalServer",
        "ResourceNotFoundException" => "ErrorKind::ResourceNotFound",
        "ServiceQuotaExceededException" => "ErrorKind::ServiceQuotaExceeded",
        "ThrottlingException" => "ErrorKind::Throttling",
        "ValidationException" => "ErrorKind::Validation",
        other => bail!("unknown error {other}"),
    })
}

/// `TargetGroupName` as a constant's name, `TARGET_GROUP_NAME`.
fn constant(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_table_is_current() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        run(&workspace, true).unwrap();
    }

    #[test]
    fn facts_with_a_gap_are_refused_by_name() {
        let facts = r#"{"operations": [{"name": "Get", "method": "GET", "path": "/", "status": 200,
            "errors": [], "input": "GetRequest", "output": "GetResponse"}], "shapes": {}}"#;
        assert_eq!(generate(facts).unwrap_err().to_string(), "no shape GetRequest");
    }
}
