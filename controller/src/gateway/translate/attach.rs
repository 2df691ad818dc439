//! Which routes are attached to which listeners.

use lath_kubernetes::gateway::ParentReference;

use super::{
    World,
    gateways::{View, allows_namespace},
    hostnames::{Hostname, intersect},
    verdict::{Reason, Verdict},
};
use crate::gateway::route::Route;

/// A route's reference to a Gateway of Lath's, and what it comes to.
#[derive(Debug)]
pub(super) struct Parent<'a> {
    pub(super) reference: &'a ParentReference,
    /// The Gateway's place among the views.
    pub(super) gateway: usize,
    /// The listeners' places, and what host names the route has there. Empty if it is not attached.
    pub(super) listeners: Vec<(usize, Vec<Hostname>)>,
    /// Why it is not attached.
    pub(super) refused: Option<Verdict>,
}

/// The Gateway that a reference of the route names, if Lath serves it.
pub(super) fn view<'v, 'a>(
    views: &'v [View<'a>],
    route: &Route,
    parent: &ParentReference,
) -> Option<&'v View<'a>> {
    position(views, route, parent).and_then(|index| views.get(index))
}

fn position(views: &[View<'_>], route: &Route, parent: &ParentReference) -> Option<usize> {
    let gateway = parent.gateway(&route.name.object.namespace)?;
    views.iter().position(|view| *view.name == gateway)
}

/// What the route's references to Gateways of Lath's come to.
pub(super) fn parents<'a>(world: &World<'_>, views: &[View<'_>], route: &'a Route) -> Vec<Parent<'a>> {
    let known =
        route.parents.iter().filter_map(|reference| Some((reference, position(views, route, reference)?)));
    known
        .map(|(reference, gateway)| {
            let (listeners, refused) = match attach(world, &views[gateway], route, reference) {
                Ok(listeners) => (listeners, None),
                Err(verdict) => (Vec::new(), Some(verdict)),
            };
            Parent { reference, gateway, listeners, refused }
        })
        .collect()
}

fn attach(
    world: &World<'_>,
    view: &View<'_>,
    route: &Route,
    reference: &ParentReference,
) -> Result<Vec<(usize, Vec<Hostname>)>, Verdict> {
    if let Some(clash) = &view.verdict.clash {
        return Err(Verdict::no(Reason::NotAllowedByListeners, clash.clone()));
    }
    if view.is_suspended() {
        return Err(Verdict::no(
            Reason::NotAllowedByListeners,
            format!("Gateway {} is not accepted: {}", view.name, view.verdict.accepted.message),
        ));
    }
    let meant: Vec<usize> = (0..view.listeners.len())
        .filter(|index| {
            let listener = view.listeners[*index].listener;
            reference.section_name.as_ref().is_none_or(|name| *name == listener.name)
                && reference.port.is_none_or(|port| port == listener.port)
        })
        .collect();
    if meant.is_empty() {
        return Err(Verdict::no(
            Reason::NoMatchingParent,
            format!(
                "Gateway {} has no listener of that name and port: correct sectionName or port to one of {}",
                view.name,
                view.listeners.iter().map(|view| view.listener.name.as_str()).collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    let allowed: Vec<usize> = meant
        .into_iter()
        .filter(|index| {
            let listener = &view.listeners[*index];
            listener.takes(route.name.kind) && allows_namespace(world, view.name, listener.listener, route)
        })
        .collect();
    if allowed.is_empty() {
        return Err(Verdict::no(
            Reason::NotAllowedByListeners,
            format!(
                "No listener of Gateway {} takes routes of kind {} of namespace {}: see its listeners' protocols and allowedRoutes",
                view.name,
                route.name.kind.as_str(),
                route.name.object.namespace
            ),
        ));
    }
    let common: Vec<(usize, Vec<Hostname>)> = allowed
        .into_iter()
        .map(|index| (index, intersect(&route.hostnames, view.listeners[index].listener.hostname.as_deref())))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    if common.is_empty() {
        return Err(Verdict::no(
            Reason::NoMatchingListenerHostname,
            format!(
                "No listener of Gateway {} serves {}: correct the route's hostnames or the listeners' hostname",
                view.name,
                route.hostnames.join(", ")
            ),
        ));
    }
    Ok(common)
}
