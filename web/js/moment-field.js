// A field for a moment in the event's zone, as the server writes it.

/** A moment as a `datetime-local` field writes it in `zone`: no more than it says. */
export function fieldMoment(at, zone) {
  if (at === null) return "";
  const format = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
  const part = Object.fromEntries(
    format.formatToParts(new Date(at)).map(({ type, value }) => [type, value]),
  );
  const date = `${part.year}-${part.month}-${part.day}`;
  const time = `${part.hour}:${part.minute}:${part.second}.${part.fractionalSecond}`;
  return `${date}T${time}`.replace(/(:00)?\.000$/, "");
}
