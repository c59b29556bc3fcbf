//! Errors in Graph's form: `{"error": {"code", "message", "innerError": {…}}}`.

use serde_json::{Value, json};

/// An answer that is an error of Graph. The code is what clients branch on.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct GraphError {
    /// HTTP status.
    pub status: u16,
    /// `error.code`
    pub code: String,
    /// `error.message`
    pub message: String,
    /// `error.innerError.code`, where the service nests a second code.
    pub inner_code: Option<String>,
    /// Further headers of the answer, such as `Retry-After`.
    pub headers: Vec<(String, String)>,
}

impl GraphError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), inner_code: None, headers: Vec::new() }
    }

    pub(crate) fn with_inner(mut self, code: &str) -> Self {
        self.inner_code = Some(code.into());
        self
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// 404: the one answer that means "is not there".
    pub(crate) fn item_not_found() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// 400 for a request that makes no sense as a whole.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorInvalidRequest", message)
    }

    /// 400 for a value that a property cannot have.
    pub(crate) fn invalid_property(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorPropertyValidationFailure", message)
    }

    /// 412: the item is no longer what the client thinks.
    pub(crate) fn conflict() -> Self {
        Self::new(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does not \
             match the current change key for the item.",
        )
    }

    pub(crate) fn access_denied() -> Self {
        Self::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    }

    pub(crate) fn not_allowed(method: &str) -> Self {
        Self::new(
            405,
            "Request_BadRequest",
            format!("Specified HTTP method '{method}' is not allowed for the request target."),
        )
    }

    /// 400 for an address that leads nowhere.
    pub(crate) fn unknown_segment(segment: &str) -> Self {
        Self::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
    }

    pub(crate) fn body(&self, date: &str, request_id: &str, client_request_id: &str) -> Value {
        let mut inner = json!({"date": date, "request-id": request_id, "client-request-id": client_request_id});
        if let Some(code) = &self.inner_code {
            inner["code"] = json!(code);
        }
        json!({"error": {"code": self.code, "message": self.message, "innerError": inner}})
    }
}
