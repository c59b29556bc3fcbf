//! Tasks (domain 8): they come and go as appointments do, and who completes one completes it on both sides.

use serde_json::json;

use super::calendar::{Calendar, Kind, Server, connected, id, unfolded};
use super::{at, counts, found, make_for, sync_at};

/// The owner ticks off the task with this title.
fn complete(calendar: &Calendar, title: &str) {
    match calendar.server {
        Server::Graph(_) => {
            let lists = calendar.user().contents()["lists"].clone();
            let list = &lists[0];
            let tasks = list["tasks"].as_array().expect("tasks");
            let task = tasks.iter().find(|task| task["title"] == title).expect("it is there");
            let path = format!("todo/lists/{}/tasks/{}", id(list), id(task));
            let _ = calendar.user().request("PATCH", &path, json!({ "status": "completed" })).expect("completed");
        }
        _ => {
            let is_meant = |part: &str| part.contains(&format!("SUMMARY:{title}\r\n"));
            let (path, text) =
                calendar.objects().into_iter().find(|(_, text)| is_meant(&unfolded(text))).expect("it is there");
            let text = unfolded(&text);
            let parts = text.split("BEGIN:VTODO\r\n").map(|part| {
                if !is_meant(part) {
                    return part.to_owned();
                }
                let part = part.replace("STATUS:NEEDS-ACTION\r\n", "");
                format!("STATUS:COMPLETED\r\nPERCENT-COMPLETE:100\r\nCOMPLETED:20261123T080500Z\r\n{part}")
            });
            calendar.put(&path, &parts.collect::<Vec<_>>().join("BEGIN:VTODO\r\n"));
        }
    }
}

/// True when the task with this title is ticked off in Outlook.
fn is_completed(calendar: &Calendar, title: &str) -> bool {
    match calendar.server {
        Server::Graph(_) => {
            let lists = calendar.user().contents()["lists"].clone();
            let tasks = lists[0]["tasks"].as_array().expect("tasks").clone();
            tasks.iter().find(|task| task["title"] == title).expect("it is there")["status"] == "completed"
        }
        _ => {
            let text = calendar.text();
            let task = text.split("BEGIN:VTODO").find(|part| part.contains(&format!("SUMMARY:{title}")));
            task.expect("it is there").contains("STATUS:COMPLETED")
        }
    }
}

stories! {
    /// A new task of Outlook becomes an activity, and one of the headquarters a task; completed on one side, it is on both.
    tasks_are_completed_on_both_sides(workspace, calendar, &["--text-priority", "outlook"]) {
        let ours = make_for(&workspace, "B", "Write the offer", &["--task"]);
        let _ = make_for(&workspace, "B", "Order samples", &["--task"]);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [2, 0, 0, 0, 0]);
        calendar.add("call", "BEGIN:VTODO\nUID:call\nDTSTAMP:20261120T100000Z\nSUMMARY:Call back\nEND:VTODO");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        assert_eq!(calendar.tasks(), ["Call back", "Order samples", "Write the offer"]);
        for title in calendar.tasks() {
            assert!(!is_completed(&calendar, &title), "{title}");
            assert_eq!(found(&workspace, &title)["status"], "planned", "{title}");
        }
        complete(&calendar, "Call back");
        complete(&calendar, "Order samples");
        let _ = workspace.run(&["activities", "complete", &ours]).exits(0);
        let report = sync_at(&workspace, &at(2));
        assert_eq!(counts(&report), [0, 1, 0, 0, 2], "{report:#}");
        for title in calendar.tasks() {
            assert!(is_completed(&calendar, &title), "{title}");
            assert_eq!(found(&workspace, &title)["status"], "completed", "{title}");
        }
        assert_eq!(counts(&sync_at(&workspace, &at(3))), [0; 5]);
    }
}
