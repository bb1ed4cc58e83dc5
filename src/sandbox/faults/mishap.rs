//! Things that other people and AWS itself do while a tool works. Each happens once, at a chosen
//! request, to something that is drawn when it happens.

use jiff::SignedDuration;

use super::{
    rule::Only,
    victims::{self, Scene},
};
use crate::sandbox::{
    wire::{Parsed, service::Service},
    world::{
        AccountId, Place, Region, World, account,
        cloudformation::stack_sets::mishaps,
        kms::KeyState,
        organizations::{State, tree},
    },
};

/// Which request, counted from 1, and on which side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Signing name and operation; any request if absent.
    pub on: Option<(&'static str, &'static str)>,
    pub only: Only,
    /// From this one on the mishap is tried at each until it finds its victim.
    pub nth: u64,
    pub side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

impl Trigger {
    pub fn fits(&self, parsed: &Parsed, changes: bool) -> bool {
        self.only.fits(changes)
            && self.on.is_none_or(|(service, operation)| {
                parsed.service.name() == service && parsed.operation == operation
            })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    SuspendAccount,
    /// In PENDING_CLOSURE.
    CloseAccount,
    /// To another organizational unit.
    MoveAccount,
    /// Out of the organization.
    RemoveAccount,
    /// A Region that the account had is switched off.
    DisableRegion,
    /// The caller's keys turn out to be of another account.
    OtherIdentity,
    ExpireSessions,
    /// Somebody attaches a policy that denies these actions in a member account.
    Deny {
        actions: &'static str,
    },
    /// Somebody replaces FullAWSAccess of a member account by a policy that allows only logging.
    AllowOnlyLogs,
    /// Somebody denies a Region in a member account.
    DenyRegion,
    /// Somebody edits a policy of the organization.
    RewritePolicy,
    ForeignOperation {
        seconds: i64,
    },
    /// The operation that runs makes no further step.
    HoldOperation,
    VanishStackSet,
    Inoperable,
    LoseInstance,
    ForgetOperations,
    /// A StackSet of the name that the request wants is made by somebody else first.
    TakeStackSetName,
    /// Somebody configures invocation logging in a member account.
    ForeignLogging,
    /// The same where the request was about.
    OverwriteLogging,
    /// The log group that invocation logs go to is deleted.
    DropLogDestination,
    DropLogGroup,
    /// A key is disabled, or waits for its deletion.
    DisableKey,
    DeleteKey,
    /// Somebody protects a stack.
    ProtectStack,
    /// Names of accounts are hostile to terminals, tables and web pages.
    HostileNames,
}

/// Texts that attack whoever prints them: escape codes, formulas, markup, reordering, line breaks.
pub const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}[1;1HApprove? [y/N] y",
    "=HYPERLINK(\"https://attacker.example\",\"ok\")",
    "<img src=x onerror=alert(1)>",
    "prod\u{202e}ved\u{2066}",
    "two\nlines\r\n| and | pipes",
    "\u{9b}31mred\u{7f}\u{0}",
];

impl Mishap {
    /// Lets it happen; false if there is nobody yet that it could happen to.
    pub fn happen(&self, world: &mut World, scene: &mut Scene<'_>) -> bool {
        match self {
            Self::SuspendAccount => set_state(world, scene, State::Suspended),
            Self::CloseAccount => set_state(world, scene, State::PendingClosure),
            Self::MoveAccount => move_account(world, scene),
            Self::RemoveAccount => remove_account(world, scene),
            Self::DisableRegion => disable_region(world, scene),
            Self::OtherIdentity => other_identity(world, scene),
            Self::ExpireSessions => expire_sessions(world),
            Self::Deny { actions } => {
                let statement =
                    format!(r#"{{"Effect":"Deny","Action":"{actions}","Resource":"*"}}"#);
                let account = victims::account(world, scene);
                account.is_some_and(|account| victims::attach(world, &account, &statement))
            }
            Self::AllowOnlyLogs => allow_only_logs(world, scene),
            Self::DenyRegion => {
                let Some(place) = victims::place(world, scene) else {
                    return false;
                };
                let statement = format!(
                    r#"{{"Effect":"Deny","Action":"bedrock:*","Resource":"*","Condition":{{"StringEquals":{{"aws:RequestedRegion":"{}"}}}}}}"#,
                    place.region
                );
                victims::attach(world, &place.account, &statement)
            }
            Self::RewritePolicy => victims::rewrite_policy(world, scene),
            Self::ForeignOperation { seconds } => victims::set(world, scene).is_some_and(|set| {
                mishaps::foreign_operation(world, &set, SignedDuration::from_secs(*seconds))
            }),
            Self::HoldOperation => hold(world),
            Self::VanishStackSet => {
                victims::set(world, scene).is_some_and(|set| mishaps::vanish(world, &set))
            }
            Self::Inoperable => victims::instance(world, scene)
                .is_some_and(|(set, key)| mishaps::make_inoperable(world, &set, &key)),
            Self::LoseInstance => victims::instance(world, scene)
                .is_some_and(|(set, key)| mishaps::lose_instance(world, &set, &key)),
            Self::ForgetOperations => mishaps::sets(world)
                .iter()
                .any(|set| mishaps::forget_operations(world, set)),
            Self::TakeStackSetName => {
                let region = Region(scene.parsed.region().to_owned());
                victims::wanted(scene, "StackSetName")
                    .is_some_and(|name| mishaps::foreign_set(world, &name, &region))
            }
            Self::ForeignLogging => victims::place(world, scene)
                .is_some_and(|place| victims::log_elsewhere(world, &place)),
            Self::OverwriteLogging => scene
                .place()
                .is_some_and(|place| victims::log_elsewhere(world, &place)),
            Self::DropLogDestination => victims::drop_log_destination(world),
            Self::DropLogGroup => victims::drop_log_group(world, scene),
            Self::DisableKey => victims::change_key(world, scene, KeyState::Disabled),
            Self::DeleteKey => {
                let week = SignedDuration::from_hours(7 * 24);
                let gone = world.now.saturating_add(week).unwrap_or(world.now);
                victims::change_key(world, scene, KeyState::PendingDeletion(gone))
            }
            Self::ProtectStack => victims::protect_stack(world, scene),
            Self::HostileNames => hostile_names(world),
        }
    }
}

fn set_state(world: &mut World, scene: &mut Scene<'_>, state: State) -> bool {
    let Some(account) = victims::account(world, scene) else {
        return false;
    };
    let member = world.organizations.accounts.get_mut(&account);
    member.map(|member| member.state = state).is_some()
}

fn move_account(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let Some(account) = victims::account(world, scene) else {
        return false;
    };
    let Some(from) = world
        .organizations
        .accounts
        .get(&account)
        .map(|member| member.parent.clone())
    else {
        return false;
    };
    let others: Vec<String> = world
        .organizations
        .units
        .keys()
        .filter(|unit| **unit != from)
        .cloned()
        .collect();
    let Some(to) = scene.one_of(&others) else {
        return false;
    };
    let moved = world
        .organizations
        .move_account(&account, &from, &to)
        .is_ok();
    if moved {
        tree::moved(world, &account, Some(&from), Some(&to));
    }
    moved
}

fn remove_account(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let Some(account) = victims::account(world, scene) else {
        return false;
    };
    let from = world
        .organizations
        .accounts
        .get(&account)
        .map(|member| member.parent.clone());
    let gone = world.organizations.remove_account(&account).is_ok();
    if gone {
        tree::moved(world, &account, from.as_deref(), None);
    }
    gone
}

fn disable_region(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let Some(Place {
        account: victim,
        region,
    }) = victims::place(world, scene)
    else {
        return false;
    };
    if !account::region_enabled(world, &victim, &region) {
        return false;
    }
    let held = world.accounts.entry(victim).or_default();
    held.opted_in.remove(&region);
    held.switched_off.insert(region);
    true
}

fn other_identity(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let Some(key) = scene
        .parsed
        .scope
        .as_ref()
        .map(|scope| scope.access_key.clone())
    else {
        return false;
    };
    let known = world.sts.sessions.contains_key(&key) || world.sts.user_keys.contains_key(&key);
    let Some(account) = victims::account(world, scene).filter(|_| !known) else {
        return false;
    };
    let arn = format!("arn:aws:iam::{account}:user/somebody");
    world
        .sts
        .user_keys
        .insert(key, crate::sandbox::world::sts::UserKey { account, arn });
    true
}

fn expire_sessions(world: &mut World) -> bool {
    let now = world.now;
    let mut any = false;
    for session in world.sts.sessions.values_mut() {
        any |= session.expires > now;
        session.expires = session.expires.min(now);
    }
    any
}

fn allow_only_logs(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let Some(account) = victims::account(world, scene) else {
        return false;
    };
    victims::attach(
        world,
        &account,
        r#"{"Effect":"Allow","Action":"logs:*","Resource":"*"}"#,
    ) && world
        .organizations
        .detach_policy("p-FullAWSAccess", &account.0, (world.now, world.now))
        .is_ok()
}

fn hold(world: &mut World) -> bool {
    let running = mishaps::sets(world)
        .iter()
        .find_map(|set| mishaps::running(world, set));
    let Some(key) = running else {
        return false;
    };
    mishaps::hold(world, &key, None);
    true
}

fn hostile_names(world: &mut World) -> bool {
    let management = world.organizations.management_account.clone();
    let members: Vec<AccountId> = world.organizations.accounts.keys().cloned().collect();
    for (at, account) in members
        .into_iter()
        .filter(|account| *account != management)
        .enumerate()
    {
        let text = HOSTILE.get(at % (HOSTILE.len() * 2));
        if let (Some(text), Some(member)) = (text, world.organizations.accounts.get_mut(&account)) {
            member.name = format!("{} {text}", member.name);
        }
    }
    true
}

/// Whether the request may change something; sessions of STS do not count.
pub fn changes(parsed: &Parsed) -> bool {
    !parsed.is_read() && parsed.service != Service::Sts
}
