//! Builds the plugins that are embedded in the binary: ordinary components, built as an integrator would build them.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The embedded plugins, by package.
const PLUGINS: [&str; 6] =
    ["ibus-feed", "appointment-synchronize", "status-mapping", "calendar-file", "caldav", "outlook-graph"];
/// What the plugins are made of besides themselves, from the root of the workspace.
const INGREDIENTS: [&str; 5] = ["plugins/sdk", "plugins/calendar", "wit", "Cargo.toml", "Cargo.lock"];
/// What plugins are built for.
const TARGET: &str = "wasm32-wasip2";

/// Settings of cargo that say where things are and how to get them. Everything else that cargo and its callers put into the
/// environment is about the build of the host (flags, wrappers, profiles, the job server) and would spoil the plugins'.
const KEPT: [&str; 5] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_"];
const REMOVED: [&str; 10] = [
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_LINKER",
    "CLIPPY_ARGS",
    "MAKEFLAGS",
    "MFLAGS",
    "LLVM_PROFILE_FILE",
    "TARGET",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let root = path("CARGO_MANIFEST_DIR")?.join("../..");
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    for ingredient in INGREDIENTS {
        println!("cargo::rerun-if-changed={}", root.join(ingredient).display());
    }
    for plugin in PLUGINS {
        println!("cargo::rerun-if-changed={}", root.join("plugins").join(plugin).display());
    }
    ensure_target()?;
    let out = path("OUT_DIR")?;
    let target = target_folder(&out)?.join("plugins");
    compile(&root, &target)?;
    for plugin in PLUGINS {
        let name = format!("{}.wasm", plugin.replace('-', "_"));
        let component = target.join(TARGET).join("plugin").join(&name);
        let embedded = out.join(&name);
        copy_if_different(&component, &embedded)?;
        let variable = plugin.replace('-', "_").to_uppercase();
        println!("cargo::rustc-env=APPTSYNC_COMPONENT_{variable}={}", embedded.display());
    }
    Ok(())
}

fn path(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable).map(PathBuf::from).ok_or_else(|| format!("{variable} is not set: run this through cargo"))
}

/// The target folder of the host's build, whatever its profile: `OUT_DIR` is `<target>[/<triple>]/<profile>/build/<package>/out`.
fn target_folder(out: &Path) -> Result<PathBuf, String> {
    let above = out.ancestors().nth(4).ok_or_else(|| format!("{} lies too high", out.display()))?;
    let triple = env::var_os("TARGET").unwrap_or_default();
    let is_triple = above.file_name() == Some(triple.as_os_str());
    Ok(if is_triple { above.parent().unwrap_or(above) } else { above }.to_owned())
}

/// Makes sure that the compiler can build for the target. With rustup's automatic installation switched off, the toolchain
/// file alone does not bring it.
fn ensure_target() -> Result<(), String> {
    if is_target_installed()? {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).stdin(Stdio::null()).status();
    if added.is_ok_and(|status| status.success()) && is_target_installed()? {
        return Ok(());
    }
    Err(format!(
        "the plugins are built for {TARGET}, which this toolchain does not have: run `rustup target add {TARGET}` and build again"
    ))
}

fn is_target_installed() -> Result<bool, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("{} does not run: {error}", rustc.display()))?;
    Ok(output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

fn compile(root: &Path, target: &Path) -> Result<(), String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).stdin(Stdio::null()).args(["build", "--profile", "plugin", "--target", TARGET]);
    command.arg("--manifest-path").arg(root.join("Cargo.toml"));
    // A folder of its own: cargo holds the lock of the host's while this runs.
    command.arg("--target-dir").arg(target);
    if root.join("Cargo.lock").is_file() {
        command.arg("--locked");
    }
    if let Some(jobs) = env::var_os("NUM_JOBS") {
        command.arg("--jobs").arg(jobs);
    }
    for plugin in PLUGINS {
        command.args(["--package", plugin]);
    }
    for (name, _) in env::vars_os().filter(|(name, _)| is_about_the_host(name)) {
        command.env_remove(name);
    }
    let status = command.status().map_err(|error| format!("cargo does not run: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let command = format!("cargo build --profile plugin --target {TARGET} -p {}", PLUGINS.join(" -p "));
    Err(format!("the plugins do not build ({status}): see above, or run `{command}`"))
}

fn is_about_the_host(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_cargos = name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept));
    is_cargos || REMOVED.contains(&&*name)
}

/// Copies a component only when it is another, so that nothing is built again without need.
fn copy_if_different(from: &Path, to: &Path) -> Result<(), String> {
    let component = fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == component) {
        return Ok(());
    }
    fs::write(to, component).map_err(|error| format!("{}: {error}", to.display()))
}
