//! Targets that do as they are told, byte by byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How a target ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It says that nothing more comes.
    Close,
    /// It breaks off.
    Reset,
    /// It leaves that to the other side.
    Stay,
}

/// A target that answers each connection with the same bytes, once it has read a head.
pub(crate) struct Script {
    pub(crate) address: SocketAddr,
    /// What each connection has brought.
    pub(crate) read: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many connections have ended.
    ended: Arc<AtomicUsize>,
}

impl Script {
    /// `until` ends what is read before the answer goes out.
    pub(crate) async fn start(until: &'static [u8], answer: Vec<u8>, end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let read = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&read);
        let ended = Arc::new(AtomicUsize::new(0));
        let ends = Arc::clone(&ended);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let place = {
                    let mut all = all.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                let played = play(stream, place, Arc::clone(&all), until, answer.clone(), end);
                let ends = Arc::clone(&ends);
                tokio::spawn(async move {
                    played.await;
                    ends.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, read, ended }
    }

    /// A target that answers a request of HTTP/1.1.
    pub(crate) async fn http1(answer: impl Into<Vec<u8>>, end: End) -> Self {
        Self::start(b"\r\n\r\n", answer.into(), end).await
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.read.lock().unwrap().len()
    }

    /// How many connections have ended.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    /// What was read over connections that don't begin like this, and forgets it.
    pub(crate) fn take_but(&self, beginning: &str) -> String {
        let mut all = self.read.lock().unwrap();
        let read = all.iter_mut().map(std::mem::take).filter(|read| !read.starts_with(beginning.as_bytes()));
        read.map(|read| String::from_utf8_lossy(&read).into_owned()).collect()
    }
}

async fn play(
    mut stream: TcpStream,
    place: usize,
    all: Arc<Mutex<Vec<Vec<u8>>>>,
    until: &[u8],
    answer: Vec<u8>,
    end: End,
) {
    let mut buffer = vec![0; 16 << 10];
    let (mut seen, mut answered) = (Vec::<u8>::new(), false);
    loop {
        let Ok(length @ 1..) = stream.read(&mut buffer).await else { return };
        all.lock().unwrap()[place].extend(&buffer[..length]);
        seen.extend(&buffer[..length]);
        if answered || !seen.windows(until.len()).any(|part| part == until) {
            continue;
        }
        answered = true;
        if stream.write_all(&answer).await.is_err() {
            return;
        }
        match end {
            End::Stay => {}
            End::Close => {
                let _broken = stream.shutdown().await;
            }
            End::Reset => {
                // A reset overtakes what has not been read yet.
                tokio::time::sleep(Duration::from_millis(50)).await;
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
        }
    }
}
