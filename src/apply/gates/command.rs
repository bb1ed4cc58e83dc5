//! A program of the user's as a gate: 0 passes, 1 fails, anything else is not known.

use std::cell::RefCell;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::ids::AccountId;

use super::Seen;

/// Bytes of output that are kept: the end of it, where the reason stands.
const KEPT: usize = 16 * 1024;
/// How long output is waited for after the program has ended; something that it started may hold the pipe open.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// Variables of our own environment that the program gets; nothing else, credentials least of all.
const PASSED_ON: [&str; 2] = ["PATH", "HOME"];

/// What the program is told, in its environment.
pub struct Surroundings<'a> {
    pub run: &'a str,
    pub environment: &'a str,
    pub wave: &'a str,
    pub accounts: &'a [AccountId],
    /// Where it is started.
    pub directory: &'a Path,
}

/// Runs a program to its end, or until its time is up.
pub async fn run(program: &[String], limit: Duration, surroundings: &Surroundings<'_>) -> Seen {
    let Some((name, arguments)) = program.split_first() else {
        return Seen::Unknown("the gate names no program".to_owned());
    };
    let accounts: Vec<&str> = surroundings
        .accounts
        .iter()
        .map(AccountId::as_str)
        .collect();
    let mut command = Command::new(name);
    command
        .args(arguments)
        .current_dir(surroundings.directory)
        .env_clear()
        .envs(
            PASSED_ON
                .iter()
                .filter_map(|key| Some((key, std::env::var_os(key)?))),
        )
        .env("BEDRAIL_RUN", surroundings.run)
        .env("BEDRAIL_ENVIRONMENT", surroundings.environment)
        .env("BEDRAIL_WAVE", surroundings.wave)
        .env("BEDRAIL_ACCOUNTS", accounts.join(","))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Seen::Unknown(format!("{name} could not be started: {error}")),
    };
    let output = RefCell::new(Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut reading = std::pin::pin!(async {
        tokio::join!(keep_end(stdout, &output), keep_end(stderr, &output));
    });
    let mut all_read = false;
    let ended = tokio::time::timeout(limit, async {
        loop {
            tokio::select! {
                biased;
                () = &mut reading, if !all_read => all_read = true,
                ended = child.wait() => break ended,
            }
        }
    })
    .await;
    if ended.is_err() {
        // Gone already, or it is dropped with the handle.
        let _ = child.kill().await;
    }
    if !all_read {
        let _ = tokio::time::timeout(AFTERWARDS, reading).await;
    }
    let said = last_line(&output.borrow());
    match ended {
        Ok(Ok(status)) => judge(name, status, &said),
        Ok(Err(error)) => Seen::Unknown(format!("{name} could not be waited for: {error}")),
        Err(_) => Seen::Unknown(format!(
            "{name} took longer than {} s{said}",
            limit.as_secs()
        )),
    }
}

fn judge(name: &str, status: ExitStatus, said: &str) -> Seen {
    match status.code() {
        Some(0) => Seen::Good(format!("{name} succeeded{said}")),
        Some(1) => Seen::Bad(format!("{name} failed{said}")),
        Some(code) => Seen::Unknown(format!("{name} ended with exit code {code}{said}")),
        None => Seen::Unknown(format!("{name} was ended by a signal{said}")),
    }
}

/// Reads all there is, so that the program never waits for us, and keeps the end of it.
async fn keep_end(from: Option<impl AsyncRead + Unpin>, into: &RefCell<Vec<u8>>) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 4096];
    while let Ok(read) = from.read(&mut buffer).await
        && read > 0
    {
        let mut kept = into.borrow_mut();
        kept.extend(buffer.iter().take(read));
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

/// `: ` and the last line that says anything.
fn last_line(output: &[u8]) -> String {
    String::from_utf8_lossy(output)
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(|line| format!(": {line}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, limit: Duration) -> Seen {
        let accounts = ["111111111111", "222222222222"].map(|id| id.parse().unwrap());
        let surroundings = Surroundings {
            run: "r1",
            environment: "prod",
            wave: "canary",
            accounts: &accounts,
            directory: Path::new("/"),
        };
        let program = ["/bin/sh", "-c", script].map(str::to_owned);
        run(&program, limit, &surroundings).await
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn only_zero_passes_and_only_one_fails() {
        for (script, seen) in [
            (
                "echo good",
                Seen::Good("/bin/sh succeeded: good".to_owned()),
            ),
            (
                "echo bad >&2; exit 1",
                Seen::Bad("/bin/sh failed: bad".to_owned()),
            ),
            (
                "exit 2",
                Seen::Unknown("/bin/sh ended with exit code 2".to_owned()),
            ),
            (
                "kill -9 $$",
                Seen::Unknown("/bin/sh was ended by a signal".to_owned()),
            ),
        ] {
            assert_eq!(shell(script, LONG).await, seen, "{script}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_or_takes_too_long_says_nothing() {
        let short = Duration::from_millis(200);
        let Seen::Unknown(text) = shell("echo still at it; sleep 600", short).await else {
            panic!("the time was up");
        };
        assert_eq!(text, "/bin/sh took longer than 0 s: still at it");
        let surroundings = Surroundings {
            run: "r1",
            environment: "prod",
            wave: "canary",
            accounts: &[],
            directory: Path::new("/"),
        };
        let missing = ["/nowhere/at-all".to_owned()];
        let seen = run(&missing, LONG, &surroundings).await;
        assert!(matches!(seen, Seen::Unknown(text) if text.contains("could not be started")));
    }

    #[tokio::test]
    async fn it_gets_its_run_and_nothing_of_our_environment_but_path_and_home() {
        let script = "echo $BEDRAIL_RUN $BEDRAIL_ENVIRONMENT $BEDRAIL_WAVE $BEDRAIL_ACCOUNTS $CARGO_MANIFEST_DIR";
        assert_eq!(
            shell(script, LONG).await,
            Seen::Good("/bin/sh succeeded: r1 prod canary 111111111111,222222222222".to_owned())
        );
    }

    #[tokio::test]
    async fn it_is_started_in_the_folder_of_the_rollout() {
        let seen = shell("pwd", LONG).await;
        assert_eq!(seen, Seen::Good("/bin/sh succeeded: /".to_owned()));
    }

    #[tokio::test]
    async fn endless_output_is_read_and_only_its_end_kept() {
        let script = "i=0; while [ $i -lt 5000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; echo end";
        assert_eq!(
            shell(script, LONG).await,
            Seen::Good("/bin/sh succeeded: end".to_owned())
        );
    }
}
