//! A [Xandikos](https://www.xandikos.org) of its own for a test, without passwords.

use std::process::Command;

use tempfile::TempDir;

use crate::calendar_servers::{ForeignUser, Server, programs, unique_name};

/// A Xandikos that is stopped and gone after the test.
pub struct Xandikos {
    server: Server,
    /// Where its calendars and its own state lie.
    _folder: TempDir,
}

impl Default for Xandikos {
    fn default() -> Self {
        Self::start()
    }
}

impl Xandikos {
    /// Starts one, with the calendar that it makes by itself.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A folder that no other Xandikos has.
        let mark = unique_name();
        std::fs::create_dir_all(folder.path().join("calendars").join(&mark)).expect("a folder");
        let command = |port: u16| {
            let mut command = Command::new(programs().join("xandikos"));
            command.args(["serve", "--defaults", "--current-user-principal", "/user/", "-l", "127.0.0.1", "-p"]);
            command.arg(port.to_string());
            command.arg("-d").arg(folder.path().join("calendars"));
            command.arg("--state-dir").arg(folder.path().join("state"));
            command
        };
        let is_ours = |origin: &str| ForeignUser::new(origin, "user", "").finds(&format!("/{mark}/"));
        let server = Server::start(command, is_ours);
        Self { server, _folder: folder }
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// Whoever else uses the calendars.
    #[must_use]
    pub fn foreign_user(&self) -> ForeignUser {
        ForeignUser::new(&self.origin(), "user", "")
    }

    /// Makes a calendar for appointments and tasks, and gives its path.
    ///
    /// # Panics
    /// Xandikos refuses.
    #[must_use]
    pub fn calendar(&self, name: &str) -> String {
        let path = format!("/user/calendars/{name}/");
        self.foreign_user().make_calendar(&path, name, &["VEVENT", "VTODO"]);
        path
    }
}
