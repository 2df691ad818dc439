//! Tests of waiting, signalling and identities.

use super::*;

fn sh(script: &str) -> Child {
    Command::new("sh").args(["-c", script]).spawn().unwrap()
}

#[tokio::test]
async fn every_waiter_learns_how_the_process_ended() {
    for (script, exit) in
        [("exit 0", Exit::Code(0)), ("exit 7", Exit::Code(7)), ("kill -9 $$", Exit::Signal(9))]
    {
        let process = Process::adopt(&sh(script)).unwrap();
        let other = process.clone();
        let (first, second) = tokio::join!(process.wait(), other.wait());
        assert_eq!(first.unwrap(), exit, "{script}");
        assert_eq!(second.unwrap(), exit, "{script}");
    }
}

#[tokio::test]
async fn a_signal_reaches_the_process_and_a_late_one_is_no_error() {
    let process = Process::adopt(&sh("sleep 60")).unwrap();
    process.signal(Signal::TERM).unwrap();
    assert_eq!(process.wait().await.unwrap().code(), 143);
    process.signal(Signal::TERM).unwrap();
}

#[tokio::test]
async fn an_identity_with_another_start_time_is_never_signalled() {
    let process = Process::adopt(&sh("sleep 60")).unwrap();
    let identity = Identity::of(process.pid()).unwrap();
    let impostor = Identity { start: identity.start + 1, ..identity };
    assert!(!impostor.signal(Signal::KILL).unwrap());
    assert!(identity.alive());
    assert!(identity.signal(Signal::KILL).unwrap());
    process.wait().await.unwrap();
    assert!(!identity.alive());
}
