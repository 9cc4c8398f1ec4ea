# Headcount, English. A term in { $braces } is filled in. Where a message chooses by number,
# the form for [one] spells its digit out: the scripts take that form as it stands.

## Everywhere
skip = Skip to the content
nav-label = Main
nav-events = All events
theme-label = Colours:
theme-auto = Auto
theme-light = Light
theme-dark = Dark
not-sent = Not sent: the server cannot be reached. What you entered is kept here. Please try again in a moment.
not-opened = The server cannot be reached. Please try again in a moment.
typed-again = What you had typed is back. It has not been sent yet.
invalid-missing = Please fill this in.
invalid-tick = Please tick this box.
invalid-choice = Please choose one.
invalid-url = Enter a complete web address, beginning with https:// or http://.
invalid-between = Enter a whole number from { $min } to { $max }.
invalid-moment = Enter a complete date and time.
invalid-short = Use at least { $min } characters.

## The figure
figure-of = / { $capacity }
figure-registered = registered
badge-label = registered
count-remaining =
    { $n ->
        [one] 1 place left
       *[other] { $n } places left
    }
count-held =
    { $n ->
        [one] 1 place is free, but the next group waiting needs more
       *[other] { $n } places are free, but the next group waiting needs more
    }
count-blocked =
    { $n ->
        [one] 1 place is free; the next group needs { $needs }.
       *[other] { $n } places are free; the next group needs { $needs }.
    }
own-blocked =
    { $n ->
        [one] 1 place is free; your group of { $size } waits for { $more } more.
       *[other] { $n } places are free; your group of { $size } waits for { $more } more.
    }
count-none = No places left
count-unlimited = No limit on places
count-over =
    { $n ->
        [one] 1 over capacity
       *[other] { $n } over capacity
    }
count-waiting =
    { $n ->
        [one] 1 waiting
       *[other] { $n } waiting
    }
count-round = Round { $round }
count-spoken = { $figure } registered. { $places }.
state-scheduled = Not open yet
state-open = Open
state-full = Full
state-waitlist = Waiting list open
state-closed = Closed
state-draft = Draft
state-gone = Deleted

## How true the number is
still-as-of = Last change { $time }
still-list = As of the moment this page was loaded
still-reload = Reload
live-connecting = Connecting
live-live = Live · last change { $ago }
live-polling = Checking every few seconds · last change { $ago }
live-reconnecting = Reconnecting. Showing { $figure } as of { $time }
live-stale = Stale since { $time }. The number may be behind
live-gone = This event has been deleted
live-back = The number is live again
list-live = Live · last change { $ago }: { $name }
list-polling = Checking every few seconds · last change { $ago }: { $name }
list-reconnecting = Reconnecting. As of { $time }: { $names }
list-stale = Stale since { $time }: { $names }. These numbers may be behind
list-gone = Deleted: { $names }
list-empty = Checking every few seconds for events
list-all = all events
list-more =
    { $n ->
        [one] { $name } and 1 more
       *[other] { $name } and { $n } more
    }
frame-stale = Not live. The number may be behind
live-watching =
    { $n ->
        [one] 1 watching
       *[other] { $n } watching
    }
notice-label = From the organiser
notice-dismiss = Dismiss

## Events
events-title = Events
events-none = There is nothing to register for at the moment.

## One event
event-count-label = People registered so far
event-opens = Opens { $time }
event-opened = Open since { $time }
event-closes = Closes { $time }
event-closed = Closed since { $time }
register-heading = Register
register-note-waitlist = There is a waiting list. Places that come free go to those who have waited longest; a group gets all its places at once.
register-note-full = All places are taken at the moment. If someone cancels, the form comes back by itself.
register-note-closed = Registration has closed.
register-erased = Your name, email address and answers are erased on { $time }.
register-note-scheduled = Registration has not opened yet. The form appears here when it does.
register-note-gone = This event has been deleted. Nobody can register for it any more.
field-name = Name
field-email = Email
field-email-hint = One registration per email address. It is not shown to anyone but the organiser.
field-party = How many people, including you
field-party-hint = All of you get places together, or wait together.
field-trap = Leave this field empty
register-button = Register
register-button-waitlist = Join the waiting list
form-sending = Sending…
form-proving = Checking that you are not a bot. This takes a few seconds…
form-proof-failed = The bot check did not succeed. Your entry is still here. Please send it again.
proof-by-mail = This form is protected against bots. Without JavaScript you confirm your registration from your inbox: we send you a link.
confirm-sent = Please look into your inbox: we have sent you a link. You get your place when you open it, within 24 hours. If no mail comes, look into the spam folder, or check your email address here and send the form again.
confirm-gone = This link does not work any more
confirm-gone-detail = It is incomplete, older than 24 hours, or its event is gone. Please fill in the form again.
proof-needs-scripts = This form is protected against bots: your browser has to compute something before it is sent, and that needs JavaScript. Please turn it on, or ask the organiser to register you.
form-retrying =
    { $n ->
        [one] Very busy right now. Trying again in 1 second; your entry is safe.
       *[other] Very busy right now. Trying again in { $n } seconds; your entry is safe.
    }
form-cancelled = This registration was cancelled. Your entry is still here: send it once more to register again.
form-unreachable = The server cannot be reached. Your entry is kept here. Please send it again in a moment; you will not be registered twice.
form-failed = Something went wrong on our side. Your entry is kept. Please send it again; you will not be registered twice.
mistake-at = { $label }: { $message }
error-heading = Please check this:
error-name-missing = Enter your name.
error-name-long = Use at most 200 characters.
error-name-invalid = This name contains characters that cannot be used.
error-character = This character cannot be used here: { $character }. Please remove it.
error-email-missing = Enter your email address.
error-email-long = Use at most 254 characters.
error-email-taken = This email address is already registered.
error-email-invalid = Enter an email address like name@example.org.
error-party_size-invalid = Enter a whole number from 1 to { $most }.
error-party_size-full =
    { $n ->
        [one] Only 1 place is free.
       *[other] Only { $n } places are free.
    }
error-answer-missing = Please answer this.
error-answer-tick = Tick this to register.
error-answer-long = Use at most { $max } characters.
error-answer-number = Enter a number, such as 3 or 2.5.
error-answer-invalid = This answer cannot be used. Please change it.
error-questions-changed = The organiser has changed the questions. Please look through the form and send it again.
questions-changed = The organiser has changed the questions. What you had filled in is still there.
answer-optional = (optional)
answer-none = No answer
error-trap = A hidden field was filled in, probably by your browser’s autofill. It is empty again: please send the form once more.
register-another = Register someone else
own-heading = Registered on this device
own-registered = Registered
own-hint = Remembered in this browser only. Open it to see, print, change or cancel it, or to erase your data.
own-forget = Forget on this device

## My registration
registration-number = No. { $number }
registration-confirmed = You have a place
registration-waiting = You are on the waiting list
registration-cancelled = This registration is cancelled
registration-archived = This registration is from an earlier round
registration-gone = This event has been deleted
registration-arrival = { $nth } to register
registration-count-note = People who have cancelled are not in this number.
registration-code = Scan to open this page on another device
registration-confirmed-detail = Show this page at the entrance if you are asked.
registration-waiting-detail = Position { $position } on the waiting list. This page follows it by itself.
registration-cancelled-detail = It no longer holds a place or a position on the waiting list.
registration-archived-detail = The organiser has started a new round, so this registration no longer counts. You did nothing wrong.
registration-gone-detail = The organiser has deleted the event and all its registrations, so this registration no longer counts. Your link was right.
registration-again = Register again
registration-event = Event
registration-at = Registered
registration-round = Round
registration-round-past = { $round }, which is over
registration-people =
    { $n ->
        [one] 1 person
       *[other] { $n } people
    }
change-open = Change my registration
change-party-hint = Places you give up go to the waiting list. You can add people only while places are free and nobody waits.
change-button = Save
change-done = Saved.
change-full =
    { $n ->
        [0] No place is free, so your group cannot grow. Nothing has changed.
        [one] Only 1 place is free. Nothing has changed.
       *[other] Only { $n } places are free. Nothing has changed.
    }
change-others-wait = Other people are waiting for the free places, so your group cannot grow. Nothing has changed.
change-waiting = A group on the waiting list can only become smaller. Nothing has changed.
registration-keep-heading = Keep this link
registration-keep = Anyone who has it can see, change and cancel this registration.
registration-keep-erased = Anyone who has it can see and cancel this registration. Show its number at the entrance: your name is erased.
news-promoted = Good news: a place has come free, and it is yours.
news-back = Your registration counts again.
news-cancelled = This registration has just been cancelled.
news-archived = The organiser has just started a new round.
news-gone = The organiser has just deleted this event.
share = Share
print = Print
copy = Copy the link
copy-done = Copied
cancel-open = Cancel my registration
cancel-open-waiting = Leave the waiting list
cancel-explain = Your place goes to the next person at once. This cannot be undone.
cancel-explain-group = All { $n } places of your group go to the next people at once. This cannot be undone.
cancel-explain-waiting-group = Your group of { $n } gives up its position on the waiting list. This cannot be undone.
cancel-explain-waiting = You give up your position on the waiting list. This cannot be undone.
cancel-confirm = Yes, cancel my registration
erase-open = Erase my data
erase-explain = Your name, your email address and your answers are deleted for good. Nobody can bring them back, and the organiser no longer sees who you are.
erase-keeps = Your place or your position on the waiting list stays. Cancel it first if you are not coming.
erase-after = Afterwards you can only cancel. At the entrance only your number counts, so keep this page.
erase-confirm = Yes, erase my data
erase-done = Your data are erased.
erased-at = Erased { $time }
cancel-confirm-waiting = Yes, leave the waiting list

## The big screen
wall-invite = Register at
wall-invite-waitlist = Join the waiting list at
wall-follow = Follow it at
wall-qr-label = QR code of { $url }

## Every transport side by side
compare-link = How does this page stay live?
compare-title = How does this number stay live?
compare-lead = A server can tell a browser something new in eight ways. All of them run here and show the same number.
compare-still = Without JavaScript nothing can be measured here, but one of the eight ways still works. The frame below is live:
compare-verdict = What wins, and why
compare-ranking = Outdated on average: shorter is better
compare-rule = As a rule, pick { $name }.
compare-controls = Try it
compare-register = Register a test person
compare-burst = A burst of 50
compare-cut = Cut the line
compare-interval = Interval poll every
compare-seconds = { $n } s
compare-lab = Try it in the lab
compare-lab-here = This is the lab: everybody in it is made up.
compare-lab-there = Test people are registered in an event of their own, the lab, never here.
compare-age = Outdated on average
compare-strip = The last 30 seconds: how long the number on screen was outdated
compare-frame-title = The frame itself, live
compare-median = Median delay
compare-worst = Worst delay
compare-requests = Requests
compare-bytes = Bytes
compare-seen = Shown
compare-skipped = Skipped
compare-reconnects = Reconnects
compare-state = Line
compare-age-explain = “Outdated on average” ranks them. A number on screen is outdated from the moment a newer one is committed until it appears. The age of that gap is averaged over as long as it lasts and the ten seconds after each change.
compare-strip-explain = The slopes in each strip show that age over the last 30 seconds, on one scale. A tick is an update that arrived. Delay runs from the commit on the server to this screen.
compare-bytes-explain = ≈ marks bytes that the browser does not report; they are estimated from known sizes. A skipped update was overtaken by a newer one; nothing is lost.
compare-picks = Which one to pick
compare-panel = The same in your browser’s network panel
compare-panel-lead = Open the developer tools (F12), choose Network, and load this page again. Each technique looks different there:
compare-waiting = Nothing has changed since this page was opened. Try it in the lab, where you can register test people.
compare-waiting-lab = Register a test person and watch all the numbers move.
compare-few =
    { $n ->
        [one] Compared after 1 more change.
       *[other] Compared after { $n } more changes.
    }
compare-slow = Some transports have not shown these changes yet.
compare-level = { $names } are level: each is outdated for { $time } on average.
compare-alone = { $name } is the freshest: outdated for { $time } on average.
compare-behind = { $name } is last: outdated for { $time } on average.
compare-choose = Pick { $name }.
compare-registering = { $done } of { $all } registered…
compare-registered =
    { $n ->
        [one] 1 test person registered.
       *[other] { $n } test people registered.
    }
compare-refused = The server asks to slow down. Try again in a moment.
compare-no-line = No line is live: the number may be out of date.
compare-cutting = All lines are cut for 3 seconds. Register somebody meanwhile.
compare-resumed = All have resumed where they were.
compare-state-connecting = Connecting
compare-state-live = Live
compare-state-cut = Cut
compare-state-down = Retrying
compare-state-stopped = Stopped
compare-state-unsupported = Not in this browser
compare-state-off = Off at this server
compare-stopped = Stopped, because another page of this browser is comparing.
compare-start = Compare here
transport-sse-name = Server-sent events
transport-sse-how = One HTTP answer that never ends; the browser’s own EventSource reads it.
transport-sse-pick = Numbers, feeds, progress: anything that only flows from the server to the screen.
transport-sse-mind = Plain HTTP, and the browser reconnects and resumes by itself. One way only, text only.
transport-sse-panel = One row named stream, of the type eventsource, that never finishes. Its EventStream tab lists every message.
transport-ndjson-name = NDJSON
transport-ndjson-how = The same endless answer, read line by line with fetch().
transport-ndjson-pick = Scripts, other programs, and pages that must send headers of their own.
transport-ndjson-mind = Every language can read it, and it needs no library. Reconnecting and resuming are your own work.
transport-ndjson-panel = One row named stream, of the type fetch, that never finishes. Its size grows with every line.
transport-websocket-name = WebSocket
transport-websocket-how = One connection for both directions, upgraded from HTTP.
transport-websocket-pick = Chat, games, editing together: when the browser has as much to say as the server.
transport-websocket-mind = The fewest bytes for each message. Reconnecting, resuming and noticing a dead line are your own work, and some proxies refuse the upgrade.
transport-websocket-panel = One row named ws with status 101. Its Messages tab lists what goes each way.
transport-webtransport-name = WebTransport
transport-webtransport-how = A session over HTTP/3 and UDP: a stream of messages, and the newest count as a datagram as well.
transport-webtransport-pick = Where packets get lost: phones, trains, crowded Wi-Fi. A lost packet holds up nothing but itself.
transport-webtransport-mind = It survives a change of network. It needs a UDP port, some networks block UDP, and older browsers, above all older Safari, lack it: fall back to server-sent events.
transport-webtransport-panel = One row named wt, of the type webtransport. Its messages are not listed: QUIC is encrypted, and the tools do not show them yet.
transport-socketio-name = Socket.IO
transport-socketio-how = A protocol over WebSocket, with polling to fall back on.
transport-socketio-pick = When a team already uses it, or wants acknowledgements and rooms ready-made.
transport-socketio-mind = Reconnects by itself and gets through almost anything. It needs its own library on both sides.
transport-socketio-panel = One row named ?EIO=4&transport=websocket with status 101. Its messages begin with digits: 42 is an event, 2 and 3 are ping and pong.
transport-long-poll-name = Long poll
transport-long-poll-how = The server holds each request until there is news; then the next one is sent.
transport-long-poll-pick = Where a proxy buffers every stream: it is ordinary requests and still prompt.
transport-long-poll-mind = As fast as a push while changes are rare. Every update costs a whole request.
transport-long-poll-panel = Row after row named after the event, each pending until something changes or 25 seconds pass.
transport-frame-name = iframe stream
transport-frame-how = An HTML page that never finishes loading; each update is one more paragraph.
transport-frame-pick = A live number on somebody else’s page, even with JavaScript off.
transport-frame-mind = No script needed at all. It grows until it reloads itself, and without scripts it cannot say why it stopped.
transport-frame-panel = One row named frame, of the type document, that never finishes.
transport-poll-name = Interval poll
transport-poll-how = Asks every few seconds, whether or not there is news.
transport-poll-pick = When a few seconds’ delay is fine, or nothing else gets through.
transport-poll-mind = Works everywhere and is the simplest to run. Late by half its interval on average, and most of its requests bring nothing.
transport-poll-panel = A row every few seconds, most of them 304 without a body.
doctor-heading = Your browser and network
doctor-lead = This is what the lines of this page show.
doctor-fine = Fine
doctor-look = Worth a look
doctor-open = Not known yet
doctor-absent = Not available
doctor-first-fine = Streams are let through at once: the first bytes were here after { $time }.
doctor-first-look = Streams are held back on the way: the first bytes took { $time }. A proxy or virus scanner may be collecting them.
doctor-first-open = Waiting for a stream’s first bytes.
doctor-events-fine = Each event arrives by itself: { $time } from commit to screen, over a stream.
doctor-events-look = Events arrive late over a stream: { $time }. Something on the way collects them; long poll will be prompter here.
doctor-events-open = Whether events arrive one by one shows with the first change.
doctor-websocket-fine = WebSocket gets through: open after { $time }.
doctor-websocket-look = WebSocket does not get through. A proxy may not forward the upgrade.
doctor-websocket-open = Trying a WebSocket.
doctor-webtransport-fine = WebTransport gets through: open after { $time }.
doctor-webtransport-look = WebTransport does not get through: this network may block UDP.
doctor-webtransport-open = WebTransport is being tried.
doctor-webtransport-unsupported = This browser has no WebTransport. Pages then use server-sent events.
doctor-webtransport-off = This server does not offer WebTransport.
doctor-cuts-fine = No line was cut from outside. The longest silence so far: { $time }.
doctor-cuts-look =
    { $n ->
        [one] 1 line was cut from outside, after a silence of { $time }.
       *[other] { $n } lines were cut from outside, the earliest after a silence of { $time }.
    }
doctor-clock-fine = This device’s clock is { $time } off the server’s, give or take { $error }. The figures allow for it.
doctor-clock-open = Comparing this device’s clock with the server’s.
doctor-best-fine = Works best here: { $name }.
doctor-best-open = What works best here shows with the first change.
list-and = { $first } and { $last }

## Problems
problems-title = Problems and what they mean
problems-lead = Every error the service answers with carries one of these codes.
problems-retry = Worth trying again, with the same idempotency key.
problems-no-retry = The same request will be refused again.
problem-malformed-body-title = The body cannot be read
problem-malformed-body-meaning = The request’s body is not valid JSON or not a valid form. The answer names the place where reading stopped.
problem-bad-request-title = The request cannot be understood
problem-bad-request-meaning = A parameter, header or URL in the request is not valid.
problem-unauthorized-title = Sign in first
problem-unauthorized-meaning = This needs the organiser’s password or token.
problem-forbidden-title = Not allowed from here
problem-forbidden-meaning = The request came from another site, or its form has expired. Reload the page and send it again.
problem-not-found-title = There is nothing here
problem-not-found-meaning = The web address is wrong, or what was here has been deleted.
problem-event-not-found-title = There is no such event
problem-event-not-found-meaning = The event does not exist or has been deleted by its organiser.
problem-registration-not-found-title = There is no such registration
problem-registration-not-found-meaning = The private link is incomplete or wrong. Check that you have copied all of it.
problem-method-not-allowed-title = Method not allowed
problem-method-not-allowed-meaning = This URL does not answer this method; the Allow header lists those it does.
problem-not-acceptable-title = Not available in that format
problem-not-acceptable-meaning = None of the formats in the Accept header is available.
problem-body-too-large-title = Too much data
problem-body-too-large-meaning = The request’s body is larger than this URL accepts.
problem-unsupported-media-type-title = Unknown kind of body
problem-unsupported-media-type-meaning = Send JSON or a form, and say so in Content-Type.
problem-event-full-title = Not enough places
problem-event-full-meaning = There are not enough free places for this registration. If someone cancels, you can try again.
problem-event-closed-title = Registration has closed
problem-event-closed-meaning = Registration for this event has closed.
problem-event-not-open-title = Not open yet
problem-event-not-open-meaning = Registration for this event has not opened yet.
problem-already-registered-title = Already registered
problem-already-registered-meaning = This email address is already registered here. Use the private link you were given to see that registration.
problem-registration-erased-title = The data were erased
problem-registration-erased-meaning = This person’s name and answers were erased for good, so they cannot be changed.
problem-registration-cancelled-title = The registration is cancelled
problem-registration-cancelled-meaning = A cancelled registration cannot be changed. Register again to get a place.
problem-slug-taken-title = That short name is taken
problem-slug-taken-meaning = Another event already uses this short name.
problem-name-taken-title = This name is taken
problem-name-taken-meaning = Another account has this name. Choose another one.
problem-not-empty-title = There are registrations
problem-not-empty-meaning = Someone has registered, so this cannot be done, or only with a confirmation.
problem-changed-meanwhile-title = Changed in the meantime
problem-changed-meanwhile-meaning = Someone else changed this first. Look at the new state, then decide again.
problem-validation-failed-title = Please check the entries
problem-validation-failed-meaning = One or more fields cannot be accepted as they are.
problem-idempotency-mismatch-title = The entries have changed
problem-idempotency-mismatch-meaning = This form was already sent with other entries. Send it once more to register with these.
problem-too-many-requests-title = Too many requests
problem-too-many-requests-meaning = Too many requests came from this network address in a short time. Please wait a moment.
problem-busy-title = Very busy right now
problem-busy-meaning = We are receiving more requests than we can handle. Please wait a moment.
problem-database-unreachable-title = The database cannot be reached
problem-database-unreachable-meaning = Nothing can be stored at this moment. Please wait a moment.
problem-draining-title = Restarting
problem-draining-meaning = This server is about to restart. Please wait a moment.
problem-internal-title = Something went wrong
problem-internal-meaning = The fault is on our side and has been noted.
error-home = To the events
error-about = About this problem
error-retry =
    { $n ->
        [one] Try again in 1 second.
       *[other] Try again in { $n } seconds.
    }

## The organiser’s console
admin-title = Console
admin-none = No events yet. Create the first one.
admin-sign-out = Sign out
login-title = Organisers
login-name = Account
login-name-hint = Leave it empty if you have the shared password.
login-password = Password
login-hint = It was printed at the first start, or set by the operator.
login-button = Sign in
login-error-password = That name or password is wrong.
login-error-limit = Too many attempts. Wait a minute, then try again.
password-title = Set your password
password-hint = At least { $n } characters. Longer is safer; any characters will do.
password-button = Save and sign in
password-too-short = Use at least { $n } characters.
password-too-long = That password is too long.
password-gone = This link was used already, was replaced, or is older than 48 hours. Ask an owner for a new one.
create-heading = New event
create-slug = Short name
create-slug-hint = Part of the event’s web address: lowercase letters, digits and hyphens. It cannot be changed later.
create-button = Create the event
edit-heading = Details and schedule
edit-title = Title
edit-description = Description
edit-opens = Registration opens
edit-closes = Registration closes
edit-starts = Event starts
edit-ends = Event ends
edit-in-zone = In the event’s time zone, { $zone }. Leave empty for none.
create-in-zone = In the time zone above. Leave empty for none.
edit-time-zone = Time zone
edit-time-zone-hint = A name such as Europe/Berlin. All times of the event are in this zone.
edit-location = Location
edit-location-hint = One line, shown on every page of the event.
edit-online-url = Web address for taking part online
edit-online-url-hint = Only people with a place see it.
edit-contact = Contact
edit-contact-hint = For questions. An email address becomes a link.
edit-waitlist = Keep a waiting list once all places are taken
edit-party = Most people in one registration
edit-party-hint = 1 to 20. A larger number lets people register as a group.
edit-public-chart = Let everybody see the chart of how registration went
edit-erase = Days after the event’s end until everybody’s data are erased
edit-erase-now = Erase these registrations for good
edit-erase-hint = 1 to 3650. Names, email addresses and answers are deleted for good then, in archived rounds too. The event needs an end. Leave empty to keep everything.
edit-proof = Bot check
edit-proof-hint = The visitor’s browser computes something for a moment before it registers. People only see a short wait. Scripts with a token are not asked.
proof-off = Never
proof-auto = When registrations look automated
proof-on = Always
edit-button = Save the details
clash = Someone else has changed this in the meantime. It is now “{ $value }”. Saving replaces it with yours.
clash-empty = Someone else has changed this in the meantime. It is now empty. Saving replaces it with yours.
desk-page = Public page
desk-wall = Big screen
events-search = Search the events
events-search-none = No event has these words.
tab-dashboard = Dashboard
tab-people = People
tab-form = Form
tab-share = Share
tab-settings = Settings
tab-audit = Audit
keys-open = Keyboard shortcuts
keys-tab = Open a tab, in their order
keys-search = Search the list of people
keys-add = Add a person
keys-events = All events
keys-help = Show or hide this help
keys-switch = Use these shortcuts in this browser
keys-note = They never work while you type in a field.
keys-close = Close
tabs-label = Event console
share-heading = Share
share-local = This web address opens on this computer only. Start Headcount with the one that your visitors use:
share-poster = Poster to print
share-svg = QR code as SVG
share-png = QR code as PNG
share-elsewhere = Show the number on another site
share-embed = Live number, with a script
share-frame = Live number, without scripts
share-badge = Badge, as an image
share-copy = Copy
poster-invite = Scan the code, or open
capacity-heading = Capacity
capacity-label = Places
capacity-button = Set the capacity
capacity-rule = Raising it gives places to the people who have waited longest. Lowering it removes nobody.
capacity-blank = Leave empty for no limit.
preview-same = This is the present capacity.
preview-unlimited = Without a limit, everybody gets a place.
preview-invalid = Use a whole number from 0 to 1,000,000.
preview-raise = Raising by { $by }:
preview-lower = Lowering to { $to }:
preview-limit = Limiting to { $to }:
preview-promotes =
    { $n ->
        [one] 1 person waiting gets a place.
       *[other] { $n } people waiting get a place.
    }
preview-promotes-most =
    { $n ->
        [one] At most 1 person waiting gets a place; a group moves up only as a whole.
       *[other] At most { $n } people waiting get a place; a group moves up only as a whole.
    }
preview-over =
    { $n ->
        [one] 1 is over capacity; nobody is removed.
       *[other] { $n } are over capacity; nobody is removed.
    }
preview-free =
    { $n ->
        [one] 1 place is free.
       *[other] { $n } places are free.
    }
preview-full = No place is free.
state-heading = Taking registrations
state-explain-open = Registrations are taken as the schedule and the capacity allow.
state-explain-closed = Registration is closed. Opening it lets people register at once; a closing time that has passed is removed.
state-open-button = Open registration
state-close-button = Close registration
announce-heading = Announcement
announce-label = Message
announce-hint = Appears at once on every open page of this event, and for everybody who comes later. A new one replaces it.
announce-hours = Show it for
announce-hours-1 = 1 hour
announce-hours-6 = 6 hours
announce-hours-24 = 1 day
announce-hours-72 = 3 days
announce-hours-168 = 1 week
announce-now = Shown until { $time }: “{ $text }”
announce-withdraw = Take it back
announce-button = Announce
registrations-heading = Registrations
registrations-csv = Download CSV
registrations-total =
    { $n ->
        [one] 1 registration
       *[other] { $n } registrations
    }
registrations-none = Nobody has registered in this round yet.
registrations-no-match = Nothing matches.
filter-search = Name or email
filter-status = Status
filter-any = Any
filter-round = Round
filter-sort = Sort by
sort-number = Number
sort-number-down = Number, highest first
sort-name = Name
sort-at = Registered, earliest first
sort-at-down = Registered, latest first
filter-button = Show
status-confirmed = Confirmed
status-waiting = Waiting
status-cancelled = Cancelled
column-number = No.
column-party = People
column-status = Status
column-at = Time
column-action = Action
column-waiting = position { $position }
row-cancel = Cancel
row-cancel-confirm = Cancel registration
row-erase = Erase
row-undo = Undo
row-undo-explain = Gives the same number its places back, if they are still free.
row-by-hand = added by hand
row-erase-explain = Deletes this person’s name, email address and answers for good. Nobody can bring them back. The number, the status and the count stay.
row-erase-confirm = Erase for good
row-erased = erased
paging-label = Pages of the list
paging-previous = Previous page
paging-next = Next page
reset-heading = Reset
reset-explain = Archives round { $round } and starts the next one at zero. Every open page shows it at once.
confirm-label = Type { $slug } to confirm
reset-capacity = Places in the new round
reset-capacity-hint = Leave empty to keep the present capacity.
reset-button = Start a new round
undo-explain = Nobody has registered in this round yet, so the one before can come back as it was.
undo-button = Undo the reset
delete-heading = Delete this event
delete-explain = Deletes the event with all its registrations. Open pages say so at once. You have 10 seconds to stop it; after that it cannot be undone.
delete-button = Delete for good
door-title = Door list
door-lead =
    { $n ->
        [one] 1 person has a place. As of
       *[other] { $n } people have a place. As of
    }
door-tick = Arrived
audit-title = Audit log
audit-lead = Who did what, newest first.
audit-none = Nothing has been done yet.
audit-who = Who
audit-action = Action
audit-before = Before
audit-after = After
audit-comma = { ", " }
audit-yes = yes
audit-no = no
audit-by-visitor = visitor
audit-by-console = console
audit-by-token = API token
audit-by-token-named = API token { $name }
audit-by-schedule = schedule
audit-by-server = server
audit-did-create = create the event
audit-did-edit = change the settings
audit-did-edit-questions = change the questions
audit-did-edit-mail = change the mails
audit-did-opened = open on schedule
audit-did-closed = close on schedule
audit-did-cancel = cancel a registration
audit-did-change = change a registration
audit-did-add = add a registration
audit-did-import = import registrations
audit-did-restore = restore a registration
audit-did-erase = erase people’s data
audit-did-announce = announce
audit-did-withdraw = take back the announcement
audit-did-reset = start a new round
audit-did-undo = undo the reset
audit-did-delete = delete the event
audit-field-title = title
audit-field-description = description
audit-field-capacity = capacity
audit-field-waitlist = waiting list
audit-field-max-party-size = most people in one registration
audit-field-party-size = people
audit-field-opens-at = opens
audit-field-closes-at = closes
audit-field-starts-at = starts
audit-field-time-zone = time zone
audit-field-location = location
audit-field-online-url = web address
audit-field-contact = contact
audit-field-public-chart = public chart
audit-field-erase-after-days = days until erased
audit-field-proof-of-work = bot check
audit-field-erased = registrations erased
audit-field-erased-at = erased
audit-field-state = state
audit-field-round = round
audit-field-registered = registered
audit-field-waiting = waiting
audit-field-confirmed = confirmed
audit-field-over-capacity = over capacity
audit-field-first-number = first number
audit-field-last-number = last number
audit-field-id = id
audit-field-number = number
audit-field-status = status
audit-field-text = text
audit-field-ends-at = ends

## Who may do what
access-label = Access
access-account = Your account
access-accounts = Accounts
access-tokens = Tokens
access-webhooks = Webhooks
access-audit = Audit
access-missing = Your account may not open this page
access-missing-detail = Another role is needed for it. An owner can change your role.
access-you = You are signed in as { $name }, with the role { $role }.
role-owner = Owner
role-manager = Manager
role-viewer = Viewer
role-door = Door
role-owner-may = Everything: events, people, accounts and tokens.
role-manager-may = Events and people, with email addresses. No accounts and no tokens.
role-viewer-may = Counts, charts and lists without email addresses. Changes nothing.
role-door-may = Nothing yet.
access-copy = Copy
access-error-name = Enter a name.
access-error-scripts = Use letters of one script: Latin and Cyrillic ones look alike.
access-error-role = Choose a role.
access-error-scopes = Choose at least one.
access-error-current = That is not your present password.
access-device-unknown = An unknown device
access-password = Password
access-current = Present password
access-new-password = New password
access-password-explain = All your other sessions end. This one goes on.
access-password-button = Change the password
access-password-server = You use the server’s own password. The operator changes it with the option
access-sessions = Where you are signed in
access-sessions-explain = Ending a session signs that browser out at once.
access-device = Device
access-since = Since
access-seen = Last seen
access-this = This session
access-end = End
access-end-others = End all other sessions
access-name = Name
access-role = Role
access-signed-in = Last signed in
access-never = never
access-accounts-lead = Everybody who organises here. The audit logs name who did what.
access-password-set = set
access-password-renewing = set; a new link works until
access-password-awaited = not set yet; the link works until
access-password-missed = not set, and the link has expired: create a new one
access-role-change = Role
access-role-explain = The new role applies from their next click.
access-role-button = Change the role
access-link-new = New link
access-link-new-explain = Creates a link for setting a new password. Earlier links stop working. The present password works until a new one is set.
access-link-button = Create a link
access-remove = Delete
access-remove-explain = They are signed out at once and cannot sign in again. What they did stays in the audit logs. This cannot be taken back.
access-remove-button = Delete { $name }
access-new = New account
access-name-hint = They sign in with it, and the audit logs show it.
access-new-explain = You get a link with which they set their password. It works for 48 hours, once.
access-new-button = Create the account
access-link-made = The link for { $name }
access-link-explain = Send it to them over a channel you trust: it sets the password. It is shown only now, and works for 48 hours, once.
access-token-made = The token { $name }
access-token-explain = Copy it now: it is not shown again. Anyone who has it can do everything it allows.
access-tokens-lead = Tokens let scripts use the API and the command line.
access-tokens-none = There are no tokens.
access-token-name = Name
access-scopes = Allowed
access-event = Event
access-event-all = All events
access-event-hint = A token for one event cannot open other events or create new ones.
access-used = Last used
access-expires = Expires
access-expires-never = never
access-expired = expired
access-made-by = made by { $name } ·
access-token-remove-explain = Scripts that use it are refused at once. This cannot be taken back.
access-token-new = New token
access-token-name-hint = What it is for. The audit logs show it.
access-days = Expires in
access-days-n =
    { $n ->
        [one] 1 day
       *[other] { $n } days
    }
access-token-new-explain = The token is shown once, right after this.
access-token-new-button = Create the token
scope-read = Read
scope-register = Register people
scope-manage = Manage
scope-read-may = What a viewer sees.
scope-register-may = Register people, also by hand.
scope-manage-may = Change events and people. Includes the other two.
access-audit-lead = Who changed accounts, tokens, sessions and webhooks, newest first.
audit-did-account-create = create an account
audit-did-account-edit = change an account
audit-did-account-delete = delete an account
audit-did-account-link = create a link for a password
audit-did-account-password = set a password
audit-did-token-create = create a token
audit-did-token-delete = delete a token
audit-did-sessions-end = end sessions
audit-did-webhook-create = create a webhook
audit-did-webhook-edit = change a webhook
audit-did-webhook-delete = delete a webhook
audit-did-webhook-gone = switch a webhook off: its receiver is gone
audit-field-name = name
audit-field-role = role
audit-field-scopes = allowed
audit-field-event = event
audit-field-expires-at = expires
audit-field-sessions = sessions
audit-field-webhook = webhook
audit-field-host = server
audit-field-scheme = scheme
audit-field-path = path
audit-path-changed = changed
audit-field-events = about
audit-field-format = format
audit-field-language = language
audit-field-active = active
flash-done-role = The role is changed.
flash-done-account-removed = The account is deleted.
flash-done-password = Your password is changed. Your other sessions have ended.
flash-done-session-ended = The session has ended.
flash-done-session-gone = That session had ended already.
flash-done-sessions-ended = Your other sessions have ended.
flash-done-shown-once = It was created and shown once. If you missed it, create a new one.
flash-done-token-removed = The token is deleted.
flash-error-account-gone = That account no longer exists.
flash-error-token-gone = That token no longer exists.

## Answers to the console’s actions
flash-done-created = The event is created.
flash-done-edited = The details are saved.
flash-done-edited-moved = The details are saved. One of the times does not exist because the clocks go forward, so it was moved forward by as much. Please check the times.
flash-done-edited-first = The details are saved. One of the times exists twice because the clocks go back; the first of the two was taken.
flash-done-edited-both = The details are saved. Where a time does not exist because the clocks go forward, it was moved forward by as much. Where it exists twice, the first was taken. Please check the times.
flash-done-created-moved = The event is created. One of the times does not exist because the clocks go forward, so it was moved forward by as much. Please check the times.
flash-done-created-first = The event is created. One of the times exists twice because the clocks go back; the first of the two was taken.
flash-done-created-both = The event is created. Where a time does not exist because the clocks go forward, it was moved forward by as much. Where it exists twice, the first was taken. Please check the times.
flash-done-capacity = The capacity is set.
flash-done-closed = Registration is closed.
flash-done-opened = Registration is open.
flash-done-reset = A new round has started at zero.
flash-done-undone = The previous round is back.
flash-done-announced = The announcement is on every open page.
flash-done-withdrawn = The announcement is taken back.
flash-done-cancelled = The registration is cancelled.
flash-done-erased = The person’s data are erased.
flash-done-deleted = The event is deleted.
flash-error-confirm = The short name did not match, so nothing was changed.
flash-error-erase-now = Nothing is saved yet, because saving would erase registrations at once. Please confirm it below.
flash-error-changed = Someone else has changed the same setting in the meantime. Nothing was saved. Both values are shown at the field.
flash-error-invalid = Some entries cannot be accepted. Nothing was changed.
flash-error-forbidden = The form had expired. Please send it again.
flash-error-not-empty = Someone has registered in this round, so the reset can no longer be undone.
flash-error-not-found = That registration no longer exists.
flash-error-unavailable = The change could not be stored. Please try again in a moment.

## What is wrong with a field of the console
mistake-title = Give the event a title of one line.
mistake-capacity = Enter a whole number from 0 to 1,000,000, or leave this empty.
mistake-erase = Enter a whole number from 1 to { $most }, or leave this empty.
mistake-text = Write a message of one line.
mistake-slug = Use 1 to 64 lowercase letters, digits and hyphens.
mistake-moment = Enter a date and a time, or leave this empty.
mistake-closes = Registration must close later than it opens.
mistake-ends = The event must end after it starts.
mistake-erase-alone = This counts from the event’s end. Say when the event ends as well, or leave this empty.
mistake-erase-now =
    { $n ->
        [one] This erases 1 registration at once, because its retention period ended on { $time }. Nobody can bring it back.
       *[other] This erases { $n } registrations at once, because their retention period ended on { $time }. Nobody can bring them back.
    }
mistake-ends-alone = Say when the event starts as well, or leave its end empty.
mistake-zone = That time zone is unknown. Use a name such as Europe/Berlin.
mistake-online-url = Enter a complete web address, such as https://example.org/room.
mistake-confirm = This is not the event’s short name.

## When and where
weekday-1 = Mon
weekday-2 = Tue
weekday-3 = Wed
weekday-4 = Thu
weekday-5 = Fri
weekday-6 = Sat
weekday-7 = Sun
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
own-time = Your time: { $time }
contact = Questions? { $contact }
online-url = Join online:
calendar-add = Add to calendar

## Questions

row-answers = Answers
questions-title = Questions
questions-lead = Everybody who registers is asked for a name and an email address. Ask here for what else you need to know.
questions-kept = Answers to a question that you remove are kept, and stay in the list and in the CSV.
questions-none = Nothing else is asked yet.
questions-add = Add a question
questions-save = Save the questions
questions-unsaved = Not saved yet.
questions-clash = Someone else has saved these questions in the meantime: { $value }. Saving replaces them with yours.
questions-elsewhere = Someone else has just saved these questions: { $value }. What you typed is still here. Saving asks you before it replaces theirs.
questions-elsewhere-none = Someone else has just removed all questions. What you typed is still here. Saving asks you before it brings them back.
questions-clash-none = Someone else has removed all questions in the meantime. Saving replaces that with yours.
question-heading = Question { $number }
question-label = Question
question-kind = Answer
question-kind-text = One line of text
question-kind-long-text = Several lines of text
question-kind-choice = One of several options
question-kind-choices = Any of several options
question-kind-checkbox = A box to tick
question-kind-number = A number
question-required = People must answer this to register
question-options = Options
question-options-hint = One on each line, 2 to 50. Only for questions with options.
question-help = Help
question-help-hint = Shown below the question.
question-up = Move up
question-down = Move down
question-remove = Remove
question-error-empty = Write the question.
question-error-options = Give 2 to 50 options, one on each line.
question-error-repeated = Two options are the same.
question-error-invalid = This cannot be used. Please change it.
flash-done-questions = The questions are saved.
flash-error-questions-changed = Someone else has changed the questions in the meantime. Nothing was saved.
flash-error-questions-removed = This event has too many removed questions with answers. Nothing was saved.
audit-field-questions = questions
registrations-import = Import
row-correct = Correct
row-restore = Restore
add-title = Add a person
add-lead = For someone at the door or on the phone. This works while registration is closed, and required questions may stay unanswered.
add-over-capacity = Confirm even if there are not enough places
add-over-capacity-hint = Passes the capacity and everyone who waits. Nobody moves up until there is room again.
add-button = Add
correct-title = Correct a registration
correct-heading = Registration no. { $number }
correct-no-email = No email address
correct-button = Save
person-full = There are not enough free places, or others wait for them. Raise the capacity first, or leave the group as it is.
person-changed = This registration has changed in the meantime. Nothing was saved. Open it again to see what it is now.
import-title = Import registrations
import-lead = Adds everyone in a CSV file. The file is checked first; nothing is stored until you confirm.
import-file = CSV file
import-hint = Up to 2 MiB and { $most } people, in UTF-8. Cells are separated by commas, semicolons or tabs.
import-columns = The first line names the columns. Only the name is needed:{" "}
import-check = Check the file
import-result = Result of the check
import-nobody = The file names nobody.
import-ready =
    { $n ->
        [one] 1 registration can be added.
       *[other] { $n } registrations can be added.
    }
import-waiting =
    { $n ->
        [one] 1 of them goes to the waiting list.
       *[other] { $n } of them go to the waiting list.
    }
import-confirm =
    { $n ->
        [one] Add 1 registration
       *[other] Add { $n } registrations
    }
import-refused = Nothing can be stored until these lines are right. Correct the file and check it again.
import-line = Line
import-column = Column
import-mistake = What is wrong
import-further =
    { $n ->
        [one] And 1 more mistake.
       *[other] And { $n } more mistakes.
    }
import-cell = In the file
import-error-empty = This cell is empty.
import-error-unknown-option = Use one of these: { $options }.
import-error-not-a-flag = Write yes or no.
import-error-repeated = An earlier line has the same email address.
import-error-not-utf-8 = This is not UTF-8. Save the file as “CSV UTF-8”.
import-error-too-many-cells = There is a cell in a column without a heading.
import-error-empty-file = The file is empty.
import-error-too-many-rows = The file has too many people. Split it.
import-error-no-name = The first line must name the columns, and one of them is “name”.
import-error-unknown-column = This is neither a known column nor a question of this event. Known columns: { $columns }.
import-error-repeated-column = This column is there twice.
import-error-doubtful-column = Two questions have this label. Use their keys.
flash-done-added = The person is added.
flash-done-added-waiting = The person is added to the waiting list.
flash-done-corrected = The registration is saved.
flash-done-restored = The registration has its places again.
flash-done-imported = The registrations are added.
flash-error-full = There are not enough free places, or others wait for them. Nothing was changed. Raise the capacity on the dashboard first.
flash-error-taken = This email address has registered again. Nothing was changed.

## The chart and the dashboard

chart-heading = How registration is going
chart-spans = Time range
chart-span-all = Whole history
chart-span-day = 24 hours
chart-span-hour = 1 hour
chart-registered = Registered
chart-waiting = Waiting
chart-capacity = Capacity
chart-cancelled = Cancelled
chart-watching = Watching
chart-label = Chart: { $registered } registered, { $waiting } waiting. The table below has the numbers.
chart-watching-label = Chart of people watching, at most { $n }.
chart-not-counted = not counted
chart-table = The numbers as a table
chart-from = From
chart-beside = Compare with
chart-beside-none = No other event
chart-beside-button = Compare
chart-png = Save as a picture (PNG)
chart-public = See how registration is going
desk-live = Live monitor
fact-unknown = –
fact-rate-5 = New in the last 5 minutes
fact-rate-60 = New in the last 60 minutes
fact-rate-note = People, with those who wait.
fact-fills = Full, at this rate
fact-fills-note = An estimate: the rate will change.
fact-fills-none = No estimate: it needs a limit, free places and at least 10 recent registrations.
fact-watching = Watching now
chart-watching-most = Watching, at most
fact-watching-most = At most: { $n }
fact-delivery = Delivery, median / 99 of 100
fact-delivery-note = From the commit until an open page has it.
fact-refusals = Refused
fact-refusals-note = On this node, since it started.
### Mails.
mail-confirmed-subject = You have a place: { $title }
mail-confirmed-heading = You have a place
mail-confirmed-text = Your registration is confirmed. Keep this mail: its link is the only way to your registration.
mail-waiting-subject = You are on the waiting list: { $title }
mail-waiting-heading = You are on the waiting list
mail-waiting-text = You do not have a place yet. You move up in the order of registration; the page at the link shows your position.
mail-promoted-subject = You now have a place: { $title }
mail-promoted-heading = You now have a place
mail-promoted-text = A place has become free, and it is yours. If you cannot come, cancel at the link so that somebody else can.
mail-cancelled-subject = Your registration is cancelled: { $title }
mail-cancelled-heading = Your registration is cancelled
mail-cancelled-text = The organiser has cancelled your registration. It no longer holds a place or a position on the waiting list.
mail-changed-subject = New time or location: { $title }
mail-changed-heading = Something has changed
mail-changed-time = The time of the event has changed.
mail-changed-place = The location of the event has changed.
mail-reminder-subject = Coming up: { $title }
mail-reminder-heading = The event begins soon
mail-reminder-text = You have a place. If you cannot come, cancel at the link so that somebody else can.
mail-announcement-subject = News about { $title }
mail-announcement-heading = News from the organiser
mail-link-subject = Your link: { $title }
mail-link-heading = Here is your link
mail-link-text = Somebody asked for the link to the registration with this email address.
mail-confirm-subject = Confirm your registration: { $title }
mail-confirm-heading = One step is left
mail-confirm-text = Open the link to register. You have no place before that. The link works for 24 hours.
mail-confirm-open = Confirm and register
mail-confirm-reason = You get this mail because somebody filled in the registration form with your email address. If it was not you, ignore this mail: nothing happens.
mail-test-subject = Test mail from Headcount
mail-test-heading = Mail works
mail-test-text = The organiser of { $server } has sent this mail to find out whether mail works. There is nothing to do.
mail-hello = Hello { $name },
mail-fact = { $label }: { $value }
mail-before-link = { $action }:
mail-when = When
mail-where = Where
mail-online = Online
mail-contact = Questions?
mail-registration = Registration
mail-open = Open your registration
mail-keep = Anyone who has this link can see, change and cancel the registration.
mail-reason = You get this mail because somebody registered with your email address. If it was not you, ignore this mail, or cancel the registration at the link.
mail-unsubscribe = No more news and reminders about this event

### Pages about mails.
lost-title = Lost your link?
lost-lead = Enter the email address with which you registered. We send the link to it.
lost-done = If somebody has registered with this email address, the link is on its way. It is sent at most once in 10 minutes.
lost-button = Send the link
unsubscribe-title = No more mails?
unsubscribe-lead = You will get no more news, reminders or changes of time and place by mail. Your registration stays, and you still hear if you get a place or lose it.
unsubscribe-button = No more mails
unsubscribe-done = You get no more news and reminders about this event.
mails-title = Mails
mails-link = Mails: what is sent, reminders, and the outbox
mails-settings = What is sent
mails-kinds = Send these mails
mail-kind-confirmed = Registration confirmed
mail-kind-waiting = On the waiting list
mail-kind-promoted = Moved up from the waiting list
mail-kind-cancelled = Cancelled by the organiser
mail-kind-changed = New time or location
mail-kind-reminder = Reminder before the start
mail-kind-announcement = Announcements that you send by mail
mail-kind-link = Lost link
mail-kind-confirm = Link to register, without scripts
mail-kind-test = Test
mails-remind = Hours before the start to remind people with a place
mails-remind-hint = 1 to 720. The event needs a start. Leave empty for no reminder.
mails-save = Save
mails-test = Test the mail server
mails-test-to = Your own email address
mails-test-button = Send a test mail
mails-outbox = Outbox
mails-all = All
mails-waiting = { $n } waiting
mails-sent = { $n } sent
mails-failed = { $n } failed
mails-dropped = { $n } not sent
mails-none = There are no mails.
mails-held = { $n } mails wait because the budget of { $budget } mails an hour is used up. They are sent later.
mails-column-kind = Mail
mails-column-to = To
mails-column-state = State
mails-everybody = everybody
mails-unconfirmed = somebody who has not confirmed yet
mails-state-waiting = Waiting
mails-state-sent = Sent
mails-state-failed = Failed
mails-state-dropped = Not sent
mails-again-at = next attempt at { $time }
mails-again-now = next attempt now
mails-retry = Try again
mistake-remind = Enter a whole number from 1 to { $most }, or leave this empty.
mistake-no-mail = This server sends no mail.
mistake-mail-off = Announcements by mail are switched off for this event.
flash-done-mail-saved = The mail settings are saved.
flash-done-mail-test = The test mail is on its way.
flash-done-mail-retry = The mail is sent again.
flash-done-mail-no-retry = This mail is no longer marked as failed, so it was not sent again.
announce-mail = Also send it by mail to everybody who has registered
audit-field-remind-hours-before = hours before the start to remind
audit-field-mails = mails
column-proven = email address confirmed
webhooks-title = Webhooks
webhooks-lead = Notify programs and chats of registrations and events. Names, email addresses and answers are never sent.
webhooks-none = There are no webhooks yet.
webhook-host = Receiver
webhook-format = Format
webhook-format-standard = JSON (Standard Webhooks)
webhook-format-slack = Slack
webhook-format-discord = Discord
webhook-format-feishu = Feishu / Lark
webhook-format-dingtalk = DingTalk
webhook-format-wecom = WeCom
webhook-language = Language of messages to chats
webhook-event = Event
webhook-every-event = All events
webhook-state = State
webhook-active = Active
webhook-inactive = Not active
webhook-gone = Not active: the receiver said that it is gone (410)
webhook-create = Create a webhook
webhook-create-button = Create the webhook
webhook-url = URL
webhook-url-hint = Where to send to, beginning with https:// or http://. It must lead to a public network address.
webhook-topics = Notify about
webhook-topic-registration-created = Registration added
webhook-topic-registration-promoted = Moved up from the waiting list
webhook-topic-registration-cancelled = Registration cancelled
webhook-topic-registration-changed = Registration changed
webhook-topic-event-changed = Event changed
webhook-topic-event-capacity = Capacity changed
webhook-topic-event-opened = Registration opened
webhook-topic-event-closed = Registration closed
webhook-topic-event-reset = New round
webhook-topic-event-full = Last place taken
webhook-error-url = Enter a URL that begins with https:// or http://, without user name and password.
webhook-error-url-forbidden = This leads to a network address that is not public. The operator can allow its network with --webhook-allow.
webhook-error-url-too-many = There are too many webhooks. Delete one first.
webhook-error-events = Choose at least one.
webhook-error-event = There is no such event.
webhook-settings = Settings
webhook-secret = Secret
webhook-secret-hint = Copy it now: it is not shown again. Each request is signed with it (Standard Webhooks), so that the receiver can verify the sender.
webhook-deactivate = Deactivate
webhook-activate = Activate
webhook-delete = Delete…
webhook-delete-explain = Deletes the webhook and its deliveries. Nothing more is sent.
webhook-delete-confirm = Delete the webhook
webhook-deliveries = Deliveries
webhook-no-deliveries = Nothing has been sent yet.
webhook-about = About
webhook-outcome = Outcome
webhook-attempts = Attempts
webhook-status-waiting = Waiting
webhook-status-sent = Sent
webhook-status-failed = Failed
webhook-status-dropped = Not sent
webhook-next = Next attempt: { $time }
webhook-next-now = Next attempt: now
webhook-resend = Send again
flash-done-webhook-created = The webhook is created and active.
flash-done-webhook-activated = The webhook is active.
flash-done-webhook-deactivated = The webhook is not active any more.
flash-done-webhook-resent = It is being sent again.
flash-done-webhook-deleted = The webhook is deleted.
# Webhooks: messages to chats.
hook-message = { $title }: { $what }. { $count }
hook-created =
    { $people ->
        [one] registration No. { $number }
       *[other] registration No. { $number } for { $people } people
    }
hook-waiting =
    { $people ->
        [one] No. { $number } joined the waiting list
       *[other] No. { $number } ({ $people } people) joined the waiting list
    }
hook-promoted =
    { $people ->
        [one] No. { $number } moved up from the waiting list
       *[other] No. { $number } ({ $people } people) moved up from the waiting list
    }
hook-cancelled = registration No. { $number } was cancelled
hook-changed = registration No. { $number } was changed
hook-event-changed = the event was changed
hook-event-capacity = the number of places was changed
hook-event-opened = registration is open
hook-event-closed = registration is closed
hook-event-reset = a new round has begun
hook-event-full = all places are taken
hook-count = { $registered } registered
hook-count-of = { $registered } of { $capacity }
hook-count-waiting = { $taken }, { $waiting } waiting
edit-visibility = Who can see it
edit-visibility-hint = A change to draft ends open pages as if the event were deleted. People who have registered keep their private page.
visibility-public = Everybody, also in the list of events
visibility-unlisted = Everybody who has the link
visibility-draft = Only organisers (draft)
mistake-visibility = Choose one of the three.
audit-field-visibility = visibility
audit-field-archived = in the archive
kind-draft = Draft
kind-unlisted = Unlisted
kind-archived = Archived
group-drafts = Drafts
group-archive = Archive
spark-more = { $n ->
    [0] Nobody new in 7 days
    [one] 1 new in 7 days
   *[other] { $n } new in 7 days
}
spark-fewer = { $n ->
    [one] 1 fewer than 7 days ago
   *[other] { $n } fewer than 7 days ago
}
draft-note = This is a draft. Only organisers see this page, and nobody can register. Publish it in its settings:
archive-heading = Archive and duplicate
archive-explain = Closes registration and moves the event to the archive. Its link still works. You can bring it back; registration then stays closed.
archive-button = Move to the archive
unarchive-explain = The event is in the archive. It comes back to the list, and registration stays closed until you open it.
unarchive-button = Bring it back
state-explain-archived = The event is in the archive, so registration stays closed. Bring it back in its settings.
duplicate-heading = Duplicate this event
duplicate-lead = Creates a new event with the same settings and questions. Nobody’s registration is copied.
duplicate-link = Duplicate the event…
duplicate-times = Keep its dates and times
duplicate-button = Create the duplicate
flash-done-duplicated = The duplicate is created. Check its dates before you publish it.
flash-done-archived = The event is in the archive, and registration is closed.
flash-done-unarchived = The event is back in the list. Registration is closed.
undo-action = Undo
create-more = More settings
feed-heading = Recent activity
feed-none = Nothing has happened yet.
feed-registered = { $who } registered
feed-waiting = { $who } joined the waiting list
feed-number = No. { $number }
feed-act-create = { $who } created the event
feed-act-edit = { $who } changed the settings
feed-act-edit-questions = { $who } changed the questions
feed-act-edit-mail = { $who } changed the mails
feed-act-opened = Registration opened on schedule
feed-act-closed = Registration closed on schedule
feed-act-cancel = { $who } cancelled the registration of { $subject }
feed-act-change = { $who } changed the registration of { $subject }
feed-act-restore = { $who } restored the registration of { $subject }
feed-act-erase = { $who } erased the data of { $subject }
feed-act-import = { $who } imported registrations
feed-act-announce = { $who } made an announcement
feed-act-withdraw = { $who } took back the announcement
feed-act-reset = { $who } started a new round
feed-act-undo = { $who } undid the reset
feed-own-cancel = { $subject } cancelled
feed-own-change = { $subject } changed their registration
feed-own-erase = { $subject } erased their data
feed-did = { $who }: { $action }
feed-did-to = { $who }: { $action } ({ $subject })
feed-ago-s = { $n } s ago
feed-ago-min = { $n } min ago
feed-ago-h = { $n } h ago
feed-ago-d = { $n } d ago
delete-grace = The event will be deleted in { $n } s.
delete-stop = Keep the event
added-as = { $name } is added as No. { $number }.
added-waiting = { $name } is added as No. { $number }, position { $position } on the waiting list.
added-show = Show in the list
registrations-people =
    { $registered ->
        [one] 1 person has a place, { $waiting } waiting
       *[other] { $registered } people have places, { $waiting } waiting
    }
registrations-all = Show everybody
add-may-wait = If there are not enough places, the person joins the waiting list.

### Why something in the outbox was not delivered. `$said` are the words of a receiver, a mail server or the system.

unsent-webhook-deleted = The webhook was deleted.
unsent-webhook-inactive = The webhook is not active.
unsent-erased = The registration was erased.
unsent-gone = The receiver answered 410 (gone). The webhook is not active any more.
unsent-unresolved = The receiver’s name cannot be resolved.
unsent-forbidden = The receiver’s name leads to { $said }, which is not public.
unsent-connect = Cannot connect to the receiver: “{ $said }”
unsent-connect-slow = The receiver did not accept a connection in time.
unsent-connect-refused = The receiver refuses connections.
unsent-tls = TLS fails: “{ $said }”
unsent-certificates = The system’s certificates cannot be read: “{ $said }”
unsent-http = The receiver did not answer by HTTP: “{ $said }”
unsent-timeout = No answer within { $said }.
unsent-slow = The attempt took too long.
unsent-answered = The receiver answered { $status }.
unsent-answered-said = The receiver answered { $status }: “{ $said }”
unsent-redirect = The receiver answered { $status }. Redirects are not followed.
unsent-no-result = The receiver answered { $status } without a result.
unsent-error = The receiver answered { $status } with error { $said }.
unsent-kind-unknown = This version does not know this kind of mail.
unsent-kind-off = The event does not send this kind of mail.
unsent-event-deleted = The event was deleted.
unsent-registration-gone = The registration no longer exists.
unsent-no-email = The registration has no email address.
unsent-cancelled = The registration is cancelled.
unsent-has-places = The registration has its places by now.
unsent-round-over = The round is over.
unsent-link-old = The link is too old.
unsent-registered = The person has registered.
unsent-unwanted = The person does not want such mails.
unsent-refused-before = A mail server has refused this email address before.
unsent-unproven = An email address that is not confirmed gets one mail a day.
unsent-email = Mail servers do not take this email address.
unsent-ascii = The mail server takes only email addresses of ASCII letters.
unsent-starttls = The mail server offers no STARTTLS. The operator can allow mail without TLS.
unsent-unwritable = The mail cannot be written: “{ $said }”
unsent-mail-timeout = The mail server did not answer in time (step: { $said }).
unsent-mail-connect = Cannot connect to the mail server: “{ $said }”
unsent-mail-connect-alone = Cannot connect to the mail server.
unsent-mail-network = The connection to the mail server broke: “{ $said }”
unsent-mail-response = The mail server’s answer cannot be understood: “{ $said }”
unsent-mail-refused = The mail server refused it ({ $status }).
unsent-mail-refused-said = The mail server refused it ({ $status }): “{ $said }”
unsent-mail-deferred = The mail server did not take it yet ({ $status }).
unsent-mail-deferred-said = The mail server did not take it yet ({ $status }): “{ $said }”
unsent-other = “{ $said }”
