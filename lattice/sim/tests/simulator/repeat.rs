//! The same seed and the same calls give the same answers.

use lattice_sim::{Settings, Simulator};
use serde_json::Value;

use crate::harness::{Sim, client, forward};

/// A few calls, and what came of them.
async fn play(seed: u64) -> (Vec<Value>, Value) {
    let settings = Settings::instant().with("health.first_check_delay", "interval").unwrap();
    let simulator = Simulator::new(settings, seed);
    let sim = Sim { client: client(&simulator, &simulator.accounts()[0]), simulator };
    let (group, service, listener) = sim.used_group("web").await;
    let other = sim.group("other").await;
    sim.rule(&service, &listener, "api", 1, forward(&[&other])).await;
    sim.register(&group, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]).await;
    sim.advance(15.0);
    sim.states(&group).await;
    let answers = sim.simulator.log(0).into_iter().map(|entry| entry.response).collect();
    (answers, serde_json::to_value(sim.simulator.accounts()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_give_equal_answers_and_keys() {
    assert_eq!(play(7).await, play(7).await);
    let (seven, eight) = (play(7).await, play(8).await);
    assert_ne!(seven.0[0]["id"], eight.0[0]["id"]);
    assert_ne!(seven.1, eight.1);
}
