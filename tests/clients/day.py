"""A day's work of Microsoft's Python client (msgraph-sdk) on the simulator, over http.

usage: day.py HTTP-ADDRESS MAILBOX
"""

import asyncio
import sys
import time

import httpx
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.calendar import Calendar
from msgraph.generated.models.contact import Contact
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.day_of_week import DayOfWeek
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.linked_resource import LinkedResource
from msgraph.generated.models.location import Location
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.patterned_recurrence import PatternedRecurrence
from msgraph.generated.models.recurrence_pattern import RecurrencePattern
from msgraph.generated.models.recurrence_pattern_type import RecurrencePatternType
from msgraph.generated.models.recurrence_range import RecurrenceRange
from msgraph.generated.models.recurrence_range_type import RecurrenceRangeType
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.models.task_status import TaskStatus
from msgraph.generated.models.todo_task import TodoTask
from msgraph.generated.users.item.calendars.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.users.item.calendars.item.events.events_request_builder import EventsRequestBuilder
from msgraph.generated.users.item.events.item.event_item_request_builder import EventItemRequestBuilder
from msgraph.generated.users.item.events.item.instances.instances_request_builder import InstancesRequestBuilder

BASE, MAILBOX = sys.argv[1:3]
LINK = "String {9a1f3c5e-0b2d-4c6e-8f70-123456789abc} Name erplink"
ZONE = "W. Europe Standard Time"


class ClientSecret:
    """A credential for a login service on plain http, which azure-identity refuses."""

    def get_token(self, *scopes, **_):
        answer = httpx.post(
            f"{BASE}/contoso.example/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "11111111-2222-4333-8444-555555555555",
                "client_secret": "simulated-secret",
                "scope": " ".join(scopes),
            },
        )
        answer.raise_for_status()
        return AccessToken(answer.json()["access_token"], int(time.time()) + answer.json()["expires_in"])


def client():
    host = BASE.removeprefix("http://")
    provider = AzureIdentityAuthenticationProvider(
        ClientSecret(), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host, host.split(":")[0]]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{BASE}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def at(day, hour):
    return DateTimeTimeZone(date_time=f"2026-04-{day:02}T{hour:02}:00:00", time_zone=ZONE)


def configured(query=None, **headers):
    configuration = RequestConfiguration(query_parameters=query)
    configuration.headers.add("Prefer", 'IdType="ImmutableId"')
    for name, value in headers.items():
        configuration.headers.add(name.replace("_", "-"), value)
    return configuration


async def status_of(request):
    try:
        await request
    except ODataError as error:
        return error.response_status_code, error.error.code
    return 200, None


async def follow(builder, configuration):
    """All entries of a delta round, its pages, and its deltaLink."""
    page, entries, pages = await builder.get(request_configuration=configuration), [], 1
    while True:
        entries += page.value
        if page.odata_delta_link:
            return entries, pages, page.odata_delta_link
        page = await builder.with_url(page.odata_next_link).get(request_configuration=configuration)
        pages += 1


def removed(entries):
    return [entry.id for entry in entries if "@removed" in entry.additional_data]


async def appointments(user):
    calendar = await user.calendars.post(Calendar(name="Sales"))
    sales = user.calendars.by_calendar_id(calendar.id)
    assert [one.name for one in (await user.calendars.get()).value] == ["Calendar", "Sales"]

    made = []
    for hour in range(8, 15):
        made.append(
            await sales.events.post(
                Event(
                    subject=f"Visit at {hour}",
                    body=ItemBody(content_type=BodyType.Text, content="Bring the samples.\nAsk for the order."),
                    start=at(15, hour),
                    end=at(15, hour + 1),
                    location=Location(display_name="Main Street 1"),
                    categories=["ERP"],
                    transaction_id=f"4f2d6a9c-0000-4000-8000-0000000000{hour:02}",
                    single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=LINK, value=f"link-{hour}")],
                ),
                request_configuration=configured(),
            )
        )
    first = made[0]
    assert first.body.content_type == BodyType.Html and "Ask for the order." in first.body.content
    assert (first.start.date_time, first.start.time_zone) == ("2026-04-15T08:00:00.0000000", ZONE)

    window = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time="2026-04-01T00:00:00Z", end_date_time="2026-05-01T00:00:00Z"
    )
    paged = configured(window)
    paged.headers.add("Prefer", "odata.maxpagesize=3")
    entries, pages, link = await follow(sales.calendar_view.delta, paged)
    assert (len(entries), pages) == (7, 3), (len(entries), pages)

    one = user.events.by_event_id(first.id)
    read = await one.get(
        request_configuration=configured(
            EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(
                expand=[f"singleValueExtendedProperties($filter=id eq '{LINK}')"]
            ),
            Prefer='outlook.body-content-type="text"',
        )
    )
    assert read.single_value_extended_properties[0].value == "link-8"
    assert read.body.content_type == BodyType.Text and read.body.content.startswith("Bring the samples.\r\n")
    etag = read.additional_data["@odata.etag"]
    assert first.id in [event.id for event in entries]

    found = await sales.events.get(
        request_configuration=configured(
            EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(
                filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{LINK}' and ep/value eq 'link-9')"
            )
        )
    )
    assert [event.subject for event in found.value] == ["Visit at 9"]

    # Somebody changes the event: who has the old etag must read again.
    changed = await one.patch(Event(subject="Visit, moved", start=at(16, 8), end=at(16, 9)), request_configuration=configured(If_Match=etag))
    assert changed.subject == "Visit, moved" and changed.start.date_time == "2026-04-16T06:00:00.0000000"
    refused = await status_of(one.patch(Event(subject="too late"), request_configuration=configured(If_Match=etag)))
    assert refused == (412, "ErrorIrresolvableConflict"), refused
    await user.events.by_event_id(made[1].id).delete(request_configuration=configured())

    entries, _, link = await follow(sales.calendar_view.delta.with_url(link), configured())
    assert removed(entries) == [made[1].id] and len(entries) == 2
    assert await status_of(user.events.by_event_id(made[1].id).get()) == (404, "ErrorItemNotFound")
    return sales, link


async def series(user, sales, link):
    master = await sales.events.post(
        Event(
            subject="Every Monday",
            start=at(6, 9),
            end=at(6, 10),
            recurrence=PatternedRecurrence(
                pattern=RecurrencePattern(
                    type=RecurrencePatternType.Weekly, interval=1, days_of_week=[DayOfWeek.Monday], first_day_of_week=DayOfWeek.Monday
                ),
                range=RecurrenceRange(type=RecurrenceRangeType.Numbered, start_date="2026-04-06", number_of_occurrences=6),
            ),
        ),
        request_configuration=configured(),
    )
    assert master.type == EventType.SeriesMaster and str(master.recurrence.range.end_date) == "0001-01-01"
    window = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters(
        start_date_time="2026-04-01T00:00:00Z", end_date_time="2026-05-01T00:00:00Z"
    )
    instances = (await user.events.by_event_id(master.id).instances.get(request_configuration=configured(window))).value
    assert [instance.type for instance in instances] == [EventType.Occurrence] * 4
    await user.events.by_event_id(instances[1].id).patch(Event(subject="This Monday elsewhere"), request_configuration=configured())
    await user.events.by_event_id(instances[2].id).delete(request_configuration=configured())
    read = await user.events.by_event_id(master.id).get(
        request_configuration=configured(
            EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(
                select=["id", "type", "recurrence", "cancelledOccurrences"], expand=["exceptionOccurrences"]
            )
        )
    )
    assert [one.subject for one in read.exception_occurrences] == ["This Monday elsewhere"]
    assert read.cancelled_occurrences == [f"OID.{master.id}.2026-04-20"]
    entries, _, _ = await follow(sales.calendar_view.delta.with_url(link), configured())
    kinds = sorted(entry.type.value for entry in entries)
    assert kinds == ["exception", "occurrence", "occurrence", "seriesMaster"], kinds
    bare = next(entry for entry in entries if entry.type == EventType.Occurrence)
    assert bare.subject is None and bare.series_master_id == master.id and bare.start.date_time


async def tasks(user):
    lists = (await user.todo.lists.get()).value
    default = next(one for one in lists if one.wellknown_list_name.value == "defaultList")
    builder = user.todo.lists.by_todo_task_list_id(default.id).tasks
    made = await builder.post(
        TodoTask(
            title="Call back",
            body=ItemBody(content_type=BodyType.Text, content="about the offer"),
            due_date_time=DateTimeTimeZone(date_time="2026-04-17T14:30:00", time_zone="UTC"),
            linked_resources=[LinkedResource(application_name="ERP", external_id="link-t1", display_name="Task 1", web_url="https://erp.example/t1")],
        )
    )
    assert made.due_date_time.date_time == "2026-04-17T00:00:00.0000000", "To Do keeps days"
    assert made.linked_resources[0].external_id == "link-t1"
    entries, _, link = await follow(builder.delta, None)
    assert [task.title for task in entries] == ["Call back"]
    one = builder.by_todo_task_id(made.id)
    done = await one.patch(TodoTask(status=TaskStatus.Completed))
    assert done.status == TaskStatus.Completed and done.completed_date_time.date_time.endswith("T00:00:00.0000000")
    await one.delete()
    entries, _, _ = await follow(builder.delta.with_url(link), None)
    assert removed(entries) == [made.id]


async def contacts(user):
    first = await user.contacts.post(
        Contact(
            given_name="Otto",
            surname="Berger",
            company_name="Berger Metals",
            email_addresses=[EmailAddress(name="Otto Berger", address="otto@berger.example")],
            business_phones=["+49 30 1234"],
            single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=LINK, value="customer-1")],
        )
    )
    assert (first.display_name, first.file_as) == ("Otto Berger", "Berger, Otto")
    folder = user.contact_folders.by_contact_folder_id(first.parent_folder_id)
    entries, _, link = await follow(folder.contacts.delta, None)
    assert [contact.surname for contact in entries] == ["Berger"]
    one = folder.contacts.by_contact_id(first.id)
    changed = await one.patch(Contact(mobile_phone="+49 170 1"))
    assert changed.mobile_phone == "+49 170 1" and changed.change_key != first.change_key
    await one.delete()
    entries, _, _ = await follow(folder.contacts.delta.with_url(link), None)
    assert removed(entries) == [first.id]


async def main():
    graph = client()
    user = graph.users.by_user_id(MAILBOX)
    assert (await user.get()).mail == MAILBOX
    assert (await user.mailbox_settings.get()).time_zone == ZONE
    zones = (await user.outlook.supported_time_zones.get()).value
    assert any(zone.alias == ZONE for zone in zones)
    sales, link = await appointments(user)
    await series(user, sales, link)
    await tasks(user)
    await contacts(user)
    # A throttled request is repeated by the client after the time that the service names.
    httpx.post(f"{BASE}/_simulator/faults", json={"name": "throttled", "count": 1, "value": "1"}).raise_for_status()
    assert (await user.calendars.get()).value
    assert httpx.get(f"{BASE}/_simulator/faults").json()[0]["struck"] == 1
    await sales.delete()
    assert [one.name for one in (await user.calendars.get()).value] == ["Calendar"]
    print("a day's work is done")


asyncio.run(main())
