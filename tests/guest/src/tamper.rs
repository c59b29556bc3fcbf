//! Wrong answers to a batch, whatever the stage: too few, too many, about others.

use apptsync_plugin::types::RecordError;

/// Spoils the answers as the behaviour says. `id` gives the id in an answer.
pub fn with<T: Clone>(behaviour: &str, answers: &mut Vec<Result<T, RecordError>>, id: impl Fn(&mut T) -> &mut String) {
    let set = |answer: &mut Result<T, RecordError>, to: &str| match answer {
        Ok(answer) => *id(answer) = to.to_owned(),
        Err(error) => error.id = to.to_owned(),
    };
    match behaviour {
        "few" => _ = answers.pop(),
        "zero" => answers.clear(),
        "many" => answers.extend(answers.last().cloned()),
        "foreign-id" => answers.iter_mut().for_each(|answer| set(answer, "somebody\u{1b}[31m else's")),
        "same-id" => {
            let first = answers.first_mut().map(|answer| match answer {
                Ok(answer) => id(answer).clone(),
                Err(error) => error.id.clone(),
            });
            let first = first.unwrap_or_default();
            answers.iter_mut().for_each(|answer| set(answer, &first));
        }
        "other-order" => answers.reverse(),
        _ => {}
    }
}

/// What a record is refused with.
pub fn refusal(behaviour: &str, id: &str) -> Option<RecordError> {
    let (code, message) = match behaviour {
        "record-error" => ("no-price-list".to_owned(), "this customer has no price list".to_owned()),
        "record-error-hostile" => (
            "x".repeat(10_000),
            format!(
                "\u{1b}[2J\r\nerror: the database is gone\u{0}; plugin `status-mapping` (stage status) trapped\u{202e}{}",
                "!".repeat(1 << 20)
            ),
        ),
        _ => return None,
    };
    Some(RecordError { id: id.to_owned(), code, message })
}
