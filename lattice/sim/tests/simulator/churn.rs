//! Random registrations, deregistrations and passing of time, held to a slow and obvious reference.

use std::collections::BTreeMap;

use aws_sdk_vpclattice::types::TargetStatus;
use proptest::prelude::*;

use crate::harness::Sim;

const DRAIN: f64 = 60.0;
const FIRST_CHECK: f64 = 7.0;
/// The healthy threshold of 5 times the interval of 30 s, both the defaults.
const RESET: f64 = 150.0;

/// All values of `target.reregister_draining`.
const WAYS: [&str; 5] = ["initial", "refused", "vanishes", "health-reset", "healthy"];

#[derive(Debug, Clone)]
enum Step {
    Register(Vec<usize>),
    Deregister(Vec<usize>),
    Pass(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ids = || prop::collection::vec(0..6_usize, 1..5);
    let step = prop_oneof![
        3 => ids().prop_map(Step::Register),
        3 => ids().prop_map(Step::Deregister),
        2 => (1..50_u8).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..40)
}

/// What happened to one target: when its health is known and, if it is leaving, when it was deregistered.
#[derive(Debug, Clone)]
struct Life {
    healthy: f64,
    deregistered: Option<f64>,
}

/// What should be listed, recomputed from the whole history.
#[derive(Debug, Default)]
struct Reference {
    now: f64,
    lives: BTreeMap<usize, Life>,
}

impl Reference {
    fn take(&mut self, step: &Step, way: &str) {
        match step {
            Step::Pass(seconds) => self.now += f64::from(*seconds),
            Step::Register(ids) => {
                for id in ids {
                    let fresh = Life { healthy: self.now + FIRST_CHECK, deregistered: None };
                    let life = match self.lives.get(id) {
                        Some(life) if life.deregistered.is_none() => continue,
                        Some(life) => match way {
                            "refused" | "vanishes" => continue,
                            "healthy" => Life { deregistered: None, ..life.clone() },
                            "health-reset" => Life { healthy: self.now + RESET, deregistered: None },
                            _ => fresh,
                        },
                        None => fresh,
                    };
                    self.lives.insert(*id, life);
                }
            }
            Step::Deregister(ids) => {
                for id in ids {
                    if let Some(life) = self.lives.get_mut(id) {
                        life.deregistered.get_or_insert(self.now);
                    }
                }
            }
        }
        let now = self.now;
        self.lives.retain(|_, life| life.deregistered.is_none_or(|at| now < at + DRAIN));
    }

    fn states(&self) -> BTreeMap<String, TargetStatus> {
        let state = |life: &Life| match life.deregistered {
            Some(_) => TargetStatus::Draining,
            None if self.now < life.healthy => TargetStatus::Initial,
            None => TargetStatus::Healthy,
        };
        self.lives.iter().map(|(id, life)| (address(*id), state(life))).collect()
    }
}

fn address(id: usize) -> String {
    format!("10.0.0.{id}")
}

async fn agrees(steps: &[Step], way: &str) {
    let sim = Sim::with(&[("target.reregister_draining", way), ("health.first_check_delay", "7")]);
    let (group, ..) = sim.used_group("web").await;
    let mut reference = Reference::default();
    for step in steps {
        let addresses = |ids: &[usize]| ids.iter().map(|id| address(*id)).collect::<Vec<_>>();
        match step {
            Step::Pass(seconds) => sim.advance(f64::from(*seconds)),
            Step::Register(ids) => {
                let ids = addresses(ids);
                sim.register(&group, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
            }
            Step::Deregister(ids) => {
                let ids = addresses(ids);
                sim.deregister(&group, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
            }
        }
        reference.take(step, way);
        let listed: BTreeMap<_, _> = sim.states(&group).await.into_iter().collect();
        assert_eq!(listed, reference.states(), "after {step:?}, {way}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn targets_agree_with_the_reference(steps in steps(), way in prop::sample::select(WAYS.to_vec())) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(agrees(&steps, way));
    }
}
