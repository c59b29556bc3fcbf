//! Takes a credential out of what a server answers: some repeat what they were sent, in a header or on an error page.
//!
//! It is a net for servers that are careless. A server that wants a plugin to have the credential can encode it in ways
//! that nobody recognizes; but such a server has it already.

mod escapes;

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use escapes::Decoded;

/// What is shorter is found everywhere, and is no secret.
const MIN_SECRET: usize = 6;
/// A password of letters alone that is shorter is a word that calendars are full of, and hiding it there would change what
/// people wrote.
const MIN_WORD: usize = 12;
/// How often something may have been escaped on top of another escape: an address in JSON in HTML.
const LAYERS: usize = 3;
/// Bytes that are looked at decoded at a time.
const CHUNK: usize = 1 << 20;

/// Where secrets are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What people wrote, in the body of a success.
    Content,
    /// Anything else: headers, and what a server says about a failure.
    Message,
}

/// Finds secrets in whatever form they may be repeated.
pub(crate) struct Hider {
    secrets: Forms,
    /// Passwords that are words.
    words: Forms,
    /// For names of headers, which are in lower case.
    names: AhoCorasick,
}

impl Hider {
    /// Hides what these values of the header `Authorization` hold. None when there is nothing to hide, or too much.
    pub(crate) fn new(authorizations: &[SecretString]) -> Option<Self> {
        let (mut forms, mut words) = (BTreeSet::new(), BTreeSet::new());
        for authorization in authorizations {
            let (secrets, password) = secrets(authorization.expose_secret());
            secrets.iter().for_each(|secret| add_forms(secret, &mut forms));
            if let Some(password) = password {
                let is_word = password.chars().all(char::is_alphabetic) && password.len() < MIN_WORD;
                add_forms(&password, if is_word { &mut words } else { &mut forms });
            }
        }
        let names: Vec<_> = forms.iter().map(|form| form.to_ascii_lowercase()).collect();
        let names = AhoCorasick::new(names).ok()?;
        Some(Self { secrets: Forms::new(&forms)?, words: Forms::new(&words)?, names })
    }

    /// Puts `*` in place of every byte that belongs to a secret. True when there was one.
    pub(crate) fn hide(&self, bytes: &mut [u8], place: Place) -> bool {
        let mut found = self.secrets.ranges(bytes);
        if place == Place::Message {
            found.extend(self.words.ranges(bytes));
        }
        for range in &found {
            bytes[range.clone()].fill(b'*');
        }
        !found.is_empty()
    }

    /// The same in the values of headers; a header whose name holds a secret is taken out.
    pub(crate) fn hide_in_headers(&self, headers: &mut HeaderMap) -> bool {
        let named: Vec<_> = headers.keys().filter(|name| self.names.is_match(name.as_str())).cloned().collect();
        let mut is_hidden = !named.is_empty();
        for name in named {
            headers.remove(name);
        }
        for value in headers.values_mut() {
            let mut bytes = value.as_bytes().to_vec();
            if self.hide(&mut bytes, Place::Message) {
                is_hidden = true;
                *value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("***"));
            }
        }
        is_hidden
    }
}

/// Texts that are looked for, as they are and behind escapes.
struct Forms {
    texts: AhoCorasick,
    /// Bytes that the longest of them can have with escapes.
    reach: usize,
}

impl Forms {
    fn new(forms: &BTreeSet<String>) -> Option<Self> {
        let longest = forms.iter().map(String::len).max().unwrap_or(0);
        Some(Self { texts: AhoCorasick::new(forms).ok()?, reach: longest * escapes::LONGEST * LAYERS })
    }

    /// Where they are.
    fn ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut ranges: Vec<_> = self.texts.find_overlapping_iter(bytes).map(|found| found.range()).collect();
        if self.reach == 0 || !bytes.iter().any(|byte| escapes::BEGIN.contains(byte)) {
            return ranges;
        }
        for begin in (0..bytes.len()).step_by(CHUNK) {
            // What begins in this chunk ends in it, or in what is looked at beyond.
            let end = begin.saturating_add(CHUNK).saturating_add(self.reach).min(bytes.len());
            let mut layer = Decoded::of(&bytes[begin..end]);
            for _ in 0..LAYERS {
                let Some(decoded) = layer.next() else { break };
                layer = decoded;
                let found = self.texts.find_overlapping_iter(layer.bytes());
                ranges.extend(found.map(|found| layer.origin(found.range(), begin)));
            }
        }
        ranges
    }
}

/// The value itself, what stands behind `Bearer` or `Basic`, and of `Basic` what is encoded there; and its password.
fn secrets(authorization: &str) -> (Vec<String>, Option<String>) {
    let mut secrets = vec![authorization.to_owned()];
    let Some((scheme, token)) = authorization.split_once(' ') else {
        return (secrets, None);
    };
    let token = token.trim();
    secrets.push(token.to_owned());
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(token).ok()).flatten();
    let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let password = pair.as_ref().and_then(|pair| pair.split_once(':')).map(|(_, password)| password.to_owned());
    secrets.extend(pair);
    (secrets, password)
}

/// A secret as it may stand in text, in a form, in hexadecimal and in base64; what is escaped is decoded first.
fn add_forms(secret: &str, forms: &mut BTreeSet<String>) {
    if secret.len() < MIN_SECRET {
        return;
    }
    let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.insert(hexadecimal.to_ascii_uppercase());
    forms.insert(hexadecimal);
    forms.insert(secret.replace(' ', "+"));
    forms.insert(secret.to_owned());
    // In base64 it looks different at each of three places within a longer text.
    for offset in 0..3 {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(secret.as_bytes());
        let own = (offset * 8).div_ceil(6)..bytes.len() * 8 / 6;
        forms.insert(STANDARD_NO_PAD.encode(&bytes)[own.clone()].to_owned());
        forms.insert(URL_SAFE_NO_PAD.encode(&bytes)[own].to_owned());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    /// What forms and addresses leave as it is, besides letters and digits (RFC 3986, 2.3).
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

    fn hider(authorization: &str) -> Hider {
        Hider::new(&[authorization.to_owned().into()]).unwrap()
    }

    #[track_caller]
    fn hidden(authorization: &str, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        hider(authorization).hide(&mut bytes, Place::Content);
        assert_eq!(bytes.len(), text.len());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_token_is_hidden_with_its_scheme_and_alone() {
        assert_eq!(hidden("Bearer abc.def/ghi", "got Bearer abc.def/ghi!"), format!("got {}!", "*".repeat(18)));
        assert_eq!(hidden("Bearer abc.def/ghi", "<abc.def/ghi>"), format!("<{}>", "*".repeat(11)));
        assert_eq!(hidden("Bearer abc.def/ghi", "abc.def"), "abc.def");
    }

    #[test]
    fn a_token_is_hidden_in_every_usual_form() {
        let secret = "p/ü\"&<s e+c";
        let authorization = format!("Bearer {secret}");
        let inside = format!("Authorization: {authorization}\r\n");
        let base64 = |prefix: &str| STANDARD.encode(format!("{prefix}{inside}"));
        for text in [
            serde_json::json!({ "header": authorization }).to_string(),
            serde_json::json!({ "header": authorization }).to_string().replace('/', "\\/"),
            utf8_percent_encode(&inside, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(&inside, NON_ALPHANUMERIC).to_string().to_ascii_lowercase(),
            utf8_percent_encode(&inside, RESERVED).to_string().replace("%20", "+"),
            inside.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
            base64(""),
            base64("x"),
            base64("xy"),
            URL_SAFE_NO_PAD.encode(&inside),
        ] {
            let hidden = hidden(&authorization, &text);
            assert!(hidden.contains(&"*".repeat(secret.len())), "{text} -> {hidden}");
        }
    }

    #[test]
    fn a_password_is_hidden_however_it_is_escaped() {
        let basic = format!("Basic {}", STANDARD.encode("anna:p+a/s's!&<ü>\"w"));
        for text in [
            // JSON, as encoders of several languages write it.
            r#"p+a/s's!&<ü>\"w"#,
            r#"p\u002Ba\/s\u0027s!\u0026\u003C\u00fc\u003e\u0022w"#,
            r#"\u0070\u002b\u0061\u002f\u0073\u0027\u0073\u0021\u0026\u003c\u00FC\u003E\u0022\u0077"#,
            // encodeURIComponent, and Python's quote.
            "p%2Ba%2Fs's!%26%3C%C3%BC%3E%22w",
            "p%2Ba/s%27s%21%26%3C%c3%bc%3E%22w",
            // HTML.
            "p+a/s&#x27;s!&amp;&lt;&#252;&gt;&#034;w",
            "p&#43;a&#x2F;s&apos;s!&#38;&LT;&#xFC;&gt;&quot;w",
            // One on top of the other: an address in JSON, JSON in HTML.
            "p%252Ba%252Fs%2527s%2521%2526%253C%25C3%25BC%253E%2522w",
            "p+a/s&#39;s!\\u0026&lt;\\u00fc&gt;\\&quot;w",
        ] {
            let shown = hidden(&basic, &format!("before {text} behind"));
            assert_eq!(shown, format!("before {} behind", "*".repeat(text.len())), "{text}");
        }
    }

    #[test]
    fn a_character_beyond_16_bits_is_found_as_two_escapes() {
        let basic = format!("Basic {}", STANDARD.encode("anna:secret\u{1f511}"));
        assert_eq!(hidden(&basic, r"x secret\ud83d\uDD11 x"), format!("x {} x", "*".repeat(18)));
    }

    #[test]
    fn a_secret_across_two_chunks_is_found() {
        for before in (CHUNK - 18..CHUNK + 2).step_by(3) {
            let text = format!("{}p%61ss%2Dword1", "x".repeat(before));
            let basic = format!("Basic {}", STANDARD.encode("anna:pass-word1"));
            assert!(hidden(&basic, &text).ends_with(&format!("x{}", "*".repeat(14))), "{before}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100% & more \\", "%zz %4", "\\u12", "&#; &#x; &#xffffffff; &nothing;", "\\ud83d x", "%"] {
            let shown = hidden("Bearer abc.def/ghi", &format!("{text} abc%2edef/ghi"));
            assert_eq!(shown, format!("{text} {}", "*".repeat(13)));
        }
    }

    #[test]
    fn a_password_is_hidden_alone_and_with_its_user() {
        let basic = format!("Basic {}", STANDARD.encode("anna:pass-word1"));
        assert_eq!(hidden(&basic, "user anna:pass-word1."), "user ***************.");
        assert_eq!(hidden(&basic, "password=pass-word1&"), "password=**********&");
        assert_eq!(hidden(&basic, "user anna"), "user anna");
        assert_eq!(hidden(&basic, STANDARD.encode("anna:pass-word1").as_str()), "*".repeat(20));
    }

    #[test]
    fn a_password_that_is_a_word_leaves_what_people_wrote() {
        let basic = format!("Basic {}", STANDARD.encode("anna:calendar"));
        assert_eq!(hidden(&basic, "BEGIN: my calendar"), "BEGIN: my calendar");
        assert_eq!(hidden(&basic, "anna:calendar"), "*************");
        let mut failure = b"wrong: calendar".to_vec();
        assert!(hider(&basic).hide(&mut failure, Place::Message));
        assert_eq!(failure, b"wrong: ********");
        let basic = format!("Basic {}", STANDARD.encode("anna:abcdefghijklmnop"));
        assert_eq!(hidden(&basic, "abcdefghijklmnop"), "****************");
        let basic = format!("Basic {}", STANDARD.encode("anna:12345"));
        assert_eq!(hidden(&basic, "at 12345"), "at 12345");
    }

    #[test]
    fn occurrences_that_overlap_are_hidden_whole() {
        assert_eq!(hidden("Bearer ababab", "xabababab"), "x********");
    }

    #[test]
    fn headers_lose_secrets_in_values_and_names() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("Bearer Abcdefgh"));
        headers.insert("x-abcdefgh", HeaderValue::from_static("1"));
        headers.insert("x-other", HeaderValue::from_static("1"));
        assert!(hider("Bearer Abcdefgh").hide_in_headers(&mut headers));
        assert_eq!(headers["x-echo"], "***************");
        assert_eq!(headers.len(), 2);
    }
}
