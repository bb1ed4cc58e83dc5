//! Two servers that speak AWS's protocols: moto, and Bedrail's own sandbox.

use std::path::Path;
use std::time::Duration;

use super::bedrail::{Bedrail, Credentials};
use super::process::Background;
use super::project::repository;
use super::python::Python;

/// Long enough for Python to compile moto on its first start.
const LIMIT: Duration = Duration::from_secs(90);

/// A server that is killed with the test.
pub struct Server {
    url: String,
    process: Background,
}

impl Server {
    /// moto on a port that the system picks: an organization is not made yet.
    #[track_caller]
    pub fn moto() -> Self {
        let mut command = Python::get().command();
        command.arg(repository().join("tests/python/serve_moto.py"));
        let process = Background::start(command);
        let url = process.after("Running on ", LIMIT);
        Self { url, process }
    }

    /// The sandbox kept in `folder`, on a port that the system picks.
    #[track_caller]
    pub fn sandbox(folder: &Path) -> Self {
        let process = Bedrail::within(folder)
            .args(["sandbox", "serve", "--port", "0"])
            .start();
        let url = process.after("listening on ", LIMIT);
        Self { url, process }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the server has printed, for a test that fails.
    pub fn log(&self) -> String {
        self.process.said()
    }
}

/// Keys of nobody: both servers take them for the management account's administrator.
pub fn any_keys() -> Credentials {
    Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_key: "any".to_owned(),
        session_token: None,
    }
}
