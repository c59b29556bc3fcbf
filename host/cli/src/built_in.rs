//! The plugins that the build embeds in the binary.

use apptsync_runtime::World;

/// A plugin embedded in the binary. It is an ordinary component: the configuration can name another in its place.
#[derive(Clone, Copy)]
pub struct BuiltIn {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The world it implements.
    pub world: World,
    /// The component.
    pub component: &'static [u8],
}

/// Every plugin embedded in the binary.
pub const BUILT_INS: [BuiltIn; 6] = [
    BuiltIn {
        name: "ibus-feed",
        world: World::Source,
        component: include_bytes!(env!("APPTSYNC_COMPONENT_IBUS_FEED")),
    },
    BuiltIn {
        name: "appointment-synchronize",
        world: World::ActivityDefinition,
        component: include_bytes!(env!("APPTSYNC_COMPONENT_APPOINTMENT_SYNCHRONIZE")),
    },
    BuiltIn {
        name: "status-mapping",
        world: World::StatusMapping,
        component: include_bytes!(env!("APPTSYNC_COMPONENT_STATUS_MAPPING")),
    },
    BuiltIn {
        name: "calendar-file",
        world: World::Connector,
        component: include_bytes!(env!("APPTSYNC_COMPONENT_CALENDAR_FILE")),
    },
    BuiltIn { name: "caldav", world: World::Connector, component: include_bytes!(env!("APPTSYNC_COMPONENT_CALDAV")) },
    BuiltIn {
        name: "outlook-graph",
        world: World::Connector,
        component: include_bytes!(env!("APPTSYNC_COMPONENT_OUTLOOK_GRAPH")),
    },
];

impl std::fmt::Debug for BuiltIn {
    /// Without the bytes of the component.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.name, self.world)
    }
}

impl BuiltIn {
    /// The built-in plugin of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        BUILT_INS.into_iter().find(|built_in| built_in.name == name)
    }
}
