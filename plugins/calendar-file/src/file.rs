//! The file of a mailbox: read whole, written whole, beside itself first, so that nobody ever sees half of it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use apptsync_calendar::{Calendar, NotACalendar};
use apptsync_plugin::types::Failure;

/// The longest name of a mailbox that a file name is made of, in bytes.
const LONGEST_NAME: usize = 120;

/// The file of a mailbox.
#[derive(Debug, Clone)]
pub(crate) struct CalendarFile {
    folder: PathBuf,
    path: PathBuf,
    name: String,
}

impl CalendarFile {
    /// The file of a mailbox in a folder: what may stand in a file name stands in it, everything else as `%XX`.
    pub(crate) fn of(folder: &Path, mailbox: &str) -> Result<Self, Failure> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@._-+".contains(&byte);
        let is_device = is_device(mailbox);
        let mut name = String::new();
        for (index, byte) in mailbox.bytes().enumerate() {
            if is_plain(byte) && !(index == 0 && (byte == b'.' || is_device)) {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        if name.is_empty() || name.len() > LONGEST_NAME {
            let why = format!("no file can be named after the mailbox `{mailbox}`: give the profile another --user");
            return Err(Failure::Permanent(why));
        }
        let path = folder.join(format!("{name}.ics"));
        Ok(Self { folder: folder.to_owned(), path, name: mailbox.to_owned() })
    }

    /// Its bytes; those of an empty calendar where there is no file yet.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // A folder that is not there, a share that is not mounted for one, must not look like an empty calendar.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.folder.is_dir() => {
                return Ok(Calendar::feed(&self.name).to_bytes());
            }
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
        if bytes.is_empty() {
            // Some programs empty a file before they write it.
            return Err(Failure::Transient(format!("{} is empty", self.path.display())));
        }
        Calendar::parse(bytes).map_err(|why| {
            let file = self.path.display();
            if why == NotACalendar::CutOff {
                // Another program may be at it.
                return Failure::Transient(format!("{file} is left as it is: {why}"));
            }
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
        fs::rename(&beside, &self.path).map_err(|error| {
            let _ = fs::remove_file(&beside);
            self.unusable("cannot be replaced", &error)
        })?;
        // So that the name outlasts a loss of power, too, where folders can be synchronised.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn unusable(&self, what: &str, error: &io::Error) -> Failure {
        let file = self.path.display();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Failure::Permanent(format!("{file} {what} ({error}): allow this account to read and write it"))
            }
            io::ErrorKind::NotFound => {
                let folder = self.folder.display();
                Failure::Transient(format!("the folder {folder} is not there: create it, or connect its share"))
            }
            _ => Failure::Transient(format!("{file} {what}: {error}")),
        }
    }
}

/// Whether Windows takes a name for that of a device, whatever its ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || numbered.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_never_leads_out_of_its_folder() {
        let folder = Path::new("calendars");
        for (mailbox, name) in [
            ("anna@example.com", "anna@example.com.ics"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.ics"),
            ("/etc/passwd", "%2Fetc%2Fpasswd.ics"),
            ("..", "%2E..ics"),
            ("a\\b\0c:d", "a%5Cb%00c%3Ad.ics"),
            ("con", "%63on.ics"),
            ("Lpt1.office", "%4Cpt1.office.ics"),
            ("console", "console.ics"),
            ("com0", "com0.ics"),
            ("żółw", "%C5%BC%C3%B3%C5%82w.ics"),
        ] {
            let file = CalendarFile::of(folder, mailbox).unwrap();
            assert_eq!(file.path, folder.join(name), "{mailbox}");
            assert_eq!(file.path.components().count(), 2, "{mailbox}");
        }
        for mailbox in ["", &"a".repeat(LONGEST_NAME + 1), &"/".repeat(LONGEST_NAME / 2)] {
            assert!(matches!(CalendarFile::of(folder, mailbox), Err(Failure::Permanent(_))), "{mailbox}");
        }
    }

    #[test]
    fn a_file_that_was_saved_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = CalendarFile::of(folder.path(), "anna").unwrap();
        let empty = file.read().unwrap();
        file.replace(&empty, b"first").unwrap();
        assert!(matches!(file.replace(&empty, b"second"), Err(Failure::Transient(_))));
        assert_eq!(file.read().unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_empty_calendar() {
        let folder = tempfile::tempdir().unwrap();
        let file = CalendarFile::of(&folder.path().join("share"), "anna").unwrap();
        assert!(matches!(file.read(), Err(Failure::Transient(why)) if why.contains("is not there")));
        let calendar = Calendar::feed("anna").to_bytes();
        assert!(matches!(file.replace(&calendar, &calendar), Err(Failure::Transient(_))));
    }
}
