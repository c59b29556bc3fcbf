// A day's work of Microsoft's JavaScript client on the simulator, over https.
//
// usage: NODE_PATH=…/node_modules NODE_EXTRA_CA_CERTS=certificate.pem node day.js HTTPS-ADDRESS MAILBOX
'use strict'

const assert = require('node:assert/strict')
const { Client, PageIterator } = require('@microsoft/microsoft-graph-client')

const [base, mailbox] = process.argv.slice(2)
const link = 'String {9a1f3c5e-0b2d-4c6e-8f70-123456789abc} Name erplink'
const zone = 'W. Europe Standard Time'
const immutable = 'IdType="ImmutableId"'
const at = (day, hour) => ({ dateTime: `2026-04-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00`, timeZone: zone })

async function control(method, path, body) {
  const answer = await fetch(`${base}/_simulator/${path}`, { method, body: body && JSON.stringify(body) })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
  return answer.status === 204 ? undefined : answer.json()
}

async function accessToken() {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: '11111111-2222-4333-8444-555555555555',
    client_secret: 'simulated-secret',
    scope: 'https://graph.microsoft.com/.default',
  })
  const answer = await fetch(`${base}/contoso.example/oauth2/v2.0/token`, { method: 'POST', body: form })
  assert.equal(answer.status, 200)
  return (await answer.json()).access_token
}

// The client takes the bare host name, and sends its token over https alone.
const graph = Client.initWithMiddleware({
  baseUrl: `${base}/`,
  customHosts: new Set(['localhost']),
  authProvider: { getAccessToken: accessToken },
})
const user = `/users/${mailbox}`
const api = (path) => graph.api(path.startsWith('https:') ? path : user + path).header('Prefer', immutable)
const encode = encodeURIComponent

async function refusal(promise) {
  const error = await promise.then(() => assert.fail('it was accepted'), (error) => error)
  return [error.statusCode, error.code]
}

/** All entries of a delta round, and its deltaLink. */
async function follow(first, prefer = immutable) {
  const entries = []
  const options = { headers: { Prefer: prefer } }
  const pages = new PageIterator(graph, await graph.api(first).header('Prefer', prefer).get(), (entry) => entries.push(entry), options)
  await pages.iterate()
  return { entries, next: pages.getDeltaLink() }
}

const removed = (entries) => entries.filter((entry) => entry['@removed']).map((entry) => entry.id)

async function appointments() {
  const calendar = await api('/calendars').post({ name: 'Sales' })
  const events = `/calendars/${calendar.id}/events`
  const made = []
  for (let hour = 8; hour < 15; hour++) {
    made.push(
      await api(events).post({
        subject: `Visit at ${hour}`,
        body: { contentType: 'html', content: '<p>Bring the samples.</p>' },
        start: at(15, hour),
        end: at(15, hour + 1),
        location: { displayName: 'Main Street 1' },
        showAs: 'busy',
        sensitivity: 'normal',
        transactionId: `4f2d6a9c-0000-4000-8000-00000000${hour}`,
        singleValueExtendedProperties: [{ id: link, value: `link-${hour}` }],
      }),
    )
  }
  assert.match(made[0].body.content, /^<html>\r\n<head>/)

  const window = 'startDateTime=2026-04-01T00:00:00Z&endDateTime=2026-05-01T00:00:00Z'
  const delta = `${user}/calendars/${calendar.id}/calendarView/delta?${window}`
  const first = await follow(delta, `${immutable}, odata.maxpagesize=3`)
  assert.equal(first.entries.length, 7)

  const one = await api(`/events/${made[0].id}`)
    .expand(`singleValueExtendedProperties($filter=id eq '${link}')`)
    .get()
  assert.deepEqual(one.singleValueExtendedProperties, [{ id: link, value: 'link-8' }])
  const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${link}' and ep/value eq 'link-9')`
  const found = await api(events).filter(filter).get()
  assert.deepEqual(found.value.map((event) => event.subject), ['Visit at 9'])

  const etag = one['@odata.etag']
  await api(`/events/${one.id}`).header('If-Match', etag).patch({ subject: 'Visit, moved', start: at(16, 8), end: at(16, 9) })
  const late = refusal(api(`/events/${one.id}`).header('If-Match', etag).patch({ subject: 'too late' }))
  assert.deepEqual(await late, [412, 'ErrorIrresolvableConflict'])
  await api(`/events/${made[1].id}`).delete()
  assert.deepEqual(await refusal(api(`/events/${made[1].id}`).get()), [404, 'ErrorItemNotFound'])
  const second = await follow(first.next)
  assert.deepEqual(removed(second.entries), [made[1].id])
  assert.equal(second.entries.length, 2)
  return { calendar, next: second.next }
}

async function series({ calendar, next }) {
  const master = await api(`/calendars/${calendar.id}/events`).post({
    subject: 'Last Friday of the month',
    start: at(24, 9),
    end: at(24, 10),
    recurrence: {
      pattern: { type: 'relativeMonthly', interval: 1, daysOfWeek: ['friday'], index: 'last' },
      range: { type: 'noEnd', startDate: '2026-04-24' },
    },
  })
  assert.equal(master.recurrence.range.endDate, '0001-01-01')
  const window = 'startDateTime=2026-04-01T00:00:00Z&endDateTime=2026-07-01T00:00:00Z'
  const instances = (await api(`/events/${master.id}/instances?${window}`).get()).value
  assert.deepEqual(instances.map((one) => one.start.dateTime.slice(0, 10)), ['2026-04-24', '2026-05-29', '2026-06-26'])
  await api(`/events/${instances[0].id}`).patch({ subject: 'This time elsewhere' })
  const { entries } = await follow(next)
  assert.deepEqual(entries.map((entry) => entry.type).sort(), ['exception', 'seriesMaster'])
}

async function tasks() {
  const lists = (await api('/todo/lists').get()).value
  const tasks = `/todo/lists/${lists.find((list) => list.wellknownListName === 'defaultList').id}/tasks`
  const made = await api(tasks).post({
    title: 'Call back',
    dueDateTime: { dateTime: '2026-04-17T14:30:00', timeZone: 'UTC' },
    linkedResources: [{ applicationName: 'ERP', externalId: 'link-t1', displayName: 'Task 1' }],
  })
  assert.equal(made.dueDateTime.dateTime, '2026-04-17T00:00:00.0000000')
  const first = await follow(`${user}${tasks}/delta?$expand=linkedResources`)
  assert.equal(first.entries[0].linkedResources[0].externalId, 'link-t1')
  const done = await api(`${tasks}/${made.id}`).patch({ status: 'completed' })
  assert.equal(done.completedDateTime.timeZone, 'UTC')
  await api(`${tasks}/${made.id}`).delete()
  assert.deepEqual(removed((await follow(first.next)).entries), [made.id])
}

async function contacts() {
  const folder = await api('/contactFolders').post({ displayName: 'Customers' })
  const contacts = `/contactFolders/${folder.id}/contacts`
  const made = await api(contacts).post({
    givenName: 'Otto',
    surname: 'Berger',
    emailAddresses: [{ name: 'Otto Berger', address: 'otto@berger.example' }],
    businessAddress: { street: 'Main Street 1', city: 'Berlin', countryOrRegion: 'Germany', postalCode: '10115' },
    singleValueExtendedProperties: [{ id: link, value: 'customer-1' }],
  })
  const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${link}' and ep/value eq 'customer-1')`
  assert.equal((await api(contacts).filter(filter).get()).value.length, 1)
  const first = await follow(`${user}${contacts}/delta`)
  assert.equal(first.entries[0].surname, 'Berger')
  const changed = await api(`${contacts}/${made.id}`).patch({ jobTitle: 'Buyer' })
  assert.notEqual(changed.changeKey, made.changeKey)
  await api(`${contacts}/${made.id}`).delete()
  assert.deepEqual(removed((await follow(first.next)).entries), [made.id])
}

async function batch() {
  const headers = { 'Content-Type': 'application/json', Prefer: immutable }
  const event = (hour) => ({ subject: `Batched at ${hour}`, start: at(20, hour), end: at(20, hour + 1) })
  const requests = [8, 9, 10].map((hour) => ({ id: `${hour}`, method: 'POST', url: `${user}/events`, headers, body: event(hour) }))
  const send = async (requests) => {
    const { responses } = await graph.api('/$batch').post({ requests })
    return Object.fromEntries(responses.map(({ id, status }) => [id, status]))
  }
  assert.deepEqual(await send(requests), { 8: 201, 9: 201, 10: 201 })
  const bad = { id: 'bad', method: 'GET', url: `${user}/events/nonsense` }
  const after = { id: 'after', method: 'GET', url: `${user}/events`, dependsOn: ['bad'] }
  assert.deepEqual(await send([bad, after]), { bad: 400, after: 424 })
  const [status] = await refusal(graph.api('/$batch').post({ requests: [...requests, bad, after] }))
  assert.equal(status, 400, 'a mixture of parallel and sequential requests')
}

async function main() {
  assert.equal((await api('').get()).mail, mailbox)
  assert.equal((await api('/mailboxSettings').get()).timeZone, zone)
  const zones = await api("/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')").get()
  assert.ok(zones.value.some((one) => one.alias === 'Europe/Berlin'))
  const { calendar, next } = await appointments()
  await series({ calendar, next })
  await tasks()
  await contacts()
  await batch()
  const subscription = {
    changeType: 'created,updated,deleted',
    notificationUrl: 'https://erp.example/notified',
    resource: `users/${mailbox}/events`,
    expirationDateTime: new Date(Date.now() + 3600e3).toISOString(),
  }
  assert.equal((await graph.api('/subscriptions').post(subscription)).resource, subscription.resource)
  // A throttled request is repeated by the client after the time that the service names.
  await control('POST', 'faults', { name: 'throttled', count: 1, value: '1' })
  assert.ok((await api('/calendars').get()).value)
  assert.equal((await control('GET', 'faults'))[0].struck, 1)
  await api(`/calendars/${encode(calendar.id)}`).delete()
  console.log("a day's work is done")
}

main()
