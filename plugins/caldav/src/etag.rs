//! Entity tags: what changes whenever a resource changes (RFC 9110 8.8.3).

use apptsync_plugin::http::Response;

/// Longest tag of the contract, in bytes.
const LONGEST: usize = 1_024;

/// A tag as the host keeps it: with its quotes, and with `W/` where it is weak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Etag(String);

impl Etag {
    /// A tag as a server wrote it, which may have forgotten the quotes. None where it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (weak, opaque) = text.strip_prefix("W/").map_or(("", text), |opaque| ("W/", opaque));
        let bare = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(opaque);
        let valid = !bare.is_empty() && !bare.contains(|character: char| character == '"' || character.is_control());
        (valid && bare.len() + 4 <= LONGEST).then(|| Self(format!("{weak}\"{bare}\"")))
    }

    /// The tag that the answer of a write carries, if it is a strong one: then what was sent is what is stored (RFC 4791
    /// 5.3.4). SOGo says so, and stores something else.
    pub(crate) fn of_write(response: &Response) -> Option<Self> {
        response.header("etag").and_then(Self::parse).filter(|tag| !tag.is_weak() && !tag.comes_back())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// It may stand for another version one day: SOGo counts the versions of an object, and begins again when the object was
    /// deleted and made anew.
    pub(crate) fn comes_back(&self) -> bool {
        let bare = self.0.trim_start_matches("W/").trim_matches('"');
        bare.strip_prefix("gcs")
            .is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
    }

    pub(crate) fn is_weak(&self) -> bool {
        self.0.starts_with("W/")
    }

    /// The value of `If-Match`. A weak tag never matches there by the book, but servers that give nothing else for a
    /// resource compare the text, and what stands before them may have made a strong tag weak.
    pub(crate) fn condition(&self) -> String {
        match self.0.strip_prefix("W/") {
            Some(strong) => format!("{}, {strong}", self.0),
            None => self.0.clone(),
        }
    }

    /// Whether both stand for the same version; weakness is no difference.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.0.trim_start_matches("W/") == other.0.trim_start_matches("W/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_of_sogo_come_back() {
        let comes_back = |tag| Etag::parse(tag).expect("a tag").comes_back();
        assert!(comes_back(r#""gcs00000000""#) && comes_back(r#"W/"gcs00000012""#));
        assert!(!comes_back(r#""gcs""#) && !comes_back(r#""gcs0f""#) && !comes_back(r#""1""#));
    }

    #[test]
    fn a_tag_has_quotes() {
        for (written, tag) in
            [(r#" "a" "#, r#""a""#), ("a-b", r#""a-b""#), (r#"W/"a""#, r#"W/"a""#), ("W/a", r#"W/"a""#)]
        {
            assert_eq!(Etag::parse(written).expect(written).as_str(), tag);
        }
        for written in ["", r#""""#, "W/", "a\"b", "a\nb", &"x".repeat(1_024)] {
            assert_eq!(Etag::parse(written), None, "{written}");
        }
    }

    #[test]
    fn weak_tags_agree_but_prove_nothing_about_a_write() {
        let (strong, weak) = (Etag::parse("\"a\"").expect("a tag"), Etag::parse("W/\"a\"").expect("a tag"));
        assert!(weak.agrees_with(&strong) && strong.agrees_with(&weak));
        assert_eq!(strong.condition(), r#""a""#);
        assert_eq!(weak.condition(), r#"W/"a", "a""#);
        let answer = |tag: &str| Response { status: 204, headers: vec![("etag".into(), tag.into())], body: Vec::new() };
        assert_eq!(Etag::of_write(&answer("\"a\"")), Some(strong));
        assert_eq!(Etag::of_write(&answer("W/\"a\"")), None);
    }
}
