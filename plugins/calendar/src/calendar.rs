//! A stream of iCalendar, divided into components without losing a byte.

use apptsync_plugin::connector::Kind;

use crate::error::NotACalendar;
use crate::object::Object;

/// A stream of iCalendar: usually one `VCALENDAR`, whatever stands in it.
#[derive(Debug, Clone)]
pub struct Calendar<'a> {
    pub(crate) bytes: &'a [u8],
}

impl<'a> Calendar<'a> {
    /// The longest stream that is read, in bytes.
    pub const LONGEST: usize = 16 << 20;

    /// Divides a stream. Components that are broken are kept, see [`Object::item`].
    ///
    /// # Errors
    ///
    /// It is no calendar, cut off or too long.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotACalendar> {
        let _ = bytes;
        todo!()
    }

    /// A calendar without components that is published under a name, as Outlook subscribes to.
    #[must_use]
    pub fn feed(name: &str) -> Self {
        let _ = name;
        todo!()
    }

    /// A calendar without components, as a CalDAV server stores one for each object: without a method.
    #[must_use]
    pub fn resource() -> Self {
        todo!()
    }

    /// The stream as it is now: what was not written is as it was read, byte for byte.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// The appointments and tasks, each with what belongs to it, in the order of their first components. What has no UID
    /// is not among them.
    pub fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        let _ = &self.bytes;
        std::iter::empty()
    }

    /// The object of a UID.
    #[must_use]
    pub fn object(&self, kind: Kind, uid: &str) -> Option<Object<'_>> {
        let _ = (kind, uid);
        todo!()
    }

    /// Whether some component is so broken that its UID is not known: then that an object is not found does not prove
    /// that it is not there.
    #[must_use]
    pub fn has_unidentified(&self) -> bool {
        todo!()
    }
}
