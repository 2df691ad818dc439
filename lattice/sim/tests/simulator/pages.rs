//! Pages of lists.

use aws_sdk_vpclattice::types::TargetGroupType;

use crate::harness::{Sim, code};

async fn groups(sim: &Sim, count: usize) {
    for n in 0..count {
        let call =
            sim.client.create_target_group().name(format!("group-{n}")).r#type(TargetGroupType::Lambda);
        call.send().await.unwrap();
    }
}

async fn names(sim: &Sim, size: i32) -> Vec<String> {
    let pages = sim.client.list_target_groups().max_results(size).into_paginator().items().send();
    let items = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    items.into_iter().map(|item| item.name.unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_are_complete_and_in_order_of_creation_or_backwards() {
    let sim = Sim::instant();
    groups(&sim, 7).await;
    let mut expected: Vec<String> = (0..7).map(|n| format!("group-{n}")).collect();
    for size in [1, 3, 7, 100] {
        assert_eq!(names(&sim, size).await, expected, "pages of {size}");
    }
    sim.simulator.change_settings([("api.list_order", "newest")]).unwrap();
    expected.reverse();
    for size in [1, 3, 7, 100] {
        assert_eq!(names(&sim, size).await, expected, "pages of {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_without_size_has_100_items() {
    let sim = Sim::instant();
    groups(&sim, 101).await;
    let first = sim.client.list_target_groups().send().await.unwrap();
    assert_eq!(first.items().len(), 100);
    let second =
        sim.client.list_target_groups().next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!((second.items().len(), second.next_token()), (1, None));
}

#[tokio::test(start_paused = true)]
async fn deletions_between_pages_neither_skip_nor_repeat_what_stays() {
    let sim = Sim::instant();
    groups(&sim, 6).await;
    let first = sim.client.list_target_groups().max_results(3).send().await.unwrap();
    for n in [0, 2, 4] {
        let all = sim.simulator.state().target_groups;
        let group = all.iter().find(|group| group.name == format!("group-{n}")).unwrap();
        sim.client.delete_target_group().target_group_identifier(&group.id).send().await.unwrap();
    }
    let call = sim.client.list_target_groups().max_results(3).next_token(first.next_token().unwrap());
    let second: Vec<_> =
        call.send().await.unwrap().items.unwrap().into_iter().map(|item| item.name.unwrap()).collect();
    assert_eq!(second, ["group-3", "group-5"]);
}

#[tokio::test(start_paused = true)]
async fn tokens_of_another_list_expired_or_made_up_are_refused() {
    let sim = Sim::with(&[("api.next_token_ttl_seconds", "60"), ("accounts", "2")]);
    groups(&sim, 3).await;
    let token = || async {
        let first = sim.client.list_target_groups().max_results(1).send().await.unwrap();
        first.next_token.unwrap()
    };
    let token_now = token().await;
    let next = |token: &str| sim.client.list_target_groups().max_results(2).next_token(token).send();
    assert_eq!(next(&token_now).await.unwrap().items().len(), 2);
    assert_eq!(code(next("made up").await), "ValidationException");
    let mut forged = token_now.clone();
    forged.replace_range(15..16, if &forged[15..16] == "1" { "2" } else { "1" });
    assert_eq!(code(next(&forged).await), "ValidationException");
    let filtered =
        sim.client.list_target_groups().target_group_type(TargetGroupType::Lambda).next_token(&token_now);
    assert_eq!(code(filtered.send().await), "ValidationException");
    assert_eq!(code(sim.client.list_services().next_token(&token_now).send().await), "ValidationException");
    let stranger = sim.stranger().list_target_groups().next_token(&token_now).send().await;
    assert_eq!(code(stranger), "ValidationException");
    sim.advance(60.0);
    assert_eq!(code(next(&token_now).await), "ValidationException");
    sim.simulator.change_settings([("api.stale_next_token", "restart")]).unwrap();
    assert_eq!(next(&token_now).await.unwrap().items()[0].name(), Some("group-0"));
}

#[tokio::test(start_paused = true)]
async fn filtered_targets_come_in_pages_too() {
    let sim = Sim::instant();
    let group = sim.group("web").await;
    sim.register(&group, &["10.0.0.1", "10.0.0.2", "10.0.0.3"]).await;
    let filter = crate::harness::targets(&["10.0.0.3", "10.0.0.2", "10.0.0.1"]);
    for (order, expected) in
        [("creation", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]), ("newest", ["10.0.0.3", "10.0.0.2", "10.0.0.1"])]
    {
        sim.simulator.change_settings([("api.list_order", order)]).unwrap();
        let call =
            sim.client.list_targets().target_group_identifier(&group).set_targets(Some(filter.clone()));
        let pages = call.max_results(1).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let ids: Vec<_> = pages.unwrap().into_iter().map(|target| target.id.unwrap()).collect();
        assert_eq!(ids, expected);
    }
}
