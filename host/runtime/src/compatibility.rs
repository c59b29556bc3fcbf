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

/// `package/interface` and version of an import or export.
fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(interface, version)| (interface, Some(version)))
}

fn is_offered(version: Option<&str>) -> bool {
    version.is_some_and(|version| version.strip_prefix(OFFERED).is_some_and(|rest| rest.starts_with('.')))
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
pub(crate) fn check(component: &Component, engine: &Engine, world: World) -> Result<(), String> {
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
        let is_fine = LENT.contains(&import.as_str())
            || (VIRTUAL.contains(&package) && version.is_some_and(|version| version.starts_with("0.2.")))
            || (package == PACKAGE && is_offered(version));
        if !is_fine {
            return Err(format!("imports {import}, {}", advice(package, version, &import)));
        }
    }
    Ok(())
}

fn advice(package: &str, version: Option<&str>, import: &str) -> String {
    if package == "wasi:http" {
        return "the network, which is not granted: only connectors can be granted `http = [\"https://…\"]`".into();
    }
    if package == PACKAGE {
        let version = version.unwrap_or("(no version)");
        return format!(
            "so it was built for {PACKAGE}@{version}, but this host offers {OFFERED}: build it with this host's `wit/`"
        );
    }
    if VIRTUAL.contains(&package) {
        return format!("but this host offers WASI 0.2, not {}", version.unwrap_or("no version"));
    }
    if let Some(lent) = LENT.iter().find(|lent| split(lent).0 == split(import).0) {
        return format!("but this host offers {lent}");
    }
    "which this host does not offer: remove what needs it".into()
}
