//! A plane in a process of its own: its memory is its own, and so are its file descriptors.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tokio::sync::mpsc;

use crate::backend::{Backend, Plane, free_block, pass, weighted};

/// Names the block of addresses, and makes the test below act.
const BLOCK: &str = "LATH_TEST_PLANE";
/// What its line begins with, amid what the test harness prints.
const READY: &str = "plane: ";
/// What it says when time has passed.
const PASSED: &str = "passed";

/// A plane with one service, whose targets answer with `a`.
pub(crate) struct Elsewhere {
    pub(crate) address: SocketAddr,
    /// The service's name.
    pub(crate) host: String,
    child: Child,
    tell: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl Elsewhere {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "elsewhere::a_plane_for_another_test"])
            .env(BLOCK, free_block())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tell = child.stdin.take().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = told.find_map(|line| Some(line.unwrap().split_once(READY)?.1.to_owned()));
        let ready = ready.expect("the other process has a plane");
        let (address, host) = ready.split_once(' ').unwrap();
        Self { address: address.parse().unwrap(), host: host.to_owned(), child, tell, told }
    }

    /// Lets time pass there.
    pub(crate) fn pass(&mut self, seconds: u64) {
        writeln!(self.tell, "{seconds}").unwrap();
        assert_eq!(self.told.next().unwrap().unwrap(), PASSED);
    }

    /// How many of its sockets are connected to one of these ports, whatever the other side knows of it. What it has closed
    /// may hold bytes for long. Source: proc_net_tcp of the kernel, whose addresses are as the machine has them in memory.
    pub(crate) fn established(&self, ports: &HashSet<u16>) -> usize {
        let IpAddr::V4(address) = self.address.ip() else { return 0 };
        let local = format!("{:08X}:{:04X}", u32::from_ne_bytes(address.octets()), self.address.port());
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let connected = sockets.lines().filter(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (at, to, state) = (fields.next(), fields.next().unwrap_or_default(), fields.next());
            let port = to.split_once(':').and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
            at == Some(local.as_str())
                && state == Some("01")
                && port.is_some_and(|port| ports.contains(&port))
        });
        connected.count()
    }

    /// Its memory in kB. Source: proc(5), `VmRSS`.
    pub(crate) fn resident_kb(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes the limit of file descriptors as high as it may be, and returns it.
pub(crate) fn raise_descriptors() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    maximum.unwrap_or(u64::MAX)
}

#[tokio::test]
#[ignore = "part of other tests, which start it in a process of its own"]
async fn a_plane_for_another_test() {
    let Some(block) = std::env::var_os(BLOCK) else { return };
    raise_descriptors();
    let plane = Plane::start_at(block.to_str().unwrap(), &[]).await;
    let backend = Backend::start("a").await;
    let group = plane.group("group", &[backend.address]).await;
    let (.., host) = plane.service("web", weighted(&[(&group, 1)])).await;
    println!("{READY}{}:{} {host}", plane.address, plane.port);
    let (tell, mut told) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            tell.send(line.unwrap().parse().unwrap()).unwrap();
        }
    });
    // It ends with the test that started it.
    while let Some(seconds) = told.recv().await {
        pass(seconds).await;
        println!("{PASSED}");
    }
}
