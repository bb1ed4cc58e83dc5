//! The files of a rollout, as somebody would have written them for a [`Shape`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::{Failed, Loaded, load};

use super::shape::{AccountKind, Change, ROLLOUT, Shape, Size, Where};

/// Which state of the files: every version changes values, templates and documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    First,
    Second,
}

impl Version {
    /// Which version of the templates goes with this state of the files.
    pub fn of_templates(self, change: Change) -> Self {
        match change {
            Change::Values => Self::First,
            Change::Everything | Change::Templates => self,
        }
    }

    /// Which version of the values goes with this state of the files.
    pub fn of_values(self, change: Change) -> Self {
        match change {
            Change::Templates => Self::First,
            Change::Everything | Change::Values => self,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::First => "one",
            Self::Second => "two",
        }
    }

    /// What the account with values of its own keeps.
    pub fn exception(self) -> i64 {
        match self {
            Self::First => 60,
            Self::Second => 120,
        }
    }

    /// Days that log groups keep their events, by position of the environment. Allowed values of CloudWatch Logs.
    pub fn retention(self, environment: usize) -> i64 {
        match (self, environment) {
            (Self::First, 0) => 1,
            (Self::First, 1) => 3,
            (Self::First, _) => 5,
            (Self::Second, 0) => 7,
            (Self::Second, 1) => 14,
            (Self::Second, _) => 30,
        }
    }
}

/// Stands in an account with values of its own.
pub const SPECIAL: &str = "special";
/// Stands everywhere else.
pub const PLAIN: &str = "plain";
/// What gates look at.
pub const ALARM: &str = "sim-errors";
pub const LOG_GROUP: &str = "/sim/logs";
pub const ROLE: &str = "bedrail-deployer";

/// All files by their paths.
pub fn files(shape: &Shape, version: Version) -> BTreeMap<String, String> {
    let values = version.of_values(shape.change);
    let version = version.of_templates(shape.change);
    let mut files = BTreeMap::new();
    files.insert("rollout.yaml".to_owned(), rollout(shape));
    for at in 0..shape.environments.len() {
        if let Some((name, text)) = environment(shape, at, values) {
            files.insert(format!("environments/{name}.yaml"), text);
        }
    }
    files.insert("templates/base.yaml".to_owned(), base(version));
    if shape.components.hub {
        files.insert("templates/hub.yaml".to_owned(), hub(version));
    }
    if shape.components.own_role {
        files.insert("templates/role.yaml".to_owned(), role());
    }
    if shape.components.policy || shape.components.seal {
        files.insert("policies/models.json".to_owned(), document());
    }
    files
}

fn rollout(shape: &Shape) -> String {
    let regions = shape.regions.join(", ");
    let mut text = format!(
        "version: 1\nname: {ROLLOUT}\norganization:\n  homeRegion: us-east-1\n  deployerRole: {ROLE}\n  id: o-simulation1\n\
         accounts:\n  hub: {{ id: \"{}\" }}\n",
        super::shape::HUB
    );
    let protected: Vec<String> = shape
        .environments
        .iter()
        .flat_map(|environment| &environment.accounts)
        .filter(|account| account.kind == AccountKind::Protected)
        .map(|account| format!("\"{}\"", account.id))
        .collect();
    text.push_str(&format!(
        "protected:\n  accounts: [{}]\n  organizationalUnits: [Locked]\n",
        protected.join(", ")
    ));
    text.push_str("phases:\n  - name: management\n    components:\n");
    text.push_str("      - kind: organizationAccess\n        name: access\n        policyTypes: [SERVICE_CONTROL_POLICY]\n");
    if shape.components.policy {
        text.push_str(&policy("models"));
        text.push_str("        dependsOn: [access]\n");
    }
    if shape.components.hub {
        text.push_str(
            "  - name: hub\n    components:\n      - kind: stack\n        name: central\n        account: hub\n        regions: [us-east-1]\n        \
             template: templates/hub.yaml\n        parameters: { Organization: \"${organization.id}\" }\n",
        );
    }
    text.push_str("  - name: members\n    components:\n");
    if shape.components.own_role {
        text.push_str(
            "      - kind: stackSet\n        name: role\n        template: templates/role.yaml\n        regions: [us-east-1]\n",
        );
    }
    let hub_value = if shape.components.hub {
        "\"${stack.central.outputs.Address}\""
    } else {
        "none"
    };
    text.push_str(&format!(
        "      - kind: stackSet\n        name: base\n        template: templates/base.yaml\n        regions: [{regions}]\n        parameters:\n          \
         Mark: \"${{environment}}\"\n          Hub: {hub_value}\n          Extra: {PLAIN}\n"
    ));
    if shape.components.logging {
        let after = if shape.components.own_role {
            "[role, base]"
        } else {
            "[base]"
        };
        text.push_str(&format!(
            "  - name: logging\n    components:\n      - kind: invocationLogging\n        name: invocations\n        \
             cloudWatch: {{ logGroup: {LOG_GROUP}, role: \"sim-logging-${{region}}\" }}\n        \
             deliver: {{ text: true, image: true, embedding: true, video: true, audio: true }}\n        foreign: refuse\n        dependsOn: {after}\n"
        ));
    }
    if shape.components.seal {
        text.push_str("  - name: seal\n    components:\n");
        text.push_str(&policy("seal"));
    }
    text
}

fn policy(name: &str) -> String {
    format!(
        "      - kind: policy\n        name: {name}\n        type: SERVICE_CONTROL_POLICY\n        document: policies/models.json\n        \
         attachTo: {{ environments: all }}\n"
    )
}

fn environment(shape: &Shape, at: usize, version: Version) -> Option<(&'static str, String)> {
    let environment = shape.environments.get(at)?;
    let name = environment.name;
    let delivery = environment.delivery;
    let has = |kind| {
        environment
            .accounts
            .iter()
            .any(|account| account.kind == kind)
    };
    let mut text = format!(
        "environment: {name}\ntargets:\n  organizationalUnits: [Work/{name}]\n{}regions: [{}]\n\
         parameters:\n  Retention: {}\n{}",
        if has(AccountKind::Excluded) {
            "  exclude: { tags: { rollout: frozen } }\n"
        } else {
            ""
        },
        shape.regions.join(", "),
        version.retention(at),
        if shape.components.policy || shape.components.seal {
            format!("  Models: [\"{}\"]\n", model(name, version))
        } else {
            String::new()
        }
    );
    if shape.components.exception
        && let Some(account) = exception(shape, at)
    {
        text.push_str(&format!(
            "accounts:\n  \"{account}\": {{ parameters: {{ Extra: {SPECIAL}, Retention: {} }} }}\n",
            version.exception()
        ));
    }
    text.push_str("delivery:\n");
    if environment.after_previous
        && let Some(previous) = at.checked_sub(1).and_then(|at| shape.environments.get(at))
    {
        text.push_str(&format!("  after: [{}]\n", previous.name));
    }
    text.push_str(&format!(
        "  maxConcurrent: {}\n  failureTolerance: {}\n  concurrencyMode: {}\n  regionConcurrency: {}\n",
        delivery.max_concurrent.text(),
        delivery.tolerance.text(),
        if delivery.soft { "soft" } else { "strict" },
        if delivery.parallel {
            "parallel"
        } else {
            "sequential"
        },
    ));
    if !environment.waves.is_empty() {
        text.push_str("  waves:\n");
    }
    for wave in &environment.waves {
        let size = match wave.size {
            Size::Accounts(count) => format!("accounts: {count}"),
            Size::Percent(percent) => format!("percent: {percent}"),
        };
        text.push_str(&format!("    - name: {}\n      {size}\n", wave.name));
        if wave.bake > 0 {
            text.push_str(&format!("      bake: {}s\n", wave.bake));
        }
        if let Some(place) = wave.alarm {
            let place = match place {
                Where::Hub => "hub",
                Where::Canary => "canary",
            };
            text.push_str(&format!("      gate: {{ alarm: {ALARM}, in: {place} }}\n"));
        }
        if wave.approval {
            text.push_str("      approval: required\n");
        }
    }
    Some((name, text))
}

/// The model that an environment's policies deny.
pub fn model(environment: &str, version: Version) -> String {
    format!(
        "arn:aws:bedrock:*::foundation-model/{environment}.{}",
        version.word()
    )
}

/// The account of an environment that has values of its own, if there is one: its last active one.
pub fn exception(shape: &Shape, at: usize) -> Option<&str> {
    shape.components.exception.then_some(())?;
    let environment = shape.environments.get(at)?;
    environment
        .accounts
        .iter()
        .rev()
        .find(|account| account.kind == AccountKind::Active)
        .map(|account| account.id.as_str())
}

fn base(version: Version) -> String {
    format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Retention: {{ Type: Number, Default: 90 }}
  Mark: {{ Type: String, Default: nobody }}
  Hub: {{ Type: String, Default: none }}
  Extra: {{ Type: String, Default: nothing }}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {{ LogGroupName: {LOG_GROUP}, RetentionInDays: !Ref Retention }}
  Marker:
    Type: AWS::SSM::Parameter
    Properties: {{ Name: /sim/marker, Type: String, Value: !Sub "${{Mark}} ${{Hub}} {}" }}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub sim-logging-${{AWS::Region}}
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {{ Effect: Allow, Principal: {{ Service: bedrock.amazonaws.com }}, Action: sts:AssumeRole }}
      Policies:
        - PolicyName: write
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {{ Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: "*" }}
"#,
        version.word()
    )
}

fn hub(version: Version) -> String {
    format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Organization: {{ Type: String }}
Resources:
  Address:
    Type: AWS::SSM::Parameter
    Properties: {{ Name: /sim/address, Type: String, Value: !Sub "${{Organization}} {}" }}
Outputs:
  Address: {{ Value: sim-hub }}
"#,
        version.word()
    )
}

fn role() -> String {
    format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {ROLE}
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {{ Effect: Allow, Principal: {{ AWS: "arn:aws:iam::111111111111:root" }}, Action: [sts:AssumeRole, sts:SetSourceIdentity] }}
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]
"#
    )
}

/// Denies models and nothing that anybody who deploys needs.
fn document() -> String {
    r#"{ "Version": "2012-10-17", "Statement": [{ "Sid": "Models", "Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": ["${parameters.Models}"] }] }"#
        .to_owned()
}

/// A folder that goes away with the value.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

static FOLDERS: AtomicU64 = AtomicU64::new(0);

impl Folder {
    /// # Errors
    /// Those of the file system.
    pub fn new() -> io::Result<Self> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("bedrail-sim-{}-{number}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self, files: &BTreeMap<String, String>) -> io::Result<()> {
        for (name, text) in files {
            let path = self.path.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays among the temporary files.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Why there are no files to work with: a fault of the simulation.
#[derive(Debug, thiserror::Error)]
pub enum NoFiles {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{}", .0.diagnostics.iter().map(|finding| format!("{finding:?}")).collect::<Vec<_>>().join("\n"))]
    Failed(Failed),
}

/// Writes the files and reads them as the program does.
///
/// # Errors
/// [`NoFiles`]; the generator is wrong then.
pub fn loaded(shape: &Shape, version: Version) -> Result<Loaded, NoFiles> {
    let folder = Folder::new()?;
    folder.write(&files(shape, version))?;
    load(folder.path(), "rollout.yaml").map_err(NoFiles::Failed)
}

/// A copy of what was read.
pub fn again(loaded: &Loaded) -> Loaded {
    Loaded {
        rollout: loaded.rollout.clone(),
        warnings: loaded.warnings.clone(),
        sources: loaded.sources.clone(),
    }
}
