//! Takes a credential out of what a server answers: some repeat what they were sent, in a header or on an error page.
//!
//! It is a net for servers that are careless. A server that wants a plugin to have the credential can encode it in ways
//! that nobody recognizes; but such a server has it already.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

/// What is shorter is found everywhere, and is no secret.
const MIN_SECRET: usize = 6;
/// A password of letters alone is hidden from this length on: a shorter one is a word that calendars are full of, and
/// hiding it would change what people wrote.
const MIN_WORD: usize = 12;

/// What forms and addresses leave as it is, besides letters and digits (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Finds secrets in whatever form they may be repeated.
pub(crate) struct Hider {
    forms: AhoCorasick,
    /// For names of headers, which are in lower case.
    names: AhoCorasick,
}

impl Hider {
    /// Hides what these values of the header `Authorization` hold. None when there is nothing to hide, or too much.
    pub(crate) fn new(authorizations: &[SecretString]) -> Option<Self> {
        let mut forms = BTreeSet::new();
        for authorization in authorizations {
            secrets(authorization.expose_secret()).iter().for_each(|secret| add_forms(secret, &mut forms));
        }
        let names: Vec<_> = forms.iter().map(|form| form.to_ascii_lowercase()).collect();
        Some(Self { forms: AhoCorasick::new(&forms).ok()?, names: AhoCorasick::new(names).ok()? })
    }

    /// Puts `*` in place of every byte that belongs to a secret. True when there was one.
    pub(crate) fn hide(&self, bytes: &mut [u8]) -> bool {
        let found: Vec<_> = self.forms.find_overlapping_iter(&*bytes).map(|found| found.range()).collect();
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
            if self.hide(&mut bytes) {
                is_hidden = true;
                *value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("***"));
            }
        }
        is_hidden
    }
}

/// The value itself, what stands behind `Bearer` or `Basic`, and of `Basic` what is encoded there.
fn secrets(authorization: &str) -> Vec<String> {
    let mut secrets = vec![authorization.to_owned()];
    let Some((scheme, token)) = authorization.split_once(' ') else {
        return secrets;
    };
    let token = token.trim();
    secrets.push(token.to_owned());
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(token).ok()).flatten();
    if let Some(pair) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
        if let Some((_, password)) = pair.split_once(':') {
            let is_word = password.chars().all(char::is_alphabetic) && password.len() < MIN_WORD;
            secrets.extend((!is_word).then(|| password.to_owned()));
        }
        secrets.push(pair);
    }
    secrets
}

/// A secret as it may stand in text, JSON, HTML, an address, a form, base64 and hexadecimal.
fn add_forms(secret: &str, forms: &mut BTreeSet<String>) {
    if secret.len() < MIN_SECRET {
        return;
    }
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let percent = [NON_ALPHANUMERIC, RESERVED].map(|set| utf8_percent_encode(secret, set).to_string());
    for percent in percent {
        forms.insert(percent.replace("%20", "+"));
        forms.insert(lower_escapes(&percent));
        forms.insert(percent);
    }
    let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.insert(hexadecimal.to_ascii_uppercase());
    forms.insert(hexadecimal);
    forms.insert(json.replace('/', "\\/"));
    forms.insert(json);
    forms.insert(html.replace('\'', "&#39;"));
    forms.insert(html);
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

/// `%2F` as `%2f`.
fn lower_escapes(percent: &str) -> String {
    let mut out = String::with_capacity(percent.len());
    for (position, part) in percent.split('%').enumerate() {
        match part.split_at_checked(2).filter(|_| position > 0) {
            Some((escape, rest)) => out.extend(["%", &escape.to_ascii_lowercase(), rest]),
            None => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
    use super::*;

    fn hider(authorization: &str) -> Hider {
        Hider::new(&[authorization.to_owned().into()]).unwrap()
    }

    #[track_caller]
    fn hidden(authorization: &str, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        hider(authorization).hide(&mut bytes);
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
