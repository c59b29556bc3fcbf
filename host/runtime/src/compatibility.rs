//! Does a component fit a stage? Asked before anything is instantiated, so that a linker error is never what people see.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::plugin::World;

/// The package of the contract.
const PACKAGE: &str = "ibus:appointments";
/// The versions of the contract that this host offers.
pub(crate) const OFFERED: &str = "0.1";

/// WASI packages that every language's standard library may import. They are lent, but virtual.
const VIRTUAL: &[&str] = &["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];
/// Interfaces lent to every plugin besides.
const LENT: &[&str] = &["wasi:logging/logging@0.1.0-draft", "wasi:config/store@0.2.0-rc.1"];

/// The network, lent where an origin is granted, and state: both to connectors alone.
const HTTP: [&str; 2] = ["wasi:http/outgoing-handler", "wasi:http/types"];
const STATE: &str = "wasi:keyvalue/store@0.2.0-draft";

/// What is granted to a plugin besides what every plugin of its world has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grants {
    /// There is an origin that it may speak to.
    pub(crate) http: bool,
}

impl Grants {
    /// All that a world can have.
    pub(crate) fn all(world: World) -> Self {
        Self { http: world == World::Connector }
    }
}

/// `package/interface` and version of an import or export.
fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(interface, version)| (interface, Some(version)))
}

fn is_offered(version: Option<&str>) -> bool {
    version.is_some_and(|version| version.strip_prefix(OFFERED).is_some_and(|rest| rest.starts_with('.')))
}

fn is_wasi_0_2(version: Option<&str>) -> bool {
    version.is_some_and(|version| version.starts_with("0.2."))
}

/// The contract interfaces that a component exports, with their versions.
pub(crate) fn exports(component: &Component, engine: &Engine) -> Vec<(String, Option<String>)> {
    let component_type = component.component_type();
    let names = component_type.exports(engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    names
        .iter()
        .filter_map(|name| {
            let (interface, version) = split(name);
            let short = interface.strip_prefix(PACKAGE)?.strip_prefix('/')?;
            Some((short.to_owned(), version.map(str::to_owned)))
        })
        .collect()
}

/// The interfaces that a component imports.
pub(crate) fn imports(component: &Component, engine: &Engine) -> Vec<String> {
    component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect()
}

/// Says what does not fit and what to do.
pub(crate) fn check(component: &Component, engine: &Engine, world: World, grants: Grants) -> Result<(), String> {
    if grants.http && world != World::Connector {
        return Err(format!(
            "is granted `http`, which only connectors can be, not {}: remove it",
            world.with_article()
        ));
    }
    let exports = exports(component, engine);
    let wanted = world.interface();
    match exports.iter().find(|(interface, _)| interface == wanted) {
        Some((_, version)) if is_offered(version.as_deref()) => {}
        Some((_, version)) => {
            return Err(format!(
                "was built for {PACKAGE}@{}, this host offers {OFFERED}: build it with the contract of this host (`wit/`), or use a host that offers its version",
                version.as_deref().unwrap_or("(no version)")
            ));
        }
        None if exports.is_empty() => {
            return Err(format!(
                "exports no interface of {PACKAGE}: it is no plugin of apptsync; {} exports {PACKAGE}/{wanted}@{OFFERED}.0",
                world.with_article()
            ));
        }
        None => {
            let found: Vec<_> = exports.iter().map(|(interface, _)| interface.as_str()).collect();
            return Err(format!(
                "exports {}, but this stage wants {} ({PACKAGE}/{wanted})",
                found.join(", "),
                world.with_article()
            ));
        }
    }
    for import in imports(component, engine) {
        let (interface, version) = split(&import);
        let package = interface.split_once('/').map_or(interface, |(package, _)| package);
        let is_connector = world == World::Connector;
        let is_fine = LENT.contains(&import.as_str())
            || (VIRTUAL.contains(&package) && is_wasi_0_2(version))
            || (HTTP.contains(&interface) && is_wasi_0_2(version) && is_connector && grants.http)
            || (import == STATE && is_connector)
            || (package == PACKAGE && is_offered(version));
        if !is_fine {
            return Err(format!("imports {import}, {}", advice(&import, world)));
        }
    }
    Ok(())
}

fn advice(import: &str, world: World) -> String {
    let (interface, version) = split(import);
    let package = interface.split_once('/').map_or(interface, |(package, _)| package);
    let is_connector = world == World::Connector;
    if package == PACKAGE {
        let version = version.unwrap_or("(no version)");
        return format!(
            "so it was built for {PACKAGE}@{version}, but this host offers {OFFERED}: build it with this host's `wit/`"
        );
    }
    if VIRTUAL.contains(&package) || HTTP.contains(&interface) {
        if !is_wasi_0_2(version) {
            return format!("but this host offers WASI 0.2, not {}", version.unwrap_or("no version"));
        }
        let what = if is_connector {
            "add `http = [\"https://…\"]` with the origins that it may speak to"
        } else {
            "only connectors can be granted `http = [\"https://…\"]`"
        };
        return format!("the network, which is not granted: {what}");
    }
    if import == STATE {
        return "state of its own, which only connectors are lent: remove what needs it".into();
    }
    let lent = LENT.iter().chain(is_connector.then_some(&STATE)).find(|lent| split(lent).0 == interface);
    match lent {
        Some(lent) => format!("but this host offers {lent}"),
        None => "which this host does not offer: remove what needs it".into(),
    }
}
