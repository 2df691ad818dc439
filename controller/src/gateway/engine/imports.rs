//! Target groups that services name and others keep: which are there, and which of them an import stands for.
//!
//! All are looked for at once: soon and again and again while one is lacking, and with each audit. Until a look has answered
//! for a group, rules that name it stay as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use lattice::{
    Tags, TargetGroupArn,
    import::{self, Candidate, Exported, Resolution},
    observed::Group,
    plan::{Known, KnownGroup},
    service::{Desired, GroupKey},
    tags,
};
use lattice_client::{Client, Error, Urgency};
use tokio::time::Instant;

use super::{
    Answer, Engine, News,
    load::Look,
    progress::ImportProgress,
    read,
    services::Lane,
    unit::{Name, Place, Tree},
};

/// The first wait while a group is lacking, and the longest.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);

/// Most calls at once of one look.
const AT_ONCE: usize = 8;

/// What is known of groups that others keep.
#[derive(Debug, Default)]
pub(super) struct Imports {
    pub(super) looking: Look,
    /// What services name.
    wanted: BTreeSet<GroupKey>,
    /// What the last look has found for each.
    found: BTreeMap<GroupKey, Found>,
    /// Looks in a row after which something was lacking.
    misses: u32,
    /// The tags of groups, where they have to be read one by one.
    tags: Arc<BTreeMap<TargetGroupArn, Tags>>,
}

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// This group.
    Group(TargetGroupArn),
    /// None; there are these of the export's name.
    Nothing(Vec<Candidate>),
    /// Several.
    Several(Vec<Candidate>),
    /// It can't be told now, for this reason.
    Unknown(String),
}

/// What is looked for.
#[derive(Debug, Clone)]
struct Wanted {
    keys: BTreeSet<GroupKey>,
    /// Groups that were found before or that rules name. Those that were tagged within the last minute may be missing
    /// from what is found by tags.
    before: BTreeSet<TargetGroupArn>,
    tags: Arc<BTreeMap<TargetGroupArn, Tags>>,
}

/// What a look has brought.
#[derive(Debug)]
pub(super) struct Seen {
    keys: BTreeSet<GroupKey>,
    exported: Vec<Exported>,
    /// Of groups by ARN: whether each is there, or why that can't be told.
    external: BTreeMap<TargetGroupArn, Result<bool, String>>,
    tags: BTreeMap<TargetGroupArn, Tags>,
    untagged: Option<Error>,
}

impl Imports {
    fn is_lacking(&self) -> bool {
        self.wanted.iter().any(|key| !matches!(self.found.get(key), Some(Found::Group(_))))
    }
}

impl Engine {
    /// Takes in which groups of others are named.
    pub(super) fn want_imports(&mut self, desired: &Desired, now: Instant) {
        let imports = &mut self.imports;
        if imports.wanted == desired.imports {
            return;
        }
        if desired.imports.iter().any(|key| !imports.found.contains_key(key)) {
            imports.misses = 0;
            imports.looking.hasten(now);
        }
        imports.wanted.clone_from(&desired.imports);
        imports.found.retain(|key, _| desired.imports.contains(key));
        self.progress.imports.retain(|key, _| desired.imports.contains(key));
        self.news.push(News::All);
    }

    /// When they are to be looked for. Not before services have been read, if they can be: what their rules name counts.
    pub(super) fn imports_due(&self) -> Option<Instant> {
        let due = self.imports.looking.due().filter(|_| self.loaded && !self.imports.wanted.is_empty())?;
        let unread = self
            .services
            .values()
            .any(|it| matches!(it.unit.tree, Tree::Unread(_)) && it.unit.lanes.failures(&Lane::Tree) == 0);
        (!unread).then_some(due)
    }

    /// Begins to look for them, if it is time.
    pub(super) fn look_for_imports(&mut self, now: Instant) {
        if self.imports_due().is_none_or(|due| due > now) {
            return;
        }
        let foreign = self.users.keys().filter(|arn| !self.group_places.contains_key(arn)).cloned();
        let imports = &mut self.imports;
        imports.looking.begin();
        let urgency = if imports.is_lacking() { Urgency::Change } else { Urgency::Observe };
        let before = imports.found.values().filter_map(|found| match found {
            Found::Group(arn) => Some(arn.clone()),
            _ => None,
        });
        let wanted = Wanted {
            keys: imports.wanted.clone(),
            before: before.chain(foreign).collect(),
            tags: Arc::clone(&imports.tags),
        };
        let (client, tagging) = (self.links.client.clone(), self.links.settings.tagging);
        self.tasks.spawn(async move { Answer::Imports(look(&client, wanted, tagging, urgency).await) });
    }

    /// A look has been answered.
    pub(super) fn imports_seen(&mut self, result: Result<Seen, Error>) {
        let now = Instant::now();
        let mut seen = match result {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(
                    error = error.chain(),
                    "looking for other clusters' target groups failed and is tried again"
                );
                let fraction = self.random.fraction();
                self.imports.looking.failed(now, fraction);
                let lacking = self.imports.wanted.iter().filter(|key| !self.imports.found.contains_key(key));
                for key in lacking {
                    let unknown = ImportProgress::Unknown(error.chain());
                    self.progress.imports.insert(key.clone(), unknown);
                }
                self.news.push(News::All);
                return;
            }
        };
        if let Some(error) = seen.untagged.take() {
            tracing::debug!(
                error = error.chain(),
                "exports can't be found by their tags, so all groups are listed"
            );
        }
        let mut changed = BTreeSet::new();
        for key in seen.keys.iter().filter(|key| self.imports.wanted.contains(key)) {
            let found = found(key, &seen);
            let before = self.imports.found.insert(key.clone(), found.clone());
            if before.as_ref() != Some(&found) {
                tracing::info!(
                    import = lattice::names::describe(key),
                    ?found,
                    "a target group was looked for"
                );
                changed.insert(key.clone());
            }
        }
        self.imports.tags = Arc::new(std::mem::take(&mut seen.tags));
        self.imports.looking.succeeded(self.links.settings.audit_period.map(|period| now + period));
        if self.imports.is_lacking() {
            let wait = FIRST.saturating_mul(1 << self.imports.misses.min(10)).min(LONGEST);
            self.imports.misses = self.imports.misses.saturating_add(1);
            self.imports.looking.hasten(now + wait);
        } else {
            self.imports.misses = 0;
            // What is read of tags is read anew with each audit.
            self.imports.tags = Arc::default();
        }
        // A name that came up while the look was under way.
        if self.imports.wanted.iter().any(|key| !self.imports.found.contains_key(key)) {
            self.imports.looking.hasten(now);
        }
        self.tell_imports(&changed);
    }

    /// Tells what has been found anew, and gives the services that go by it their turn.
    fn tell_imports(&mut self, changed: &BTreeSet<GroupKey>) {
        for key in changed {
            let Some(found) = self.imports.found.get(key) else { continue };
            let progress = match found {
                Found::Group(arn) => ImportProgress::Found(arn.clone()),
                Found::Nothing(others) => ImportProgress::Missing(words(others)),
                Found::Several(candidates) => ImportProgress::Ambiguous(words(candidates)),
                Found::Unknown(why) => ImportProgress::Unknown(why.clone()),
            };
            self.progress.imports.insert(key.clone(), progress);
        }
        if changed.is_empty() {
            return;
        }
        self.news.push(News::All);
        let names = |place: &Place| Name::Service(place.clone());
        let going_by: Vec<Name> = self
            .services
            .iter()
            .filter(|(_, it)| {
                let listeners = it.unit.wanted.iter().flat_map(|spec| spec.listeners.values());
                let actions = listeners.flat_map(|listener| {
                    listener.rules.iter().map(|rule| &rule.action).chain([&listener.default])
                });
                actions.flat_map(lattice::rule::Action::groups).any(|key| changed.contains(key))
            })
            .map(|(place, _)| names(place))
            .collect();
        for name in going_by {
            self.touch(name);
        }
    }

    /// What a rule names may not be there any more.
    pub(super) fn doubt_imports(&mut self) {
        if !self.imports.wanted.is_empty() {
            self.imports.looking.hasten(Instant::now());
        }
    }

    /// What rules may call a group that somebody else keeps.
    pub(super) fn known_import(&self, key: &GroupKey) -> KnownGroup {
        match self.imports.found.get(key) {
            None | Some(Found::Unknown(_)) => Known::NotYet,
            Some(Found::Group(arn)) => Known::Yes(arn.clone()),
            Some(Found::Nothing(_)) => Known::No,
            // That another cluster exports it as well does not take it away from those who have it.
            Some(Found::Several(candidates)) => {
                let mut named = candidates.iter().filter(|one| self.users.contains_key(&one.arn));
                match (named.next(), named.next()) {
                    (Some(one), None) => Known::Yes(one.arn.clone()),
                    _ => Known::No,
                }
            }
        }
    }
}

fn words(candidates: &[Candidate]) -> String {
    candidates.iter().map(Candidate::to_string).collect::<Vec<_>>().join("; ")
}

fn found(key: &GroupKey, seen: &Seen) -> Found {
    match key {
        GroupKey::External(arn) => match seen.external.get(arn) {
            Some(Ok(true)) => Found::Group(arn.clone()),
            Some(Err(why)) => Found::Unknown(why.clone()),
            Some(Ok(false)) | None => Found::Nothing(Vec::new()),
        },
        GroupKey::Imported(key) => match import::resolve(key, &seen.exported) {
            Resolution::Found(arn) => Found::Group(arn),
            Resolution::Missing(others) => Found::Nothing(others),
            Resolution::Ambiguous(candidates) => Found::Several(candidates),
        },
        GroupKey::Service(_) | GroupKey::Declared(_) => Found::Nothing(Vec::new()),
    }
}

/// Looks for groups that others keep.
async fn look(client: &Client, wanted: Wanted, tagging: bool, urgency: Urgency) -> Result<Seen, Error> {
    let imported = wanted.keys.iter().any(|key| matches!(key, GroupKey::Imported(_)));
    let (tags, untagged) =
        if imported { exports(client, &wanted, tagging, urgency).boxed().await? } else { Default::default() };
    let is_meant = |tags: &Tags| {
        wanted.keys.iter().any(|key| {
            matches!(key, GroupKey::Imported(key) if import::is_export_of(tags, &key.namespace, &key.name))
        })
    };
    let mut meant: Vec<(TargetGroupArn, Tags)> = Vec::new();
    for (arn, tags) in &tags {
        if is_meant(tags) {
            meant.push((arn.clone(), tags.clone()));
        }
    }
    let exported: Vec<Option<Exported>> = futures::stream::iter(meant)
        .map(|(arn, tags)| async move {
            let group = group(client, &arn, urgency).await?;
            Ok::<_, Error>(group.map(|group| Exported { group, tags }))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut arns: Vec<TargetGroupArn> = Vec::new();
    for key in &wanted.keys {
        if let GroupKey::External(arn) = key {
            arns.push(arn.clone());
        }
    }
    let external = futures::stream::iter(arns)
        .map(|arn| async move {
            let there = group(client, &arn, urgency).await;
            (arn, there.map(|group| group.is_some()).map_err(|error| error.chain()))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    Ok(Seen {
        keys: wanted.keys,
        exported: exported.into_iter().flatten().collect(),
        external,
        tags,
        untagged,
    })
}

/// The groups that may be exports, with their tags: those that are tagged so, or all where tags can't be searched.
async fn exports(
    client: &Client,
    wanted: &Wanted,
    tagging: bool,
    urgency: Urgency,
) -> Result<(BTreeMap<TargetGroupArn, Tags>, Option<Error>), Error> {
    let mut untagged = None;
    if tagging {
        let types = ["vpc-lattice:targetgroup"];
        match client.tagged(&types, tags::SOURCE_TYPE, Some(tags::EXPORT), urgency).boxed().await {
            Ok(found) => {
                let parsed = found.into_iter().filter_map(|(arn, tags)| Some((arn.parse().ok()?, tags)));
                let mut found: BTreeMap<TargetGroupArn, Tags> = parsed.collect();
                for arn in &wanted.before {
                    if !found.contains_key(arn) {
                        found.insert(arn.clone(), read::tags_of(client, arn.as_str(), urgency).await?);
                    }
                }
                return Ok((found, None));
            }
            Err(error) if read::is_lasting(&error) => untagged = Some(error),
            Err(error) => return Err(error),
        }
    }
    let listed = client.groups(None, urgency).boxed().await?;
    let found = futures::stream::iter(listed)
        .map(|group| async move {
            let tags = match wanted.tags.get(&group.arn) {
                Some(tags) => tags.clone(),
                None => read::tags_of(client, group.arn.as_str(), urgency).await?,
            };
            Ok::<_, Error>((group.arn, tags))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok((found, untagged))
}

/// A group, unless it is gone.
async fn group(client: &Client, arn: &TargetGroupArn, urgency: Urgency) -> Result<Option<Group>, Error> {
    match client.group(arn, urgency).boxed().await {
        Ok(group) => Ok(Some(group)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
