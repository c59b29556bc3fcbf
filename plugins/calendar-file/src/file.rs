//! The file of a mailbox: read whole, written whole, beside itself first, so that nobody ever sees half of it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use apptsync_calendar::Calendar;
use apptsync_plugin::types::Failure;

/// The longest name of a mailbox that a file name is made of, in bytes.
const LONGEST_NAME: usize = 120;

/// The file of a mailbox.
#[derive(Debug, Clone)]
pub(crate) struct CalendarFile {
    path: PathBuf,
    name: String,
}

impl CalendarFile {
    /// The file of a mailbox in a folder: what may stand in a file name stands in it, everything else as `%XX`.
    pub(crate) fn of(folder: &Path, mailbox: &str) -> Result<Self, Failure> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._-+".contains(&byte);
        let mut name = String::new();
        for (index, byte) in mailbox.bytes().enumerate() {
            if is_plain(byte) && !(index == 0 && byte == b'.') {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        if name.is_empty() || name.len() > LONGEST_NAME {
            let why = format!("no file can be named after the mailbox `{mailbox}`: give the profile another --user");
            return Err(Failure::Permanent(why));
        }
        Ok(Self { path: folder.join(format!("{name}.ics")), name: mailbox.to_owned() })
    }

    /// Its bytes; those of an empty calendar where there is no file yet.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Calendar::feed(&self.name).to_bytes()),
            Err(error) => return Err(self.unusable("cannot be read", &error)),
        };
        let mut bytes = Vec::new();
        // One byte more than is read tells that there is more.
        let limit = Calendar::LONGEST as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(|error| self.unusable("cannot be read", &error))?;
        Ok(bytes)
    }

    /// The calendar in these bytes.
    pub(crate) fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Calendar<'a>, Failure> {
        Calendar::parse(bytes).map_err(|why| {
            let file = self.path.display();
            Failure::Permanent(format!("{file} is left as it is: {why}; move it away, or put it right"))
        })
    }

    /// Replaces the file, if it is still as it was read.
    pub(crate) fn replace(&self, read: &[u8], bytes: &[u8]) -> Result<(), Failure> {
        if bytes.len() > Calendar::LONGEST {
            let why = format!("{} would become longer than {} bytes", self.path.display(), Calendar::LONGEST);
            return Err(Failure::Permanent(why));
        }
        let beside = self.path.with_extension("ics.new");
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written {
            // What is left of it is in nobody's way: the next write begins it anew.
            let _ = fs::remove_file(&beside);
            return Err(self.unusable("cannot be written", &error));
        }
        if self.read()? != read {
            let _ = fs::remove_file(&beside);
            return Err(Failure::Transient(format!("{} was saved by another program meanwhile", self.path.display())));
        }
        fs::rename(&beside, &self.path).map_err(|error| self.unusable("cannot be replaced", &error))
    }

    fn unusable(&self, what: &str, error: &io::Error) -> Failure {
        let file = self.path.display();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Failure::Permanent(format!("{file} {what} ({error}): allow this account to read and write it"))
            }
            _ => Failure::Transient(format!("{file} {what}: {error}")),
        }
    }
}
