//! The pace over time, all of it paused.

use std::sync::Arc;

use super::*;

/// A pacer that has been throttled, and so waits.
async fn slow() -> Arc<Pacer> {
    let pacer = Arc::new(Pacer::default());
    let started = pacer.turn(Urgency::Register).await;
    pacer.throttled(started, None);
    pacer
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_until_something_is_throttled() {
    let pacer = Pacer::default();
    let start = Instant::now();
    for _ in 0..10_000 {
        pacer.turn(Urgency::Observe).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_halves_the_rate_that_was_reached_and_those_beside_it_do_not() {
    let pacer = Pacer::default();
    let mut started = Vec::new();
    for _ in 0..40 {
        started.push(pacer.turn(Urgency::Register).await);
    }
    for started in started {
        pacer.throttled(started, None);
    }
    assert_eq!(pacer.rate(), Some(20.0));
}

#[tokio::test(start_paused = true)]
async fn settles_at_what_is_allowed_and_uses_most_of_it() {
    for allowed in [1.0, 5.0, 20.0] {
        let pacer = Pacer::default();
        let start = Instant::now();
        let (mut bucket, mut filled) = (allowed, Instant::now());
        let (mut served, mut throttled) = (0, 0);
        while start.elapsed() < Duration::from_secs(300) {
            let started = pacer.turn(Urgency::Register).await;
            bucket = f64::min(allowed, bucket + filled.elapsed().as_secs_f64() * allowed);
            filled = Instant::now();
            tokio::time::sleep(Duration::from_millis(5)).await;
            if bucket >= 1.0 {
                bucket -= 1.0;
                served += 1;
                pacer.served();
            } else {
                throttled += 1;
                pacer.throttled(started, None);
            }
        }
        let used = f64::from(served) / (300.0 * allowed);
        assert!(used > 0.5, "{allowed}/s: only {used:.2} of it used");
        assert!(
            f64::from(throttled) < 0.35 * f64::from(served),
            "{allowed}/s: {throttled} of {served} throttled"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_urgent_go_first_and_equals_in_order_of_arrival() {
    let pacer = slow().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls = tokio::task::JoinSet::new();
    for (number, urgency) in
        [Urgency::Verify, Urgency::Register, Urgency::Deregister, Urgency::Register, Urgency::Deregister]
            .into_iter()
            .enumerate()
    {
        let (pacer, order) = (pacer.clone(), order.clone());
        calls.spawn(async move {
            pacer.turn(urgency).await;
            order.lock().unwrap().push(number);
        });
        tokio::task::yield_now().await;
    }
    calls.join_all().await;
    assert_eq!(*order.lock().unwrap(), [2, 4, 1, 3, 0]);
    assert_eq!(pacer.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_leaves_the_queue() {
    let pacer = slow().await;
    let start = Instant::now();
    assert!(tokio::time::timeout(Duration::from_millis(1), pacer.turn(Urgency::Deregister)).await.is_err());
    assert_eq!(pacer.waiting(), 0);
    pacer.turn(Urgency::Verify).await;
    assert!(start.elapsed() <= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_heeded_within_bounds() {
    for (asked, least, most) in [(2, 2, 5), (86_400, 30, 33)] {
        let pacer = Pacer::default();
        let started = pacer.turn(Urgency::Register).await;
        pacer.throttled(started, Some(Duration::from_secs(asked)));
        let start = Instant::now();
        pacer.turn(Urgency::Register).await;
        let waited = start.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "asked for {asked} s, waited {waited} s");
    }
}
