//! Templates: settings of rooms under a name, as `[template.NAME]` in the file.

use std::collections::BTreeMap;

use room::{
    HostRule,
    protocol::{Allowed, Entry, PolicyChange, TopologyChoice},
    rights::Role,
};
use serde::Deserialize;

use super::Problems;

/// Maximum number of characters of a name.
const MAX_NAME_CHARS: usize = 64;
/// The most that a client may request as the capacity of a room, too.
const MAX_CAPACITY: u32 = 100;

/// A template as given. Absent settings are those of other rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TemplateOptions {
    entry: Option<Entry>,
    chat: Option<Allowed>,
    screen: Option<Allowed>,
    newcomers: Option<Role>,
    private: Option<Allowed>,
    files: Option<Allowed>,
    capacity: Option<u32>,
    topology: Option<TopologyChoice>,
    listed: Option<bool>,
    when_hosts_leave: Option<HostRule>,
}

/// A template.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoomTemplate {
    /// Rules.
    pub(crate) policy: PolicyChange,
    /// Maximum number of participants.
    pub(crate) capacity: Option<u32>,
    /// Topology.
    pub(crate) topology: Option<TopologyChoice>,
    /// The room is in the public list.
    pub(crate) listed: Option<bool>,
    /// Consequence of the last host leaving.
    pub(crate) when_hosts_leave: Option<HostRule>,
}

/// Resolves templates; mistakes go to `problems`.
pub(super) fn resolve(
    given: BTreeMap<String, TemplateOptions>,
    problems: &mut Problems,
) -> BTreeMap<String, RoomTemplate> {
    let mut templates = BTreeMap::new();
    for (name, options) in given {
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            problems.add(format!("the name of a template has 1 to {MAX_NAME_CHARS} characters"));
            continue;
        }
        if options.newcomers > Some(Role::Speaker) {
            problems.add(format!("[template.{name}] newcomers: must be viewer or speaker"));
        }
        if options.capacity.is_some_and(|capacity| !(1..=MAX_CAPACITY).contains(&capacity)) {
            problems
                .add(format!("[template.{name}] capacity: must be between 1 and {MAX_CAPACITY}"));
        }
        templates.insert(name, RoomTemplate::from(options));
    }
    templates
}

impl From<TemplateOptions> for RoomTemplate {
    fn from(options: TemplateOptions) -> Self {
        let TemplateOptions { entry, chat, screen, newcomers, private, files, .. } = options;
        Self {
            policy: PolicyChange { entry, chat, screen, newcomers, private, files },
            capacity: options.capacity,
            topology: options.topology,
            listed: options.listed,
            when_hosts_leave: options.when_hosts_leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BTreeMap<String, RoomTemplate>, String> {
        let given = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut problems = Problems::default();
        let templates = resolve(given, &mut problems);
        let told = problems.iter().map(str::to_owned).collect::<Vec<_>>();
        if told.is_empty() { Ok(templates) } else { Err(told.join("; ")) }
    }

    #[test]
    fn a_template_has_rules_capacity_and_what_follows_when_hosts_leave() {
        let text = "[class]\nentry = 'waiting'\nchat = 'hosts'\nnewcomers = 'viewer'\n\
            private = 'hosts'\nfiles = 'hosts'\ncapacity = 40\nlisted = false\nwhen-hosts-leave = 'end'\n\
            topology = 'sfu'";
        let templates = parse(text).unwrap();
        let class = &templates["class"];
        assert_eq!(class.policy.entry, Some(Entry::Waiting));
        assert_eq!((class.policy.chat, class.policy.screen), (Some(Allowed::Hosts), None));
        assert_eq!(class.policy.private, Some(Allowed::Hosts));
        assert_eq!(class.policy.files, Some(Allowed::Hosts));
        assert_eq!((class.capacity, class.listed), (Some(40), Some(false)));
        assert_eq!(class.when_hosts_leave, Some(HostRule::End));
    }

    #[test]
    fn mistakes_name_the_template_and_the_setting() {
        for (text, about) in [
            ("[class]\ncapacity = 0", "[template.class] capacity"),
            ("[class]\nnewcomers = 'host'", "[template.class] newcomers"),
            ("[class]\nentry = 'shut'", "entry"),
            ("[class]\nlobby = true", "lobby"),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(about), "{text}: {told}");
        }
    }
}
