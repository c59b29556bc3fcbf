//! One pass over what is new in the feed.

use std::ops::Range;

use apptsync_plugin::source::{Broken, Collection, Item, Page};
use apptsync_plugin::text::{LINE, truncate};
use apptsync_plugin::types::Failure;

use crate::check::Check;
use crate::header::{self, Header};
use crate::lines::LONGEST_LINE;
use crate::record::{self, Problem};
use crate::survey::Survey;
use crate::walk::{FeedFile, Step, Walk};
use crate::{cursor, folder};

/// Input read in one call: keeps a call far below its deadline and a page far below its limit.
const BYTES_A_CALL: u64 = 4 << 20;
/// The survey looks at little of most lines, so a call gets further.
const SURVEYED_BYTES_A_CALL: u64 = 8 << 20;
/// The most items the contract lets be asked for.
const LONGEST_PAGE: usize = 1_024;
const MOST_NOTICES: usize = 64;

/// A pass under way: hands out the newest version of each record of one channel, in pages.
///
/// What earlier passes read of a file that changed since is checked. Then the files are gone through twice: first surveyed, to know the last line of each id, then read. What a file held when the
/// pass was opened belongs to it; what is appended later is left to the next one.
pub struct Pass {
    what: Collection,
    channel: Vec<u8>,
    files: Vec<FeedFile>,
    /// The check of what was read before, until it is through.
    check: Option<Check>,
    survey: Survey,
    /// The way of the survey, until it has arrived.
    surveying: Option<Walk>,
    /// For each surveyed file, a digest of it.
    surveyed: Vec<u64>,
    reading: Walk,
    notices: Vec<String>,
}

impl Pass {
    /// Opens a pass over the files of some folders, from a cursor on.
    ///
    /// # Errors
    ///
    /// A folder or a file cannot be read, or there are too many files.
    pub fn open(folders: &[String], what: Collection, channel: String, cursor: Option<&str>) -> Result<Self, Failure> {
        let mut files = folder::files(folders, what)?;
        cursor::check_size(&files)?;
        let mut notices = Vec::new();
        if let Some(cursor) = cursor {
            cursor::apply(cursor, &mut files, &mut notices)?;
        }
        let is_unchecked = files.iter().any(|file| file.is_unchecked);
        let check = cursor.filter(|_| is_unchecked).map(|cursor| Check::new(cursor.to_owned()));
        let survey = Survey::new(backlog(&files));
        let surveying = (check.is_some() || backlog(&files) > 0).then(Walk::default);
        Ok(Self {
            what,
            channel: channel.into_bytes(),
            files,
            check,
            survey,
            surveying,
            surveyed: Vec::new(),
            reading: Walk::default(),
            notices,
        })
    }

    /// The next page with at most so many items; while check and survey are under way, an empty one.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or changed in the middle of the pass.
    pub fn next(&mut self, at_most: u32) -> Result<Page, Failure> {
        let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        let done = self.check()? && self.survey()? && self.read(at_most, &mut items)?;
        let mut notices = std::mem::take(&mut self.notices);
        notices.truncate(MOST_NOTICES);
        notices.iter_mut().for_each(|notice| truncate(notice, LINE));
        // What is not checked yet must not be taken for checked by a pass that goes on from here.
        let next = self.check.as_ref().map_or_else(|| cursor::write(&self.files), |check| Ok(check.cursor.clone()))?;
        Ok(Page { items, next, done, notices })
    }

    /// Goes on with the check; true when it is through.
    fn check(&mut self) -> Result<bool, Failure> {
        let Some(check) = &mut self.check else {
            return Ok(true);
        };
        if !check.go_on(&mut self.files)? {
            return Ok(false);
        }
        cursor::start_over(&mut self.files, std::mem::take(&mut check.causes), &mut self.notices);
        self.check = None;
        self.survey = Survey::new(backlog(&self.files));
        Ok(true)
    }

    /// Goes on with the survey; true when it has arrived.
    fn survey(&mut self) -> Result<bool, Failure> {
        let Some(walk) = &mut self.surveying else {
            return Ok(true);
        };
        let limit = walk.consumed + SURVEYED_BYTES_A_CALL;
        while walk.consumed < limit {
            match walk.step(&self.files)? {
                Step::Text(range, _) => {
                    let line = walk.text(&range);
                    let Some(header) = Header::read(line).filter(|header| *header.channel == *self.channel) else {
                        continue;
                    };
                    // A line that cannot be read is no newer version: only now is it worth while to know.
                    if self.survey.saw(&header.id) && record::read(self.what, line).is_ok() {
                        let recorded = self.survey.record(&header.id, walk.ordinal);
                        recorded.map_err(|_| too_many_versions(self.survey.recorded()))?;
                    }
                }
                Step::EndOfFile => self.surveyed.push(walk.next_file()),
                Step::End => {
                    self.surveying = None;
                    self.survey.finish();
                    return Ok(true);
                }
                Step::TooLong(_) | Step::Trailing | Step::Nothing => {}
            }
        }
        Ok(false)
    }

    /// Reads items until the page is full or the call has read enough; true at the end of the pass.
    fn read(&mut self, at_most: usize, items: &mut Vec<Item>) -> Result<bool, Failure> {
        items.reserve_exact(at_most.min(LONGEST_PAGE));
        let limit = self.reading.consumed + BYTES_A_CALL;
        let done = loop {
            if items.len() >= at_most || self.reading.consumed >= limit {
                break false;
            }
            match self.reading.step(&self.files)? {
                Step::Text(range, finished) => items.extend(self.item(&range, finished)),
                Step::TooLong(length) => {
                    items.push(self.broken(format!("the line has {length} bytes, at most {LONGEST_LINE} are allowed")))
                }
                Step::Trailing => items.push(self.broken(
                    "more text follows on a line whose record was imported already: write one record a line".to_owned(),
                )),
                Step::Nothing => {}
                Step::EndOfFile => self.end_file()?,
                Step::End => break true,
            }
        };
        self.reading.mark(&mut self.files);
        Ok(done)
    }

    /// What the line is to this pass.
    fn item(&mut self, range: &Range<usize>, finished: bool) -> Option<Item> {
        let line = self.reading.text(range);
        if header::leading(line).is_some_and(|(_, channel)| *channel != *self.channel) {
            return None;
        }
        match record::read(self.what, line) {
            Ok(item) => {
                let (id, channel) = match &item {
                    Item::Appointment(appointment) => (&appointment.id, &appointment.channel),
                    Item::Customer(customer) => (&customer.id, &customer.channel),
                    Item::Broken(_) => return Some(item),
                };
                let wanted =
                    channel.as_bytes() == self.channel && self.survey.is_last(id.as_bytes(), self.reading.ordinal);
                if !finished {
                    self.reading.take_unfinished();
                }
                wanted.then_some(item)
            }
            Err(Problem::Cut) if !finished => {
                self.notices
                    .push(format!("{} ends in the middle of a record; it is left for the next import", self.place()));
                self.reading.leave_unfinished();
                None
            }
            Err(problem) => {
                // It concerns this channel unless it says otherwise.
                if header::channel(line).is_some_and(|channel| *channel != *self.channel) {
                    return None;
                }
                let reason = match problem {
                    Problem::Cut => "not JSON: the line ends in the middle of the record".to_owned(),
                    Problem::Broken(reason) => reason,
                };
                // The id is named as the host names records: by it, the line is found again.
                Some(self.broken(match header::id(line) {
                    Some(id) => format!("record `{id}`: {reason}"),
                    None => reason,
                }))
            }
        }
    }

    fn broken(&self, mut reason: String) -> Item {
        truncate(&mut reason, LINE);
        Item::Broken(Broken { place: self.place(), reason })
    }

    /// The last line, as messages call it.
    fn place(&self) -> String {
        let file = self.files.get(self.reading.index()).map_or("", |file| file.shown.as_str());
        format!("{file}:{}", self.reading.line_number())
    }

    fn end_file(&mut self) -> Result<(), Failure> {
        self.reading.mark(&mut self.files);
        let index = self.reading.index();
        let lengths = self.reading.next_file();
        if self.surveyed.get(index).is_some_and(|surveyed| *surveyed != lengths) {
            let path = self.files.get(index).map_or("", |file| file.path.as_str());
            return Err(Failure::Transient(format!(
                "`{path}` was rewritten while it was read: run the import again, with everything changed at any time"
            )));
        }
        Ok(())
    }
}

/// Bytes that are still to be read.
fn backlog(files: &[FeedFile]) -> u64 {
    files.iter().map(|file| file.limit - file.position.offset).sum()
}

fn too_many_versions(recorded: usize) -> Failure {
    Failure::Permanent(format!(
        "no memory is left after {recorded} records with several versions: give the source more, such as \
         `limits = {{ memory = \"256MiB\" }}`, in apptsync.toml"
    ))
}
