//! The example servers, used by their load program and by misbehaving clients.
#![cfg(all(target_os = "linux", feature = "capi"))]

#[path = "c_common/cc.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod cc;
#[path = "common/mod.rs"]
mod common;

use cc::{Compiler, c_compilers, example, folder, output, run, text};
use common::{LIMIT, within_limit};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

const REFUSED: [u8; 4] = [0xFF; 4];
const MAX_LENGTH: usize = 64 * 1024;
const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn build(compiler: &Compiler, name: &str, folder: &Path, flags: &[&str]) -> PathBuf {
    let program = folder.join(format!("{name}-{}", compiler.name()));
    compiler.program(&example(name), &program, &[&["-std=c99"], flags].concat());
    program
}

/// The server, watched by the sanitizers if the compiler has them.
fn build_watched(compiler: &Compiler, folder: &Path) -> PathBuf {
    let probe = folder.join("probe.c");
    fs::write(&probe, "int main(void) { return 0; }\n").expect("the folder is writable");
    let mut works = compiler.command();
    works.args(SANITIZERS).arg("-o").arg(folder.join("probe")).arg(&probe);
    let flags: &[&str] = if output(&mut works).status.success() { &SANITIZERS } else { &[] };
    build(compiler, "epoll_server", folder, flags)
}

/// A server that runs until it gets a signal, or the test fails.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("it was built");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server says its port");
        let port = line.trim().strip_prefix("port ").and_then(|port| port.parse().ok());
        Self { child, port: port.expect("the server says its port") }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a stream has a timeout");
        stream.set_write_timeout(Some(LIMIT)).expect("a stream has a timeout");
        stream
    }

    fn signal(&self, signal: i32) {
        // SAFETY: the child was not waited for, so the number is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Whether it exited by itself, successfully.
    fn ends(mut self) -> bool {
        self.child.wait().expect("it is a child").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// Random bytes.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 167 % 251) as u8).collect()
}

fn assert_answer(stream: &mut TcpStream, request: &[u8]) {
    let mut sorted = request.to_vec();
    sorted.sort_unstable();
    let mut answer = vec![0; 4 + request.len()];
    stream.read_exact(&mut answer).expect("an answer comes");
    assert!(answer == frame(&sorted), "a wrong answer to {} bytes", request.len());
}

fn assert_end(stream: &mut TcpStream) {
    assert_eq!(stream.read(&mut [0]).expect("the end is orderly"), 0);
}

/// Small frames, large ones, one connection and many; under every compiler here, without a warning.
#[test]
fn every_answer_is_right_under_load() {
    within_limit(|| {
        let folder = folder("servers");
        for compiler in c_compilers() {
            let load = build(&compiler, "epoll_load", &folder, &["-O2"]);
            for (name, workers) in [("epoll_server", &["-j", "2"][..]), ("epoll_threads", &[])] {
                let server = Server::start(&build(&compiler, name, &folder, &["-O2"]), workers);
                for [clients, window, requests, size] in
                    [["8", "4", "3000", "256"], ["1", "256", "1000", "3"], ["3", "16", "100", "30000"]]
                {
                    let arguments = ["-c", clients, "-w", window, "-n", requests, "-s", size];
                    let said = run(Command::new(&load).args(arguments).arg(server.port.to_string()));
                    assert!(text(&said.stdout).starts_with(&format!("{requests} answers, ")), "{}", text(&said.stdout));
                }
                server.signal(libc::SIGTERM);
                assert!(server.ends(), "{name}");
            }
            for wrong in [&[][..], &["-c", "0", "1"], &["-x", "1"], &["1", "2"], &["-s", "-1", "1"], &["99999"]] {
                assert_eq!(output(Command::new(&load).args(wrong)).status.code(), Some(2), "{wrong:?}");
            }
        }
    });
}

/// Frames in pieces, of any length, and one that is too long after others; watched by the sanitizers.
#[test]
fn frames_come_in_pieces_and_may_be_too_long() {
    within_limit(|| {
        let compiler = &c_compilers()[0];
        let server = Server::start(&build_watched(compiler, &folder("server-pieces")), &["-j", "3"]);
        let lengths = [0, 1, 2, 0, 255, 0, 256, 16 * 1024 - 4, 16 * 1024, MAX_LENGTH];
        let mut whole = server.connect();
        whole.write_all(&lengths.map(|length| frame(&bytes(length))).concat()).unwrap();
        lengths.iter().for_each(|&length| assert_answer(&mut whole, &bytes(length)));

        let mut slow = server.connect();
        slow.set_nodelay(true).unwrap();
        frame(&bytes(40)).iter().for_each(|byte| slow.write_all(&[*byte]).unwrap());
        assert_answer(&mut slow, &bytes(40));

        for too_long in [MAX_LENGTH as u32 + 1, u32::MAX, 1 << 31] {
            let mut refused = server.connect();
            refused.write_all(&[frame(&bytes(9000)), too_long.to_be_bytes().into(), bytes(100_000)].concat()).unwrap();
            assert_answer(&mut refused, &bytes(9000));
            let mut last = [0; 4];
            refused.read_exact(&mut last).unwrap();
            assert_eq!(last, REFUSED);
            assert_end(&mut refused);
        }
        whole.write_all(&frame(b"cab")).unwrap();
        assert_answer(&mut whole, b"cab");
        drop((whole, slow));
        server.signal(libc::SIGINT);
        assert!(server.ends());
    });
}

/// Clients that disconnect while their jobs run, send a partial frame, shut down one direction, or never read.
#[test]
fn clients_that_vanish_or_do_not_read_harm_nobody() {
    within_limit(|| {
        let compiler = &c_compilers()[0];
        let server = Server::start(&build_watched(compiler, &folder("server-vanish")), &["-j", "1"]);
        let request = frame(&bytes(20_000));
        for round in 0..30 {
            let mut vanishing = server.connect();
            vanishing.write_all(&request.repeat(3)).unwrap();
            vanishing.write_all(&request[..round * 100]).unwrap();
            if round % 2 == 0 {
                vanishing.shutdown(Shutdown::Both).unwrap();
            }
        }
        let mut ending = server.connect();
        ending.write_all(&[request.repeat(2), vec![0, 0]].concat()).unwrap();
        ending.shutdown(Shutdown::Write).unwrap();
        (0..2).for_each(|_| assert_answer(&mut ending, &bytes(20_000)));
        assert_end(&mut ending);

        // More than the window and the sockets hold: the server stops reading, and nothing gets lost.
        let mut reader = server.connect();
        let mut writer = reader.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || (0..600).for_each(|n| writer.write_all(&frame(&bytes(20_000 + n))).unwrap()));
            let mut other = server.connect();
            for length in 0..50 {
                other.write_all(&frame(&bytes(length))).unwrap();
                assert_answer(&mut other, &bytes(length));
            }
            (0..600).for_each(|n| assert_answer(&mut reader, &bytes(20_000 + n)));
        });
        server.signal(libc::SIGTERM);
        assert!(server.ends());
    });
}

/// On a signal, requests are answered; then connections are closed, and the server exits.
#[test]
fn a_signal_ends_the_server_after_the_last_answer() {
    within_limit(|| {
        let compiler = &c_compilers()[0];
        let folder = folder("server-signal");
        let program = build_watched(compiler, &folder);
        let server = Server::start(&program, &["-j", "1"]);
        let (mut busy, mut idle) = (server.connect(), server.connect());
        busy.write_all(&frame(&bytes(100)).repeat(50)).unwrap();
        (0..20).for_each(|_| assert_answer(&mut busy, &bytes(100)));
        idle.write_all(&frame(b"ba")).unwrap();
        assert_answer(&mut idle, b"ba");
        server.signal(libc::SIGTERM);
        assert_end(&mut idle);
        (0..30).for_each(|_| assert_answer(&mut busy, &bytes(100)));
        assert_end(&mut busy);
        assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err(), "nobody listens");
        drop((busy, idle));
        assert!(server.ends());

        // A client that stays connected: the second signal does not wait for it.
        let server = Server::start(&program, &[]);
        let mut staying = server.connect();
        server.signal(libc::SIGINT);
        assert_end(&mut staying);
        server.signal(libc::SIGTERM);
        assert!(server.ends());
        for wrong in [&["-p", "65536"][..], &["-p", "x"], &["-j", "0"], &["-z"], &["more"]] {
            assert_eq!(output(Command::new(&program).args(wrong)).status.code(), Some(2), "{wrong:?}");
        }
    });
}
