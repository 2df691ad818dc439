//! The simulator's data plane on an interface of its own, in network namespaces that the tests make.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tests::network::Namespace;
use tokio::time::sleep;

use super::setting::not_root;

/// The folder of the programs that are tested.
fn programs() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.ancestors().find(|folder| folder.join("lath").exists()).unwrap().to_owned()
}

fn bash(script: &str) -> Command {
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("bash");
    command.args(["-e", "-c", script]).env("PATH", format!("{}:{path}", programs().display()));
    command
}

/// Runs a script in a namespace.
fn run(namespace: &Namespace, script: &str) -> Output {
    namespace.run(|| bash(script).output()).unwrap()
}

/// A simulator in a namespace, ended with this.
struct Sim(Child);

impl Sim {
    fn start(namespace: &Namespace) -> Self {
        let start = || {
            Command::new(programs().join("lath"))
                .args(["sim", "--listen", "127.0.0.1:8000", "--data-plane"])
                .stdout(Stdio::null())
                .spawn()
        };
        Self(namespace.run(start).unwrap())
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Whether the namespace has this interface.
fn has(namespace: &Namespace, interface: &str) -> bool {
    let all = namespace.run(|| std::fs::read_to_string("/proc/thread-self/net/dev")).unwrap();
    all.lines().any(|line| line.trim_start().starts_with(&format!("{interface}:")))
}

async fn wait_for(namespace: &Namespace, interface: &str) {
    for _ in 0..200 {
        if has(namespace, interface) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("there is no {interface}");
}

#[tokio::test]
async fn the_documented_way_through_the_data_plane_works() {
    if not_root() {
        return;
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulator-traffic.md");
    let page = std::fs::read_to_string(page).unwrap();
    let script = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    // As somebody types it: the simulator is up by the time of the next line.
    let up = "curl -s --retry 60 --retry-connrefused --retry-delay 1 127.0.0.1:8000/_sim/ready";
    let script = script.replacen("&\n", &format!("&\ntrap 'kill $!' EXIT\n{up}\n"), 1);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("documented-data-plane");
    std::fs::create_dir_all(&folder).unwrap();
    let namespace = Namespace::create().await.unwrap();
    let output = namespace.run(|| bash(&script).current_dir(&folder).output()).unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("HTTP/2 404"), "{said}\n{errors}");
}

#[tokio::test]
async fn one_data_plane_has_a_namespace_and_leaves_what_is_not_its_own() {
    if not_root() {
        return;
    }
    let namespace = Namespace::create().await.unwrap();
    let first = Sim::start(&namespace);
    wait_for(&namespace, "lattice0").await;
    let second = run(&namespace, "lath sim --data-plane --set dns.listen=off");
    let errors = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{errors}");
    assert!(errors.contains("lattice0 carries the traffic of another simulator"), "{errors}");
    assert!(has(&namespace, "lattice0"));

    // What a simulator that was killed left behind is replaced.
    drop(first);
    assert!(has(&namespace, "lattice0"));
    let next = Sim::start(&namespace);
    sleep(Duration::from_millis(500)).await;
    let ready =
        run(&namespace, "curl --silent --fail --retry 20 --retry-connrefused 127.0.0.1:8000/_sim/ready");
    assert!(ready.status.success(), "{ready:?}");
    drop(next);

    let foreign = run(&namespace, "lath sim --data-plane --set data.interface=lo --set dns.listen=off");
    let errors = String::from_utf8_lossy(&foreign.stderr);
    assert_eq!(foreign.status.code(), Some(2), "{errors}");
    assert!(errors.contains("an interface lo that no simulator has made"), "{errors}");
    assert!(has(&namespace, "lo"));
}
