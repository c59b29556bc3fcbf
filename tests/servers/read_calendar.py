"""Reads a calendar file with icalendar, as another program would, and prints what is in it as JSON: what each VTIMEZONE says
counts, not what this machine knows of zones."""

import datetime
import json
import sys

import icalendar

with open(sys.argv[1], "rb") as file:
    calendar = icalendar.Calendar.from_ical(file.read())


def moment(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if value is not None else None


def shown(component):
    return {
        "kind": component.name,
        "uid": str(component["UID"]),
        "subject": str(component.get("SUMMARY", "")),
        "description": str(component.get("DESCRIPTION", "")),
        "start": moment(component.decoded("DTSTART", None)),
        "end": moment(component.decoded("DTEND", None)),
        "due": moment(component.decoded("DUE", None)),
        "free": str(component.get("TRANSP", "OPAQUE")) == "TRANSPARENT",
    }


errors = [list(map(str, error)) for component in calendar.walk() for error in component.errors]
print(json.dumps({
    "items": [shown(component) for component in calendar.walk() if component.name in ("VEVENT", "VTODO")],
    "errors": errors,
}))
