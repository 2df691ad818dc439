//! Finding what is this cluster's and which networks there are: at the start, with each audit, and while a network is missing.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use lattice::{Tags, observed::Network, resource::ResourceSpec, service::Desired, tags};
use lattice_client::{Error, Urgency};
use tokio::time::Instant;

use super::{
    Answer, Engine, News,
    groups::GroupUnit,
    networks::NetworkUnit,
    read::{self, Catalogue, GroupSeed, ServiceSeed},
    resources::{self, ResourceSeed, ResourceUnit},
    services::ServiceUnit,
    turn,
    unit::{Kind, Name, Place, Tree},
};

/// The first wait after a failure, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The first wait while a network is missing, and the longest.
const FIRST_MISSING: Duration = Duration::from_secs(5);

/// A look at everything at once, which is made again and again.
#[derive(Debug, Default)]
pub(super) struct Look {
    under_way: bool,
    due: Option<Instant>,
    /// Whether it has been made.
    made: bool,
    failures: u32,
    /// Looks in a row that have not found what was looked for.
    misses: u32,
}

impl Look {
    /// When it is to be made, unless it is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| !self.under_way)
    }

    fn is_due(&self, now: Instant) -> bool {
        !self.under_way && (self.due.is_some_and(|due| due <= now) || (!self.made && self.due.is_none()))
    }

    pub(super) fn begin(&mut self) {
        self.under_way = true;
    }

    pub(super) fn failed(&mut self, now: Instant, fraction: f64) {
        self.under_way = false;
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + wait.mul_f64(0.75 + 0.25 * fraction));
    }

    pub(super) fn succeeded(&mut self, next: Option<Instant>) {
        *self = Self { made: true, due: next, misses: self.misses, ..Self::default() };
    }

    /// Makes it due by `at`.
    pub(super) fn hasten(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

impl Engine {
    /// Begins the looks that are due.
    pub(super) fn look(&mut self, now: Instant) {
        self.look_for_imports(now);
        if self.finding.is_due(now) {
            self.finding.begin();
            let urgency = if self.loaded { Urgency::Observe } else { Urgency::Change };
            let (client, site) = (self.links.client.clone(), self.links.site.clone());
            let tagging = self.links.settings.tagging;
            self.tasks.spawn(async move {
                Answer::Catalogue(read::catalogue(&client, &site, tagging, urgency).await)
            });
        }
        if self.listing.is_due(now) {
            self.listing.begin();
            let urgency = if self.known_networks.is_some() { Urgency::Observe } else { Urgency::Change };
            let (client, site) = (self.links.client.clone(), self.links.site.clone());
            let steps = self.network_steps;
            self.tasks.spawn(async move {
                Answer::Networks { steps, result: read::networks(&client, &site, urgency).await }
            });
        }
    }

    /// It is known which resources are this cluster's.
    pub(super) fn catalogued(&mut self, result: Result<Catalogue, Error>) {
        let now = Instant::now();
        self.links.metrics.loaded(result.is_ok());
        let mut catalogue = match result {
            Ok(catalogue) => catalogue,
            Err(error) => {
                tracing::warn!(
                    error = error.chain(),
                    "finding this cluster's resources failed and is tried again"
                );
                let fraction = self.random.fraction();
                self.finding.failed(now, fraction);
                return;
            }
        };
        if let Some(error) = catalogue.untagged.take()
            && !std::mem::replace(&mut self.told_untagged, true)
        {
            tracing::warn!(
                error = error.chain(),
                "this cluster's resources can't be found by their tags, so all resources are listed, which takes more calls"
            );
        }
        self.finding.succeeded(self.links.settings.audit_period.map(|period| now + period));
        let first = !std::mem::replace(&mut self.loaded, true);
        Arc::make_mut(&mut self.ours).append(&mut catalogue.ours);
        self.claimed.append(&mut catalogue.networks);
        self.settle(catalogue, !first, now);
        self.want();
    }

    /// Takes in what has become this cluster's of late, and can't be found by its tags yet.
    pub(super) fn absorb(&mut self, desired: &Desired) {
        let mut catalogue = Catalogue::default();
        for (arn, tags) in &desired.taken {
            if read::is_ours(tags, &self.links.site) && self.absorbed.insert(arn.clone()) {
                catalogue.take(arn, tags.clone());
            }
        }
        Arc::make_mut(&mut self.ours).append(&mut catalogue.ours);
        self.settle(catalogue, false, Instant::now());
    }

    /// Gives what is this cluster's its place.
    fn settle(&mut self, catalogue: Catalogue, unexpected: bool, now: Instant) {
        for (arn, tags) in catalogue.services {
            let known = self.services.values().any(|it| it.arn() == Some(&arn));
            let Some(tag) = tags.get(tags::OWNER).filter(|_| !known) else { continue };
            let own = Place::Own(tag.clone());
            let seed = Tree::Unread(ServiceSeed { arn: arn.clone(), tags: Some(tags.clone()) });
            let place = match self.services.get_mut(&own) {
                // It may be the one that is being made: whether it is will be known when the call is answered.
                Some(it) if it.unit.is_being_made() => {
                    self.finding.hasten(now + LONGEST);
                    continue;
                }
                Some(it) if it.unit.tree.is_absent() => {
                    it.unit.tree = seed;
                    own
                }
                Some(_) => {
                    let spare = Place::Spare(arn.clone());
                    self.services.insert(spare.clone(), ServiceUnit::new(seed));
                    spare
                }
                None => {
                    self.services.insert(own.clone(), ServiceUnit::new(seed));
                    own
                }
            };
            if unexpected {
                self.appeared(Kind::Service, &arn);
            }
            self.touch(Name::Service(place));
        }
        for (arn, tags) in catalogue.groups {
            let Some(tag) = tags.get(tags::GROUP).filter(|_| !self.group_places.contains_key(&arn)) else {
                continue;
            };
            let own = Place::Own(tag.clone());
            let seed = Tree::Unread(GroupSeed { arn: arn.clone(), tags: Some(tags.clone()) });
            let place = match self.groups.get_mut(&own) {
                Some(it) if it.unit.is_being_made() => {
                    self.finding.hasten(now + LONGEST);
                    continue;
                }
                Some(it) if it.unit.tree.is_absent() => {
                    it.unit.tree = seed;
                    own
                }
                Some(_) => {
                    let spare = Place::Spare(arn.to_string());
                    self.groups.insert(spare.clone(), GroupUnit::new(seed));
                    spare
                }
                None => {
                    self.groups.insert(own.clone(), GroupUnit::new(seed));
                    own
                }
            };
            if unexpected {
                self.appeared(Kind::Group, arn.as_str());
            }
            self.group_places.insert(arn.clone(), place.clone());
            if !unexpected {
                // Rules may have ceased to name it just before the start.
                self.linger(arn, now);
            }
            self.touch(Name::Group(place));
        }
        self.catalogued_resources(catalogue.resources, !unexpected, now);
    }

    /// It is known which resource gateways, directories and resource configurations are this cluster's.
    fn catalogued_resources(&mut self, found: Vec<(String, Tags)>, first: bool, now: Instant) {
        for (arn, tags) in found {
            let known = self.resources.values().any(|it| it.arn() == Some(&arn));
            let kind = turn::resource::kind_of(&arn).filter(|_| !known);
            let Some((kind, tag)) = kind.zip(tags.get(tags::OWNER)) else { continue };
            let place = resources::place(kind, tag);
            let it =
                self.resources.entry(place.clone()).or_insert_with(|| ResourceUnit::new(kind, Tree::Absent));
            if it.unit.is_being_made() {
                self.finding.hasten(now + LONGEST);
                continue;
            }
            // Another one with the same tag is not Lath's, whose names are unique.
            if !it.unit.tree.is_absent() {
                continue;
            }
            it.unit.tree = Tree::Unread(ResourceSeed { arn: arn.clone(), tags: Some(tags) });
            if !first {
                self.appeared(Kind::Resource, &arn);
            }
            self.touch(Name::Resource(place));
        }
    }

    /// Something of this cluster's has come to light that was not known.
    fn appeared(&self, kind: Kind, arn: &str) {
        self.links.metrics.drifted(kind);
        tracing::info!(kind = kind.as_str(), arn, "a resource of this cluster's has come to light");
    }

    /// It is known which networks there are.
    pub(super) fn listed(&mut self, steps: u64, result: Result<read::Networks, Error>) {
        let now = Instant::now();
        match result {
            Err(error) => {
                tracing::warn!(error = error.chain(), "reading service networks failed and is tried again");
                let fraction = self.random.fraction();
                self.listing.failed(now, fraction);
                return;
            }
            // What was called meanwhile may be missing from it.
            Ok(_) if steps != self.network_steps => {
                self.listing.succeeded(Some(now + FIRST));
                return;
            }
            Ok(read) => {
                let first = self.known_networks.is_none();
                if !first && self.vpc != read.vpc {
                    self.links.metrics.drifted(Kind::Network);
                    tracing::info!(
                        vpc = self.links.site.vpc,
                        "the VPC's service network was changed by others"
                    );
                }
                self.known_networks = Some(read.all);
                self.members = read.members;
                self.vpc = read.vpc;
            }
        }
        self.listing.succeeded(self.links.settings.audit_period.map(|period| now + period));
        self.listing.misses = self.listing.misses.saturating_add(1);
        if let Some(desired) = self.desired.clone().filter(|_| self.loaded) {
            self.want_networks(&desired, now);
        }
        self.await_missing(now);
        self.networks_changed();
    }

    /// Looks again soon if a network is missing that others are to make.
    pub(super) fn await_missing(&mut self, now: Instant) {
        let missing = |it: &NetworkUnit| {
            it.network.is_none() && it.unit.wanted.as_ref().is_none_or(|wanted| !wanted.create)
        };
        let any = self.networks.values().any(missing);
        if !any {
            self.listing.misses = 0;
        } else if self.known_networks.is_some() && !self.listing.under_way {
            let times = self.listing.misses.saturating_sub(1).min(10);
            self.listing.hasten(now + FIRST_MISSING.saturating_mul(1 << times).min(LONGEST));
        }
    }

    /// The network of this name or id.
    pub(super) fn find_network(&self, name: &str) -> Option<&Network> {
        let all = self.known_networks.as_ref()?;
        let own = |network: &&Network| network.arn.split(':').nth(4) == Some(&self.links.site.account);
        let named = |network: &&Network| network.name == name;
        all.iter()
            .find(|network| network.id.as_str() == name || network.arn == name)
            .or_else(|| all.iter().filter(named).find(own))
            .or_else(|| all.iter().find(named))
    }

    /// Takes in which networks are wanted, looked for, or left over.
    pub(super) fn want_networks(&mut self, desired: &Desired, now: Instant) {
        let looked_for = desired.services.values().flat_map(|spec| &spec.networks);
        let looked_for = looked_for.chain(desired.resources.values().filter_map(|spec| match spec {
            ResourceSpec::Configuration(spec) => Some(&spec.network),
            _ => None,
        }));
        let mut names: BTreeSet<String> = desired.networks.keys().chain(looked_for).cloned().collect();
        let taken: BTreeSet<_> = desired
            .networks
            .keys()
            .filter_map(|name| self.find_network(name).map(|network| network.id.clone()))
            .collect();
        let mut leftovers = BTreeSet::new();
        if self.known_networks.is_some() {
            let ours = self.vpc.iter().filter(|(_, vpc)| vpc.ours).map(|(id, _)| id);
            let spared: BTreeSet<_> = desired
                .spared_networks
                .iter()
                .filter_map(|name| self.find_network(name))
                .map(|one| &one.id)
                .collect();
            let left = ours.chain(&self.claimed).filter(|id| !taken.contains(*id) && !spared.contains(id));
            leftovers = left.map(|id| id.as_str().to_owned()).collect();
        }
        names.extend(leftovers.iter().cloned());
        self.networks.retain(|name, it| {
            names.contains(name) || it.unit.lanes.busy() || !it.unit.lanes.to_repeat().is_empty()
        });
        for name in &names {
            self.networks.entry(name.clone()).or_insert_with(NetworkUnit::new);
        }
        let nothing = lattice::service::NetworkSpec::default();
        let mut touched = Vec::new();
        for (name, it) in &mut self.networks {
            it.leftover = leftovers.contains(name) && !desired.networks.contains_key(name);
            let wanted = desired.networks.get(name).or(it.leftover.then_some(&nothing));
            if it.unit.want(wanted, now) {
                touched.push(Name::Network(name.clone()));
            }
            if wanted.is_none() {
                touched.push(Name::Network(name.clone()));
            }
        }
        let networks = &self.networks;
        self.progress.networks.retain(|name, _| networks.get(name).is_some_and(|it| !it.leftover));
        self.news.push(News::All);
        for name in touched {
            self.touch(name);
        }
        self.await_missing(now);
    }

    /// Networks have come or gone, or the VPC's association has changed: whatever goes by them has its turn.
    pub(super) fn networks_changed(&mut self) {
        let names: Vec<Name> = self.networks.keys().cloned().map(Name::Network).collect();
        for name in names {
            self.touch(name);
        }
        let waiting = self
            .services
            .iter()
            .filter(|(_, it)| it.waits.iter().any(|wait| matches!(wait, lattice::plan::Wait::Network(_))));
        let mut waiting: Vec<Name> = waiting.map(|(place, _)| Name::Service(place.clone())).collect();
        let of_resources = self
            .resources
            .iter()
            .filter(|(_, it)| it.waits.iter().any(|wait| matches!(wait, lattice::plan::Wait::Network(_))));
        waiting.extend(of_resources.map(|(place, _)| Name::Resource(place.clone())));
        for name in waiting {
            self.touch(name);
        }
    }
}
