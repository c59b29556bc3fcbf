//! Bodies as Exchange keeps them: always HTML, in a document of its own making.

use serde_json::{Value, json};

use crate::error::GraphError;

/// A body, kept as HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ItemBody {
    html: String,
}

const HEAD: &str = "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n";

impl ItemBody {
    /// Takes `{"contentType", "content"}` over, as Exchange does: text is turned into HTML, HTML into a document.
    ///
    /// # Errors
    /// 400 for null and for anything that is no `itemBody`.
    pub(crate) fn parse(value: &Value) -> Result<Self, GraphError> {
        if value.is_null() {
            return Err(GraphError::invalid_request("The body of the item is invalid."));
        }
        let content = value["content"].as_str().unwrap_or_default();
        if content.is_empty() {
            return Ok(Self::default());
        }
        let html = match value["contentType"].as_str().unwrap_or("text").to_lowercase().as_str() {
            "text" => {
                let escaped = content.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let lines = escaped.replace("\r\n", "\n").replace('\n', "<br>\r\n");
                format!(
                    "{HEAD}<meta name=\"Generator\" content=\"Microsoft Exchange Server\">\r\n<!-- converted from text -->\r\n\
                     </head>\r\n<body>\r\n<font size=\"2\"><span style=\"font-size:11pt;\"><div class=\"PlainText\">{lines}</div>\
                     </span></font>\r\n</body>\r\n</html>\r\n"
                )
            }
            "html" => {
                let inner = inside(content, "body").unwrap_or(content).trim();
                let inner = inner.replace("\r\n", "\n").replace('\n', "\r\n");
                format!("{HEAD}</head>\r\n<body>\r\n{inner}\r\n</body>\r\n</html>\r\n")
            }
            other => return Err(GraphError::invalid_property(format!("'{other}' is no body type."))),
        };
        Ok(Self { html })
    }

    /// Puts the content into yet another form of HTML, with the same text.
    pub(crate) fn rewrite(&mut self) {
        if let Some(inner) = inside(&self.html, "body") {
            self.html = format!(
                "{HEAD}<meta name=\"Generator\" content=\"Microsoft Exchange Server\">\r\n</head>\r\n<body lang=\"EN-US\">\r\n\
                 <div class=\"WordSection1\">\r\n{}\r\n</div>\r\n</body>\r\n</html>\r\n",
                inner.trim()
            );
        }
    }

    /// As text: lines by CR LF, with one at the end.
    pub(crate) fn text(&self) -> String {
        let inner = inside(&self.html, "body").unwrap_or(&self.html);
        let mut text = String::new();
        let mut rest = inner;
        while let Some(at) = rest.find('<') {
            let (before, tag) = rest.split_at(at);
            // Line ends of the source mean nothing in HTML.
            text.push_str(&before.replace("\r\n", "").replace('\n', " "));
            let end = tag.find('>').map_or(tag.len(), |end| end + 1);
            let name =
                tag[1..end].trim_end_matches(['>', '/']).split_whitespace().next().unwrap_or_default().to_lowercase();
            match name.as_str() {
                "br" => text.push_str("\r\n"),
                "/p" | "/div" | "/li" | "/tr" | "/h1" | "/h2" | "/h3" if !text.is_empty() && !text.ends_with('\n') => {
                    text.push_str("\r\n");
                }
                _ => {}
            }
            rest = &tag[end..];
        }
        text.push_str(rest.trim_end());
        let text = text.trim_end();
        let text =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", "\u{a0}"), ("&amp;", "&")]
                .iter()
                .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
        if text.is_empty() { text } else { text + "\r\n" }
    }

    /// The first 255 characters of the text.
    pub(crate) fn preview(&self) -> String {
        self.text().trim_end().chars().take(255).collect()
    }

    /// As an answer shows it: HTML, unless text was preferred.
    pub(crate) fn json(&self, as_text: bool) -> Value {
        if as_text {
            json!({"contentType": "text", "content": self.text()})
        } else {
            json!({"contentType": "html", "content": self.html})
        }
    }
}

/// What stands between the tags of an element.
fn inside<'a>(html: &'a str, element: &str) -> Option<&'a str> {
    let lower = html.to_ascii_lowercase();
    let open = lower.find(&format!("<{element}"))?;
    let start = open + html[open..].find('>')? + 1;
    let end = lower.rfind(&format!("</{element}>"))?;
    html.get(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_html_and_as_the_same_text() {
        let body =
            ItemBody::parse(&json!({"contentType": "text", "content": "Äpfel & <Birnen>\nzweite Zeile"})).unwrap();
        assert!(body.json(false)["content"].as_str().unwrap().starts_with("<html>\r\n<head>"));
        assert_eq!(body.text(), "Äpfel & <Birnen>\r\nzweite Zeile\r\n");
        let mut again = body.clone();
        again.rewrite();
        assert_ne!(again, body);
        assert_eq!(again.text(), body.text());
    }

    #[test]
    fn html_is_wrapped_and_null_refused() {
        let body =
            ItemBody::parse(&json!({"contentType": "HTML", "content": "<p>one</p><p>two<br>three</p>"})).unwrap();
        assert_eq!(body.text(), "one\r\ntwo\r\nthree\r\n");
        assert_eq!(ItemBody::parse(&Value::Null).unwrap_err().code, "ErrorInvalidRequest");
        let empty = ItemBody::parse(&json!({"contentType": "text", "content": ""})).unwrap();
        assert_eq!(empty.text(), "");
    }
}
