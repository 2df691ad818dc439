//! What a journal remembers, whole, cut off, damaged or unwritable.

use super::*;

const ARN: &str = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0";

fn arn() -> TargetGroupArn {
    ARN.parse().unwrap()
}

fn target(host: u8) -> Target {
    Target { address: [10, 0, 0, host].into(), port: 80 }
}

fn pod(host: u8) -> PodRef {
    PodRef { uid: format!("u{host}").into(), name: format!("shop/web-{host}").into() }
}

fn calling(journal: &mut Journal, hosts: &[u8]) {
    let pods: Vec<_> = hosts.iter().map(|host| (target(*host), pod(*host))).collect();
    journal.calling(&arn(), pods.iter().map(|(target, pod)| (*target, pod)));
}

fn holds(journal: &mut Journal, hosts: &[(u8, Hold)]) {
    journal.holds(&arn(), hosts.iter().map(|(host, hold)| (target(*host), *hold)));
}

fn remembered(path: &Path) -> (Vec<(u8, Hold)>, bool) {
    let memory = Journal::open(path, "boot").1.unwrap();
    let targets = memory
        .targets
        .iter()
        .map(|((_, target), (pod, hold))| {
            let host: u8 = pod.uid[1..].parse().unwrap();
            assert_eq!(*target, self::target(host));
            (host, *hold)
        })
        .collect();
    (targets, memory.damaged)
}

#[test]
fn remembers_what_was_answered_and_doubts_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/targets.journal");
    let (mut journal, memory) = Journal::open(&path, "boot");
    assert_eq!(memory, None);
    journal.rewrite(&BTreeMap::new());
    calling(&mut journal, &[1, 2, 3]);
    holds(&mut journal, &[(1, Hold::Yes), (2, Hold::Yes), (3, Hold::Nothing)]);
    calling(&mut journal, &[2]);
    holds(&mut journal, &[(2, Hold::Nothing)]);
    calling(&mut journal, &[4, 5]);
    holds(&mut journal, &[(4, Hold::Maybe)]);
    let expected =
        vec![(1, Hold::Yes), (2, Hold::Nothing), (3, Hold::Nothing), (4, Hold::Maybe), (5, Hold::Maybe)];
    assert_eq!(remembered(&path), (expected.clone(), false));

    let (mut journal, memory) = Journal::open(&path, "boot");
    journal.rewrite(&memory.unwrap().targets);
    assert_eq!(remembered(&path), (expected, false));
    assert_eq!(journal.error(), None);
}

#[test]
fn an_agent_killed_at_any_byte_loses_nothing_that_was_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.journal");
    let (mut journal, _) = Journal::open(&path, "boot");
    journal.rewrite(&BTreeMap::new());
    let head = std::fs::read(&path).unwrap().len();
    calling(&mut journal, &[1]);
    let called = std::fs::read(&path).unwrap().len();
    holds(&mut journal, &[(1, Hold::Yes)]);
    let whole = std::fs::read(&path).unwrap();
    for end in head..=whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let expected = match end {
            end if end == whole.len() => vec![(1, Hold::Yes)],
            // Once the whole line is there but for its end, it says what it says.
            end if end == whole.len() - 1 => vec![(1, Hold::Yes)],
            end if end >= called - 1 => vec![(1, Hold::Maybe)],
            _ => vec![],
        };
        assert_eq!(remembered(&path), (expected, false), "cut off after {end} of {} bytes", whole.len());
    }
}

#[test]
fn damage_is_noticed_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.journal");
    let (mut journal, _) = Journal::open(&path, "boot");
    journal.rewrite(&BTreeMap::new());
    calling(&mut journal, &[1]);
    let mut text = std::fs::read(&path).unwrap();
    text.extend(b"\0\xff\xfe not a line\n");
    text.extend(vec![b'x'; 500_000]);
    text.push(b'\n');
    std::fs::write(&path, text).unwrap();
    let (mut journal, _) = Journal::open(&path, "boot");
    assert_eq!(remembered(&path), (vec![(1, Hold::Maybe)], true));
    journal.rewrite(&BTreeMap::new());
    assert_eq!(remembered(&path), (vec![], false));
}

#[test]
fn a_journal_without_its_first_line_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.journal");
    for text in ["{\"head\":{\"version\":99,\"boot_id\":\"boot\"}}\n", "{}\n", "\n"] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(remembered(&path), (vec![], true), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unwritable_journal_says_so_and_is_written_anew_later() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("state");
    std::fs::write(&blocked, "a file where the folder should be").unwrap();
    let path = blocked.join("targets.journal");
    let (mut journal, _) = Journal::open(&path, "boot");
    journal.rewrite(&BTreeMap::new());
    assert!(journal.error().unwrap().contains("targets.journal"));
    calling(&mut journal, &[1]);
    assert!(!journal.is_long(0), "not at once again");
    assert_eq!(journal.retry_at(), Some(Instant::now() + RETRY));
    std::fs::remove_file(&blocked).unwrap();
    journal.rewrite(&BTreeMap::from([((arn(), target(1)), (pod(1), Hold::Maybe))]));
    assert_eq!(journal.error(), None);
    assert_eq!(remembered(&path), (vec![(1, Hold::Maybe)], false));

    // One that can't go on must not be believed later.
    std::fs::create_dir(path.with_extension("new")).unwrap();
    journal.rewrite(&BTreeMap::new());
    assert!(journal.error().is_some());
    assert!(!path.exists());
}

#[test]
fn a_long_journal_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.journal");
    let (mut journal, _) = Journal::open(&path, "boot");
    journal.rewrite(&BTreeMap::new());
    for _ in 0..=SURPLUS_LINES / 2 {
        calling(&mut journal, &[1]);
        holds(&mut journal, &[(1, Hold::Yes)]);
    }
    assert!(journal.is_long(0));
    journal.rewrite(&BTreeMap::from([((arn(), target(1)), (pod(1), Hold::Yes))]));
    assert!(!journal.is_long(0));
    assert_eq!(remembered(&path), (vec![(1, Hold::Yes)], false));
}
