//! The status page: what this node's agent does, for a person on the node. `?format=json` gives the same for programs.

use std::fmt::Write as _;

use axum::{
    Json, Router,
    extract::{Query, State},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use runtime::readiness::{Readiness, Report};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::targets::status::Status;

#[derive(Clone)]
struct Shown {
    node: String,
    readiness: Readiness,
    targets: watch::Receiver<Status>,
}

#[derive(Deserialize)]
struct Wanted {
    format: Option<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    node: &'a str,
    version: &'static str,
    readiness: Report,
    targets: &'a Status,
}

/// The route of the page.
pub(crate) fn routes(node: String, readiness: Readiness, targets: watch::Receiver<Status>) -> Router {
    Router::new().route("/statusz", get(show)).with_state(Shown { node, readiness, targets })
}

async fn show(State(shown): State<Shown>, Query(wanted): Query<Wanted>) -> Response {
    let targets = shown.targets.borrow().clone();
    let page = Page {
        node: &shown.node,
        version: env!("CARGO_PKG_VERSION"),
        readiness: shown.readiness.report(),
        targets: &targets,
    };
    if wanted.format.as_deref() == Some("json") {
        Json(page).into_response()
    } else {
        Html(html(&page)).into_response()
    }
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24}\
h1{font-size:1.3rem}h2{font-size:1rem;margin:1.8rem 0 .4rem}small,.quiet{color:#667}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid #e3e6ea}\
th{font-weight:600;color:#667}code{font:13px ui-monospace,monospace}.bad{color:#b3261e}.good{color:#1a7f37}\
@media(prefers-color-scheme:dark){body{background:#14171a;color:#dde}td,th{border-color:#333}}";

fn html(page: &Page<'_>) -> String {
    let mut text = String::new();
    // Writing into a string can't fail.
    let _infallible = write_html(&mut text, page);
    text
}

fn write_html(text: &mut String, page: &Page<'_>) -> std::fmt::Result {
    let node = escape(page.node);
    write!(
        text,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Lath on {node}</title><style>{STYLE}</style>\
         <h1>Lath on {node} <small>{}</small></h1>",
        page.version
    )?;
    let report = &page.readiness;
    if report.ready && report.degraded.is_empty() && page.targets.troubles.is_empty() {
        text.push_str("<p class=good>All well.</p>");
    }
    for what in &report.waiting_for {
        write!(text, "<p class=bad>Waiting for {}.</p>", escape(what))?;
    }
    for (what, why) in &report.degraded {
        write!(text, "<p class=bad><b>{}</b>: {}</p>", escape(what), escape(why))?;
    }
    let lease = if page.targets.lease_fresh { "fresh" } else { "not fresh: nothing is deregistered" };
    write!(text, "<p class=quiet>Lease {lease}, epoch {}.</p>", page.targets.epoch)?;
    if page.targets.groups.is_empty() {
        text.push_str("<p>No pod of this node is a target.</p>");
    }
    for group in &page.targets.groups {
        write!(
            text,
            "<h2><code>{}</code>{}</h2>",
            escape(&group.arn),
            if group.full { " <span class=bad>full</span>" } else { "" }
        )?;
        for trouble in &group.troubles {
            write!(text, "<p class=bad>{}</p>", escape(trouble))?;
        }
        text.push_str("<table><tr><th>Pod<th>Target<th>State</tr>");
        for target in &group.targets {
            write!(
                text,
                "<tr><td>{}<td><code>{}</code><td>{}</tr>",
                escape(&target.pod),
                escape(&target.target),
                target.state
            )?;
        }
        text.push_str("</table>");
    }
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::status::{GroupStatus, TargetStatus};

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let targets = Status {
            groups: vec![GroupStatus {
                arn: "arn".into(),
                full: false,
                troubles: vec!["<script>".into()],
                targets: vec![TargetStatus {
                    target: "10.0.0.1:80".into(),
                    pod: "a/b".into(),
                    state: "registered",
                }],
            }],
            ..Status::default()
        };
        let page =
            Page { node: "n\"><", version: "1", readiness: Readiness::default().report(), targets: &targets };
        let text = html(&page);
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script>"), "{text}");
        assert!(text.contains("n&quot;&gt;&lt;"), "{text}");
        assert!(text.contains("10.0.0.1:80"));
    }
}
