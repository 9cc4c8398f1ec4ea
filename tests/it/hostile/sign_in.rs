//! Clients that leave before their answer: what they began goes on, and counts.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::attacker::{Attacker, Protocol};
use super::http2::{HEADERS, Http2};
use super::target::Target;
use crate::server::wire::Wire;
use crate::support::app::PASSWORD;

const LOGIN: &str = "/admin/login";
const FORM: &str = "application/x-www-form-urlencoded";
/// Threads beside those that are always there: two check passwords, one draws a code, and the
/// database opens connections.
const MORE_THREADS: usize = 8;

/// The `n`th address of strangers.
fn stranger(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + n)
}

fn threads(target: &Target) -> usize {
    let tasks = format!("/proc/{}/task", target.process.child.id());
    std::fs::read_dir(tasks).expect("the server runs").count()
}

/// Sends one request after the other, each from a new address, and resets all but the newest.
async fn send_and_leave(target: &Target, request: impl Fn(u32) -> String) -> usize {
    let attacker = Attacker::new(target, Protocol::Http1);
    let mut open: Vec<TcpStream> = Vec::new();
    let mut most = 0;
    for n in 0..400 {
        let mut stream = attacker.connect_at(stranger(n)).await;
        let sent = stream.write_all(request(n).as_bytes()).await;
        sent.expect("the server reads");
        open.push(stream);
        if open.len() > 4 {
            let left = open.remove(0);
            left.set_zero_linger().expect("a socket");
            drop(left);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        most = most.max(threads(target));
    }
    most
}

/// The work of a request that was cancelled goes on, and holds its place until it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_leave_start_no_more_work_at_once_than_those_that_stay() {
    let target = Target::start(&[]);
    target.visit("first@example.org").await;
    target.sign_in().await;
    let before = threads(&target);
    let wall = |n| {
        let host = format!("{n:03}-{}", "a".repeat(240));
        format!("GET /e/welcome/wall HTTP/1.1\r\nhost: {host}\r\n\r\n")
    };
    let most = send_and_leave(&target, |_| sign_in("guess")).await;
    assert!(most <= before + MORE_THREADS, "{before}, then {most}");
    let most = send_and_leave(&target, wall).await;
    assert!(most <= before + MORE_THREADS, "{before}, then {most}");
    target.is_well().await;
}

/// A guesser that leaves before its turn still fails. The password is right, so only leaving can
/// count. How many wait when the connection ends depends on the machine, so it tries again; but two
/// at most are checked then, and four times two are not the ten failures that it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_sign_in_is_a_failure() {
    let target = Target::start(&[]);
    let attacker = Attacker::new(&target, Protocol::Http1);
    let right = PASSWORD.replace(' ', "+");
    let body = format!("password={right}");
    for _ in 0..4 {
        let stream = attacker.connect_at(stranger(0)).await;
        let mut connection = Http2::over(Box::new(stream), false, 65_535).await;
        connection.post_many(LOGIN, FORM, &body, 12).await;
        // When this is answered, the server has begun to read the others.
        let read = connection.get("/health/live").await;
        connection.next(HEADERS, read).await;
        drop(connection);
        let mut wire = Wire::new(attacker.connect_at(stranger(0)).await);
        wire.send(sign_in(&right)).await;
        if wire.head().await.starts_with("http/1.1 429") {
            return;
        }
    }
    panic!("those who left have not failed");
}

fn sign_in(password: &str) -> String {
    let form = format!("password={password}");
    format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
}
