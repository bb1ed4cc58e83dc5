//! A rollout that is quick to read: one StackSet with a log group.

use super::project::Project;

/// Of the StackSet's instances: its one log group.
pub const GROUP: &str = "/notes";

pub const ROLLOUT: &str = r#"version: 1
name: small
organization: { homeRegion: us-east-1, deployerRole: bedrail-deployer }
phases:
  - name: management
    components:
      - kind: organizationAccess
        name: access
  - name: members
    components:
      - kind: stackSet
        name: notes
        template: templates/notes.yaml
"#;

/// A template with this log group.
pub fn template(group: &str) -> String {
    format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Days: {{ Type: Number }}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {{ LogGroupName: {group}, RetentionInDays: !Ref Days }}
"#
    )
}

/// The rollout with one environment, `prod`.
pub fn project(production: &str) -> Project {
    let project = Project::empty();
    project.write("rollout.yaml", ROLLOUT);
    project.write("environments/prod.yaml", production);
    project.write("templates/notes.yaml", &template(GROUP));
    project
}
