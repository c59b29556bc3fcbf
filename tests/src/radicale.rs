//! A [Radicale](https://radicale.org) of its own for a test, with one user.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::calendar_servers::{ForeignUser, Server, programs, unique_name};

/// The name of the user.
pub const USER: &str = "user";
/// The user's password.
pub const PASSWORD: &str = "password";

/// A Radicale that is stopped and gone after the test.
pub struct Radicale {
    server: Option<Server>,
    port: u16,
    folder: TempDir,
    /// A user that no other Radicale has.
    guest: String,
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
        let guest = unique_name();
        fs::write(folder.path().join("users"), format!("{USER}:{PASSWORD}\n{guest}:{PASSWORD}\n")).expect("written");
        let server = Server::start(|port| command(folder.path(), port), |origin| knows(origin, &guest));
        Self { port: server.port, server: Some(server), folder, guest }
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
        self.make_calendar(USER, name)
    }

    /// Makes a calendar of another user with the same password, and gives its path.
    ///
    /// # Panics
    /// Radicale refuses.
    #[must_use]
    pub fn calendar_of(&self, user: &str, name: &str) -> String {
        // Radicale reads the file for every login.
        let mut users = OpenOptions::new().append(true).open(self.folder.path().join("users")).expect("the users");
        writeln!(users, "{user}:{PASSWORD}").expect("written");
        self.make_calendar(user, name)
    }

    fn make_calendar(&self, user: &str, name: &str) -> String {
        let path = format!("/{user}/{name}/");
        ForeignUser::new(&self.origin(), user, PASSWORD).make_calendar(&path, name, &["VEVENT", "VTODO"]);
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
        let is_ours = |origin: &str| knows(origin, &self.guest);
        let started = Server::start_on(self.port, |port| command(self.folder.path(), port), is_ours);
        self.server = Some(started.expect("Radicale starts again"));
    }
}

fn knows(origin: &str, guest: &str) -> bool {
    ForeignUser::new(origin, guest, PASSWORD).finds(&format!("/{guest}/"))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever answers at the port first is not taken for the server that was started.
    #[test]
    fn another_server_at_its_port_is_not_taken_for_it() {
        let other = Radicale::start();
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("users"), format!("stranger:{PASSWORD}\n")).expect("written");
        let command = |port| command(folder.path(), port);
        assert!(Server::start_on(other.port, command, |origin| knows(origin, "stranger")).is_none());
    }
}
