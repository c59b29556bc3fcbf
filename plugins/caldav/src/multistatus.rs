//! The answer of PROPFIND and REPORT: a status and properties for each resource (RFC 4918 13).

use crate::address::{Address, Path};
use crate::etag::Etag;
use crate::xml::{self, Element, Vocabulary};

/// A whole answer.
#[derive(Debug, Default)]
pub(crate) struct Multistatus {
    pub(crate) resources: Vec<Resource>,
    /// Of a sync-collection: what the next one is asked with.
    pub(crate) sync_token: Option<String>,
    /// The server stopped before the end (507 on the collection asked).
    pub(crate) truncated: bool,
    /// References that are none, or point to another server: how many, and the first.
    pub(crate) refused: Option<(usize, String)>,
}

/// What is said of one resource.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) path: Path,
    /// Of the resource as a whole; none where the properties have theirs.
    pub(crate) status: Option<u16>,
    /// The properties that were found.
    pub(crate) properties: Vec<Element>,
}

impl Resource {
    pub(crate) fn property(&self, vocabulary: Vocabulary, name: &str) -> Option<&Element> {
        self.properties.iter().find(|property| property.is(vocabulary, name))
    }

    /// The trimmed text of a property, unless it is empty.
    pub(crate) fn text(&self, vocabulary: Vocabulary, name: &str) -> Option<&str> {
        self.property(vocabulary, name).map(|property| property.text.trim()).filter(|text| !text.is_empty())
    }

    /// The references in a property.
    pub(crate) fn references(&self, vocabulary: Vocabulary, name: &str) -> Vec<&str> {
        let property = self.property(vocabulary, name);
        let references = property.into_iter().flat_map(|property| property.children(Vocabulary::Dav, "href"));
        references.map(|reference| reference.text.trim()).collect()
    }

    pub(crate) fn etag(&self) -> Option<Etag> {
        self.text(Vocabulary::Dav, "getetag").and_then(Etag::parse)
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> Option<usize> {
        self.text(Vocabulary::Dav, "getcontentlength")?.parse().ok()
    }

    /// The server says that there is no such resource.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }

    pub(crate) fn has_type(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.property(Vocabulary::Dav, "resourcetype").is_some_and(|types| types.child(vocabulary, name).is_some())
    }
}

impl Multistatus {
    /// Reads an answer to a request at `asked`.
    ///
    /// # Errors
    ///
    /// It is no multistatus; the text says what it is instead.
    pub(crate) fn read(body: &[u8], asked: &Address) -> Result<Self, String> {
        let mut all = Self::default();
        let take = |element: Element| {
            if element.is(Vocabulary::Dav, "response") {
                all.take(element, asked);
            } else if element.is(Vocabulary::Dav, "sync-token") {
                all.sync_token = Some(element.text.trim().to_owned()).filter(|token| !token.is_empty());
            }
        };
        xml::read(body, "multistatus", take)
            .map_err(|what| format!("the server's answer is no multistatus but {what}"))?;
        Ok(all)
    }

    fn take(&mut self, response: Element, asked: &Address) {
        let status = response.child(Vocabulary::Dav, "status").and_then(status_of);
        let references = response.children(Vocabulary::Dav, "href").map(|reference| asked.resolve(&reference.text));
        let mut paths = Vec::new();
        for path in references {
            match path {
                Ok(path) if status == Some(507) && path.clone().collection() == asked.path.clone().collection() => {
                    self.truncated = true;
                }
                Ok(path) => paths.push(path),
                Err(why) => {
                    self.refused = Some(self.refused.take().map_or((1, why), |(count, first)| (count + 1, first)))
                }
            }
        }
        let mut properties = Vec::new();
        for part in response.children {
            if !part.is(Vocabulary::Dav, "propstat") {
                continue;
            }
            let found =
                part.child(Vocabulary::Dav, "status").and_then(status_of).is_none_or(|status| status / 100 == 2);
            let sets = part.children.into_iter().filter(|set| found && set.is(Vocabulary::Dav, "prop"));
            properties.extend(sets.flat_map(|set| set.children));
        }
        // Several references share a status, but never properties.
        let last = paths.pop();
        self.resources.extend(paths.into_iter().map(|path| Resource { path, status, properties: Vec::new() }));
        self.resources.extend(last.map(|path| Resource { path, status, properties }));
    }
}

/// The code of a status line, `HTTP/1.1 404 Not Found`.
fn status_of(element: &Element) -> Option<u16> {
    element.text.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Multistatus {
        let asked = Address::parse("https://example.com/user/work/").expect("an address");
        Multistatus::read(body.as_bytes(), &asked).expect("a multistatus")
    }

    #[test]
    fn properties_that_were_not_found_are_not_there() {
        let answer = read(
            r#"<multistatus xmlns="DAV:"><response><href>/user/work/a%20b.ics</href>
            <propstat><prop><getetag> "1" </getetag></prop><status>HTTP/1.1 200 OK</status></propstat>
            <propstat><prop><displayname>x</displayname></prop><status>HTTP/1.1 404 Not Found</status></propstat></response>
            <sync-token>t&amp;1</sync-token></multistatus>"#,
        );
        let [resource] = answer.resources.as_slice() else { panic!("{answer:?}") };
        assert_eq!(resource.path.as_str(), "/user/work/a%20b.ics");
        assert_eq!(resource.etag().expect("an etag").as_str(), r#""1""#);
        assert!(resource.property(Vocabulary::Dav, "displayname").is_none());
        assert_eq!((answer.sync_token.as_deref(), answer.truncated), (Some("t&1"), false));
    }

    #[test]
    fn several_references_share_a_status() {
        let answer = read(
            r#"<d:multistatus xmlns:d="DAV:"><d:response><d:href>/user/work/1.ics</d:href><d:href>/user/work/2.ics</d:href>
            <d:status>HTTP/1.1 404 Not Found</d:status></d:response></d:multistatus>"#,
        );
        assert_eq!(answer.resources.len(), 2);
        assert!(answer.resources.iter().all(Resource::is_gone));
    }

    #[test]
    fn an_answer_that_was_cut_off_says_so() {
        let answer = read(
            r#"<multistatus xmlns="DAV:"><response><href>/user/work/1.ics</href><propstat><prop><getetag>"1"</getetag></prop>
            <status>HTTP/1.1 200 OK</status></propstat></response><response><href>/user/work</href>
            <status>HTTP/1.1 507 Insufficient Storage</status><error><number-of-matches-within-limits/></error></response>
            <sync-token>next</sync-token></multistatus>"#,
        );
        assert!(answer.truncated);
        assert_eq!(answer.resources.len(), 1);
    }

    #[test]
    fn references_to_other_servers_are_counted_and_left_out() {
        let answer = read(
            r#"<multistatus xmlns="DAV:"><response><href>https://evil.example/1.ics</href></response>
            <response><href>//evil.example/2.ics</href></response><response/></multistatus>"#,
        );
        assert!(answer.resources.is_empty());
        let (count, first) = answer.refused.expect("refused");
        assert_eq!(count, 2);
        assert!(first.contains("evil.example/1.ics"), "{first}");
    }
}
