//! Real processes: their output, their end within a time, their death with the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a process left behind.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub command: String,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Fails the test with all that the process said, unless it ended with `code`.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "expected exit code {code}, got {:?}\n{}",
            self.code,
            self.transcript()
        );
        self
    }

    pub fn transcript(&self) -> String {
        format!(
            "$ {}\n--- stdout\n{}\n--- stderr\n{}\n",
            self.command, self.stdout, self.stderr
        )
    }
}

/// Runs a command to its end; fails the test when that takes longer than `limit`.
#[track_caller]
pub fn run(mut command: Command, limit: Duration) -> Outcome {
    let text = describe(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `{text}`: {error}"));
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = wait_for(limit, || {
        child.try_wait().expect("the process can be waited for")
    });
    if end.is_none() {
        child.kill().ok();
        child.wait().ok();
    }
    let outcome = Outcome {
        command: text,
        code: end.and_then(|status| status.code()),
        stdout: stdout.join().expect("stdout is read to its end"),
        stderr: stderr.join().expect("stderr is read to its end"),
    };
    assert!(
        end.is_some(),
        "still running after {limit:?}, so it was killed\n{}",
        outcome.transcript()
    );
    outcome
}

/// A process that runs beside the test and is killed with it.
pub struct Background {
    child: Child,
    command: String,
    lines: Receiver<String>,
    said: Arc<Mutex<String>>,
}

impl Background {
    /// Starts it with stdin, stdout and stderr piped.
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let text = describe(&command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{text}`: {error}"));
        let (sender, lines) = channel();
        let said = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take(), sender.clone(), Arc::clone(&said));
        follow(child.stderr.take(), sender, Arc::clone(&said));
        Self {
            child,
            command: text,
            lines,
            said,
        }
    }

    /// The rest of the first line of output, of either stream, that has `marker` in it.
    #[track_caller]
    pub fn after(&self, marker: &str, limit: Duration) -> String {
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(line) => {
                    if let Some((_, rest)) = line.split_once(marker) {
                        return rest.trim().to_owned();
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!(
                    "`{}` has not said {marker:?} within {limit:?}; it said:\n{}",
                    self.command,
                    self.said()
                ),
                Err(RecvTimeoutError::Disconnected) => panic!(
                    "`{}` ended before it said {marker:?}; it said:\n{}",
                    self.command,
                    self.said()
                ),
            }
        }
    }

    /// Sends it a signal by its name, as a terminal or a supervisor would.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Waits for its end; the exit code, if no signal ended it.
    #[track_caller]
    pub fn end(mut self, limit: Duration) -> Option<i32> {
        let end = wait_for(limit, || {
            self.child
                .try_wait()
                .expect("the process can be waited for")
        });
        let status = end.unwrap_or_else(|| {
            panic!(
                "`{}` still runs after {limit:?}; it said:\n{}",
                self.command,
                self.said()
            )
        });
        status.code()
    }

    /// All output so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no reader panics").clone()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Asks until there is an answer or the time is up. The only place of the tests that sleeps.
#[expect(
    clippy::disallowed_methods,
    reason = "waits for other processes, which no virtual clock reaches; every wait ends early on success"
)]
pub fn wait_for<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if start.elapsed() > limit {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn collect(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    let mut stream = stream.expect("the stream is piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn follow(
    stream: Option<impl Read + Send + 'static>,
    lines: Sender<String>,
    said: Arc<Mutex<String>>,
) {
    let stream = BufReader::new(stream.expect("the stream is piped"));
    thread::spawn(move || {
        for line in stream.lines().map_while(Result::ok) {
            {
                let mut said = said.lock().expect("no reader panics");
                said.push_str(&line);
                said.push('\n');
            }
            // Nobody listens any more once the test has what it waited for.
            lines.send(line).ok();
        }
    });
}
