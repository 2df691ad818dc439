//! Clients that take what they can get: frames without end, answers that they don't read, connections that they don't use.

use std::collections::HashSet;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::elsewhere::{Elsewhere, raise_descriptors};
use crate::frames::{
    self, CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, frame,
};

/// Most memory that a flood may cost, in kB: the windows of HTTP/2, 1 MB for a connection, what the library holds of 256
/// requests, and the allocator's habits. It is far less, as long as nothing is piled up.
const MOST_KB: usize = 16 << 10;
/// Most memory that an answer may cost that its client does not take, in kB: 64 kB on the way in, as much on the way out and
/// between the two; and the target's own, which is in the same process.
const MOST_UNREAD_KB: usize = 400;

/// What became of a flood.
#[derive(Debug, PartialEq, Eq)]
enum Flood {
    /// The other side ended the connection.
    Ended,
    /// The other side takes no more.
    Stalled,
    /// All of it was taken.
    Taken,
}

/// Asks over a connection of its own: the head of the answer.
async fn ask(plane: &Elsewhere) -> String {
    let asking = async {
        let mut stream = TcpStream::connect(plane.address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", plane.host);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    timeout(Duration::from_secs(5), asking).await.expect("another client is answered meanwhile")
}

/// Writes until the other side has enough, and reads nothing.
async fn pour(stream: &mut TcpStream, parts: impl Iterator<Item = Vec<u8>>) -> Flood {
    for part in parts {
        match timeout(Duration::from_secs(1), stream.write_all(&part)).await {
            Ok(Ok(())) => {}
            Ok(Err(_ended)) => return Flood::Ended,
            Err(_stalled) => return Flood::Stalled,
        }
    }
    Flood::Taken
}

/// Lets the idle time-out pass, after which these connections have to be ended. Nothing may be read from them until then,
/// which would make them go on.
async fn ended_after_idling(plane: &mut Elsewhere, streams: &[TcpStream]) {
    let ports: HashSet<u16> = streams.iter().map(|stream| stream.local_addr().unwrap().port()).collect();
    plane.pass(62);
    for attempt in 0.. {
        let open = plane.established(&ports);
        if open == 0 {
            break;
        }
        assert!(attempt < 1_200, "{open} connections are open that have been idle for too long");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(ask(plane).await.starts_with("HTTP/1.1 200"));
}

/// Floods a plane, while another client asks all the time, and returns what became of it.
async fn flood(first: Vec<u8>, parts: impl Iterator<Item = Vec<u8>>) -> Flood {
    let mut plane = Elsewhere::start();
    assert!(ask(&plane).await.starts_with("HTTP/1.1 200"));
    let before = plane.resident_kb();
    let mut stream = TcpStream::connect(plane.address).await.unwrap();
    stream.write_all(&[PREFACE, first.as_slice()].concat()).await.unwrap();
    let mut most = before;
    let flood = {
        let mut pouring = std::pin::pin!(pour(&mut stream, parts));
        loop {
            tokio::select! {
                flood = pouring.as_mut() => break flood,
                answer = ask(&plane) => assert!(answer.starts_with("HTTP/1.1 200"), "{answer}"),
            }
            most = most.max(plane.resident_kb());
        }
    };
    assert!(ask(&plane).await.starts_with("HTTP/1.1 200"));
    most = most.max(plane.resident_kb());
    assert!(most - before < MOST_KB, "{flood:?} takes {} kB", most - before);
    if flood != Flood::Ended {
        // Not for ever.
        ended_after_idling(&mut plane, &[stream]).await;
    }
    flood
}

/// The settings of a client, by their numbers.
fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let values =
        values.iter().flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat());
    frame(SETTINGS, 0, 0, &values.collect::<Vec<_>>())
}

/// Frames in parts that are worth writing.
fn parts(each: impl Fn(u32) -> Vec<u8>, count: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..count / 100).map(move |part| (0..100).flat_map(|n| each(part * 100 + n)).collect())
}

#[tokio::test]
async fn requests_that_are_reset_at_once_end_their_connection() {
    let request = frames::request("GET", "host", "/", &[]);
    let each = |n: u32| {
        let stream = 2 * n + 1;
        let head = frame(HEADERS, END_HEADERS | END_STREAM, stream, &request);
        [head, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    assert_eq!(flood(settings(&[]), parts(each, 1_000_000)).await, Flood::Ended);
}

#[tokio::test]
async fn a_head_without_end_ends_its_connection() {
    let begun = [settings(&[]), frame(HEADERS, END_STREAM, 1, &[])].concat();
    // Nothing at all, and what counts as headers.
    for payload in [vec![], frames::block(&vec![("x", "a"); 1_000])] {
        let each = |_| frame(CONTINUATION, 0, 1, &payload);
        assert_eq!(flood(begun.clone(), parts(each, 1_000_000)).await, Flood::Ended);
    }
}

#[tokio::test]
async fn who_reads_no_acknowledgement_can_ask_for_no_more() {
    for each in [settings(&[]), frame(PING, 0, 0, &[0; 8])] {
        assert_ne!(flood(settings(&[]), parts(|_| each.clone(), 10_000_000)).await, Flood::Taken);
    }
}

#[tokio::test]
async fn answers_that_nobody_takes_are_held_in_part_only() {
    let mut plane = Elsewhere::start();
    assert!(ask(&plane).await.starts_with("HTTP/1.1 200"));
    let before = plane.resident_kb();
    // No window (SETTINGS_INITIAL_WINDOW_SIZE).
    let mut unread = TcpStream::connect(plane.address).await.unwrap();
    unread.write_all(&[PREFACE, &settings(&[(4, 0)])].concat()).await.unwrap();
    let large = frames::request("GET", &plane.host, "/large", &[]);
    for n in 0..64 {
        unread.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &large)).await.unwrap();
    }
    for _ in 0..64 {
        let frame = timeout(Duration::from_secs(10), frames::next_of(&mut unread, &[HEADERS])).await;
        frame.unwrap().expect("an answer to each");
    }
    // And by HTTP/1.1, over as many connections, for which the kernel holds little.
    let request = format!("GET /large HTTP/1.1\r\nHost: {}\r\n\r\n", plane.host);
    let mut others = Vec::new();
    for _ in 0..64 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 << 10).unwrap();
        let mut stream = socket.connect(plane.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        others.push(stream);
    }
    assert!(ask(&plane).await.starts_with("HTTP/1.1 200"));
    let held = plane.resident_kb().saturating_sub(before);
    assert!(held < 128 * MOST_UNREAD_KB, "128 answers of 4 MB take {held} kB");
    others.push(unread);
    ended_after_idling(&mut plane, &others).await;
}

/// How many connections are idle at once.
const IDLE: usize = 10_000;

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_end() {
    // Some are for the rest of the tests.
    let most = usize::try_from(raise_descriptors()).unwrap_or(usize::MAX).saturating_sub(1_000);
    if most < IDLE {
        let ci = std::env::var("CI");
        assert_ne!(ci.as_deref(), Ok("true"), "{IDLE} connections need a higher limit of file descriptors");
        eprintln!("only {most} idle connections are tried, as many as the limit of file descriptors permits");
    }
    let each = IDLE.min(most) / 2;
    let mut plane = Elsewhere::start();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", plane.host);
    assert!(ask(&plane).await.starts_with("HTTP/1.1 200"));
    let mut idle = Vec::new();
    // Those that have said nothing yet, and those that have been answered once. In kB for each: what its task holds, and
    // the HTTP library's buffers with it.
    for (asks, most_kb) in [(false, 16), (true, 32)] {
        let before = plane.resident_kb();
        let opening = |_| async {
            let mut stream = TcpStream::connect(plane.address).await.unwrap();
            if asks {
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = [0; 1_024];
                let length = stream.read(&mut answer).await.unwrap();
                assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
            }
            stream
        };
        idle.extend(stream::iter(0..each).map(opening).buffer_unordered(200).collect::<Vec<_>>().await);
        // All of them are accepted by then: it is the last.
        let asked = Instant::now();
        assert!(ask(&plane).await.starts_with("HTTP/1.1 200"));
        assert!(asked.elapsed() < Duration::from_secs(2), "an answer took {:?}", asked.elapsed());
        let cost = plane.resident_kb().saturating_sub(before);
        eprintln!("{each} idle connections cost {} bytes each; asked: {asks}", cost * 1024 / each);
        assert!(cost < each * most_kb, "{each} idle connections cost {cost} kB; asked: {asks}");
    }
    ended_after_idling(&mut plane, &idle).await;
}
