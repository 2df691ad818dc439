//! When a Lease may be taken.

use super::*;

fn lease(holder: &str, version: &str) -> Lease {
    Lease {
        metadata: ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(15),
            // Long ago, or in the future: nobody's wall clock is believed.
            renew_time: Some(MicroTime(Timestamp::UNIX_EPOCH)),
            ..LeaseSpec::default()
        }),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_taken_when_it_has_not_changed_for_its_duration() {
    let mut judge = Judge::default();
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(judge.decide(&lease("other", "1"), "me", at(0)), Move::Wait);
    assert_eq!(judge.decide(&lease("other", "1"), "me", at(15)), Move::Wait);
    assert_eq!(judge.decide(&lease("other", "2"), "me", at(16)), Move::Wait, "it was renewed");
    assert_eq!(judge.decide(&lease("other", "2"), "me", at(31)), Move::Wait);
    assert_eq!(judge.decide(&lease("other", "2"), "me", at(32)), Move::Take);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_free_or_ones_own_is_taken_at_once() {
    let mut judge = Judge::default();
    for holder in ["", "me"] {
        assert_eq!(judge.decide(&lease(holder, "1"), "me", Instant::now()), Move::Take, "{holder:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_candidates_one_leads_and_the_other_follows_when_it_gives_up_or_dies() {
    let store = crate::testing::api::Api::default();
    let mut one = Candidate::new(store.client(), "lath", "one");
    let mut two = Candidate::new(store.client(), "lath", "two");
    let mut tenure = one.acquire().await;
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        tokio::select! {
            () = tenure.keep() => panic!("the leader renews"),
            _ = two.acquire() => panic!("the Lease is held"),
        }
    });
    assert!(waited.await.is_err());

    // It gives up: the other need not wait for the end of the Lease.
    tenure.release().await;
    let began = Instant::now();
    let tenure = two.acquire().await;
    assert!(began.elapsed() <= RETRY, "{:?}", began.elapsed());

    // It dies.
    drop(tenure);
    let began = Instant::now();
    let mut tenure = one.acquire().await;
    let took = began.elapsed();
    assert!(took > LEASE && took <= LEASE + 2 * RETRY, "{took:?}");

    // Somebody takes the Lease away.
    let path = "/apis/coordination.k8s.io/v1/namespaces/lath/leases/lath-controller";
    let mut taken = store.get(path).unwrap();
    taken["spec"]["holderIdentity"] = "three".into();
    taken["metadata"]["resourceVersion"] = "1000".into();
    store.put(path, taken);
    tokio::time::timeout(2 * RETRY, tenure.keep()).await.expect("it steps down");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_steps_down_before_its_lease_runs_out() {
    let store = crate::testing::api::Api::default();
    let mut one = Candidate::new(store.client(), "lath", "one");
    let mut tenure = one.acquire().await;
    let began = Instant::now();
    store.fail(true);
    tenure.keep().await;
    assert!(began.elapsed() < LEASE, "{:?}", began.elapsed());
    assert!(began.elapsed() >= RENEW_WITHIN, "{:?}", began.elapsed());
}
