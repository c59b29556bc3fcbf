//! A [Radicale](https://radicale.org) of its own for a test, with one user.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::calendar_servers::{ForeignUser, Server, programs};

/// The name of the user.
pub const USER: &str = "user";
/// The user's password.
pub const PASSWORD: &str = "password";

/// A Radicale that is stopped and gone after the test.
pub struct Radicale {
    server: Option<Server>,
    port: u16,
    folder: TempDir,
}

impl Default for Radicale {
    fn default() -> Self {
        Self::start()
    }
}

impl Radicale {
    /// Starts one, without calendars.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("users"), format!("{USER}:{PASSWORD}\n")).expect("written");
        let server = Server::start(|port| command(folder.path(), port));
        Self { port: server.port, server: Some(server), folder }
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whoever else uses the calendars.
    #[must_use]
    pub fn foreign_user(&self) -> ForeignUser {
        ForeignUser::new(&self.origin(), USER, PASSWORD)
    }

    /// Makes a calendar for appointments and tasks, and gives its path.
    ///
    /// # Panics
    /// Radicale refuses.
    #[must_use]
    pub fn calendar(&self, name: &str) -> String {
        let path = format!("/{USER}/{name}/");
        self.foreign_user().make_calendar(&path, name, &["VEVENT", "VTODO"]);
        path
    }

    /// The folder of a calendar: one file for each object. To look at only.
    #[must_use]
    pub fn folder(&self, calendar: &str) -> std::path::PathBuf {
        self.folder.path().join("collections/collection-root").join(calendar.trim_matches('/'))
    }

    /// Ends the server; the calendars stay.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Starts the server again at the same address.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        self.stop();
        let started = Server::start_on(self.port, |port| command(self.folder.path(), port));
        self.server = Some(started.expect("Radicale starts again"));
    }
}

fn command(folder: &Path, port: u16) -> Command {
    let configuration = folder.join("configuration");
    let text = format!(
        "[server]\nhosts = 127.0.0.1:{port}\nmax_connections = 32\n\
         [auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n\
         [storage]\nfilesystem_folder = {collections}\n\
         [logging]\nlevel = warning\n",
        users = folder.join("users").display(),
        collections = folder.join("collections").display(),
    );
    fs::write(&configuration, text).expect("written");
    let mut command = Command::new(programs().join("radicale"));
    command.arg("--config").arg(configuration);
    command
}
