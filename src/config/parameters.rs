//! Which value a parameter has at a place, and which file says so.
//!
//! Precedence, weakest first: template default, component, base, environment, environment's component,
//! environment's Region, account, account's Region.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Origin;
use super::model::{Component, Environment, Parameters, Piece, Reference, Rollout, Text, Value};
use super::text::Filled;
use crate::ids::{AccountId, Region};
use crate::policy::Document;
use crate::resources::Spec;
use crate::template::Template;

/// Where a value stands, in order of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    TemplateDefault,
    Component,
    Base,
    Environment,
    EnvironmentComponent,
    EnvironmentRegion,
    Account,
    AccountRegion,
}

impl Layer {
    pub fn name(self) -> &'static str {
        match self {
            Self::TemplateDefault => "template default",
            Self::Component => "component",
            Self::Base => "base",
            Self::Environment => "environment",
            Self::EnvironmentComponent => "environment's component",
            Self::EnvironmentRegion => "environment's Region",
            Self::Account => "account",
            Self::AccountRegion => "account's Region",
        }
    }
}

/// A parameter's value with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// References to other parameters are filled in; the others remain.
    pub value: Value,
    pub layer: Layer,
    pub origin: Option<Origin>,
    /// Weaker values, weakest first.
    pub shadowed: Vec<(Layer, Origin, Value)>,
}

impl Component {
    /// The path of the component's CloudFormation template.
    pub fn template_path(&self) -> Option<&str> {
        match &self.spec {
            Spec::Stack(spec) => Some(&spec.template),
            Spec::StackSet(spec) => Some(&spec.template),
            Spec::OrganizationAccess(_) | Spec::Policy(_) | Spec::InvocationLogging(_) => None,
        }
    }

    /// Is there one of it per environment? Otherwise it stands for the rollout as a whole.
    pub fn per_environment(&self) -> bool {
        match &self.spec {
            Spec::OrganizationAccess(_) | Spec::Stack(_) => false,
            Spec::Policy(spec) => spec.attach_to.environments.is_some(),
            Spec::StackSet(spec) => spec.accounts.is_none(),
            Spec::InvocationLogging(spec) => spec.accounts.is_none(),
        }
    }
}

impl Rollout {
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.phases.iter().flat_map(|phase| &phase.components)
    }

    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components().find(|component| component.name == name)
    }

    pub fn template_of(&self, component: &Component) -> Option<&Template> {
        let path = component.template_path()?;
        self.templates.get(path).map(AsRef::as_ref)
    }

    pub fn document_of(&self, component: &Component) -> Option<&Document> {
        match &component.spec {
            Spec::Policy(spec) => self.documents.get(&spec.document).map(AsRef::as_ref),
            Spec::OrganizationAccess(_)
            | Spec::Stack(_)
            | Spec::StackSet(_)
            | Spec::InvocationLogging(_) => None,
        }
    }

    /// The environments that a component is made for; none when it is not made per environment.
    pub fn environments_of<'r>(
        &'r self,
        component: &'r Component,
    ) -> impl Iterator<Item = &'r Environment> {
        self.environments.values().filter(|environment| {
            component.per_environment()
                && component
                    .environments
                    .as_ref()
                    .is_none_or(|names| names.contains(&environment.name))
        })
    }

    /// Names of the parameters that a component takes: its template's, or those that its document names.
    pub fn taken_by(&self, component: &Component) -> BTreeSet<String> {
        let declared = self
            .template_of(component)
            .into_iter()
            .flat_map(|template| template.parameters.keys().cloned());
        let named = self
            .document_of(component)
            .into_iter()
            .flat_map(Document::references)
            .filter_map(|reference| match reference {
                Reference::Parameter(name) => Some(name),
                _ => None,
            });
        declared.chain(named).collect()
    }
}

/// The layers that apply at a place, weakest first, without the template's defaults.
pub fn layers<'r>(
    component: &'r Component,
    environment: Option<&'r Environment>,
    account: Option<&AccountId>,
    region: Option<&Region>,
) -> Vec<(Layer, &'r Parameters)> {
    let mut layers = vec![(Layer::Component, &component.parameters)];
    let Some(environment) = environment else {
        return layers;
    };
    layers.push((Layer::Base, &environment.base_parameters));
    layers.push((Layer::Environment, &environment.parameters));
    if let Some(section) = environment.components.get(&component.name) {
        layers.push((Layer::EnvironmentComponent, &section.parameters));
    }
    if let Some(section) = region.and_then(|region| environment.region_parameters.get(region)) {
        layers.push((Layer::EnvironmentRegion, section));
    }
    if let Some(section) = account.and_then(|account| environment.accounts.get(account)) {
        layers.push((Layer::Account, &section.parameters));
        if let Some(section) = region.and_then(|region| section.region_parameters.get(region)) {
            layers.push((Layer::AccountRegion, section));
        }
    }
    layers
}

/// Every parameter that the component takes and that has a value here. Without an account and a Region:
/// what a StackSet has as its own parameters.
pub fn resolve(
    rollout: &Rollout,
    component: &Component,
    environment: Option<&Environment>,
    account: Option<&AccountId>,
    region: Option<&Region>,
) -> BTreeMap<String, Resolved> {
    let place = Place {
        template: rollout.template_of(component),
        layers: layers(component, environment, account, region),
        environment,
    };
    rollout
        .taken_by(component)
        .into_iter()
        .filter_map(|name| {
            let mut resolved = place.strongest(&name)?;
            resolved.value = place.expand(&resolved.value, &mut vec![name.clone()]);
            Some((name, resolved))
        })
        .collect()
}

/// For StackSets: what an account and Region may have instead of the StackSet's own values: whatever is set
/// for it in particular, even to the same text (a reference can mean another output in another Region), and
/// whatever that changes. Always the complete list, since StackSets take a missing key for "back to the
/// StackSet's value".
pub fn overrides(
    rollout: &Rollout,
    component: &Component,
    environment: Option<&Environment>,
    account: &AccountId,
    region: &Region,
) -> BTreeMap<String, Resolved> {
    let own = resolve(rollout, component, environment, None, None);
    resolve(rollout, component, environment, Some(account), Some(region))
        .into_iter()
        .filter(|(name, here)| {
            here.layer >= Layer::EnvironmentRegion
                || own.get(name).is_none_or(|own| own.value != here.value)
        })
        .collect()
}

struct Place<'r> {
    template: Option<&'r Template>,
    layers: Vec<(Layer, &'r Parameters)>,
    environment: Option<&'r Environment>,
}

impl Place<'_> {
    fn strongest(&self, name: &str) -> Option<Resolved> {
        let declaration = self
            .template
            .and_then(|template| template.parameters.get(name));
        let default = declaration.and_then(|declaration| {
            let value = Value::literal(declaration.default.clone()?);
            Some((Layer::TemplateDefault, declaration.origin.clone(), value))
        });
        let mut candidates: Vec<(Layer, Origin, Value)> = default.into_iter().collect();
        for (layer, parameters) in &self.layers {
            let Some(located) = parameters.get(name) else {
                continue;
            };
            // What an environment inherits stands in the layer of the base already.
            let inherited = *layer == Layer::Environment
                && self
                    .environment
                    .is_some_and(|environment| environment.origin.file != located.origin.file);
            if !inherited {
                candidates.push((*layer, located.origin.clone(), located.value.clone()));
            }
        }
        let (layer, origin, value) = candidates.pop()?;
        Some(Resolved {
            value,
            layer,
            origin: Some(origin),
            shadowed: candidates,
        })
    }

    /// Puts other parameters in the places of `${parameters.NAME}`. A circle, which `validate` refuses,
    /// is left as it stands.
    fn expand(&self, value: &Value, path: &mut Vec<String>) -> Value {
        match value {
            Value::Text(text) => match self.whole_list(text, path) {
                Some(items) => Value::List(items),
                None => Value::Text(self.expand_text(text, path)),
            },
            Value::List(items) => Value::List(
                items
                    .iter()
                    .flat_map(|text| match self.whole_list(text, path) {
                        Some(items) => items,
                        None => vec![self.expand_text(text, path)],
                    })
                    .collect(),
            ),
        }
    }

    fn other(&self, name: &str, path: &mut Vec<String>) -> Option<Value> {
        if path.iter().any(|seen| seen == name) {
            return None;
        }
        let found = self.strongest(name)?;
        path.push(name.to_owned());
        let value = self.expand(&found.value, path);
        path.pop();
        Some(value)
    }

    /// A text that is nothing but a reference to a list is that list.
    fn whole_list(&self, text: &Text, path: &mut Vec<String>) -> Option<Vec<Text>> {
        match text.0.as_slice() {
            [Piece::Reference(Reference::Parameter(name))] => match self.other(name, path)? {
                Value::List(items) => Some(items),
                Value::Text(_) => None,
            },
            _ => None,
        }
    }

    fn expand_text(&self, text: &Text, path: &mut Vec<String>) -> Text {
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in &text.0 {
            match piece {
                Piece::Reference(Reference::Parameter(name)) => match self.other(name, path) {
                    Some(value) => {
                        for (position, text) in value.texts().iter().enumerate() {
                            if position > 0 {
                                pieces.push(Piece::Literal(",".to_owned()));
                            }
                            pieces.extend(text.0.iter().cloned());
                        }
                    }
                    None => pieces.push(piece.clone()),
                },
                other => pieces.push(other.clone()),
            }
        }
        Text(pieces)
    }
}

impl Value {
    /// The value with everything filled in, still a list if it was one; `None` while something is unknown.
    pub fn known(&self, lookup: &dyn Fn(&Reference) -> Option<String>) -> Option<Value> {
        let fill = |text: &Text| match text.fill(lookup) {
            Filled::Known(text) => Some(Text::literal(text)),
            Filled::Unknown(_) => None,
        };
        match self {
            Self::Text(text) => fill(text).map(Value::Text),
            Self::List(items) => items
                .iter()
                .map(fill)
                .collect::<Option<_>>()
                .map(Value::List),
        }
    }
}

/// What can be known of a reference from the files alone.
pub fn offline(
    rollout: &Rollout,
    environment: Option<&Environment>,
    reference: &Reference,
) -> Option<String> {
    match reference {
        Reference::RolloutName => Some(rollout.name.clone()),
        Reference::OrganizationId => rollout
            .organization
            .id
            .as_ref()
            .map(|id| id.value.to_string()),
        Reference::HomeRegion => Some(rollout.organization.home_region.to_string()),
        Reference::DeployerRole => Some(rollout.organization.deployer_role.name.clone()),
        Reference::NamedAccount(name) => match &rollout.accounts.get(name)?.value {
            super::model::AccountSelector::Id(id) => Some(id.to_string()),
            super::model::AccountSelector::Name(_) | super::model::AccountSelector::Tag { .. } => {
                None
            }
        },
        Reference::Environment => environment.map(|environment| environment.name.clone()),
        Reference::ManagementAccount
        | Reference::AccountId
        | Reference::AccountName
        | Reference::Region
        | Reference::Parameter(_)
        | Reference::StackOutput { .. } => None,
    }
}
