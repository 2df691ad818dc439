//! What a page or a batch costs does not grow with what there is besides.
//!
//! Pages and batches are small here, so that a pass over all rows would stand out.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::harness::Sim;

/// How many services and groups, and targets of a group, a small and a large world have. Either fills a page.
const SMALL: (usize, usize) = (120, 200);
const LARGE: (usize, usize) = (5_000, 20_000);

/// How much more a call may cost in the large world, which has at least 40 times as much in it. Cold caches and deeper
/// trees are within it, a pass over all rows is not.
const MOST: f64 = 2.5;

/// Items of a page, and targets of a batch, whose cost is measured.
const ITEMS: usize = 2;

/// Calls of one measurement, which take some 30 ms or more: the time of threads is told in steps of up to 4 ms.
const CALLS: usize = 1_000;

/// Measurements of which the least counts, since whatever disturbs makes them greater.
const ROUNDS: usize = 4;

struct World {
    sim: Sim,
    group: String,
    /// What leads to a page from the middle of the list of services, groups and targets each.
    middle: [String; 3],
}

impl World {
    async fn new((rows, targets): (usize, usize)) -> Self {
        let sim = Sim::with(&[
            ("quota.target_groups", "100000"),
            ("quota.services", "100000"),
            ("quota.targets_per_group", "100000"),
            ("target.unused_linger_seconds", "0"),
        ]);
        let group = sim.group("measured").await;
        for n in 0..rows {
            sim.send("POST", "/services", &json!({"name": format!("number-{n}")})).await;
            sim.send("POST", "/targetgroups", &json!({"name": format!("number-{n}"), "type": "LAMBDA"}))
                .await;
        }
        let mut world = Self { sim, group, middle: [const { String::new() }; 3] };
        for first in (0..targets).step_by(100) {
            world.change("registertargets", first..first + 100).await;
        }
        for (place, rows) in [rows, rows, targets].into_iter().enumerate() {
            for _ in 0..rows / 100 / 2 {
                let page = world.page(place, 100).await;
                page["nextToken"].as_str().unwrap().clone_into(&mut world.middle[place]);
            }
        }
        world
    }

    /// A page of services, groups or targets.
    async fn page(&self, place: usize, size: usize) -> Value {
        let token = &self.middle[place];
        let next = if token.is_empty() { String::new() } else { format!("&nextToken={token}") };
        let (method, path) = match place {
            0 => ("GET", "/services".to_owned()),
            1 => ("GET", "/targetgroups".to_owned()),
            _ => ("POST", format!("/targetgroups/{}/listtargets", self.group)),
        };
        self.call(method, &format!("{path}?maxResults={size}{next}"), String::new()).await
    }

    /// Registers or deregisters these targets, by number.
    async fn change(&self, how: &str, numbers: std::ops::Range<usize>) {
        let target = |n: usize| json!({"id": format!("10.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250)});
        let body = json!({"targets": numbers.map(target).collect::<Vec<_>>()});
        let path = format!("/targetgroups/{}/{how}", self.group);
        let done = self.call("POST", &path, body.to_string()).await;
        assert_eq!(done["unsuccessful"], json!([]), "{done}");
    }

    /// Calls without the harness, whose checks would cost more than the call.
    async fn call(&self, method: &str, path: &str, body: String) -> Value {
        let request = Request::builder().method(method).uri(path).body(Bytes::from(body)).unwrap();
        let response = self.sim.simulator.handle(request).await;
        assert!(response.status().is_success(), "{response:?}");
        serde_json::from_slice(response.body()).unwrap()
    }

    /// What each kind of call takes, in nanoseconds of this thread.
    async fn measure(&self) -> [u64; 4] {
        let mut taken = [0; 4];
        for (place, taken) in taken.iter_mut().enumerate() {
            let before = thread_time();
            for _ in 0..CALLS {
                if place < 3 {
                    self.page(place, ITEMS).await;
                } else {
                    let targets = 1_000_000..1_000_000 + ITEMS;
                    self.change("registertargets", targets.clone()).await;
                    self.change("deregistertargets", targets).await;
                }
            }
            *taken = thread_time() - before;
        }
        taken
    }
}

/// The processor time that this thread has taken, in nanoseconds.
fn thread_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    text.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn pages_and_batches_cost_the_same_in_a_large_world() {
    let (small, large) = (World::new(SMALL).await, World::new(LARGE).await);
    let mut least = [[u64::MAX; 4]; 2];
    for _ in 0..ROUNDS {
        for (world, least) in [&small, &large].into_iter().zip(&mut least) {
            for (least, taken) in least.iter_mut().zip(world.measure().await) {
                *least = taken.min(*least);
            }
        }
    }
    let [small, large] = least.map(|least| least.map(|least| least as f64 / 1e6 / CALLS as f64));
    let calls = ["ListServices", "ListTargetGroups", "ListTargets", "RegisterTargets and DeregisterTargets"];
    for ((call, small), large) in calls.into_iter().zip(small).zip(large) {
        println!("{call}: {small:.3} ms in the small world, {large:.3} ms in the large one");
        assert!(
            large < MOST * small,
            "{call}: {small:.3} ms in the small world, {large:.3} ms in the large one"
        );
    }
}
