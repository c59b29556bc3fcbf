//! To Do: lists, tasks and the resources that tasks are linked with. Dates of tasks are days; what time is written with
//! them is lost, and so may be the day, because it is cut off in UTC.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use serde_json::{Map, Value, json};

use super::calendars::mailbox;
use super::follow::{self, Followed};
use super::{check_match, item, page};
use crate::body::ItemBody;
use crate::clock::stamp;
use crate::delta::{Key, Scope};
use crate::error::GraphError;
use crate::http::{Answer, Call, Reply};
use crate::identifier::{Identifier, Kind, guid};
use crate::mailbox::{Mailbox, Task, TaskList};
use crate::moment::{Moment, Shown};
use crate::query::{Condition, Expand, Paging, order, select, selected};
use crate::schema::{LINKED_RESOURCE, TASK, TASK_LIST};
use crate::state::State;
use crate::view::View;
use crate::zone::Zone;

fn refused(message: &str) -> GraphError {
    GraphError::new(400, "invalidRequest", message).with_inner("InvalidModel")
}

fn list_object(mailbox: &Mailbox, list: &TaskList) -> Map<String, Value> {
    let object = json!({
        "@odata.etag": mailbox.etag(list.change),
        "id": mailbox.folder_id(Kind::TaskList, list.number),
        "displayName": list.name,
        "isOwner": true,
        "isShared": false,
        "wellknownListName": list.well_known,
    });
    object.as_object().cloned().unwrap_or_default()
}

fn task_object(mailbox: &Mailbox, task: &Task, immutable: bool) -> Map<String, Value> {
    let id = Identifier { kind: Kind::Task, item: task.number, folder: task.list, date: None, generation: 0 };
    let mut object = task.fields.clone();
    for (name, value) in [
        ("@odata.etag", json!(mailbox.etag(task.change))),
        ("id", json!(id.write(mailbox.key, immutable))),
        ("createdDateTime", json!(stamp(task.created))),
        ("lastModifiedDateTime", json!(stamp(task.modified))),
        ("hasAttachments", json!(false)),
        ("body", json!({"content": task.body_content, "contentType": task.body_type})),
    ] {
        object.insert(name.into(), value);
    }
    for (name, moment) in [
        ("dueDateTime", &task.due),
        ("startDateTime", &task.start),
        ("completedDateTime", &task.completed),
        ("reminderDateTime", &task.reminder),
    ] {
        if let Some(moment) = moment {
            object.insert(name.into(), moment.json(false, &Shown::Utc));
        }
    }
    object
}

fn expanded(mailbox: &Mailbox, task: &Task, immutable: bool, with_links: bool) -> Map<String, Value> {
    let mut object = task_object(mailbox, task, immutable);
    if with_links {
        object.insert("linkedResources".into(), Value::Array(task.linked.clone()));
    }
    object
}

pub(super) fn answer(state: &mut State, call: &Call, address: &str, words: &[&str], names: &[String]) -> Answer {
    let mailbox = mailbox(state, address)?;
    match words {
        ["todo", "lists"] => return lists(state, call, address),
        ["todo", "lists", _, ..] => {}
        _ => return Err(GraphError::unknown_segment(words.get(1).copied().unwrap_or("todo"))),
    }
    let list = mailbox.folder_number(&names[2], Kind::TaskList).filter(|number| mailbox.lists.contains_key(number));
    let list = list.ok_or_else(GraphError::item_not_found)?;
    let task = match words.get(4) {
        Some(&"delta") | None => None,
        Some(_) => Some(find(mailbox, list, &names[4])?),
    };
    match (call.method.as_str(), &words[3..], task) {
        (_, [], _) => one_list(state, call, address, list),
        ("GET", ["tasks"], _) => tasks(state, call, address, list),
        ("POST", ["tasks"], _) => create(state, call, address, list),
        ("GET", ["tasks", "delta"], _) => {
            let followed = Followed { scope: Scope::Tasks(list), window: None, current, changed, removed };
            follow::answer(state, call, address, &followed)
        }
        ("GET", ["tasks", _], Some(number)) => {
            let (view, expand) = (View::of(call)?, Expand::of(call)?);
            let task = expanded(mailbox, &mailbox.tasks[&number], view.immutable, expand.linked_resources);
            Ok(item(call, 200, select(task, selected(call).as_deref(), &[])))
        }
        ("PATCH", ["tasks", _], Some(number)) => update(state, call, address, number),
        ("DELETE", ["tasks", _], Some(number)) => {
            check_match(call, &mailbox.etag(mailbox.tasks[&number].change))?;
            mailbox.tasks.remove(&number);
            Ok(Reply::empty(204))
        }
        (_, ["tasks", _, "linkedresources", ..], Some(number)) => links(state, call, address, number, names.get(6)),
        (method, ..) => Err(GraphError::not_allowed(method)),
    }
}

fn find(mailbox: &Mailbox, list: u32, id: &str) -> Result<u32, GraphError> {
    let (found, immutable) =
        Identifier::read(id, mailbox.key).filter(|(found, _)| found.kind == Kind::Task).ok_or_else(|| {
            GraphError::new(400, "invalidRequest", "Invalid task ID").with_inner("ErrorInvalidIdMalformed")
        })?;
    let task = mailbox.tasks.get(&found.item).filter(|task| task.list == list && (immutable || found.folder == list));
    task.map(|task| task.number).ok_or_else(GraphError::item_not_found)
}

fn lists(state: &mut State, call: &Call, address: &str) -> Answer {
    let mailbox = mailbox(state, address)?;
    match call.method.as_str() {
        "GET" => {
            let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
            let lists = mailbox.lists.values().map(|list| list_object(mailbox, list));
            let lists = lists
                .filter(|list| condition.as_ref().is_none_or(|condition| condition.holds(list, &Default::default())));
            let mut answer = page(call, lists.collect(), Paging::of(call, None, 16)?);
            // Without $top the lists end after sixteen, and nothing says that there are more.
            if call.parameter("$top").is_none()
                && let crate::http::Body::Json(Value::Object(body)) = &mut answer.body
            {
                body.remove("@odata.nextLink");
            }
            Ok(answer)
        }
        "POST" => {
            let written = TASK_LIST.check(call.object()?)?;
            let name = written.get("displayName").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
            let name = name.ok_or_else(|| refused("displayName is missing."))?.to_owned();
            let number = mailbox.add_list(&name, "none");
            Ok(item(call, 201, list_object(mailbox, &mailbox.lists[&number])))
        }
        method => Err(GraphError::not_allowed(method)),
    }
}

fn one_list(state: &mut State, call: &Call, address: &str, number: u32) -> Answer {
    let mailbox = mailbox(state, address)?;
    let changeable = mailbox.lists[&number].well_known == "none";
    match call.method.as_str() {
        "GET" => Ok(item(call, 200, list_object(mailbox, &mailbox.lists[&number]))),
        "PATCH" | "DELETE" if !changeable => Err(refused("The list cannot be changed or deleted.")),
        "PATCH" => {
            let written = TASK_LIST.check(call.object()?)?;
            let change = mailbox.change();
            if let Some(list) = mailbox.lists.get_mut(&number) {
                list.change = change;
                if let Some(name) = written.get("displayName").and_then(Value::as_str) {
                    list.name = name.into();
                }
            }
            Ok(item(call, 200, list_object(mailbox, &mailbox.lists[&number])))
        }
        "DELETE" => {
            mailbox.lists.remove(&number);
            mailbox.tasks.retain(|_, task| task.list != number);
            Ok(Reply::empty(204))
        }
        method => Err(GraphError::not_allowed(method)),
    }
}

fn tasks(state: &mut State, call: &Call, address: &str, list: u32) -> Answer {
    let (view, expand) = (View::of(call)?, Expand::of(call)?);
    let condition = call.parameter("$filter").map(Condition::parse).transpose()?;
    let mailbox = mailbox(state, address)?;
    let late = mailbox.not_found_yet();
    let tasks = mailbox.tasks.values().filter(|task| task.list == list && !late.contains(&task.number));
    let tasks = tasks.map(|task| expanded(mailbox, task, view.immutable, expand.linked_resources));
    let mut tasks: Vec<_> = tasks
        .filter(|task| condition.as_ref().is_none_or(|condition| condition.holds(task, &Default::default())))
        .collect();
    order(call, &mut tasks);
    let tasks = tasks.into_iter().map(|task| select(task, selected(call).as_deref(), &[])).collect();
    Ok(page(call, tasks, Paging::of(call, view.page_size, 10)?))
}

fn create(state: &mut State, call: &Call, address: &str, list: u32) -> Answer {
    let view = View::of(call)?;
    let written = TASK.check(call.object()?)?;
    let now = state.clock.now();
    let mailbox = mailbox(state, address)?;
    if mailbox.lists[&list].well_known == "flaggedEmails" {
        return Err(refused("Tasks cannot be created in the list of flagged e-mails."));
    }
    let fields =
        json!({"title": "", "status": "notStarted", "importance": "normal", "isReminderOn": false, "categories": []});
    let (number, change) = (mailbox.number(), mailbox.change());
    let mut task = Task {
        number,
        list,
        created: now,
        modified: now,
        change,
        fields: fields.as_object().cloned().unwrap_or_default(),
        due: None,
        start: None,
        completed: None,
        reminder: None,
        body_content: String::new(),
        body_type: "text".into(),
        linked: Vec::new(),
    };
    apply(&mut task, &written, now)?;
    let links = written.get("linkedResources").and_then(Value::as_array).cloned().unwrap_or_default();
    if links.len() > 1 {
        return Err(refused("Only one item in linkedResources is allowed."));
    }
    for link in links {
        task.linked.push(linked(link, number, 0)?);
    }
    mailbox.tasks.insert(number, task);
    let answer = expanded(mailbox, &mailbox.tasks[&number], view.immutable, true);
    super::events::lag(state, call, address, number);
    Ok(item(call, 201, answer))
}

fn linked(link: Value, task: u32, position: usize) -> Result<Value, GraphError> {
    let Value::Object(link) = link else { return Err(refused("linkedResources is no list of objects.")) };
    let written = LINKED_RESOURCE.check(link)?;
    let text = |name: &str| written.get(name).cloned().unwrap_or(Value::Null);
    Ok(json!({
        "id": guid(&format!("linked resource {task} {position}")),
        "applicationName": text("applicationName"),
        "displayName": text("displayName"),
        "externalId": text("externalId"),
        "webUrl": text("webUrl"),
    }))
}

/// Cuts the time off, in UTC.
fn day(moment: Moment) -> Moment {
    let date = moment.instant().date_naive();
    Moment { local: date.and_time(NaiveTime::MIN), zone: Zone::utc() }
}

fn apply(task: &mut Task, written: &Map<String, Value>, now: chrono::DateTime<chrono::Utc>) -> Result<(), GraphError> {
    for (name, value) in written {
        let moment = || if value.is_null() { Ok(None) } else { Moment::parse(value, name).map(Some) };
        match name.as_str() {
            "dueDateTime" => task.due = moment()?.map(day),
            "startDateTime" => task.start = moment()?.map(day),
            "completedDateTime" => task.completed = moment()?.map(day),
            "reminderDateTime" => task.reminder = moment()?,
            "body" => {
                ItemBody::parse(value)?;
                task.body_content = value["content"].as_str().unwrap_or_default().into();
                task.body_type = value["contentType"].as_str().unwrap_or("text").to_lowercase();
            }
            "linkedResources" => {}
            "recurrence" if value.is_null() => {
                task.fields.remove("recurrence");
            }
            "recurrence" => {
                let recurrence = crate::recurrence::Recurrence::parse(value, "UTC")?;
                task.fields.insert(name.clone(), recurrence.json());
            }
            "title" => {
                task.fields.insert(name.clone(), json!(value.as_str().unwrap_or_default()));
            }
            "categories" if value.is_null() => {
                task.fields.insert(name.clone(), json!([]));
            }
            _ if value.is_null() => {}
            _ => {
                task.fields.insert(name.clone(), value.clone());
            }
        }
    }
    match (task.fields["status"] == "completed", &task.completed) {
        (true, None) => task.completed = Some(day(Moment { local: now.naive_utc(), zone: Zone::utc() })),
        (false, Some(_)) => task.completed = None,
        _ => {}
    }
    Ok(())
}

fn update(state: &mut State, call: &Call, address: &str, number: u32) -> Answer {
    let view = View::of(call)?;
    let written = TASK.check(call.object()?)?;
    let now = state.clock.now();
    let mailbox = mailbox(state, address)?;
    let mut task = mailbox.tasks[&number].clone();
    check_match(call, &mailbox.etag(task.change))?;
    if written.contains_key("linkedResources") {
        return Err(refused("linkedResources cannot be updated together with their task."));
    }
    apply(&mut task, &written, now)?;
    task.change = mailbox.change();
    task.modified = now;
    mailbox.tasks.insert(number, task);
    Ok(item(call, 200, expanded(mailbox, &mailbox.tasks[&number], view.immutable, false)))
}

fn links(state: &mut State, call: &Call, address: &str, number: u32, id: Option<&String>) -> Answer {
    let now = state.clock.now();
    let mailbox = mailbox(state, address)?;
    let change = mailbox.change();
    let task = mailbox.tasks.get_mut(&number).ok_or_else(GraphError::item_not_found)?;
    let at = id
        .map(|id| task.linked.iter().position(|link| link["id"] == id.as_str()).ok_or_else(GraphError::item_not_found))
        .transpose()?;
    let answer = match (call.method.as_str(), at) {
        ("GET", None) => {
            let all = task.linked.iter().filter_map(Value::as_object).cloned().collect();
            return Ok(page(call, all, Paging { skip: 0, size: 1000 }));
        }
        ("GET", Some(at)) => return Ok(item(call, 200, task.linked[at].as_object().cloned().unwrap_or_default())),
        ("POST", None) => {
            let link = linked(Value::Object(call.object()?), number, task.linked.len())?;
            task.linked.push(link.clone());
            item(call, 201, link.as_object().cloned().unwrap_or_default())
        }
        ("PATCH", Some(at)) => {
            for (name, value) in LINKED_RESOURCE.check(call.object()?)? {
                task.linked[at][name] = value;
            }
            item(call, 200, task.linked[at].as_object().cloned().unwrap_or_default())
        }
        ("DELETE", Some(at)) => {
            task.linked.remove(at);
            Reply::empty(204)
        }
        (method, _) => return Err(GraphError::not_allowed(method)),
    };
    task.change = change;
    task.modified = now;
    Ok(answer)
}

fn current(mailbox: &Mailbox, scope: &Scope, _: Option<crate::series::Window>) -> BTreeMap<Key, u64> {
    let tasks = mailbox.tasks.values().filter(|task| *scope == Scope::Tasks(task.list));
    tasks.map(|task| ((task.number, None), task.change)).collect()
}

fn changed(mailbox: &Mailbox, (number, _): Key, view: &View, call: &Call) -> Option<Value> {
    let task = mailbox.tasks.get(&number)?;
    let links = Expand::of(call).is_ok_and(|expand| expand.linked_resources);
    let mut task = select(expanded(mailbox, task, view.immutable, links), selected(call).as_deref(), &[]);
    task.insert("@odata.type".into(), json!("#microsoft.graph.todoTask"));
    Some(Value::Object(task))
}

fn removed(mailbox: &Mailbox, scope: &Scope, (number, _): Key, view: &View) -> Option<Value> {
    let Scope::Tasks(list) = scope else { return None };
    let id = Identifier { kind: Kind::Task, item: number, folder: *list, date: None, generation: 0 };
    Some(
        json!({"@odata.type": "#microsoft.graph.todoTask", "id": id.write(mailbox.key, view.immutable), "@removed": {"reason": "deleted"}}),
    )
}

/// All lists with their tasks, for the tests' eyes.
pub(super) fn everything(mailbox: &Mailbox) -> Vec<Value> {
    let tasks = |list: u32| mailbox.tasks.values().filter(move |task| task.list == list);
    let whole = |list: &TaskList| {
        let mut object = list_object(mailbox, list);
        let tasks = tasks(list.number).map(|task| Value::Object(expanded(mailbox, task, true, true)));
        object.insert("tasks".into(), tasks.collect());
        Value::Object(object)
    };
    mailbox.lists.values().map(whole).collect()
}
