//! `--sandbox`: the embedded organization beside the rollout, in `.bedrail/sandbox`.

use std::path::{Path, PathBuf};

use crate::aws::{EmbeddedHttp, EmbeddedKeys, Source};
use crate::sandbox::clock::Clock;
use crate::sandbox::handle::Sandbox;
use crate::sandbox::seed;
use crate::sandbox::store::{self, StoreError};
use crate::sandbox::world::World;
use crate::sandbox::world::settings::Latency;

/// Where the organization is kept, below the rollout's folder.
const FOLDER: &str = ".bedrail/sandbox";
/// The role in the management account that people work as, as they would by single sign-on.
const OPERATOR: &str = "bedrail-operator";

/// The embedded organization of one rollout's folder.
#[derive(Debug)]
pub struct Embedded {
    sandbox: Sandbox,
}

/// The saved organization cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the embedded organization cannot be used: {0}")]
pub struct Trouble(#[from] StoreError);

impl Trouble {
    pub fn help(&self) -> &'static str {
        match self.0 {
            StoreError::Io { .. } => "check the folder's permissions and the room on the disk",
            _ => "`bedrail sandbox reset` starts it afresh",
        }
    }
}

impl Embedded {
    /// Opens the organization of a rollout's folder, and makes the default one where there is none.
    pub fn open(directory: &Path) -> Result<Self, Trouble> {
        let folder = folder(directory);
        let clock = Clock::system();
        let sandbox = if store::is_in(&folder) {
            Sandbox::open(&folder, clock)?
        } else {
            Sandbox::create(&folder, default_world(clock), clock)?
        };
        Ok(Self { sandbox })
    }

    /// Puts `world` in the place of whatever is there.
    pub fn replace(directory: &Path, world: World, clock: Clock) -> Result<(), Trouble> {
        let folder = folder(directory);
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(StoreError::Io {
                    path: folder,
                    source,
                }
                .into());
            }
        }
        Ok(Sandbox::create(&folder, world, clock)?.close()?)
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Works as the operator's role, as on AWS, where nobody should work with a user's own keys.
    pub fn source(&self) -> Source {
        Source::Embedded {
            http: EmbeddedHttp::new(self.sandbox.http_client()),
            keys: EmbeddedKeys {
                access_key: "AKIASANDBOXADMIN0001".to_owned(),
                secret_key: "sandbox".to_owned(),
            },
            role: Some(format!("arn:aws:iam::{}:role/{OPERATOR}", seed::MANAGEMENT)),
        }
    }

    /// How long things take here, compared to AWS.
    pub fn time_scale(&self) -> f64 {
        let latency = self.sandbox.look(|world| world.settings.latency);
        match latency {
            Ok(Latency::None) => 0.0,
            Ok(Latency::Fast) => 0.01,
            Ok(Latency::Real) | Err(_) => 1.0,
        }
    }

    /// Tidies up on disk. Nothing is lost without it.
    pub fn close(&self) -> Result<(), Trouble> {
        Ok(self.sandbox.close()?)
    }
}

fn folder(directory: &Path) -> PathBuf {
    directory.join(FOLDER)
}

/// About a dozen accounts in dev, staging and prod, with a hub, an operations and a network account. Operations
/// take a hundredth of their time on AWS, so that there is something to watch.
pub fn default_world(clock: Clock) -> World {
    let mut world = seed::default(clock.now(), roles());
    world.settings.latency = Latency::Fast;
    world
}

/// Roles of the management account that an organization has before anything is rolled out.
pub fn roles() -> Vec<seed::ManagementRole> {
    vec![seed::ManagementRole {
        name: OPERATOR.to_owned(),
        max_session: 43_200,
    }]
}
